"""A concern from its first words to withdrawal: told, numbered, changed by code, counted once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from core.intake import turns
from core.intake.concerns import next_code, text_key
from core.intake.perform import UnknownMessage, perform
from core.intake.turn import StepCall
from core.outbox.port import IncomingAttachment, IncomingKind
from storage.database import Database
from storage.models import (
    ActionResult,
    Attachment,
    CodeCounter,
    Concern,
    ConcernEvent,
    ConcernPart,
    ConcernState,
    ConcernVector,
    Inbound,
    Outbound,
    Support,
)
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.records import Commune, Person

ROAD = "Đường liên thôn hỏng nặng, xe máy không đi được"
WATER = "Nước sinh hoạt đục mấy tháng nay"


def _concern(commune: Commune, code: str | None = None) -> Concern:
    with commune.database.read() as session:
        query = select(Concern) if code is None else select(Concern).where(Concern.code == code)
        return session.scalars(query.order_by(Concern.id.desc()).limit(1)).one()


def _events(commune: Commune, code: str) -> list[str]:
    with commune.database.read() as session:
        query = select(ConcernEvent.kind).join(Concern).where(Concern.code == code).order_by(ConcernEvent.id)
        return list(session.scalars(query))


# Told and numbered


def test_a_told_concern_becomes_a_numbered_record(commune: Commune) -> None:
    session_id = commune.collecting()
    person = commune.person()
    code = person.raise_concern(ROAD)
    concern = _concern(commune)
    assert code == "LC-26-00001"
    assert (concern.code, concern.state, concern.text) == (code, "received", ROAD)
    assert (concern.session_id, concern.unit_code, concern.field_code) == (
        session_id, BAT_XAT.code, "giao_thong",
    )  # fmt: skip
    assert _events(commune, code) == ["submitted"]
    with commune.database.read() as session:
        assert session.scalars(select(ConcernPart.text)).all() == [ROAD]
        assert session.get(ConcernVector, concern.id) is not None


def test_a_concern_that_names_another_commune_goes_there(commune: Commune) -> None:
    commune.person().raise_concern("Đường ở xã Bắc Hà hỏng nặng")
    assert _concern(commune).unit_code == BAC_HA.code


def test_the_communes_own_session_comes_before_the_provinces(commune: Commune) -> None:
    commune.collecting()
    own = commune.collecting(unit_code=BAT_XAT.code)
    commune.person().raise_concern(ROAD)
    assert _concern(commune).session_id == own


def test_several_messages_become_one_concern_and_repeats_add_nothing(commune: Commune) -> None:
    person = commune.person()
    person.tell(ROAD)
    person.tell("Nhất là đoạn qua trường học")
    person.tell(ROAD.upper())
    person.confirm()
    assert _concern(commune).text == f"{ROAD}\nNhất là đoạn qua trường học"
    with commune.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Concern)) == 1


@pytest.mark.parametrize("again", [ROAD, ROAD.upper(), "Duong lien thon hong nang, xe may khong di duoc"])
def test_the_same_words_again_give_the_same_code(commune: Commune, again: str) -> None:
    person = commune.person()
    code = person.raise_concern(ROAD)
    result = person.step(("validate_concern_form", "action_ask_concern_form_confirmation"), again)
    assert code in result.replies[0].text
    with commune.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Concern)) == 1


def test_the_same_words_of_another_person_are_another_concern(commune: Commune) -> None:
    assert commune.person().raise_concern(ROAD) != commune.person().raise_concern(ROAD)


def test_the_same_words_a_month_later_are_a_new_concern(commune: Commune) -> None:
    person = commune.person()
    first = person.raise_concern(ROAD)
    commune.clock.pass_by(days=30)
    assert person.raise_concern(ROAD) != first


def test_photos_of_before_and_during_belong_to_the_concern(commune: Commune) -> None:
    person = commune.person()
    photo = (IncomingAttachment(IncomingKind.PHOTO, file_ref="a"),)
    person.step(
        "action_choose",
        None,
        intent="choose",
        choice="attach:photo",
        kind=IncomingKind.PHOTO,
        attachments=photo,
    )
    person.tell(ROAD)
    person.step(
        "validate_concern_form", None, intent="choose", choice="attach:photo", kind=IncomingKind.PHOTO,
        attachments=photo,
    )  # fmt: skip
    person.confirm()
    with commune.database.read() as session:
        assert set(session.scalars(select(Attachment.concern_id))) == {_concern(commune).id}
        assert session.scalar(select(func.count()).select_from(Attachment)) == 2


def test_a_dropped_draft_leaves_no_words(commune: Commune) -> None:
    person = commune.person()
    person.tell(ROAD)
    person.choose(f"confirm:drop:{_concern(commune).id}")
    with commune.database.read() as session:
        assert session.scalars(select(Concern)).all() == []
        assert ROAD not in session.scalars(select(Inbound.text)).all()


# Exactly once


def test_a_repeated_step_gives_the_first_result_and_does_nothing(commune: Commune) -> None:
    person = commune.person()
    person.tell(ROAD)
    person.write("đúng")
    turn = person.claim()
    assert turn is not None
    call = StepCall(turn.inbound_id, "affirm")
    results = [perform(commune.services, "action_submit_concern", call) for _ in range(3)]
    assert results[0] == results[1] == results[2]
    assert _events(commune, "LC-26-00001") == ["submitted"]


def test_steps_repeated_at_the_same_time_act_once(commune: Commune) -> None:
    for number in range(1, 6):
        person = commune.person()
        person.tell(f"{ROAD}, đoạn số {number}")
        person.write("đúng")
        turn = person.claim()
        assert turn is not None
        call = StepCall(turn.inbound_id, "affirm")
        with ThreadPoolExecutor(4) as pool:
            results = list(
                pool.map(lambda _, c=call: perform(commune.services, "action_submit_concern", c), range(4))
            )
        assert len({r.replies[0].text for r in results}) == 1
        assert _events(commune, f"LC-26-{number:05d}") == ["submitted"]


def test_a_step_that_fails_leaves_nothing_and_can_be_repeated(commune: Commune) -> None:
    person = commune.person()
    person.tell(ROAD)
    person.write("đúng")
    turn = person.claim()
    assert turn is not None
    with pytest.raises(KeyError):
        perform(commune.services, "action_nobody_knows", StepCall(turn.inbound_id, "affirm"))
    assert _concern(commune).state == ConcernState.DRAFT
    assert perform(commune.services, "action_submit_concern", StepCall(turn.inbound_id, "affirm")).replies


def test_a_step_for_a_message_that_is_not_stored_is_refused(commune: Commune) -> None:
    with pytest.raises(UnknownMessage):
        perform(commune.services, "action_help", StepCall(999_999, "ask_help"))
    with commune.database.read() as session:
        assert session.scalars(select(ActionResult)).all() == []


def test_a_step_for_a_message_nobody_has_claimed_is_refused(commune: Commune) -> None:
    commune.newcomer().write("xin chào")
    with commune.database.read() as session:
        inbound_id = session.scalars(select(Inbound.id)).one()
    with pytest.raises(UnknownMessage):
        perform(commune.services, "action_help", StepCall(inbound_id, "ask_help"))


# Codes


def test_codes_are_unique_and_without_gaps_under_concurrency(database: Database) -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC)

    def take(number: int) -> str | None:
        try:
            with database.write() as session:
                code = next_code(session, prefix="LC", now=now)
                if number % 5 == 0:
                    raise RuntimeError  # This transaction fails after it took a number.
                return code
        except RuntimeError:
            return None

    with ThreadPoolExecutor(8) as pool:
        taken = [code for code in pool.map(take, range(60)) if code is not None]
    assert sorted(taken) == [f"LC-26-{number:05d}" for number in range(1, 49)]


def test_codes_begin_anew_with_the_vietnamese_year_and_grow_beyond_five_digits(database: Database) -> None:
    def take(at: datetime, prefix: str = "LC") -> str:
        with database.write() as session:
            return next_code(session, prefix=prefix, now=at)

    assert take(datetime(2026, 12, 31, 16, 59, tzinfo=UTC)) == "LC-26-00001"
    assert take(datetime(2026, 12, 31, 17, 0, tzinfo=UTC)) == "LC-27-00001"
    assert take(datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "YB") == "YB-26-00001"
    with database.write() as session:
        session.get_one(CodeCounter, ("LC", 26)).last = 99_999
    assert take(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == "LC-26-100000"


# Changed by code


def test_rewriting_by_code_replaces_the_words_and_keeps_what_stood_before(commune: Commune) -> None:
    person = commune.person()
    code = person.raise_concern(ROAD)
    person.step("action_choose", f"sửa {code}: {WATER}", intent="choose", choice=f"rewrite_code:{code}:text")
    concern = _concern(commune, code)
    assert (concern.text, concern.field_code, concern.text_key) == (WATER, "dien_nuoc", text_key(WATER))
    assert _events(commune, code) == ["submitted", "edited"]
    with commune.database.read() as session:
        event = session.scalars(select(ConcernEvent).where(ConcernEvent.kind == "edited")).one()
        assert event.detail == {"before": ROAD}


def test_adding_by_code_appends_in_one_or_two_messages(commune: Commune) -> None:
    person = commune.person()
    code = person.raise_concern(ROAD)
    person.step("action_choose", f"bổ sung {code}: đoạn 1", intent="choose", choice=f"add_code:{code}:text")
    person.step("action_choose", f"bổ sung {code}", intent="choose", choice=f"add_code:{code}")
    concern = _concern(commune, code)
    person.step("action_choose", "đoạn 2", intent="choose", choice=f"added:{concern.id}")
    assert _concern(commune, code).text == f"{ROAD}\nđoạn 1\nđoạn 2"
    assert _events(commune, code) == ["submitted", "appended", "appended"]


def test_a_message_edited_on_the_platform_edits_its_part(commune: Commune) -> None:
    person = commune.person()
    told = person.write(ROAD)
    turn = person.claim()
    assert turn is not None
    perform(commune.services, "validate_concern_form", StepCall(turn.inbound_id, "raise_concern"))
    with commune.database.write() as session:
        turns.finish(session, turn, (), intent=None, now=commune.clock.at)
    person.tell("Đoạn qua trường học")
    person.confirm()
    code = "LC-26-00001"
    person.step(
        "action_choose", WATER, intent="choose", choice="edited", kind=IncomingKind.EDITED_TEXT,
        refers_to=(told.external_id,),
    )  # fmt: skip
    assert _concern(commune, code).text == f"{WATER}\nĐoạn qua trường học"
    assert _events(commune, code) == ["submitted", "edited"]


@pytest.mark.parametrize(
    "choice", ["rewrite_code:{code}:text", "add_code:{code}:text", "withdraw_code:{code}"]
)
def test_nobody_changes_the_concern_of_another(commune: Commune, choice: str) -> None:
    code = commune.person().raise_concern(ROAD)
    stranger = commune.person()
    result = stranger.step(
        "action_choose", f"sửa {code}: {WATER}", intent="choose", choice=choice.format(code=code)
    )
    assert "không thấy mã" in result.replies[0].text
    assert (_concern(commune, code).text, _concern(commune, code).state) == (ROAD, "received")


def test_ids_of_others_in_choices_open_nothing(commune: Commune) -> None:
    code = commune.person().raise_concern(ROAD)
    concern = _concern(commune, code)
    stranger = commune.person()
    for verb in ("withdraw:yes", "confirm:drop", "change:text", "pick:withdraw", "door:normal", "rewritten"):
        stranger.choose(f"{verb}:{concern.id}")
    after = _concern(commune, code)
    assert (after.text, after.state, after.citizen_id) == (ROAD, "received", concern.citizen_id)
    assert _events(commune, code) == ["submitted"]


def test_withdrawing_asks_once_and_is_final(commune: Commune) -> None:
    person = commune.person()
    code = person.raise_concern(ROAD)
    concern = _concern(commune, code)
    asked = person.step("action_choose", f"rút {code}", intent="choose", choice=f"withdraw_code:{code}")
    assert "phải không" in asked.replies[0].text
    person.choose(f"withdraw:no:{concern.id}")
    assert _concern(commune, code).state == "received"
    for _ in range(2):
        assert code in person.choose(f"withdraw:yes:{concern.id}").replies[0].text
    assert _concern(commune, code).state == "withdrawn"
    assert _events(commune, code) == ["submitted", "withdrawn"]


@pytest.mark.parametrize("state", ["on_agenda", "answered", "not_listed", "withdrawn", "quarantined"])
def test_what_is_settled_is_not_changed_any_more(commune: Commune, state: str) -> None:
    person = commune.person()
    code = person.raise_concern(ROAD)
    with commune.database.write() as session:
        session.scalars(select(Concern)).one().state = state
    person.step("action_choose", f"sửa {code}: {WATER}", intent="choose", choice=f"rewrite_code:{code}:text")
    person.choose(f"withdraw:yes:{_concern(commune).id}")
    assert (_concern(commune).text, _concern(commune).state) == (ROAD, state)


def test_who_joined_is_told_when_the_author_withdraws(commune: Commune) -> None:
    author, other = commune.person(), commune.person()
    code = author.raise_concern(ROAD)
    other.choose(f"join:{_concern(commune).id}")
    author.choose(f"withdraw:yes:{_concern(commune).id}")
    assert [row.kind for row in other.heard()][-1] == "notice"
    assert code in other.heard()[-1].text


# Joining


def test_joining_counts_a_person_once_and_never_the_author(commune: Commune) -> None:
    author, other = commune.person(), commune.person()
    author.raise_concern(ROAD)
    concern_id = _concern(commune).id
    for person in (other, other, author):
        assert "hiện có 2 bà con" in person.choose(f"join:{concern_id}").replies[0].text
    with commune.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Support)) == 1


def test_a_known_matter_is_offered_and_joining_drops_the_draft(commune: Commune) -> None:
    commune.collecting()
    author, other = commune.person(), commune.person()
    code = author.raise_concern(ROAD)
    known = _concern(commune)
    shown = other.step(
        ("validate_concern_form", "action_ask_concern_form_confirmation"), f"{ROAD} ạ"
    ).replies[0]
    offered = [c.value for c in shown.choices if c.value.startswith("join:")]
    assert len(offered) == 1
    assert offered[0].startswith(f"join:{known.id}:")
    assert code in other.choose(offered[0]).replies[0].text
    with commune.database.read() as session:
        assert session.scalars(select(Concern.code)).all() == [code]


# Legal doors


def test_a_denunciation_is_kept_apart_until_the_person_says_otherwise(commune: Commune) -> None:
    commune.collecting()
    person = commune.person()
    result = person.step(
        ("validate_concern_form", "action_ask_concern_form_confirmation"), "Tôi tố cáo ông A nhận tiền"
    )
    concern = _concern(commune)
    assert "không gửi tiếp nội dung tố cáo" in result.replies[0].text
    assert (concern.state, concern.session_id, concern.code) == ("quarantined", None, None)
    with commune.database.read() as session:
        assert session.scalars(select(ConcernVector)).all() == []
    person.choose(f"door:normal:{concern.id}")
    assert _concern(commune).state == "draft"
    person.confirm()
    assert _concern(commune).state == "received"


# Status


def test_status_and_history_tell_what_happened(commune: Commune) -> None:
    person: Person = commune.person()
    code = person.raise_concern(ROAD)
    status = person.step("action_status", "trạng thái", intent="ask_status").replies[0].text
    assert f"{code}: đã tiếp nhận" in status
    history = person.step("action_choose", code, intent="choose", choice=f"history:{code}").replies[0].text
    assert f"Ý kiến {code}: đã tiếp nhận" in history
    assert "ngày 02/11/2026: đã tiếp nhận" in history
    stranger = commune.person()
    nothing = stranger.step("action_choose", code, intent="choose", choice=f"history:{code}").replies[0].text
    assert ROAD not in nothing


def test_no_reply_is_written_twice_over_a_whole_life(commune: Commune) -> None:
    person = commune.person()
    person.raise_concern(ROAD)
    with commune.database.read() as session:
        keys = session.scalars(select(Outbound.dedupe_key)).all()
    assert len(keys) == len(set(keys)) > 3
