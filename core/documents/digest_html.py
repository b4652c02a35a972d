"""The digest for a screen: one HTML file that needs nothing else, and prints on one page."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from core.digest.page import Digest
from core.documents import digest_words
from core.documents.safe_text import printable
from core.wording import STAFF


def write_digest_html(digest: Digest, path: Path) -> None:
    """Write the page; what people wrote is escaped."""
    source = files("core.documents").joinpath("digest.html").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    text = environment.from_string(source).render(digest=digest, words=digest_words, say=STAFF.say)
    path.write_text(printable(text), encoding="utf-8")
