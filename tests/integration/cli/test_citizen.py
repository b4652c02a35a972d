"""A person's data rights at the office's desk: shown, handed over, erased, opted out, each with its proof."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from sqlalchemy import select

from storage.models import Citizen, Concern, ConcernEvent, ConsentRecord
from tests.factories.records import Commune, Person
from tests.integration.cli.conftest import Nghedan

ROAD = "Đường liên thôn hỏng nặng, xe máy không đi được"
ASKED = ("--by", "chị Lan", "--reason", "phiếu 12")


@pytest.fixture
def asker(commune: Commune) -> tuple[Person, str]:
    """Somebody who sent a concern and subscribed."""
    person = commune.person()
    person.step("action_subscribe", "đăng ký", intent="subscribe")
    return person, person.raise_concern(ROAD)


def _proofs(commune: Commune) -> list[tuple[str, str, object]]:
    with commune.database.read() as session:
        events = session.scalars(select(ConcernEvent).order_by(ConcernEvent.id)).all()
        return [(e.kind, e.actor, e.detail.get("why")) for e in events]


def test_showing_tells_states_but_no_words_and_no_account(
    nghedan: Nghedan, commune: Commune, asker: tuple[Person, str]
) -> None:
    person, code = asker
    for more in ((), ("--json",)):
        ran = nghedan("citizen", "show", code, *ASKED, *more)
        assert ran.code == 0
        assert code in ran.stdout
        assert "Xã Bát Xát" in ran.stdout
        assert ROAD not in ran.stdout
        assert person.external_id not in ran.stdout
    assert ran.json["concerns"][0]["state"] == "received"
    assert _proofs(commune)[-1] == ("viewed", "chị Lan", "phiếu 12")


def test_codes_may_be_typed_in_small_letters(nghedan: Nghedan, asker: tuple[Person, str]) -> None:
    assert nghedan("citizen", "show", asker[1].lower(), *ASKED).code == 0


def test_export_hands_over_everything_in_a_private_file(
    nghedan: Nghedan, commune: Commune, asker: tuple[Person, str], tmp_path: Path
) -> None:
    person, code = asker
    commune.person().raise_concern("Nước của người khác đục")
    ran = nghedan("citizen", "export", code, *ASKED, "--out", "p/x.json", "--json")
    assert ran.json == {"code": code, "path": "p/x.json", "concerns": 1}
    path = tmp_path / "p" / "x.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    record = json.loads(path.read_text("utf-8"))
    assert [c["text"] for c in record["concerns"]] == [ROAD]
    assert record["accounts"] == [{"channel": "simulator", "external_id": person.external_id}]
    assert {c["purpose"] for c in record["consents"]} == {"P1", "P2"}
    assert ROAD in [m["text"] for m in record["received"]]
    assert "người khác" not in path.read_text("utf-8")
    assert _proofs(commune)[-1] == ("exported", "chị Lan", "phiếu 12")


def test_erasing_needs_a_yes_and_leaves_who_did_it(
    nghedan: Nghedan, commune: Commune, asker: tuple[Person, str]
) -> None:
    person, code = asker
    looked = nghedan("citizen", "erase", code, *ASKED, "--json")
    assert looked.json["erased"] is False
    with commune.database.read() as session:
        assert session.scalars(select(Concern.text)).one() == ROAD
    done = nghedan("citizen", "erase", code, *ASKED, "--yes", "--json")
    assert done.json == {"code": code, "erased": True, "concerns": 1, "files": 0}
    with commune.database.read() as session:
        assert session.scalars(select(Concern.text)).one() == ""
        assert session.scalars(select(Citizen.consent)).one() == "unset"
    proofs = _proofs(commune)
    assert ("erased", "chị Lan", "phiếu 12") in proofs
    assert ("withdrawn", "chị Lan") in [(kind, actor) for kind, actor, _ in proofs]
    last = person.heard()[-1]
    assert (last.kind, last.state) == ("notice", "queued")
    assert "đã xóa dữ liệu" in last.text
    again = nghedan("citizen", "erase", code, *ASKED, "--yes")
    assert again.code == 1
    assert "đã được xóa" in again.stderr


def test_opting_out_is_proved_and_once(nghedan: Nghedan, commune: Commune, asker: tuple[Person, str]) -> None:
    _, code = asker
    assert nghedan("citizen", "opt-out", code, *ASKED, "--json").json["opted_out"] is True
    assert nghedan("citizen", "opt-out", code, *ASKED, "--json").json["opted_out"] is False
    with commune.database.read() as session:
        assert session.scalars(select(Citizen.wants_announcements)).one() is False
        granted = session.scalars(
            select(ConsentRecord.granted).where(ConsentRecord.purpose == "P2").order_by(ConsentRecord.id)
        ).all()
    assert granted == [True, False]


def test_the_persons_own_history_does_not_show_the_offices_looks(
    nghedan: Nghedan, asker: tuple[Person, str]
) -> None:
    person, code = asker
    nghedan("citizen", "show", code, *ASKED)
    history = person.step("action_choose", code, intent="choose", choice=f"history:{code}").replies[0].text
    assert "chị Lan" not in history
    assert history.count("\n- ") == 1
