"""Topics as staff see them: listed by rank, one explained member by member. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.text.embedding import Vectors, unit_rows
from core.text.whitening import Whitener
from core.topics.edits import EditError
from core.topics.why import MemberWhy, together
from storage.models import Concern, ConcernVector, Topic, TopicMember


@dataclass(frozen=True, slots=True)
class Listed:
    """One standing topic; `facts` are those of `core.topics.arrange.Arranged`."""

    topic_id: int
    label: str
    field_code: str | None
    locked: bool
    named_by: str | None
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """A concern of a topic and why it is there; the doubtful ones are to be reviewed first."""

    concern_id: int
    code: str | None
    text: str
    pinned: bool
    placed_by: str
    doubtful: bool
    why: MemberWhy
    nearest_code: str | None


def topics(session: Session, *, session_id: int) -> list[Listed]:
    """Standing topics in the proposed order; one query."""
    found = session.scalars(
        select(Topic).where(Topic.session_id == session_id, Topic.retired_at.is_(None)).order_by(Topic.id)
    )
    listed = [Listed(t.id, t.label, t.field_code, t.locked, t.named_by, dict(t.facts)) for t in found]
    return sorted(listed, key=lambda one: (one.facts.get("rank", len(listed) + 1), one.topic_id))


def members(
    session: Session, *, session_id: int, topic_id: int, whitener: Whitener | None = None
) -> list[Member]:
    """The members of a topic, doubtful ones first, each with its reasons; two queries. Raises `EditError`."""
    topic = session.scalar(select(Topic).where(Topic.id == topic_id, Topic.session_id == session_id))
    if topic is None:
        raise EditError("topic_unknown")
    rows = session.execute(
        select(
            Concern.id,
            Concern.code,
            Concern.text,
            TopicMember.pinned,
            TopicMember.placed_by,
            ConcernVector.vector,
        )
        .join(TopicMember, TopicMember.concern_id == Concern.id)
        .outerjoin(ConcernVector, ConcernVector.concern_id == Concern.id)
        .where(TopicMember.topic_id == topic_id)
        .order_by(Concern.id)
    ).all()
    if not rows:
        return []
    whys = together([row.text for row in rows], _white([row.vector for row in rows], whitener))
    doubtful = set(topic.facts.get("doubtful", ()))
    found = [
        Member(
            row.id,
            row.code,
            row.text,
            row.pinned,
            row.placed_by,
            row.id in doubtful,
            why,
            rows[why.nearest].code if why.nearest is not None else None,
        )
        for row, why in zip(rows, whys, strict=True)
    ]
    return sorted(found, key=lambda member: (not member.doubtful, member.concern_id))


def _white(raw: list[bytes | None], whitener: Whitener | None) -> Vectors:
    size = max((len(vector) for vector in raw if vector), default=4)
    rows = np.frombuffer(
        b"".join(vector if vector and len(vector) == size else bytes(size) for vector in raw), dtype="<f4"
    ).reshape(len(raw), size // 4)
    if whitener is not None and len(whitener.mean) == rows.shape[1]:
        return whitener.apply(rows)
    return unit_rows(rows)
