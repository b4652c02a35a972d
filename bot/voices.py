"""Voice notes to proposed words, one at a time: recognition takes a whole core for about their length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from core.clock import utc_now
from core.voice import transcripts
from core.voice.transcriber import Transcriber, TranscriberError, load_transcriber
from storage.database import Database

log = structlog.get_logger("nghedan.voices")

_EVERY_S = 3.0
_BATCH = 10


class VoiceLoop:
    """Transcribes fetched voice notes and asks the citizen whether the words are right."""

    def __init__(
        self, database: Database, spec: str, *, folder: Path, queued: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._spec = spec
        self._folder = folder
        self._queued = queued

    async def run(self) -> None:
        """Work until cancelled; ends at once when the setting is empty or unusable (staff type then)."""
        try:
            transcriber = await asyncio.to_thread(load_transcriber, self._spec)
        except TranscriberError as error:
            log.error("transcriber not usable", code=error.code)
            transcriber = None
        if transcriber is None:
            await asyncio.Event().wait()
            return
        while True:
            for note in await asyncio.to_thread(self._waiting):
                await asyncio.to_thread(self.transcribe, transcriber, note)
                self._queued()
            await asyncio.sleep(_EVERY_S)

    def _waiting(self) -> list[transcripts.Waiting]:
        with self._database.read() as session:
            return transcripts.waiting(session, for_staff=False, limit=_BATCH)

    def transcribe(self, transcriber: Transcriber, note: transcripts.Waiting) -> None:
        """Make words of one note; what cannot be read or holds no speech is left to staff."""
        try:
            text = transcriber.transcribe(self._folder / note.path).text
        except TranscriberError as error:
            log.warning("voice note not read", attachment_id=note.attachment_id, code=error.code)
            text = ""
        with self._database.write() as session:
            now, made_by = utc_now(), transcriber.name
            if text.strip():
                transcripts.propose(session, note.attachment_id, text, made_by=made_by, now=now)
            else:
                transcripts.record_failure(session, note.attachment_id, made_by=made_by, now=now)
