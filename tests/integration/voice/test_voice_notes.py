"""From a voice note to words that count: proposed, confirmed by the citizen or typed by staff."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.voices import VoiceLoop
from core.outbox.port import IncomingAttachment, IncomingKind
from core.voice import transcripts
from core.voice.transcriber import TranscriberError, Transcription
from core.voice.transcripts import Waiting
from storage.models import Attachment, Concern, ConcernPart, Transcript
from tests.factories.records import Commune, Person

NOTE = (IncomingAttachment(IncomingKind.VOICE, file_ref="tin-thoại-1"),)
WORDS = "Đường vào thôn Tả Hồ hỏng nặng, đề nghị sửa"


class Ear:
    """A `Transcriber` that hears what it is told, or cannot read the recording."""

    name = "ear"

    def __init__(self, text: str | None) -> None:
        self.text = text

    def transcribe(self, recording: Path) -> Transcription:
        if self.text is None:
            raise TranscriberError("unreadable_audio", "test")
        return Transcription(self.text, 4.0)


def _send_note(person: Person) -> None:
    person.step(
        "action_choose",
        None,
        intent="choose",
        choice="attach:voice",
        kind=IncomingKind.VOICE,
        attachments=NOTE,
    )
    with person.commune.database.write() as session:  # What the download loop does.
        session.execute(update(Attachment).values(state="kept", path="1.ogg"))


def _waiting(commune: Commune, *, for_staff: bool = False) -> list[Waiting]:
    with commune.database.read() as session:
        return transcripts.waiting(session, for_staff=for_staff, limit=10)


def _hear(commune: Commune, text: str | None) -> None:
    loop = VoiceLoop(commune.database, "", folder=commune.folder)
    for note in _waiting(commune):
        loop.transcribe(Ear(text), note)


def _concern(commune: Commune) -> Concern | None:
    with commune.database.read() as session:
        return session.scalars(select(Concern)).one_or_none()


def _transcript(commune: Commune) -> Transcript:
    with commune.database.read() as session:
        return session.scalars(select(Transcript)).one()


def test_words_count_only_after_the_citizen_confirms_them(commune: Commune) -> None:
    person = commune.person()
    _send_note(person)
    _hear(commune, WORDS)

    asked = person.heard()[-1]
    assert f"«{WORDS}»" in asked.text
    assert _concern(commune) is None

    note = asked.choices[0][1]
    summary = person.choose(note).replies[-1].text
    assert "Như vậy đã đúng chưa" in summary
    concern = _concern(commune)
    assert concern is not None and concern.text == WORDS
    with commune.database.read() as session:
        attachment = session.scalars(select(Attachment)).one()
        part = session.scalars(select(ConcernPart)).one()
    assert attachment.concern_id == concern.id and attachment.path == "1.ogg"  # The recording is kept.
    assert part.inbound_id == attachment.inbound_id


def test_a_second_tap_adds_nothing(commune: Commune) -> None:
    person = commune.person()
    _send_note(person)
    _hear(commune, WORDS)
    note = person.heard()[-1].choices[0][1]
    person.choose(note)
    person.choose(note)

    concern = _concern(commune)
    assert concern is not None and concern.text == WORDS


def test_nobody_else_can_confirm_a_note(commune: Commune) -> None:
    person, other = commune.person(), commune.person()
    _send_note(person)
    _hear(commune, WORDS)
    other.choose(person.heard()[-1].choices[0][1])

    assert _concern(commune) is None
    assert _transcript(commune).state == "proposed"


def test_words_that_are_wrong_go_to_staff_whose_words_are_asked_about_again(commune: Commune) -> None:
    person = commune.person()
    _send_note(person)
    _hear(commune, "đừng vào thôn tả hổ")
    answer = person.choose(person.heard()[-1].choices[1][1]).replies[0].text
    assert "cán bộ sẽ nghe lại" in answer
    (note,) = _waiting(commune, for_staff=True)
    assert _waiting(commune) == []

    with commune.database.write() as session:
        assert transcripts.propose(
            session, note.attachment_id, WORDS, made_by="staff:3", now=commune.clock.at
        )
    person.choose(person.heard()[-1].choices[0][1])
    concern = _concern(commune)
    assert concern is not None and concern.text == WORDS


def test_a_note_of_a_sent_concern_is_completed_by_staff_at_once(commune: Commune) -> None:
    person = commune.person()
    person.tell("Đường vào thôn hỏng nặng quá")
    person.step(
        "validate_concern_form",
        None,
        intent="choose",
        choice="attach:voice",
        kind=IncomingKind.VOICE,
        attachments=NOTE,
    )
    with commune.database.write() as session:
        session.execute(update(Attachment).values(state="kept", path="1.ogg"))
    code = person.confirm().split("mã ")[1].split(".")[0]
    (note,) = _waiting(commune, for_staff=True)
    assert note.concern_code == code

    with commune.database.write() as session:
        told = transcripts.confirm_by_staff(
            session, note.attachment_id, "Đoạn qua cầu treo", actor="staff:3", now=commune.clock.at
        )
    assert told == code
    concern = _concern(commune)
    assert concern is not None and concern.text == "Đường vào thôn hỏng nặng quá\nĐoạn qua cầu treo"
    assert _waiting(commune, for_staff=True) == []


def test_what_cannot_be_read_waits_for_staff_after_a_few_tries(commune: Commune) -> None:
    person = commune.person()
    _send_note(person)
    for _ in range(transcripts.MOST_ATTEMPTS):
        _hear(commune, None)

    assert _waiting(commune) == []
    assert len(_waiting(commune, for_staff=True)) == 1
    assert _transcript(commune).state == "failed"


def test_a_note_sent_before_consent_is_not_listened_to(commune: Commune) -> None:
    newcomer = commune.newcomer()
    newcomer.step(
        "validate_registration_form",
        None,
        intent="choose",
        choice="attach:voice",
        kind=IncomingKind.VOICE,
        attachments=NOTE,
    )
    with commune.database.write() as session:
        session.execute(update(Attachment).values(state="kept", path="1.ogg"))

    assert _waiting(commune, for_staff=True) == []


@pytest.mark.parametrize("text", ["", "   "])
def test_silence_proposes_nothing(commune: Commune, text: str) -> None:
    person = commune.person()
    _send_note(person)
    before = len(person.heard())
    _hear(commune, text)

    assert len(person.heard()) == before
    assert _transcript(commune).state == "failed"


def test_a_note_beside_written_words_is_added_to_the_open_draft(commune: Commune) -> None:
    person = commune.person()
    person.tell("Đường vào thôn hỏng nặng quá")
    person.step(
        "validate_concern_form",
        None,
        intent="choose",
        choice="attach:voice",
        kind=IncomingKind.VOICE,
        attachments=NOTE,
    )
    with commune.database.write() as session:
        session.execute(update(Attachment).values(state="kept", path="1.ogg"))
    _hear(commune, "Đoạn qua cầu treo")
    right = person.heard()[-1].choices[0][1]
    summary = person.step(
        ("validate_concern_form", "action_ask_concern_form_confirmation"),
        right,
        intent="choose",
        choice=right,
        kind=IncomingKind.CHOICE,
    )

    assert "ghép thêm tin vừa rồi" in summary.replies[0].text
    concern = _concern(commune)
    assert concern is not None and concern.text == "Đường vào thôn hỏng nặng quá\nĐoạn qua cầu treo"


def test_erasing_takes_the_words_of_the_note_along(commune: Commune) -> None:
    person = commune.person()
    _send_note(person)
    _hear(commune, WORDS)
    person.choose("erase:yes")

    with commune.database.read() as session:
        assert session.scalars(select(Transcript)).all() == []
