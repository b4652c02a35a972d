"""Numbered versions of an agenda: listed, approved by the chair, and what changed from one to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.agenda.document import AgendaDocument, TopicItem
from core.sessions.lifecycle import SessionError
from storage.models import Agenda


@dataclass(frozen=True, slots=True)
class Version:
    """A kept agenda without its body."""

    version: int
    created_at: datetime
    created_by: str
    approved_at: datetime | None
    approved_by: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `kind`: added, removed, moved, renamed, people, concerns; `was` and `now` are shown."""

    kind: str
    label: str
    was: str = ""
    now: str = ""


def versions(session: Session, session_id: int) -> list[Version]:
    """Newest first; one query."""
    rows = session.execute(
        select(Agenda.version, Agenda.created_at, Agenda.created_by, Agenda.approved_at, Agenda.approved_by)
        .where(Agenda.session_id == session_id)
        .order_by(Agenda.version.desc())
    )
    return [Version(*row) for row in rows]


def approve(session: Session, *, session_id: int, version: int, by: str, now: datetime) -> Agenda:
    """The chair's word on the newest version, once. Raises `SessionError` for an older one.

    The caller commits. An approved version stays approved when a newer one is made.
    """
    newest = session.scalar(
        select(Agenda)
        .where(Agenda.session_id == session_id)
        .order_by(Agenda.version.desc())
        .limit(1)
        .with_for_update()
    )
    if newest is None or newest.version != version:
        raise SessionError("agenda.approve_old")
    if newest.approved_at is None:
        newest.approved_at, newest.approved_by = now, by
        session.flush()
    return newest


def changes(old: AgendaDocument, new: AgendaDocument) -> list[Change]:
    """What is different, in the order of the new agenda; what is gone comes last."""
    before, after = _places(old), _places(new)
    found = [change for key in after for change in _of_item(before.get(key), after[key])]
    found += [Change("removed", before[key][1].label) for key in before if key not in after]
    return found


def _places(document: AgendaDocument) -> dict[str, tuple[str, TopicItem]]:
    return {
        item.key: (f"{part.label} {number}", item)
        for part in document.fields
        for number, item in enumerate(part.topics, start=1)
    }


def _of_item(old: tuple[str, TopicItem] | None, new: tuple[str, TopicItem]) -> Iterator[Change]:
    place, item = new
    if old is None:
        yield Change("added", item.label, now=place)
        return
    was_place, was = old
    if was_place != place:
        yield Change("moved", item.label, was_place, place)
    if was.label != item.label:
        yield Change("renamed", item.label, was.label, item.label)
    if was.people != item.people:
        yield Change("people", item.label, str(was.people), str(item.people))
    more = _codes(item.codes, was.codes)
    fewer = _codes(was.codes, item.codes)
    if more or fewer:
        yield Change("concerns", item.label, fewer, more)


def _codes(these: Sequence[str], those: Sequence[str]) -> str:
    return ", ".join(code for code in these if code not in those)
