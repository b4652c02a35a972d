"""XÓA leaves no word of the person in any table, and tells those who had joined."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData, String, cast, func, or_, select, update

from core.agenda.build import load, save
from core.answers.answer_file import AnswerRow
from core.answers.publish import import_answers, publish
from core.intake import receive, turns
from core.outbox.port import Incoming, IncomingAttachment, IncomingKind
from core.people import consent, erasure
from core.topics.store import regroup
from storage.database import Database
from storage.models import Attachment, Citizen, Concern, Contact, Outbound, StaffRequest
from tests.factories.records import Commune, Person

# Words that occur nowhere else, at the beginning, in the middle and at the end.
FIRST = "Đường Zắcxanh vào bản hỏng nặng, mưa xuống trẻ em phải nghỉ học cả tuần, bà con Zắcxanh mong sửa sớm"
SECOND = "Nước Zắcxanh đục ngầu mấy tháng nay, xin kiểm tra giúp bà con"
PHOTO = (IncomingAttachment(IncomingKind.PHOTO, file_ref="ảnh-zắcxanh", file_name="zắcxanh.jpg"),)


def _found(database: Database, word: str) -> dict[str, int]:
    """Tables that hold the word anywhere, with the number of rows."""
    everything = MetaData()
    everything.reflect(database.engine)
    hits: dict[str, int] = {}
    with database.engine.connect() as connection:
        for table in everything.sorted_tables:
            columns = [
                cast(c, String) for c in table.columns if not str(c.type).startswith(("BLOB", "BYTEA"))
            ]
            # JSON may keep letters escaped.
            escaped = word.encode("unicode_escape").decode()
            wanted = or_(*(c.contains(w, autoescape=True) for c in columns for w in (word, escaped)))
            rows = connection.execute(select(func.count()).select_from(table).where(wanted)).scalar_one()
            if rows:
                hits[table.name] = rows
    return hits


def _erase(person: Person) -> str:
    person.step("action_erase", "xóa", intent="erase_data")
    return person.choose("erase:yes").replies[0].text


@pytest.fixture
def life(commune: Commune) -> tuple[Commune, Person, Person, int]:
    """A person who used everything, and a neighbour who read and joined."""
    session_id = commune.collecting()
    person, neighbour = commune.person(), commune.person()
    code = person.raise_concern(FIRST)
    person.tell(SECOND)
    person.step(
        "validate_concern_form",
        None,
        intent="choose",
        choice="attach:photo",
        kind=IncomingKind.PHOTO,
        attachments=PHOTO,
    )
    person.step("action_submit_concern", "đúng", intent="affirm")
    person.step(
        "action_choose", f"sửa {code}: {FIRST} thật", intent="choose", choice=f"rewrite_code:{code}:text"
    )
    person.step("action_edit", "sửa", intent="edit_concern")
    person.step("action_status", "trạng thái", intent="ask_status")
    neighbour.step("action_support", "tôi cũng có ý kiến", intent="support_existing")
    with commune.database.read() as session:
        joined = session.scalars(select(Concern.id).where(Concern.code == code)).one()
    neighbour.choose(f"join:{joined}")
    neighbour.step("action_status", "trạng thái", intent="ask_status")
    neighbour.step("action_choose", code, intent="choose", choice=f"history:{code}")
    with commune.database.write() as session:
        regroup(session, session_id=session_id, placed_by="t", now=commune.clock.at)
        save(session, session_id=session_id, created_by="t", now=commune.clock.at)
    person.tell("Trường Zắcxanh dột, xin sửa mái")  # A draft that was never sent.
    return commune, person, neighbour, session_id


def test_the_search_would_find_the_words(life: tuple[Commune, Person, Person, int]) -> None:
    commune, *_ = life
    found = set(_found(commune.database, "Zắcxanh"))
    assert {"inbound", "outbound", "concern", "concern_part", "concern_event", "agenda"} <= found
    assert {"topic", "action_result", "contact"} <= found


def test_erasing_leaves_no_word_in_any_table(life: tuple[Commune, Person, Person, int]) -> None:
    commune, person, _, session_id = life
    assert "đã xóa" in _erase(person)
    assert _found(commune.database, "Zắcxanh") == {}
    assert _found(commune.database, "ảnh-zắcxanh") == {}
    with commune.database.read() as session:
        assert session.scalars(select(Attachment)).all() == []
        assert {c.state for c in session.scalars(select(Concern))} == {"withdrawn"}
        agenda = load(session, session_id=session_id)
        codes = str(agenda.body)
        assert all(c.code in codes for c in session.scalars(select(Concern)))


def test_those_who_joined_are_told_once(life: tuple[Commune, Person, Person, int]) -> None:
    _, person, neighbour, _ = life
    _erase(person)
    notices = [row.text for row in neighbour.heard() if row.kind == "notice"]
    assert len(notices) == 1
    assert "đã được người gửi rút lại" in notices[0]


def test_erasing_twice_or_with_nothing_is_harmless(commune: Commune) -> None:
    person = commune.person()
    _erase(person)
    again = person.step("action_erase", "xóa", intent="erase_data")
    assert "không lưu dữ liệu nào" in again.replies[0].text


def test_identity_goes_once_the_last_reply_is_out(life: tuple[Commune, Person, Person, int]) -> None:
    commune, person, neighbour, _ = life
    _erase(person)
    with commune.database.write() as session:
        assert consent.forget_identities(session, hold_hours=24, now=commune.clock.at) == 0
        session.execute(update(Outbound).where(Outbound.state == "queued").values(state="sent"))
        assert consent.forget_identities(session, hold_hours=24, now=commune.clock.at) == 1
    assert _found(commune.database, person.external_id) == {}
    assert "contact" in _found(commune.database, neighbour.external_id)


def test_who_comes_back_starts_anew_and_sees_nothing_old(life: tuple[Commune, Person, Person, int]) -> None:
    commune, person, _, _ = life
    _erase(person)
    person.step("action_ask_registration_form_consent", "xin chào", intent="greet")
    person.step("validate_registration_form", "1", intent="choose", choice="consent:yes")
    person.step("validate_registration_form", "bát xát", intent="choose", choice="commune:02683")
    status = person.step("action_status", "trạng thái", intent="ask_status").replies[0].text
    assert "chưa gửi ý kiến nào" in status
    # Who consents again can subscribe again.
    person.step("action_subscribe", "đăng ký", intent="subscribe")
    with commune.database.read() as session:
        citizen = session.scalars(
            select(Citizen).join(Contact).where(Contact.external_id == person.external_id)
        ).one()
        assert citizen.wants_announcements
        assert citizen.erased_at is None
    # The same words again are a new concern, not a repeat of the erased one.
    assert person.raise_concern(SECOND)


def test_published_answer_stays_without_the_question(life: tuple[Commune, Person, Person, int]) -> None:
    commune, person, _, session_id = life
    with commune.database.write() as session:
        codes = tuple(session.scalars(select(Concern.code).where(Concern.code.is_not(None))))
        row = AnswerRow(2, "", codes, "Sở Xây dựng sửa xong trong tháng 12.", "Sở Xây dựng", "", None)
        assert import_answers(session, session_id=session_id, rows=[row], now=commune.clock.at).problems == ()
        publish(session, session_id=session_id, by="t", now=commune.clock.at)
    _erase(person)
    assert _found(commune.database, "Zắcxanh") == {}
    assert "answer" in _found(commune.database, "Sở Xây dựng sửa xong")
    with commune.database.write() as session:
        states = set(session.scalars(select(Concern.state)))
        agenda = save(session, session_id=session_id, created_by="t", now=commune.clock.at)
        body = str(agenda.body)
    assert states == {"answered"}
    assert "Zắcxanh" not in body
    assert all(code in body for code in codes)


def test_queued_answer_to_an_erased_person_is_not_sent(life: tuple[Commune, Person, Person, int]) -> None:
    commune, person, neighbour, session_id = life
    with commune.database.write() as session:
        codes = tuple(session.scalars(select(Concern.code).where(Concern.code.is_not(None))))
        row = AnswerRow(2, "", codes, "Đã giao huyện sửa.", "", "", None)
        import_answers(session, session_id=session_id, rows=[row], now=commune.clock.at)
        publish(session, session_id=session_id, by="t", now=commune.clock.at)
    _erase(person)
    assert [r.state for r in person.heard() if r.kind == "answer"] == ["cancelled"]
    assert [r.state for r in neighbour.heard() if r.kind == "answer"] == ["queued"]


def test_platform_request_erases_too(life: tuple[Commune, Person, Person, int]) -> None:
    commune, person, _, _ = life
    person.write(None, kind=IncomingKind.ERASE_REQUEST)
    assert person.claim() is None
    assert _found(commune.database, "Zắcxanh") == {}


def test_open_requests_of_erased_people_are_closed(life: tuple[Commune, Person, Person, int]) -> None:
    commune, person, _, _ = life
    person.step("action_staff", "gặp cán bộ", intent="ask_human")
    _erase(person)
    with commune.database.read() as session:
        assert session.scalars(select(StaffRequest.state)).all() == ["closed"]


def test_files_go_with_their_rows_and_stray_ones_by_the_sweep(
    life: tuple[Commune, Person, Person, int],
) -> None:
    commune, person, neighbour, _ = life
    neighbour.step(
        "action_choose",
        None,
        intent="choose",
        choice="attach:photo",
        kind=IncomingKind.PHOTO,
        attachments=PHOTO,
    )
    folder = commune.settings.attachments_dir
    folder.mkdir(parents=True)
    with commune.database.write() as session:
        rows = session.scalars(select(Attachment).order_by(Attachment.id)).all()
        for row in rows:
            row.path, row.state = f"{row.id}-abc.jpg", "kept"
            (folder / f"{row.id}-abc.jpg").write_bytes(b"x")
    mine, other = (folder / f"{row.id}-abc.jpg" for row in rows)
    _erase(person)
    assert not mine.exists()
    assert other.exists()
    stray, young = folder / "9-abc.jpg", folder / "10-abc.jpg"
    for path in (stray, young):
        path.write_bytes(b"x")
    long_ago = time.time() - 7200
    for path in (stray, other):
        os.utime(path, (long_ago, long_ago))
    assert _sweep_files(commune, folder) == 1
    assert sorted(p.name for p in folder.iterdir()) == sorted([other.name, young.name])


def _sweep_files(commune: Commune, folder: Path) -> int:
    from core.clock import utc_now

    with commune.database.read() as session:
        return erasure.delete_orphans(session, folder, older_than=utc_now() - timedelta(hours=1))


def test_words_of_others_are_left_alone(life: tuple[Commune, Person, Person, int]) -> None:
    commune, person, neighbour, _ = life
    own = "Rác Xuân Tảo chất đống ở chợ, xin dọn giúp bà con"
    neighbour.raise_concern(own)
    before = [row.text for row in neighbour.heard() if "Xuân Tảo" in row.text]
    _erase(person)
    assert [row.text for row in neighbour.heard() if "Xuân Tảo" in row.text] == before
    with commune.database.read() as session:
        assert own in session.scalars(select(Concern.text)).all()


def test_message_that_waits_behind_the_erasure_is_a_new_beginning(
    life: tuple[Commune, Person, Person, int],
) -> None:
    commune, person, _, _ = life
    person.write("xóa", external_id="x-1")
    turn = person.claim()
    assert turn is not None
    with commune.database.write() as session:
        citizen = session.scalars(
            select(Citizen).join(Contact).where(Contact.external_id == person.external_id)
        ).one()
        erasure.erase(session, citizen, now=commune.clock.at)
        turns.finish(session, turn, (), intent=None, now=commune.clock.at)
        event = Incoming(
            person.channel, "test", "x-2", IncomingKind.TEXT, person.external_id, commune.clock.at, "xin chào"
        )
        receive.store(session, [event], now=commune.clock.at)
    later = person.claim()
    assert later is not None
    assert later.snapshot["active_loop"] == "registration_form"
