"""Files of the agenda (DOCX to print, XLSX to work in, CSV and JSON for programs) and of the digest (DOCX, HTML). No
identity of citizens.
"""

from core.documents.export import DIGEST_FORMATS, FORMATS, export, export_digest

__all__ = ["DIGEST_FORMATS", "FORMATS", "export", "export_digest"]
