"""One entrance to all formats; a file appears whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from core.agenda.document import AgendaDocument
from core.documents.agenda_docx import write_docx
from core.documents.tables import write_csv, write_json, write_xlsx

FORMATS: Mapping[str, Callable[[AgendaDocument, Path], None]] = {
    "docx": write_docx,
    "xlsx": write_xlsx,
    "csv": write_csv,
    "json": write_json,
}


def export(document: AgendaDocument, kind: str, path: Path) -> Path:
    """Write one format to `path` through a temporary file beside it; `KeyError` for an unknown format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    FORMATS[kind](document, partial)
    partial.replace(path)
    return path
