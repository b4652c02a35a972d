"""The tenants of an installation: its province and the commune-level units below it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import Unit


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What the gazetteer knows of one unit; `full_name` is with its kind, as people read it."""

    code: str
    full_name: str
    kind: str
    parent_code: str | None


def seed(session: Session, units: Iterable[UnitFacts]) -> int:
    """Add the units that are missing, parents first; returns how many."""
    have = set(session.scalars(select(Unit.code)))
    added = 0
    for unit in sorted(units, key=lambda u: (u.parent_code is not None, u.code)):
        if unit.code in have:
            continue
        session.add(
            Unit(
                code=unit.code, name=unit.full_name, kind=unit.kind, parent_code=unit.parent_code, profile={}
            )
        )
        session.flush()
        added += 1
    return added


def names(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Full names by code, one query."""
    rows = session.execute(select(Unit.code, Unit.name).where(Unit.code.in_(set(codes))))
    return dict(rows.tuples().all())


def with_children(session: Session, code: str) -> list[str]:
    """The unit and, for a province, every unit below it."""
    return [code, *session.scalars(select(Unit.code).where(Unit.parent_code == code).order_by(Unit.code))]
