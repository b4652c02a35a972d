"""What arrived before consent is held apart and goes on refusal; consent is kept as proof."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.outbox.port import IncomingAttachment, IncomingKind
from core.people import consent, contacts
from storage.database import Database
from storage.models import ActionResult, Attachment, Citizen, ConsentRecord, Contact, Inbound, StaffRequest
from tests.factories.plain_reader import BAT_XAT
from tests.factories.records import Commune, Person

WORDS = "Đường liên thôn Tả Hồ hỏng nặng, trẻ em không đi học được"
PHOTO = (IncomingAttachment(IncomingKind.PHOTO, file_ref="ảnh-1"),)


def _first_words(person: Person) -> None:
    person.step(("validate_registration_form", "action_ask_registration_form_consent"), WORDS)


def _sweep(commune: Commune) -> int:
    with commune.database.write() as session:
        return consent.erase_held(session, hold_hours=24, now=commune.clock.at)


def _texts(database: Database) -> list[str | None]:
    with database.read() as session:
        return list(session.scalars(select(Inbound.text).order_by(Inbound.id)))


def test_words_before_consent_make_no_concern_but_are_used_after_it(commune: Commune) -> None:
    person = commune.newcomer()
    _first_words(person)
    with commune.database.read() as session:
        assert session.scalars(select(Citizen)).one().consent == "unset"
    person.step("validate_registration_form", "1", intent="choose", choice="consent:yes")
    result = person.step(
        ("validate_registration_form", "action_registered"),
        "bát xát",
        intent="choose",
        choice=f"commune:{BAT_XAT.code}",
    )
    assert WORDS in result.replies[0].text
    with commune.database.read() as session:
        proof = session.scalars(select(ConsentRecord)).one()
        assert (proof.purpose, proof.granted, proof.text_version) == ("P1", True, "2026-11")
        assert proof.inbound_id is not None


def test_refusal_erases_what_was_held(commune: Commune) -> None:
    person = commune.newcomer()
    _first_words(person)
    person.step("validate_registration_form", None, kind=IncomingKind.PHOTO, attachments=PHOTO)
    person.step(("validate_registration_form", "action_refused"), "2", intent="choose", choice="consent:no")
    assert _texts(commune.database) == [None, None, None]
    with commune.database.read() as session:
        assert session.scalars(select(Attachment)).all() == []
        assert all(row.payload == {} for row in session.scalars(select(Inbound)))
        results = session.scalars(select(ActionResult)).all()
        assert all(WORDS not in str(result.result) for result in results)
        assert session.scalars(select(ConsentRecord.granted)).all() == [False]


@pytest.mark.parametrize(("hours", "kept"), [(0.1, True), (23.5, True), (23.9, False), (30, False)])
def test_words_without_a_choice_are_gone_within_24_hours(commune: Commune, hours: float, kept: bool) -> None:
    person = commune.newcomer()
    person.step("validate_registration_form", WORDS, attachments=PHOTO)
    commune.clock.pass_by(hours=hours)
    assert _sweep(commune) == (0 if kept else 1)
    assert _texts(commune.database) == [WORDS if kept else None]
    with commune.database.read() as session:
        assert len(session.scalars(select(Attachment)).all()) == (1 if kept else 0)


def test_sweep_leaves_people_with_consent_alone(commune: Commune) -> None:
    person = commune.person()
    person.raise_concern(WORDS)
    commune.clock.pass_by(days=3)
    assert _sweep(commune) == 0
    assert WORDS in _texts(commune.database)


def test_consent_after_the_hold_begins_with_empty_hands(commune: Commune) -> None:
    person = commune.newcomer()
    _first_words(person)
    commune.clock.pass_by(hours=25)
    _sweep(commune)
    person.step("validate_registration_form", "1", intent="choose", choice="consent:yes")
    result = person.step(
        ("validate_registration_form", "action_registered"),
        "bát xát",
        intent="choose",
        choice=f"commune:{BAT_XAT.code}",
    )
    assert "Tả Hồ" not in result.replies[0].text
    assert "nêu ý kiến" in result.replies[0].text


def _identities(commune: Commune) -> int:
    with commune.database.write() as session:
        return consent.forget_identities(session, hold_hours=24, now=commune.clock.at)


def _deliver_everything(commune: Commune) -> None:
    from sqlalchemy import update

    from storage.models import Outbound

    with commune.database.write() as session:
        session.execute(update(Outbound).values(state="sent"))


def test_identity_of_who_never_chose_goes_after_the_hold(commune: Commune) -> None:
    person, known = commune.newcomer(), commune.person()
    _first_words(person)
    assert _identities(commune) == 0
    commune.clock.pass_by(hours=25)
    assert _identities(commune) == 0  # The consent question is still unsent.
    _deliver_everything(commune)
    assert _identities(commune) == 1
    assert _identities(commune) == 0
    with commune.database.read() as session:
        ids = set(session.scalars(select(Contact.external_id)))
        senders = set(session.scalars(select(Inbound.sender_id)))
    assert person.external_id not in ids | senders
    assert known.external_id in ids & senders


def test_who_waits_for_a_clerk_stays_reachable(commune: Commune) -> None:
    person = commune.newcomer()
    person.step("action_staff", "gặp cán bộ", intent="ask_human")
    commune.clock.pass_by(hours=30)
    _deliver_everything(commune)
    assert _identities(commune) == 0
    with commune.database.write() as session:
        session.scalars(select(StaffRequest)).one().state = "closed"
    assert _identities(commune) == 1


def test_a_forgotten_person_who_writes_again_is_a_newcomer(commune: Commune) -> None:
    person = commune.newcomer()
    _first_words(person)
    commune.clock.pass_by(hours=25)
    _deliver_everything(commune)
    _identities(commune)
    result = person.step("action_ask_registration_form_consent", "xin chào", intent="greet")
    assert "kênh trả lời tự động" in result.replies[0].text
    with commune.database.read() as session:
        assert len(session.scalars(select(Contact)).all()) == 2


def test_every_purpose_has_its_own_proof(commune: Commune) -> None:
    person = commune.person()
    person.step("action_subscribe", "đăng ký", intent="subscribe")
    person.step("action_unsubscribe", "ngừng", intent="unsubscribe")
    with commune.database.read() as session:
        proofs = session.execute(
            select(ConsentRecord.purpose, ConsentRecord.granted).order_by(ConsentRecord.id)
        ).all()
    assert [tuple(p) for p in proofs] == [("P1", True), ("P2", True), ("P2", False)]


def test_one_contact_whoever_is_first(commune: Commune) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def find(_: int) -> int:
        with commune.database.write() as session:
            return contacts.find_or_make(
                session, channel="telegram", account_id="a", external_id="p", now=commune.clock.at
            ).id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(find, range(24)))) == 1
    with commune.database.read() as session:
        assert len(session.scalars(select(Citizen)).all()) == 1


def test_hold_is_counted_from_when_the_message_came(commune: Commune) -> None:
    person = commune.newcomer()
    _first_words(person)
    commune.clock.at += timedelta(hours=20)
    person.step("validate_registration_form", "Cầu treo cũng hỏng, xin sửa giúp", intent="raise_concern")
    commune.clock.at += timedelta(hours=5)
    assert _sweep(commune) == 1
    assert _texts(commune.database) == [None, "Cầu treo cũng hỏng, xin sửa giúp"]
