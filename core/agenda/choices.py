"""What people decide over the proposed ranking: the order by hand, and what is not asked and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage.models import AgendaChoice

# How the reason of an item that is not asked begins among what the agenda leaves out.
NOT_ASKED = "not_asked."


class WhyNot(StrEnum):
    """Why an item is not asked at the session."""

    TIME = "time"
    ANSWERED = "answered"
    OTHER_BODY = "other_body"
    VERIFY = "verify"
    SINGLE = "single"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision about one item."""

    position: int | None
    left_out: str | None


def decided(session: Session, session_id: int) -> dict[str, Decided]:
    """Every decision of a session by item key; one query."""
    rows = session.execute(
        select(AgendaChoice.item_key, AgendaChoice.position, AgendaChoice.left_out).where(
            AgendaChoice.session_id == session_id
        )
    )
    return {key: Decided(position, left_out) for key, position, left_out in rows}


def reorder(shown: Sequence[str], wanted: Mapping[str, int]) -> list[str]:
    """The new order of items that were shown in this order and got these numbers.

    An item that was given a smaller number goes before the one that stands there, a larger one behind it.
    """
    places = {key: number for number, key in enumerate(shown, start=1)}

    def order(key: str) -> tuple[int, int, int]:
        place = places[key]
        number = wanted.get(key, place)
        return number, (number > place) - (number < place), place

    return sorted(shown, key=order)


def decide(
    session: Session,
    *,
    session_id: int,
    order: Sequence[str],
    left_out: Mapping[str, WhyNot],
    by: str,
    now: datetime,
) -> None:
    """Keep the order by hand and what is not asked; decisions of before are replaced. The caller commits."""
    session.execute(delete(AgendaChoice).where(AgendaChoice.session_id == session_id))
    asked = [key for key in order if key not in left_out]
    session.add_all(
        AgendaChoice(session_id=session_id, item_key=key[:20], position=position, decided_by=by, at=now)
        for position, key in enumerate(asked, start=1)
    )
    session.add_all(
        AgendaChoice(session_id=session_id, item_key=key[:20], left_out=why, decided_by=by, at=now)
        for key, why in left_out.items()
    )
    session.flush()


def forget(session: Session, *, session_id: int) -> None:
    """Back to the proposed ranking with everything asked."""
    session.execute(delete(AgendaChoice).where(AgendaChoice.session_id == session_id))
