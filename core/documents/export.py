"""One entrance to all formats; a file appears whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from core.agenda.document import AgendaDocument
from core.digest.page import Digest
from core.documents.agenda_docx import write_docx
from core.documents.digest_docx import write_digest_docx
from core.documents.digest_html import write_digest_html
from core.documents.tables import write_csv, write_json, write_xlsx

FORMATS: Mapping[str, Callable[[AgendaDocument, Path], None]] = {
    "docx": write_docx,
    "xlsx": write_xlsx,
    "csv": write_csv,
    "json": write_json,
}
DIGEST_FORMATS: Mapping[str, Callable[[Digest, Path], None]] = {
    "docx": write_digest_docx,
    "html": write_digest_html,
}


def export(document: AgendaDocument, kind: str, path: Path) -> Path:
    """Write the agenda in one format to `path`; `KeyError` for an unknown format."""
    write = FORMATS[kind]
    return _whole(path, lambda partial: write(document, partial))


def export_digest(digest: Digest, kind: str, path: Path) -> Path:
    """Write the digest in one format to `path`; `KeyError` for an unknown format."""
    write = DIGEST_FORMATS[kind]
    return _whole(path, lambda partial: write(digest, partial))


def _whole(path: Path, write: Callable[[Path], None]) -> Path:
    """Through a temporary file beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    write(partial)
    partial.replace(path)
    return path
