"""The session as it goes: which item is discussed, how each was answered, and the step that can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.agenda.document import AgendaDocument, TopicItem
from core.answers.answer_file import AnswerRow
from core.answers.publish import Imported, import_answers
from storage.models import Agenda, LiveItem, LiveState, LiveStep

_KEPT = ("state", "speaker", "note", "unit", "by")
_FINISHED = (LiveState.ANSWERED, LiveState.WRITTEN, LiveState.SKIPPED)


class LiveError(ValueError):
    """A step that cannot be taken; `code` is a key of the console's `live` texts."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the agenda as it stands; `number` counts from 1 over all fields."""

    number: int
    field: str
    item: TopicItem
    state: LiveState
    speaker: str = ""
    note: str = ""
    unit: str = ""
    due_on: date | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proceedings:
    """All items in the agenda's order; `version` is the agenda's, approved unless `approved` is false."""

    document: AgendaDocument
    version: int
    approved: bool
    entries: tuple[Entry, ...]

    @property
    def current(self) -> Entry | None:
        """The item under discussion."""
        return next((entry for entry in self.entries if entry.state == LiveState.NOW), None)

    @property
    def waiting(self) -> list[Entry]:
        """Items still to come, in order."""
        return [entry for entry in self.entries if entry.state == LiveState.WAITING]

    @property
    def finished(self) -> list[Entry]:
        """Items that are over, in order."""
        return [entry for entry in self.entries if entry.state in _FINISHED]

    @property
    def owed(self) -> list[Entry]:
        """Items that were promised an answer in writing."""
        return [entry for entry in self.entries if entry.state == LiveState.WRITTEN]


def read(session: Session, session_id: int) -> Proceedings | None:
    """The newest approved agenda, else the newest, with what became of its items; None without any. Two queries."""
    agenda = session.scalar(
        select(Agenda)
        .where(Agenda.session_id == session_id)
        .order_by(Agenda.approved_at.is_not(None).desc(), Agenda.version.desc())
        .limit(1)
    )
    if agenda is None:
        return None
    rows = {row.item_key: row for row in _rows(session, session_id)}
    document = AgendaDocument.load(agenda.body)
    items = [(part.label, item) for part in document.fields for item in part.topics]
    return Proceedings(
        document,
        agenda.version,
        agenda.approved_at is not None,
        tuple(
            _entry(number, label, item, rows.get(item.key))
            for number, (label, item) in enumerate(items, start=1)
        ),
    )


def _rows(session: Session, session_id: int) -> Sequence[LiveItem]:
    return session.scalars(select(LiveItem).where(LiveItem.session_id == session_id)).all()


def _entry(number: int, label: str, item: TopicItem, row: LiveItem | None) -> Entry:
    if row is None:
        return Entry(number, label, item, LiveState.WAITING)
    state = LiveState(row.state)
    return Entry(number, label, item, state, row.speaker, row.note, row.unit, row.due_on, row.at)


def begin(session: Session, session_id: int, key: str, *, by: str, now: datetime) -> None:
    """Take up an item; the one under discussion goes back to waiting. Raises `LiveError`."""
    known = _known(session, session_id)
    if key not in known:
        raise LiveError("unknown_item")
    _step(session, session_id, _moved_to(known, key), by=by, now=now)


def finish(
    session: Session,
    session_id: int,
    key: str,
    state: LiveState,
    *,
    speaker: str = "",
    note: str = "",
    unit: str = "",
    due_on: date | None = None,
    by: str,
    now: datetime,
) -> None:
    """Say how an item ended and take up the next that waits. Raises `LiveError`.

    An answer on the spot needs the note of what was said, one in writing the unit that owes it.
    """
    known = _known(session, session_id)
    if key not in known or state not in _FINISHED:
        raise LiveError("unknown_item")
    if state == LiveState.ANSWERED and not note.strip():
        raise LiveError("no_note")
    if state == LiveState.WRITTEN and not unit.strip():
        raise LiveError("no_unit")
    ended = {"state": state, "speaker": speaker, "note": note, "unit": unit, "due_on": due_on}
    changes: dict[str, dict[str, Any]] = {key: ended}
    following = next((k for k, s in known.items() if s == LiveState.WAITING and k != key), None)
    if following is not None and known[key] == LiveState.NOW:
        changes[following] = {"state": LiveState.NOW}
    _step(session, session_id, changes, by=by, now=now)


def _known(session: Session, session_id: int) -> dict[str, LiveState]:
    found = read(session, session_id)
    return {entry.item.key: entry.state for entry in found.entries} if found else {}


def _moved_to(known: dict[str, LiveState], key: str) -> dict[str, dict[str, Any]]:
    before = [k for k, state in known.items() if state == LiveState.NOW and k != key]
    return {**{k: {"state": LiveState.WAITING} for k in before}, key: {"state": LiveState.NOW}}


def _step(
    session: Session, session_id: int, changes: dict[str, dict[str, Any]], *, by: str, now: datetime
) -> None:
    rows = {row.item_key: row for row in _rows(session, session_id)}
    before = {key: _as_it_was(rows.get(key)) for key in changes}
    for key, values in changes.items():
        row = rows.get(key)
        if row is None:
            row = LiveItem(session_id=session_id, item_key=key, state="", by=by, at=now)
            session.add(row)
        for name, value in values.items():
            setattr(row, name, value)
        row.by, row.at = by, now
    session.add(LiveStep(session_id=session_id, before=before, by=by, at=now))
    session.flush()


def _as_it_was(row: LiveItem | None) -> dict[str, Any] | None:
    if row is None:
        return None
    kept: dict[str, Any] = {name: getattr(row, name) for name in _KEPT}
    return kept | {"at": row.at.isoformat(), "due_on": row.due_on.isoformat() if row.due_on else None}


def undo(session: Session, session_id: int, *, now: datetime) -> None:
    """Take back the last step that stands. Raises `LiveError("nothing_to_undo")`."""
    step = session.scalar(
        select(LiveStep)
        .where(LiveStep.session_id == session_id, LiveStep.undone_at.is_(None))
        .order_by(LiveStep.id.desc())
        .limit(1)
        .with_for_update()
    )
    if step is None:
        raise LiveError("nothing_to_undo")
    step.undone_at = now
    rows = {row.item_key: row for row in _rows(session, session_id)}
    for key, was in step.before.items():
        if was is None:
            session.delete(rows[key])
            continue
        for name in _KEPT:
            setattr(rows[key], name, was[name])
        rows[key].at = datetime.fromisoformat(was["at"])
        rows[key].due_on = date.fromisoformat(was["due_on"]) if was["due_on"] else None
    session.flush()


def draft_answers(session: Session, session_id: int, *, now: datetime) -> Imported:
    """Make draft answers of what was said on the spot, for staff to read over and publish; nothing is sent."""
    found = read(session, session_id)
    rows = [
        AnswerRow(entry.number, entry.item.key, entry.item.codes, entry.note, entry.unit, "", None)
        for entry in (found.entries if found else ())
        if entry.state == LiveState.ANSWERED
    ]
    return import_answers(session, session_id=session_id, rows=rows, now=now)
