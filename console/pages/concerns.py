"""The inbox of concerns: a list to work through, decisions on many at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from console.access import Form, TheDesk, needs
from console.desk import Desk, Refused, Visitor, go, ids_of, text_of
from console.pages.staff import units_of
from console.words import say
from core.fields.catalogue import fields
from core.inbox import find, judge
from core.inbox.judge import JudgeError, Refusal
from core.outbox.port import ChannelName
from core.people.roles import May
from core.text.normal import clean
from storage.models import ConcernState, DialogueSession

router = APIRouter(prefix="/concerns")

_KEYS = ("session", "state", "field", "unit", "channel", "handler", "since", "until", "q", "order")
_STATES = [state for state in ConcernState if state != ConcernState.DRAFT]
_ROW_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of the address, cleaned; `values` as they go back into the form and its links."""

    filters: find.Filters
    values: dict[str, str]

    @property
    def query(self) -> str:
        """For links that keep the filters."""
        return urlencode({key: value for key, value in self.values.items() if value})


def asked_of(given: Mapping[str, str]) -> Asked:
    """Read filters from an address; what cannot be read filters nothing."""
    values = {key: clean(given.get(key, ""))[:200] for key in _KEYS}
    values["state"] = values["state"] if values["state"] in list(_STATES) else ""
    values["order"] = values["order"] if values["order"] in list(find.Order) else ""
    values["channel"] = values["channel"] if values["channel"] in list(ChannelName) else ""
    values["session"] = values["session"] if _number(values["session"]) else ""
    for key in ("since", "until"):
        values[key] = values[key] if _day(values[key]) else ""
    filters = find.Filters(
        session_id=_number(values["session"]),
        state=values["state"],
        field=values["field"][:40],
        unit=values["unit"][:5],
        channel=values["channel"],
        handler=values["handler"][:5],
        since=_day(values["since"]),
        until=_day(values["until"]),
        words=values["q"],
        order=find.Order(values["order"] or find.Order.NEWEST),
    )
    return Asked(filters, values)


def _number(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and 0 < int(value[:12]) < _ROW_LIMIT else None


def _day(value: str) -> date | None:
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None


@router.get("")
def listing(request: Request, desk: TheDesk, visitor: Visitor = needs(May.READ)) -> Response:
    """The list, fifty at a time."""
    return _listing(request, desk, visitor, dict(request.query_params))


def _listing(
    request: Request, desk: Desk, visitor: Visitor, given: Mapping[str, str], *, problem: str = ""
) -> Response:
    asked = asked_of(given)
    if asked.filters.state == ConcernState.QUARANTINED and not visitor.may("quarantine"):
        raise Refused(403)
    with desk.database.read() as session:
        page = find.page(session, visitor.scope, asked.filters, after=str(given.get("after", ""))[:60])
        choices = _choices(session, visitor)
    units = dict(choices["units"])
    return desk.page(
        request,
        "concerns.html",
        visitor,
        page=page,
        asked=asked,
        most=find.MOST_COUNTED,
        problem=problem,
        handlers=units,
        status=422 if problem else 200,
        first=not given.get("after"),
        **choices,
    )


def _choices(session: Session, visitor: Visitor) -> dict[str, Any]:
    """What the filters and the decisions offer; two queries."""
    sessions = session.execute(
        select(DialogueSession.id, DialogueSession.title)
        .where(visitor.scope.sessions())
        .order_by(DialogueSession.held_at.desc())
        .limit(50)
    ).all()
    quarantine = visitor.may("quarantine")
    states = [s for s in _STATES if quarantine or s != ConcernState.QUARANTINED]
    return {
        "units": units_of(session, visitor.scope),
        "sessions": [(row.id, row.title) for row in sessions],
        "states": [(s, say(f"state.{s}")) for s in states],
        "field_choices": [(f.code, f.label) for f in fields()],
        "channels": [(c, say(f"channel.{c}")) for c in ChannelName],
        "reasons": [(r, say(f"reason.{r}")) for r in Refusal],
        "orders": [(o, say(f"order.{o}")) for o in find.Order],
    }


@router.post("/decide")
def decide(request: Request, desk: TheDesk, form: Form, visitor: Visitor = needs(May.SORT)) -> Response:
    """One decision on every ticked concern."""
    back = dict(parse_qsl(text_of(form, "back", most=1_000)))
    try:
        with desk.database.write() as session:
            count = _decide(session, desk, visitor, form)
    except JudgeError as error:
        return _listing(request, desk, visitor, back, problem=say(f"judge.{error.code}"))
    alone = text_of(form, "alone", most=12)
    if alone.isdigit():
        return go(f"/concerns/{int(alone)}", done="decided", n=count)
    query = asked_of(back).query
    return go(f"/concerns?{query}" if query else "/concerns", done="decided", n=count)


def _decide(session: Session, desk: Desk, visitor: Visitor, form: FormData) -> int:
    ids, now = ids_of(form, "id"), desk.now()
    scope = visitor.scope
    match text_of(form, "what", most=20):
        case "field":
            return judge.put_in_field(session, scope, ids, text_of(form, "field", most=40), now=now)
        case "assign":
            return judge.assign(session, scope, ids, text_of(form, "handler", most=5), now=now)
        case "refuse":
            reason = text_of(form, "reason", most=20)
            if reason not in list(Refusal):
                raise JudgeError("no_reason")
            reception = desk.settings.reception_address
            return judge.refuse(session, scope, ids, Refusal(reason), reception=reception, now=now)
        case "restore":
            return judge.take_back(session, scope, ids, now=now)
        case _:
            raise Refused(400)
