"""Files sent from a simulated phone: which kinds are taken, and the store that keeps them for a day.

A file waits here until the attachment loop fetches it, which may be after the consent question (24 h).
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
import shutil
import tempfile
from pathlib import Path

from core.outbox.port import IncomingKind

MAX_AGE_S = 24 * 3600.0
_REF = re.compile(r"[0-9a-f]{32}")
_KINDS = {
    IncomingKind.PHOTO: ("image/jpeg", "image/png", "image/webp", "image/gif", "image/heic", "image/heif"),
    IncomingKind.VOICE: (
        "audio/mpeg",
        "audio/mp4",
        "audio/aac",
        "audio/ogg",
        "audio/webm",
        "audio/wav",
        "audio/x-wav",
        "audio/x-m4a",
        "audio/amr",
        "audio/3gpp",
    ),
    IncomingKind.VIDEO: ("video/mp4", "video/webm", "video/quicktime", "video/3gpp"),
    IncomingKind.FILE: (
        "application/pdf",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.text",
        "text/plain",
    ),
}
_KIND_OF = {mime_type: kind for kind, mime_types in _KINDS.items() for mime_type in mime_types}
# What a browser shows without ever running anything; recognised by the bytes, not by what was claimed.
_SHOWN = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)


class FileGone(Exception):
    """The file was never here, or its day is over."""


class FileTooLarge(Exception):
    """The file is larger than the caller wants to read."""


def recognise(declared: str, file_name: str) -> tuple[IncomingKind, str] | None:
    """Kind and MIME type of a file; None when that type is not taken.

    Phones often declare nothing for voice notes, so the name decides when the declared type is unknown.
    """
    guessed = mimetypes.guess_type(file_name)[0] or ""
    for mime_type in (declared.partition(";")[0].strip().lower(), guessed):
        if mime_type in _KIND_OF:
            return _KIND_OF[mime_type], mime_type
    return None


def shown_type(content: bytes) -> str | None:
    """The picture type that a page may show, by the first bytes; None for everything else."""
    return next((mime_type for pattern, mime_type in _SHOWN if pattern.match(content)), None)


def reference(person: str, message_id: str) -> str:
    """The same for the same message, so that a repeated upload replaces itself; says nothing about either."""
    return hashlib.sha256(f"{person}/{message_id}".encode()).hexdigest()[:32]


class FileStore:
    """A folder of files named by reference. Blocking: call it from a thread.

    Without a `folder` it makes a private one at the first file and removes it when closed.
    """

    def __init__(self, folder: Path | None = None, *, max_total_bytes: int = 500_000_000) -> None:
        self._folder = folder
        self._temporary = folder is None
        self._max_total_bytes = max_total_bytes

    def save(self, ref: str, content: bytes, *, now_s: float) -> None:
        """Keep a file, whole or not at all, and drop what is too old or too much (`now_s`: Unix time)."""
        folder = self._open()
        partial = folder / f".{ref}.part"
        partial.write_bytes(content)
        partial.rename(folder / ref)
        self._prune(folder, keep=ref, now_s=now_s)

    def read(self, ref: str, *, max_bytes: int) -> bytes:
        """The content; raises `FileGone` or `FileTooLarge`."""
        if self._folder is None or not _REF.fullmatch(ref):
            raise FileGone(ref)
        path = self._folder / ref
        try:
            if path.stat().st_size > max_bytes:
                raise FileTooLarge(ref)
            return path.read_bytes()
        except FileNotFoundError as error:
            raise FileGone(ref) from error

    def close(self) -> None:
        """Remove a folder that we made ourselves."""
        if self._temporary and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _open(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="nghedan-simulator-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def _prune(self, folder: Path, *, keep: str, now_s: float) -> None:
        files = [(path.stat(), path) for path in folder.iterdir() if _REF.fullmatch(path.name)]
        total = sum(stat.st_size for stat, _ in files)
        for stat, path in sorted(files, key=lambda pair: pair[0].st_mtime):
            old = stat.st_mtime < now_s - MAX_AGE_S
            if path.name != keep and (old or total > self._max_total_bytes):
                path.unlink(missing_ok=True)
                total -= stat.st_size
