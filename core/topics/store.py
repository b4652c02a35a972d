"""Group a session's stored concerns into topics, and keep a topic's identity over regroupings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.topics.linkage import GroupInput, group, representative
from storage.models import Concern, ConcernState, ConcernVector, Topic, TopicMember

_GROUPED = (ConcernState.RECEIVED, ConcernState.ON_AGENDA, ConcernState.ANSWERED)
_LABEL_WORDS = 10


def regroup(session: Session, *, session_id: int, placed_by: str, now: datetime) -> int:
    """Put every listed concern of the session into one topic; returns the number of topics.

    A group that shares most members with an earlier topic keeps that topic's row and number, so answers
    and agendas that refer to it stay right. Six queries and two batched inserts whatever the size.
    """
    concerns = _load(session, session_id)
    items = [_input(concern, vector) for concern, vector in concerns]
    by_id = {item.concern_id: item for item in items}
    groups = group(items)
    previous = _previous(session, session_id)
    kept = _match(groups, previous)
    topics = _topics(session, session_id, groups, kept, now=now)
    for topic, ids in zip(topics, groups, strict=True):
        members = [by_id[i] for i in ids]
        topic.representative_id = representative(members)
        topic.label = _label(by_id[topic.representative_id].text)
        topic.field_code = members[0].block[-1] or None
    _replace_members(session, previous, topics, groups, placed_by=placed_by, now=now)
    return len(groups)


def _load(session: Session, session_id: int) -> list[tuple[Concern, bytes | None]]:
    rows = session.execute(
        select(Concern, ConcernVector.vector)
        .outerjoin(ConcernVector, ConcernVector.concern_id == Concern.id)
        .where(Concern.session_id == session_id, Concern.state.in_(_GROUPED))
        .order_by(Concern.id)
    )
    return [(row[0], row[1]) for row in rows]


def _input(concern: Concern, vector: bytes | None) -> GroupInput:
    values = np.frombuffer(vector, dtype="<f4") if vector else np.zeros(1, dtype=np.float32)
    # Without a vector a concern stands alone: its block is its own.
    apart = (concern.field_code or "",)
    block = apart if vector else (str(concern.id), *apart)
    return GroupInput(concern.id, concern.text, block, values)


def _previous(session: Session, session_id: int) -> dict[int, int]:
    rows = session.execute(
        select(TopicMember.concern_id, TopicMember.topic_id)
        .join(Topic, Topic.id == TopicMember.topic_id)
        .where(Topic.session_id == session_id)
    )
    return dict(rows.tuples().all())


def _match(groups: Sequence[Sequence[int]], previous: Mapping[int, int]) -> dict[int, int]:
    """Group index → old topic id, largest overlap first, each old topic once."""
    overlaps = [
        (count, index, topic_id)
        for index, ids in enumerate(groups)
        for topic_id, count in Counter(previous[i] for i in ids if i in previous).items()
    ]
    kept: dict[int, int] = {}
    taken: set[int] = set()
    for _, index, topic_id in sorted(overlaps, key=lambda o: (-o[0], o[1], o[2])):
        if index not in kept and topic_id not in taken:
            kept[index] = topic_id
            taken.add(topic_id)
    return kept


def _topics(
    session: Session,
    session_id: int,
    groups: Sequence[Sequence[int]],
    kept: Mapping[int, int],
    *,
    now: datetime,
) -> list[Topic]:
    existing = {t.id: t for t in session.scalars(select(Topic).where(Topic.session_id == session_id))}
    for topic in existing.values():
        topic.retired_at = topic.retired_at or now
    made: list[Topic] = []
    for index in range(len(groups)):
        if index in kept:
            topic = existing[kept[index]]
            topic.retired_at = None
        else:
            topic = Topic(session_id=session_id, label="", facts={}, created_at=now)
            session.add(topic)
        made.append(topic)
    session.flush()
    return made


def _label(text: str) -> str:
    words = text.split()
    return (" ".join(words[:_LABEL_WORDS]) + ("…" if len(words) > _LABEL_WORDS else ""))[:200]


def _replace_members(
    session: Session,
    previous: Mapping[int, int],
    topics: Sequence[Topic],
    groups: Sequence[Sequence[int]],
    *,
    placed_by: str,
    now: datetime,
) -> None:
    wanted = {i: topic.id for topic, ids in zip(topics, groups, strict=True) for i in ids}
    gone = [i for i in previous if i not in wanted]
    moved = [i for i, topic_id in wanted.items() if i in previous and previous[i] != topic_id]
    session.execute(delete(TopicMember).where(TopicMember.concern_id.in_(gone)))
    for concern_id in moved:
        session.execute(
            update(TopicMember)
            .where(TopicMember.concern_id == concern_id)
            .values(topic_id=wanted[concern_id], placed_by=placed_by, at=now)
        )
    session.add_all(
        TopicMember(concern_id=i, topic_id=topic_id, placed_by=placed_by, why={}, at=now)
        for i, topic_id in wanted.items()
        if i not in previous
    )
    session.flush()
