"""Every route × every role × own unit, province above, unit beside: who gets in, and that nothing leaks.

A new route without a line in `TABLE` fails the first test.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage.models import (
    Agenda,
    Announcement,
    Attachment,
    Concern,
    ConcernState,
    LiveQuestion,
    StaffMember,
    StaffRole,
    Topic,
    TopicMember,
)
from tests.factories.console import Office, Visit
from tests.factories.plain_reader import BAC_HA, BAT_XAT

R = StaffRole
OFFICE = frozenset({R.QUAN_TRI, R.THAM_MUU, R.VAN_PHONG})
WHOLE = OFFICE | {R.CHU_TRI, R.GIAM_SAT}
ALL = frozenset(R)
SECRET = "bí mật riêng của Bát Xát"


@dataclass(frozen=True)
class Line:
    """Who may call a route. `scoped`: of another unit it is not found. `values` are what a POST sends."""

    roles: frozenset[StaffRole]
    scoped: bool = False
    values: dict[str, Any] = field(default_factory=dict)


ANYONE = Line(ALL)
SESSION_READ, SESSION_WRITE = Line(WHOLE, scoped=True), Line(OFFICE, scoped=True)
_AROUND_LOGIN = (
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/second-step"),
    ("POST", "/second-step"),
    ("POST", "/logout"),
    ("GET", "/password"),
    ("POST", "/password"),
    ("GET", "/two-factor"),
    ("POST", "/two-factor"),
    ("GET", "/static/{name}"),
)
_IN_THE_HALL = (
    ("GET", "/live/{token}"),
    ("GET", "/live/{token}/pulse"),
    ("GET", "/live/{token}/ask"),
    ("POST", "/live/{token}/ask"),
)
TABLE: dict[tuple[str, str], Line] = {
    # Before and around the login: what these do is tested with the login.
    **dict.fromkeys(_AROUND_LOGIN, ANYONE),
    ("GET", "/"): ANYONE,
    ("GET", "/concerns"): ANYONE,
    ("POST", "/concerns/decide"): Line(OFFICE, values={"what": "restore", "id": "{concern_id}"}),
    # Units and helpers see only what was given to them: for them it is not found.
    ("GET", "/concerns/{concern_id}"): Line(WHOLE, scoped=True),
    ("GET", "/concerns/{concern_id}/files/{attachment_id}"): Line(WHOLE, scoped=True),
    ("POST", "/concerns/{concern_id}/do/{what}"): Line(OFFICE, scoped=True, values={"words": "Chào"}),
    ("GET", "/sessions"): Line(WHOLE),
    ("GET", "/sessions/new"): Line(OFFICE),
    ("POST", "/sessions"): Line(OFFICE),
    ("GET", "/sessions/{session_id}"): SESSION_READ,
    ("POST", "/sessions/{session_id}/open"): SESSION_WRITE,
    ("POST", "/sessions/{session_id}/close"): SESSION_WRITE,
    ("GET", "/sessions/{session_id}/agenda"): SESSION_READ,
    ("POST", "/sessions/{session_id}/agenda/order"): SESSION_WRITE,
    ("POST", "/sessions/{session_id}/agenda/{version}/approve"): Line(frozenset({R.CHU_TRI}), scoped=True),
    ("GET", "/sessions/{session_id}/agenda/{version}"): SESSION_READ,
    ("GET", "/sessions/{session_id}/agenda/{version}/changes"): SESSION_READ,
    ("GET", "/sessions/{session_id}/agenda/{version}/file/{kind}"): SESSION_READ,
    ("GET", "/sessions/{session_id}/answers"): SESSION_READ,
    ("POST", "/sessions/{session_id}/answers/item/{key}"): Line(
        OFFICE, scoped=True, values={"text": "Đang làm"}
    ),
    ("POST", "/sessions/{session_id}/answers/file"): SESSION_WRITE,
    ("POST", "/sessions/{session_id}/answers/publish"): SESSION_WRITE,
    ("GET", "/sessions/{session_id}/topics"): SESSION_READ,
    ("GET", "/sessions/{session_id}/topics/pulse"): SESSION_READ,
    ("GET", "/sessions/{session_id}/topics/{topic_id}"): SESSION_READ,
    ("POST", "/sessions/{session_id}/topics/merge"): Line(
        OFFICE, scoped=True, values={"topic": "{topic_id}"}
    ),
    ("POST", "/sessions/{session_id}/topics/undo"): SESSION_WRITE,
    ("POST", "/sessions/{session_id}/topics/{topic_id}/change"): Line(
        OFFICE, scoped=True, values={"what": "rename", "label": "Tên"}
    ),
    ("GET", "/announcements"): Line(WHOLE),
    ("GET", "/announcements/new"): Line(OFFICE),
    ("POST", "/announcements"): Line(OFFICE, values={"unit": "{unit}", "text": "Mời họp", "what": "preview"}),
    ("GET", "/announcements/{announcement_id}"): SESSION_READ,
    ("GET", "/announcements/{announcement_id}/progress"): SESSION_READ,
    ("GET", "/announcements/{announcement_id}/proof"): SESSION_READ,
    ("GET", "/announcements/{announcement_id}/sealed"): SESSION_READ,
    ("POST", "/announcements/{announcement_id}/{to}"): SESSION_WRITE,
    ("GET", "/sessions/{session_id}/live"): SESSION_READ,
    ("GET", "/sessions/{session_id}/live/pulse"): SESSION_READ,
    ("POST", "/sessions/{session_id}/live/item/{key}/{step}"): SESSION_WRITE,
    ("POST", "/sessions/{session_id}/live/undo"): SESSION_WRITE,
    ("POST", "/sessions/{session_id}/live/drafts"): SESSION_WRITE,
    ("POST", "/sessions/{session_id}/live/room"): SESSION_WRITE,
    ("POST", "/sessions/{session_id}/live/questions/{question_id}/{judged}"): SESSION_WRITE,
    # Without a login, for who has the token of an open room: tested with the live session.
    **dict.fromkeys(_IN_THE_HALL, ANYONE),
    ("GET", "/dashboard"): Line(WHOLE),
    ("GET", "/staff"): Line(frozenset({R.QUAN_TRI})),
    ("POST", "/staff"): Line(
        frozenset({R.QUAN_TRI}), values={"role": "van_phong", "unit": "{unit}", "login": "m", "name": "M"}
    ),
    ("POST", "/staff/{staff_id}/password"): Line(frozenset({R.QUAN_TRI}), scoped=True),
    ("POST", "/staff/{staff_id}/active"): Line(
        frozenset({R.QUAN_TRI}), scoped=True, values={"active": "yes"}
    ),
}
# These end the login, or are about the visitor's own account.
OWN = {path for (_, path), line in TABLE.items() if line is ANYONE and path not in ("/", "/concerns")}


def _routes(office: Office) -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for route in _walk(office.console)
        for method in route.methods
        if method in ("GET", "POST")
    }


def _walk(router: Any) -> list[APIRoute]:
    found: list[APIRoute] = []
    for route in router.routes:
        if isinstance(route, APIRoute):
            found.append(route)
        elif hasattr(route, "routes"):
            found += _walk(route)
        elif hasattr(route, "effective_route_contexts"):
            found += [c for c in route.effective_route_contexts() if hasattr(c, "methods")]
    return found


def test_every_route_has_a_line(office: Office) -> None:
    assert len(_routes(office)) > 30
    assert _routes(office) == set(TABLE)


@pytest.fixture
def things(office: Office) -> dict[str, str]:
    """One of everything, all of Bát Xát; values for the placeholders of addresses."""
    commune = office.commune
    session_id = commune.collecting(unit_code=BAT_XAT.code, title=f"Phiên {SECRET}")
    commune.person(unit_code=BAT_XAT.code).raise_concern(f"Đường {SECRET}")
    staff = office.account(R.GIAM_SAT, unit_code=BAT_XAT.code, login=f"nguoi {SECRET}")
    clerk = office.as_(R.VAN_PHONG, unit_code=BAT_XAT.code)
    clerk.get(f"/sessions/{session_id}/agenda")
    clerk.post(f"/sessions/{session_id}/agenda/order", {"what": "save"})
    text = f"Thông báo {SECRET}"
    clerk.get("/announcements/new")
    clerk.post("/announcements", {"unit": BAT_XAT.code, "text": text, "seen": text, "what": "send"})
    with commune.database.write() as session:
        concern = session.scalars(select(Concern)).one()
        topic = session.scalars(select(Topic)).one()
        folder = office.console.state.desk.settings.attachments_dir
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "1-a.jpg").write_bytes(SECRET.encode())
        attachment = Attachment(
            contact_id=concern.contact_id, concern_id=concern.id, inbound_id=concern.first_inbound_id, position=9,
            kind="photo", state="kept", path="1-a.jpg", mime_type="image/jpeg", created_at=commune.clock.at,
        )  # fmt: skip
        session.add(attachment)
        session.flush()
        return {
            "session_id": str(session_id),
            "concern_id": str(concern.id),
            "attachment_id": str(attachment.id),
            "topic_id": str(topic.id),
            "announcement_id": str(session.scalars(select(Announcement.id)).one()),
            "staff_id": str(staff.id),
            "version": str(session.scalars(select(Agenda.version)).one()),
            "key": f"T{topic.id}",
            "what": "reply",
            "kind": "csv",
            "to": "paused",
            "step": "begin",
            "judged": "approved",
            "question_id": str(_question(session, session_id)),
            "token": "khong-co-phong-nay",
            "name": "console.css",
            "unit": BAT_XAT.code,
        }


def _question(session: Session, session_id: int) -> int:
    question = LiveQuestion(
        session_id=session_id, text=f"Câu hỏi {SECRET}", state="waiting", created_at=datetime.now(UTC)
    )
    session.add(question)
    session.flush()
    return question.id


def _call(visit: Visit, method: str, path: str, line: Line, things: dict[str, str]) -> Any:
    address = path.format(**things)
    if path.endswith("/changes"):
        address += "?since=1"
    if method == "GET":
        return visit.get(address)
    visit.get("/password")  # Its form carries the token of this login.
    values = {name: value.format(**things) for name, value in line.values.items()}
    return visit.post(address, values, follow=False)


@pytest.mark.parametrize("unit_code", ["15", BAT_XAT.code, BAC_HA.code])
@pytest.mark.parametrize("role", list(StaffRole))
def test_who_gets_in(office: Office, things: dict[str, str], role: StaffRole, unit_code: str) -> None:
    member = office.account(role, unit_code=unit_code, login="nguoi-thu")
    visit = office.visit()
    visit.log_in(member.login)
    things["unit"] = unit_code
    inside = unit_code in ("15", BAT_XAT.code)
    for (method, path), line in TABLE.items():
        if path in OWN:
            continue
        answer = _call(visit, method, path, line, things)
        said = f"{method} {path}: {answer.status_code}"
        assert answer.status_code < 500, said
        if role not in line.roles:
            assert answer.status_code in (403, 404), said
        elif line.scoped and not inside:
            assert answer.status_code == 404, said
        else:
            assert answer.status_code not in (401, 403, 404), said
        if not inside or role not in WHOLE:
            assert SECRET not in answer.text, said


def test_nobody_gets_in_without_a_login(office: Office, things: dict[str, str]) -> None:
    visit = office.visit()
    for (method, path), line in TABLE.items():
        if path in OWN:
            continue
        answer = _call(visit, method, path, line, things)
        assert "Đăng nhập" in answer.text or answer.status_code in (303, 403), path
        assert SECRET not in answer.text


ODD = ("", "0", "-1", "999999999999999999999", "\x00", "../../etc/passwd", "%00", "NaN", "1e309", "🙈" * 50,
       "' OR 1=1 --", "<svg/onload=alert(1)>", "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
       "١٢٣", "2026-13-45", "T", "C" * 500, "{{7*7}}", "=1+1")  # fmt: skip


def test_odd_requests_are_never_our_fault(office: Office, things: dict[str, str]) -> None:
    """A seeded fuzz over every route: addresses, queries and forms of odd values."""
    chance = random.Random(7)
    visit = office.as_(R.VAN_PHONG)
    names = ("q", "state", "field", "unit", "order", "after", "since", "until", "session", "id", "what", "words",
             "text", "handler", "reason", "label", "topic", "into", "due_at", "due_on", "back", "seen", "file",
             "held_at", "collects_until", "title", "role", "login", "name", "n-T1", "why-T1", "alone")  # fmt: skip
    for _ in range(6):
        for (method, path), line in TABLE.items():
            if path in ("/logout", "/login", "/second-step"):
                continue
            parts = {
                n: chance.choice((v, v, chance.choice(ODD).replace("/", "%2F"))) for n, v in things.items()
            }
            address = path.format(**parts).replace("\x00", "%00")
            sent = {name: chance.choice(ODD) for name in chance.sample(names, 8)}
            if method == "GET":
                answer = visit.client.get(f"/console{address}", params=sent)
            else:
                visit.get("/password")
                values = {**line.values, **sent} if chance.random() < 0.5 else {**sent, **line.values}
                answer = visit.client.post(
                    f"/console{address}", data={"csrf": visit.csrf, **values}, follow_redirects=False
                )
            assert answer.status_code < 500, f"{method} {address!r} {sent!r}"


def test_quarantined_words_are_in_no_answer_for_those_who_may_not_read_them(
    office: Office, things: dict[str, str]
) -> None:
    with office.commune.database.write() as session:
        session.execute(delete(TopicMember))
        concern = session.scalars(select(Concern)).one()
        concern.state, concern.text = ConcernState.QUARANTINED, "lời tố cáo kín"
        assert session.scalar(select(StaffMember.id).limit(1))
    for role in (R.QUAN_TRI, R.CHU_TRI, R.GIAM_SAT, R.DON_VI_XU_LY, R.NGUOI_HO_TRO):
        visit = office.as_(role)
        for (method, path), line in TABLE.items():
            if method == "GET" and path not in OWN:
                assert "lời tố cáo kín" not in _call(visit, method, path, line, things).text, (role, path)
