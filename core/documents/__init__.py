"""The agenda as files: DOCX to print, XLSX to work in, CSV and JSON for programs. No identity of citizens."""

from core.documents.export import FORMATS, export

__all__ = ["FORMATS", "export"]
