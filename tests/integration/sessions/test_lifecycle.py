"""Planning, opening and closing, and which session a concern goes to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.sessions import lifecycle
from core.sessions.lifecycle import SessionError
from storage.models import Concern
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.records import Commune

ROAD = "Đường liên thôn hỏng nặng, xe máy không đi được"


def _create(commune: Commune, **changes: object) -> int:
    facts: dict[str, object] = {
        "unit_code": "15",
        "title": "Đối thoại",
        "held_at": commune.clock.at + timedelta(days=20),
        "collects_until": commune.clock.at + timedelta(days=10),
        "now": commune.clock.at,
    }
    with commune.database.write() as session:
        return lifecycle.create(session, **{**facts, **changes}).id  # type: ignore[arg-type]


def _session_of(commune: Commune) -> list[int | None]:
    with commune.database.read() as session:
        return list(session.scalars(select(Concern.session_id).order_by(Concern.id)))


def test_wrong_plans_are_refused_by_code(commune: Commune) -> None:
    late = commune.clock.at + timedelta(days=21)
    for changes, code in (
        ({"unit_code": "99"}, "error.unknown_unit"),
        ({"collects_until": late}, "error.deadline_after"),
        ({"title": ""}, "error.title_length"),
        ({"title": "x" * 201}, "error.title_length"),
        ({"place": "x" * 201}, "error.title_length"),
    ):
        with pytest.raises(SessionError) as caught:
            _create(commune, **changes)
        assert caught.value.code == code


def test_steps_only_go_forward(commune: Commune) -> None:
    made = _create(commune)
    with commune.database.write() as session:
        with pytest.raises(SessionError, match="wrong_state"):
            lifecycle.close(session, made)
        lifecycle.open_for_collecting(session, made)
        with pytest.raises(SessionError, match="wrong_state"):
            lifecycle.open_for_collecting(session, made)
        lifecycle.close(session, made)
        with pytest.raises(SessionError, match="unknown_session"):
            lifecycle.close(session, made + 999)
        assert lifecycle.open_for_collecting(session, made)[0].state == "collecting"  # Opened once more.


def test_concerns_that_waited_come_along_when_a_session_opens(commune: Commune) -> None:
    here, there = commune.person(), commune.person(unit_code=BAC_HA.code)
    here.raise_concern(ROAD)
    there.raise_concern("Nước đục ở chợ trung tâm")
    here.tell("Rác chất đống ở đầu thôn")
    assert _session_of(commune) == [None, None, None]
    own = commune.collecting(unit_code=BAT_XAT.code)
    assert _session_of(commune) == [own, None, own]
    province = commune.collecting()
    assert _session_of(commune) == [own, province, own]


def test_drafts_of_a_closed_session_wait_for_the_next(commune: Commune) -> None:
    first = commune.collecting()
    person = commune.person()
    person.raise_concern(ROAD)
    person.tell("Rác chất đống ở đầu thôn")
    with commune.database.write() as session:
        assert lifecycle.close(session, first)[1] == 1
    assert _session_of(commune) == [first, None]
    assert "phiên đối thoại gần nhất" in person.confirm()
    second = commune.collecting(title="Phiên sau")
    assert _session_of(commune) == [first, second]


def test_nothing_goes_to_a_session_after_its_deadline(commune: Commune) -> None:
    commune.collecting()
    commune.clock.pass_by(days=10, seconds=1)
    commune.person().raise_concern(ROAD)
    assert _session_of(commune) == [None]


def test_the_soonest_of_several_sessions_is_taken(commune: Commune) -> None:
    later = _create(commune, held_at=commune.clock.at + timedelta(days=40))
    sooner = _create(commune)
    with commune.database.write() as session:
        for made in (later, sooner):
            lifecycle.open_for_collecting(session, made)
        found = lifecycle.collecting_for(session, unit_code=BAT_XAT.code, now=commune.clock.at)
        assert found is not None
        assert found.id == sooner
        upcoming = lifecycle.upcoming(session, unit_code=BAT_XAT.code, now=commune.clock.at)
        assert [s.id for s in upcoming] == [sooner, later]


def test_sessions_of_other_communes_are_not_shown(commune: Commune) -> None:
    other = _create(commune, unit_code=BAC_HA.code)
    province = _create(commune)
    with commune.database.read() as session:
        shown = lifecycle.upcoming(session, unit_code=BAT_XAT.code, now=commune.clock.at)
        assert [s.id for s in shown] == [province]
        assert {s.id for s in lifecycle.listing(session)} == {other, province}
        assert [s.id for s in lifecycle.listing(session, unit_code=BAC_HA.code)] == [other]
