"""A session's topics in the database: regrouping all of it, and placing one newcomer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import numpy as np
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from core.text.embedding import Vectors, unit_rows
from core.text.whitening import Whitener
from core.topics.arrange import Arranged, Told, arrange
from core.topics.identity import Kept
from core.topics.ranking import Voice
from core.topics.themes import Themes
from storage.models import (
    Answer,
    Concern,
    ConcernState,
    ConcernVector,
    DialogueSession,
    Support,
    Topic,
    TopicMember,
)

_GROUPED = (ConcernState.RECEIVED, ConcernState.ON_AGENDA, ConcernState.ANSWERED)
_BATCH = 5_000

Progress = Callable[[str, int], None]
"""Told the step ("read", "arranged", "written") and how many concerns or topics it had."""


def regroup(
    session: Session,
    *,
    session_id: int,
    placed_by: str,
    now: datetime,
    whitener: Whitener | None = None,
    progress: Progress = lambda _step, _count: None,
) -> int:
    """Put every listed concern of the session into one topic; returns the number of topics.

    A group that shares most members with an earlier topic keeps that topic's row and number, so answers and agendas
    that refer to it stay right; what staff merged, split, moved, named or locked stays so. `whitener` is the
    trained one (`core.topics.themes.whitening`); without it the session's own mean is taken away. Six queries and a few
    batched statements whatever the size; memory is the vectors' (1.5 kB a concern).
    """
    rows = _rows(session, session_id)
    told, raw = [row[0] for row in rows], [row[1] for row in rows]
    progress("read", len(told))
    kept = _kept(session, session_id)
    arranged = arrange(
        told, _vectors(raw, whitener), kept=kept, now=now, promised=_promises(session, session_id, now)
    )
    progress("arranged", len(arranged))
    topics = _write_topics(session, session_id, arranged, now=now)
    _write_members(session, kept, topics, arranged, placed_by=placed_by, now=now)
    progress("written", len(arranged))
    return len(arranged)


def _rows(session: Session, session_id: int) -> list[tuple[Told, bytes]]:
    supporters: dict[int, set[int]] = defaultdict(set)
    for concern_id, citizen_id in session.execute(
        select(Support.concern_id, Support.citizen_id)
        .join(Concern, Concern.id == Support.concern_id)
        .where(Concern.session_id == session_id)
    ):
        supporters[concern_id].add(citizen_id)
    found = session.execute(
        select(
            Concern.id,
            Concern.text,
            Concern.folded,
            Concern.text_key,
            Concern.field_code,
            Concern.unit_code,
            Concern.citizen_id,
            Concern.created_at,
            Concern.submitted_at,
            ConcernVector.vector,
            ConcernVector.themes,
        )
        .outerjoin(ConcernVector, ConcernVector.concern_id == Concern.id)
        .where(Concern.session_id == session_id, Concern.state.in_(_GROUPED), Concern.erased_at.is_(None))
        .order_by(Concern.id)
    )
    return [
        (
            Told(
                row.id,
                row.text,
                row.field_code,
                as_themes(row.themes),
                Voice(
                    frozenset({row.citizen_id, *supporters[row.id]}),
                    row.folded,
                    row.unit_code,
                    row.submitted_at or row.created_at,
                    row.text_key,
                ),
            ),
            row.vector or b"",
        )
        for row in found
    ]


def as_themes(stored: Sequence[Sequence[object]] | None) -> Themes:
    """The JSON of `ConcernVector.themes` as values."""
    return tuple((str(name), float(str(chance))) for name, chance in stored or ())


def _vectors(raw: Sequence[bytes], whitener: Whitener | None) -> Vectors:
    """Whitened unit rows; a concern without a vector of the usual length has a row of zeros, like nobody else."""
    lengths = Counter(len(vector) for vector in raw if vector)
    usual = max(lengths, key=lambda length: (lengths[length], length), default=4)
    rows = np.frombuffer(
        b"".join(vector if len(vector) == usual else bytes(usual) for vector in raw), dtype="<f4"
    ).reshape(len(raw), usual // 4)
    known = np.array([len(vector) == usual for vector in raw], dtype=bool)
    if whitener is not None and len(whitener.mean) == rows.shape[1]:
        white = whitener.apply(rows)
    else:
        white = unit_rows(rows - rows[known].mean(axis=0)) if known.sum() > 1 else unit_rows(rows)
    return np.where(known[:, None], white, np.float32(0.0)).astype(np.float32)


def _kept(session: Session, session_id: int) -> Kept:
    placed: dict[int, int] = {}
    pinned: set[int] = set()
    for concern_id, topic_id, is_pinned in session.execute(
        select(TopicMember.concern_id, TopicMember.topic_id, TopicMember.pinned)
        .join(Topic, Topic.id == TopicMember.topic_id)
        .where(Topic.session_id == session_id)
    ):
        placed[concern_id] = topic_id
        if is_pinned:
            pinned.add(concern_id)
    locked = session.scalars(select(Topic.id).where(Topic.session_id == session_id, Topic.locked.is_(True)))
    return Kept(placed, frozenset(pinned), frozenset(locked))


def _promises(session: Session, session_id: int, now: datetime) -> Callable[[str | None], bool]:
    """Themes about which this unit's earlier sessions promised something that was due and has not been closed."""
    unit = session.scalar(select(DialogueSession.unit_code).where(DialogueSession.id == session_id))
    themes = frozenset(
        session.scalars(
            select(Topic.theme)
            .join(Answer, Answer.topic_id == Topic.id)
            .join(DialogueSession, DialogueSession.id == Topic.session_id)
            .where(
                DialogueSession.unit_code == unit,
                DialogueSession.id != session_id,
                Answer.published_at.is_not(None),
                Answer.due_on < date(now.year, now.month, now.day),
                Topic.theme.is_not(None),
            )
        )
    )
    return themes.__contains__


def _write_topics(
    session: Session, session_id: int, arranged: Sequence[Arranged], *, now: datetime
) -> list[int]:
    """Ids of the topics in the order of `arranged`; topics that nobody is in any more are retired."""
    named = dict(
        session.execute(select(Topic.id, Topic.named_by).where(Topic.session_id == session_id)).tuples().all()
    )
    living = {one.topic_id for one in arranged}
    retired = [topic_id for topic_id in named if topic_id not in living]
    for start in range(0, len(retired), _BATCH):
        session.execute(
            update(Topic)
            .where(Topic.id.in_(retired[start : start + _BATCH]), Topic.retired_at.is_(None))
            .values(retired_at=now)
            .execution_options(synchronize_session=False)
        )
    fresh = [one for one in arranged if one.topic_id is None]
    values = [
        {"session_id": session_id, "created_at": now, "label": one.label, **_columns(one)} for one in fresh
    ]
    made = (
        session.scalars(insert(Topic).returning(Topic.id, sort_by_parameter_order=True), values)
        if values
        else ()
    )
    new_ids = iter(list(made))
    ids = [one.topic_id if one.topic_id is not None else next(new_ids) for one in arranged]
    old = [
        {
            "id": one.topic_id,
            "retired_at": None,
            **({} if named[one.topic_id] else {"label": one.label}),
            **_columns(one),
        }
        for one in arranged
        if one.topic_id is not None
    ]
    for given in (True, False):
        batch = [row for row in old if ("label" in row) is given]
        if batch:
            session.execute(update(Topic), batch)
    session.expire_all()
    return ids


def _columns(one: Arranged) -> dict[str, object]:
    return {
        "theme": one.theme,
        "field_code": one.field_code,
        "representative_id": one.representative_id,
        "centroid": one.centroid.astype("<f4").tobytes(),
        "facts": one.facts,
    }


def _write_members(
    session: Session,
    kept: Kept,
    topics: Sequence[int],
    arranged: Sequence[Arranged],
    *,
    placed_by: str,
    now: datetime,
) -> None:
    wanted = {c: topic for topic, one in zip(topics, arranged, strict=True) for c in one.members}
    # Newcomers may still be in a topic of the session that they were meant for before.
    new = {c: topic for c, topic in wanted.items() if c not in kept.placed}
    gone = [*(c for c in kept.placed if c not in wanted), *new]
    for start in range(0, len(gone), _BATCH):
        session.execute(delete(TopicMember).where(TopicMember.concern_id.in_(gone[start : start + _BATCH])))
    moved = [
        {"concern_id": c, "topic_id": topic, "placed_by": placed_by, "at": now}
        for c, topic in wanted.items()
        if c in kept.placed and kept.placed[c] != topic
    ]
    if moved:
        session.execute(update(TopicMember), moved)
    _insert_members(session, new, placed_by, now)
    session.flush()


def _insert_members(session: Session, wanted: Mapping[int, int], placed_by: str, now: datetime) -> None:
    rows = [
        {"concern_id": c, "topic_id": topic, "placed_by": placed_by, "why": {}, "at": now, "pinned": False}
        for c, topic in wanted.items()
    ]
    if rows:
        session.execute(insert(TopicMember), rows)
