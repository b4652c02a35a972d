"""Speech to text on this machine, behind a setting: no model that knows Vietnamese ships with a package.

Errors::

    TranscriberError         the setting cannot be used, or a recording cannot be read (`code` says how)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.text.normal import clean

_LANGUAGE = "vi"
_THREADS = 2
# Whisper invents words for silence; a segment that is this likely to hold no speech is left out.
_MOST_SILENCE = 0.6


class TranscriberError(Exception):
    """`code` is one of `unknown_spec`, `package_missing`, `model_missing`, `unreadable_audio`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Transcription:
    """`text` is empty when nobody spoke; `duration_s` is the length of the recording."""

    text: str
    duration_s: float


class Transcriber(Protocol):
    """Anything that turns a recording into words; `name` is kept beside what it made."""

    @property
    def name(self) -> str:
        """Package and model."""
        ...

    def transcribe(self, recording: Path) -> Transcription:
        """The words of an audio file. Takes about the length of the recording; raises `TranscriberError`."""
        ...


def load_transcriber(spec: str) -> Transcriber | None:
    """The transcriber that the setting `NGHEDAN_TRANSCRIBER` names; None when staff type voice notes.

    Reads a model folder from disk and never the network. Raises `TranscriberError`.
    """
    kind, _, folder = spec.partition(":")
    if not spec:
        return None
    if kind == "faster-whisper" and folder:
        return WhisperTranscriber(Path(folder))
    raise TranscriberError("unknown_spec", f"cannot read the transcriber setting {spec!r}")


class WhisperTranscriber:
    """A Whisper model in CTranslate2's format (`model.bin`, `config.json`, `tokenizer.json`) on the CPU."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "model.bin").is_file():
            raise TranscriberError("model_missing", f"no model.bin in {folder}")
        try:
            from av.error import FFmpegError  # Optional extra `voice`.
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise TranscriberError("package_missing", "install the extra `voice`") from error
        self.name = f"faster-whisper:{folder.name}"
        self._unreadable: tuple[type[Exception], ...] = (FFmpegError, OSError, ValueError, RuntimeError)
        self._model: Any = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=_THREADS, local_files_only=True
        )
        # A model of English only is of no use to citizens, but shows that everything else works.
        self._language = _LANGUAGE if self._model.model.is_multilingual else "en"

    def transcribe(self, recording: Path) -> Transcription:
        """Decode any format that the platforms send (ogg, m4a, amr …) and recognise it."""
        try:
            segments, info = self._model.transcribe(str(recording), language=self._language, beam_size=5)
            spoken = [s.text for s in segments if s.no_speech_prob < _MOST_SILENCE]
        except self._unreadable as error:
            # The message of a decoder may quote the file; its kind is enough.
            raise TranscriberError("unreadable_audio", type(error).__name__) from error
        return Transcription(clean(" ".join(spoken)), float(info.duration))
