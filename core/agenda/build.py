"""Build the agenda of a session from its rows: a handful of queries whatever the size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from core.agenda.choices import NOT_ASKED, Decided, decided
from core.agenda.document import (
    AgendaDocument,
    ConcernLine,
    FieldPart,
    NotListed,
    SessionFacts,
    TopicItem,
)
from core.fields.catalogue import field_order
from core.fields.names import field_names
from core.sessions import lifecycle
from core.wording import STAFF, local
from storage.models import (
    Agenda,
    Concern,
    ConcernEvent,
    ConcernState,
    DialogueSession,
    Support,
    Topic,
    TopicMember,
    Unit,
)

_LISTED = (ConcernState.RECEIVED, ConcernState.ON_AGENDA, ConcernState.ANSWERED)
_NOT_LISTED = (ConcernState.WITHDRAWN, ConcernState.NEEDS_DETAIL, ConcernState.NOT_LISTED)
_ERASED = "erased"
_QUOTE = 300
_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class _Row:
    """One concern with what the agenda needs of it."""

    concern: Concern
    unit_name: str
    topic: Topic | None
    people: frozenset[int]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item that people decided not to ask, with the coded reason."""

    item: TopicItem
    reason: str


def build(session: Session, *, session_id: int) -> AgendaDocument:
    """The agenda as it stands; writes nothing. Raises `SessionError` for an unknown session."""
    return arranged(session, session_id=session_id)[0]


def arranged(session: Session, *, session_id: int) -> tuple[AgendaDocument, list[LeftOut]]:
    """The agenda as it stands, and the items that are not asked. Raises `SessionError`."""
    dialogue_session = lifecycle.get(session, session_id)
    rows = _rows(session, session_id)
    choices = decided(session, session_id)
    by_field: dict[str, list[TopicItem]] = defaultdict(list)
    left_out: list[LeftOut] = []
    for field_code, item in _items(rows, choices):
        reason = choices[item.key].left_out if item.key in choices else None
        if reason is None:
            by_field[field_code].append(item)
        else:
            left_out.append(LeftOut(item, reason))
    name = field_names(session, dialogue_session.unit_code)
    parts = [
        FieldPart(code, name(code) or STAFF.say("agenda.unclassified"), tuple(items))
        for code, items in sorted(by_field.items(), key=lambda pair: field_order(pair[0]))
    ]
    unasked = {code for one in left_out for code in one.item.codes}
    heard = (row.people for row in rows if row.concern.code not in unasked)
    document = AgendaDocument(
        session=_facts(session, dialogue_session),
        fields=tuple(parts),
        not_listed=(*_not_asked(left_out), *_not_listed(session, dialogue_session)),
        people=len(frozenset().union(*heard)),
    )
    return document, left_out


def _not_asked(left_out: Sequence[LeftOut]) -> Iterable[NotListed]:
    for one in left_out:
        why = STAFF.say(
            "not_listed.not_asked", why=STAFF.say(f"not_asked.{one.reason}"), label=one.item.label
        )
        yield NotListed(f"{NOT_ASKED}{one.item.key}", why, len(one.item.codes), one.item.codes)


def _facts(session: Session, found: DialogueSession) -> SessionFacts:
    unit = session.get_one(Unit, found.unit_code)
    parent = session.get(Unit, unit.parent_code) if unit.parent_code else None
    return SessionFacts(
        id=found.id,
        title=found.title,
        unit=unit.name,
        province=(parent or unit).name,
        held_at=local(found.held_at).isoformat(),
        place=found.place,
        chair=found.chair,
    )


def _rows(session: Session, session_id: int) -> list[_Row]:
    found = session.execute(
        select(Concern, Unit.name, Topic)
        .join(Unit, Unit.code == Concern.unit_code)
        .outerjoin(TopicMember, TopicMember.concern_id == Concern.id)
        .outerjoin(Topic, Topic.id == TopicMember.topic_id)
        .where(Concern.session_id == session_id, Concern.state.in_(_LISTED), Concern.erased_at.is_(None))
        .order_by(Concern.id)
    ).all()
    supporters: dict[int, set[int]] = defaultdict(set)
    for concern_id, citizen_id in session.execute(
        select(Support.concern_id, Support.citizen_id)
        .join(Concern, Concern.id == Support.concern_id)
        .where(Concern.session_id == session_id)
    ):
        supporters[concern_id].add(citizen_id)
    return [
        _Row(concern, unit_name, topic, frozenset({concern.citizen_id} | supporters[concern.id]))
        for concern, unit_name, topic in found
    ]


def _items(rows: Sequence[_Row], choices: Mapping[str, Decided]) -> list[tuple[str, TopicItem]]:
    """(field code, item) in the agenda's order: by hand, else by rank of the grouping, else people, else age."""
    groups: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        key = f"T{row.topic.id}" if row.topic is not None else f"C{row.concern.id}"
        groups[key].append(row)
    made = [(_rank(members), _field_of(members), _item(key, members)) for key, members in groups.items()]
    made.sort(key=lambda entry: (_by_hand(choices, entry[2].key), entry[0], -entry[2].people, entry[2].key))
    return [(field_code, item) for _, field_code, item in made]


def _by_hand(choices: Mapping[str, Decided], key: str) -> tuple[bool, int]:
    position = choices[key].position if key in choices else None
    return position is None, position or 0


def _rank(members: Sequence[_Row]) -> float:
    topic = members[0].topic
    return float(topic.facts.get("rank", 0)) if topic is not None else 0.0


def _field_of(members: Sequence[_Row]) -> str:
    topic = members[0].topic
    code = topic.field_code if topic is not None else members[0].concern.field_code
    return code or ""


def _item(key: str, members: Sequence[_Row]) -> TopicItem:
    topic = members[0].topic
    chosen = next(
        (m for m in members if topic is not None and m.concern.id == topic.representative_id), members[0]
    )
    words = " ".join(chosen.concern.text.split())
    return TopicItem(
        key=key,
        label=topic.label if topic is not None and topic.label else _first_words(words),
        quote=words if len(words) <= _QUOTE else words[: _QUOTE - 1].rstrip() + "…",
        people=len(frozenset().union(*(m.people for m in members))),
        places=tuple(dict.fromkeys(_place(m) for m in members)),
        concerns=tuple(_line(m) for m in members),
    )


def _first_words(text: str, count: int = 12) -> str:
    words = text.split()
    return " ".join(words[:count]) + ("…" if len(words) > count else "")


def _place(row: _Row) -> str:
    return f"{row.concern.place_text}, {row.unit_name}" if row.concern.place_text else row.unit_name


def _line(row: _Row) -> ConcernLine:
    concern = row.concern
    return ConcernLine(
        code=concern.code or "",
        text=concern.text,
        place=_place(row),
        people=len(row.people),
        submitted_on=local(concern.submitted_at or concern.created_at).date().isoformat(),
    )


def _not_listed(session: Session, dialogue_session: DialogueSession) -> Iterable[NotListed]:
    left_out: dict[str, list[str]] = defaultdict(list)
    for state, erased_at, code in session.execute(
        select(Concern.state, Concern.erased_at, Concern.code)
        .where(
            Concern.session_id == dialogue_session.id,
            Concern.state.in_(_NOT_LISTED) | Concern.erased_at.is_not(None),
            Concern.code.is_not(None),
        )
        .order_by(Concern.id)
    ):
        left_out[_ERASED if erased_at else state].append(code or "")
    for reason in (*_NOT_LISTED, _ERASED):
        if left_out[reason]:
            codes = tuple(left_out[reason])
            yield NotListed(reason, STAFF.say(f"not_listed.{reason}"), len(codes), codes)
    quarantined = _quarantined(session, dialogue_session)
    if quarantined:
        state = ConcernState.QUARANTINED
        yield NotListed(state, STAFF.say(f"not_listed.{state}"), quarantined, ())


def _quarantined(session: Session, dialogue_session: DialogueSession) -> int:
    """Messages behind a legal door that arrived for this place while the session collected; a count only."""
    below = select(Unit.code).where(
        (Unit.code == dialogue_session.unit_code) | (Unit.parent_code == dialogue_session.unit_code)
    )
    query = select(func.count()).where(
        Concern.state == ConcernState.QUARANTINED,
        Concern.unit_code.in_(below),
        Concern.created_at >= dialogue_session.created_at,
        Concern.created_at <= dialogue_session.held_at,
    )
    return session.scalar(query) or 0


def save(session: Session, *, session_id: int, created_by: str, now: datetime) -> Agenda:
    """Build, number and keep the agenda; the listed concerns are on it from now on.

    The version is one more than the newest; an unchanged agenda gives the newest version back.
    """
    document = build(session, session_id=session_id)
    newest = session.scalar(
        select(Agenda).where(Agenda.session_id == session_id).order_by(Agenda.version.desc()).limit(1)
    )
    if newest is not None and newest.sha256 == document.digest():
        return newest
    agenda = Agenda(
        session_id=session_id,
        version=newest.version + 1 if newest else 1,
        body=document.dump(),
        sha256=document.digest(),
        created_at=now,
        created_by=created_by,
    )
    session.add(agenda)
    _put_on_agenda(session, document, created_by=created_by, now=now)
    session.flush()
    return agenda


def _put_on_agenda(session: Session, document: AgendaDocument, *, created_by: str, now: datetime) -> None:
    """Only what the snapshot lists: a concern that arrives while it is built waits for the next version."""
    codes = [code for part in document.fields for topic in part.topics for code in topic.codes]
    for start in range(0, len(codes), _BATCH):
        listed = session.scalars(
            update(Concern)
            .where(Concern.code.in_(codes[start : start + _BATCH]), Concern.state == ConcernState.RECEIVED)
            .values(state=ConcernState.ON_AGENDA)
            .returning(Concern.id)
            .execution_options(synchronize_session=False)
        ).all()
        events = [
            {"concern_id": i, "kind": "on_agenda", "at": now, "actor": created_by, "detail": {}}
            for i in sorted(listed)
        ]
        if events:
            session.execute(insert(ConcernEvent), events)
    _take_off(session, document, created_by=created_by, now=now)


def _take_off(session: Session, document: AgendaDocument, *, created_by: str, now: datetime) -> None:
    """What an earlier version listed and this one leaves out waits again."""
    codes = [c for left in document.not_listed if left.reason.startswith(NOT_ASKED) for c in left.codes]
    for start in range(0, len(codes), _BATCH):
        off = session.scalars(
            update(Concern)
            .where(Concern.code.in_(codes[start : start + _BATCH]), Concern.state == ConcernState.ON_AGENDA)
            .values(state=ConcernState.RECEIVED)
            .returning(Concern.id)
            .execution_options(synchronize_session=False)
        ).all()
        events = [
            {"concern_id": i, "kind": "off_agenda", "at": now, "actor": created_by, "detail": {}}
            for i in sorted(off)
        ]
        if events:
            session.execute(insert(ConcernEvent), events)


def load(session: Session, *, session_id: int, version: int | None = None) -> Agenda:
    """A kept agenda, the newest unless a version is named. Raises `SessionError` when there is none."""
    lifecycle.get(session, session_id)
    query = select(Agenda).where(Agenda.session_id == session_id).order_by(Agenda.version.desc()).limit(1)
    if version is not None:
        query = query.where(Agenda.version == version)
    found = session.scalar(query)
    if found is None:
        raise lifecycle.SessionError("agenda.none", id=session_id)
    return found
