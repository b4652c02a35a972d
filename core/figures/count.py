"""What a dashboard shows: counted in the database, a constant number of queries whatever the size."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from core.people.roles import Scope
from core.wording import local
from storage.models import Concern, ConcernEvent, ConcernState, Unit

_WEEKS = 12
_ANSWERED = case((Concern.state == ConcernState.ANSWERED, 1), else_=0)


@dataclass(frozen=True, slots=True)
class Share:
    """One line: all concerns, those answered, those whose author said that the answer is clear."""

    name: str
    asked: int
    answered: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything of one dashboard. `fields` and `states` are codes; `silent` are units without a voice."""

    total: Share
    units: Sequence[Share]
    fields: Sequence[Share]
    states: Sequence[tuple[str, int]]
    weeks: Sequence[tuple[date, int]]
    verdicts: Sequence[tuple[str, int]]
    silent: Sequence[str]
    commune_count: int


def figures(session: Session, scope: Scope, *, session_id: int | None, now: datetime) -> Figures:
    """Count what this member of staff may see, of one dialogue session or of all."""
    where: list[ColumnElement[bool]] = [scope.concerns(), Concern.state != ConcernState.QUARANTINED]
    if session_id is not None:
        where.append(Concern.session_id == session_id)
    clear = _clear()
    units = _shares(session, Concern.unit_code, where, clear)
    names = dict(
        session.execute(
            select(Unit.code, Unit.name).where(Unit.code.in_(scope.units()), Unit.parent_code.is_not(None))
        )
        .tuples()
        .all()
    )
    states = session.execute(select(Concern.state, func.count()).where(*where).group_by(Concern.state)).all()
    return Figures(
        total=Share(
            "", sum(s.asked for s in units), sum(s.answered for s in units), sum(s.confirmed for s in units)
        ),
        units=[Share(names.get(s.name, s.name), s.asked, s.answered, s.confirmed) for s in units],
        fields=_shares(session, Concern.field_code, where, clear),
        states=sorted(((state, count) for state, count in states), key=lambda pair: -pair[1]),
        weeks=_weeks(session, where, now),
        verdicts=_verdicts(session, where),
        silent=sorted(name for code, name in names.items() if code not in {s.name for s in units}),
        commune_count=len(names),
    )


def _clear() -> Any:
    """Concerns whose author found the answer clear, each once."""
    return (
        select(ConcernEvent.concern_id)
        .where(ConcernEvent.kind == "feedback", ConcernEvent.detail["verdict"].as_string() == "clear")
        .distinct()
        .subquery()
    )


def _shares(session: Session, column: Any, where: Sequence[ColumnElement[bool]], clear: Any) -> list[Share]:
    rows = session.execute(
        select(column, func.count(), func.sum(_ANSWERED), func.count(clear.c.concern_id))
        .select_from(Concern)
        .outerjoin(clear, clear.c.concern_id == Concern.id)
        .where(*where)
        .group_by(column)
        .order_by(func.count().desc(), column)
    )
    return [
        Share(name or "", asked, int(answered or 0), confirmed) for name, asked, answered, confirmed in rows
    ]


def _weeks(session: Session, where: Sequence[ColumnElement[bool]], now: datetime) -> list[tuple[date, int]]:
    """Concerns of the last twelve weeks by week, Mondays, Vietnamese days; empty weeks are shown."""
    today = local(now).date()
    monday = today - timedelta(days=today.weekday())
    first = monday - timedelta(weeks=_WEEKS - 1)
    begins = now - (local(now) - local(now).replace(hour=0, minute=0, second=0, microsecond=0))
    edges = [begins - timedelta(days=(today - first).days - 7 * week) for week in range(_WEEKS + 1)]
    columns = [
        func.sum(case(((Concern.created_at >= low) & (Concern.created_at < high), 1), else_=0))
        for low, high in itertools.pairwise(edges)
    ]
    row = session.execute(select(*columns).where(*where, Concern.created_at >= edges[0])).one()
    return [(first + timedelta(weeks=week), int(count or 0)) for week, count in enumerate(row)]


def _verdicts(session: Session, where: Sequence[ColumnElement[bool]]) -> list[tuple[str, int]]:
    verdict = ConcernEvent.detail["verdict"].as_string()
    rows = session.execute(
        select(verdict, func.count())
        .select_from(ConcernEvent)
        .join(Concern, Concern.id == ConcernEvent.concern_id)
        .where(ConcernEvent.kind == "feedback", *where)
        .group_by(verdict)
    ).tuples()
    counted: dict[str | None, int] = dict(rows.all())
    return [(name, counted.get(name, 0)) for name in ("clear", "partly", "unclear")]
