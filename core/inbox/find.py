"""Find concerns: filters, words without diacritics, and pages by key, in a constant number of queries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, text
from sqlalchemy.orm import Session

from core.people.roles import Scope
from core.text.normal import fold
from core.wording.dates import VIETNAM
from storage.models import Attachment, Concern, ConcernState, Contact, Support, Unit

PAGE = 50
# Counting further costs more than it tells a clerk.
MOST_COUNTED = 1_000
# A field that the machine was less sure of than this is looked at by a person first.
SURE = 0.6
_MOST_WORDS = 8
_CODE = re.compile(r"[A-ZĐ]{1,4}-\d{2}-\d{5,}", re.IGNORECASE)
_BREAKS = (",", ".", ";", ":", "!", "?", "(", ")", '"', "/", "-", "\n")


class Order(StrEnum):
    """In which order concerns are listed."""

    NEWEST = "newest"
    OLDEST = "oldest"
    DOUBTFUL = "doubtful"  # what the machine was least sure of comes first


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; empty values filter nothing. Days are Vietnamese calendar days, both included."""

    session_id: int | None = None
    state: str = ""
    field: str = ""
    unit: str = ""
    channel: str = ""
    since: date | None = None
    until: date | None = None
    words: str = ""
    handler: str = ""
    order: Order = Order.NEWEST


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the list."""

    id: int
    code: str | None
    text: str
    state: str
    field_code: str | None
    doubtful: bool
    place_text: str | None
    unit: str
    channel: str
    at: datetime
    people: int
    attachments: int
    handler_code: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `after` opens the next one, None on the last. `count` stops at `MOST_COUNTED` + 1."""

    rows: Sequence[Found]
    after: str | None
    count: int


def page(session: Session, scope: Scope, filters: Filters, *, after: str = "") -> Page:
    """A page of what this member of staff may see; two queries."""
    where = conditions(session, scope, filters)
    at_most = select(literal(1)).select_from(Concern).where(*where)
    if filters.channel:
        at_most = at_most.join(Contact, Contact.id == Concern.contact_id)
    counted = at_most.limit(MOST_COUNTED + 1).subquery()
    count = session.scalar(select(func.count()).select_from(counted)) or 0
    # The page's keys first: what is counted and joined for a line is then done for these lines only.
    keys = select(Concern.id).where(*where)
    if filters.channel:
        keys = keys.join(Contact, Contact.id == Concern.contact_id)
    chosen = _from(keys, filters.order, after).limit(PAGE + 1).subquery()
    query = _lines().where(Concern.id.in_(select(chosen.c.id))).order_by(*_order_of(filters.order))
    rows = [_found(row) for row in session.execute(query)]
    more = len(rows) > PAGE
    last = rows[PAGE - 1] if more else None
    key = None
    if last is not None:
        key = str(last.id)
        if filters.order is Order.DOUBTFUL:
            key = f"{session.scalar(select(_sureness).where(Concern.id == last.id))!r}_{last.id}"
    return Page(rows[:PAGE], key, count)


_sureness = func.coalesce(Concern.field_confidence, 0.0)
_doubtful = or_(Concern.field_code.is_(None), _sureness < SURE)


def conditions(session: Session, scope: Scope, filters: Filters) -> list[ColumnElement[bool]]:
    """The filters as conditions over `Concern` (and `Contact`, when a channel is asked for)."""
    where = [scope.concerns()]
    if filters.state:
        where.append(Concern.state == filters.state)
    else:
        # What stands behind a legal door is looked for by name, never met by the way.
        where.append(Concern.state != ConcernState.QUARANTINED)
    for column, wanted in (
        (Concern.session_id, filters.session_id),
        (Concern.unit_code, filters.unit),
        (Concern.handler_code, filters.handler),
        (Contact.channel, filters.channel),
    ):
        if wanted:
            where.append(column == wanted)
    if filters.field == "none":
        where.append(Concern.field_code.is_(None))
    elif filters.field:
        where.append(Concern.field_code == filters.field)
    if filters.since:
        where.append(Concern.created_at >= _midnight(filters.since))
    if filters.until:
        where.append(Concern.created_at < _midnight(filters.until + timedelta(days=1)))
    if filters.words.strip():
        where.append(_says(session, filters.words))
    return where


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), VIETNAM)


def _says(session: Session, asked: str) -> ColumnElement[bool]:
    """Every word asked for begins a word of the concern, in any order; a receipt code finds its concern."""
    codes = _CODE.findall(asked.strip())
    if codes:
        return Concern.code.in_([code.upper() for code in codes[:_MOST_WORDS]])
    words = re.findall(r"[a-z0-9]+", fold(asked))[:_MOST_WORDS]
    if not words:
        return Concern.id.is_(None)
    if session.get_bind().dialect.name == "postgresql":
        # Spelt as the index of the migration spells it, or it is not used; found first, because walking along
        # the keys until a page is full reads every word of the table when little is found.
        says: Any = text("to_tsvector('simple', concern.folded) @@ to_tsquery('simple', :asked)")
        says = says.bindparams(asked=" & ".join(f"{word}:*" for word in words))
        found = select(Concern.id).where(says).cte("saying").prefix_with("MATERIALIZED", dialect="postgresql")
        return Concern.id.in_(select(found.c.id))
    spaced: Any = Concern.folded
    for mark in _BREAKS:
        spaced = func.replace(spaced, mark, " ")
    spaced = literal(" ").concat(spaced)
    # The cheap question first: most concerns fail it and are not taken apart.
    anywhere = (Concern.folded.like(f"%{word}%") for word in words)
    return and_(*anywhere, *(spaced.like(f"% {word}%") for word in words))


def _lines() -> Any:
    joined = select(func.count()).where(Support.concern_id == Concern.id).scalar_subquery()
    files = select(func.count()).where(Attachment.concern_id == Concern.id).scalar_subquery()
    return (
        select(
            Concern.id,
            Concern.code,
            Concern.text,
            Concern.state,
            Concern.field_code,
            _doubtful.label("doubtful"),
            Concern.place_text,
            Unit.name.label("unit"),
            Contact.channel,
            func.coalesce(Concern.submitted_at, Concern.created_at).label("at"),
            (1 + joined).label("people"),
            files.label("attachments"),
            Concern.handler_code,
        )
        .select_from(Concern)
        .join(Unit, Unit.code == Concern.unit_code)
        .join(Contact, Contact.id == Concern.contact_id)
    )


def _found(row: Any) -> Found:
    return Found(**{**row._mapping, "doubtful": bool(row.doubtful)})


def _order_of(order: Order) -> tuple[Any, ...]:
    match order:
        case Order.OLDEST:
            return (Concern.id,)
        case Order.NEWEST:
            return (Concern.id.desc(),)
        case _:
            return _sureness, Concern.id.desc()


def _from(query: Select[Any], order: Order, after: str) -> Select[Any]:
    """The query from the key of the page before on; a key that cannot be read begins at the first page."""
    sureness, _, number = after.rpartition("_")
    query = query.order_by(*_order_of(order))
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        return query
    last, limit = int(number), _number(sureness)
    if order is Order.OLDEST:
        return query.where(Concern.id > last)
    if order is Order.NEWEST:
        return query.where(Concern.id < last)
    if limit is None:
        return query
    return query.where(or_(_sureness > limit, and_(_sureness == limit, Concern.id < last)))


def _number(written: str) -> float | None:
    try:
        value = float(written)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def counts(session: Session, scope: Scope, *, session_id: int | None) -> dict[str, int]:
    """How many visible concerns are in each state, of one session or of all; one query."""
    query = select(Concern.state, func.count()).where(scope.concerns()).group_by(Concern.state)
    if session_id is not None:
        query = query.where(Concern.session_id == session_id)
    return dict(session.execute(query).tuples().all())
