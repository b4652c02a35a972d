"""One new concern into a session's topics, at once: the board is right before the next regrouping.

Cost: two short queries by index and one product with the centroids of the theme's topics, whatever the session's size.
The middles stay as the last regrouping left them: newcomers who move them would wait for each other's transactions.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.text.embedding import Vectors
from core.topics.grouping import FIRM
from core.topics.labels import beginning
from core.topics.themes import Themes, field_of
from storage.models import Topic, TopicMember

_NEAR = 0.05


def place(
    session: Session,
    *,
    session_id: int,
    concern_id: int,
    text: str,
    themes: Themes,
    vector: Vectors,
    field_code: str | None,
    placed_by: str,
    now: datetime,
) -> int:
    """Join the nearest topic of the concern's theme, or open one; returns the topic's id.

    `vector` is the whitened unit row, shape `(dim,)`. Locked topics take nobody in. A concern that has a topic
    keeps it.
    """
    known = session.scalar(select(TopicMember.topic_id).where(TopicMember.concern_id == concern_id))
    if known is not None:
        return known
    topic_id = _nearest(session, session_id, themes, vector) if themes else None
    if topic_id is None:
        topic_id = _open(session, session_id, concern_id, text, themes, vector, field_code, now)
    session.execute(
        insert(TopicMember),
        [
            {
                "concern_id": concern_id,
                "topic_id": topic_id,
                "placed_by": placed_by,
                "why": {},
                "at": now,
                "pinned": False,
            }
        ],
    )
    return topic_id


def _nearest(session: Session, session_id: int, themes: Themes, vector: Vectors) -> int | None:
    name, chance = themes[0]
    found = session.execute(
        select(Topic.id, Topic.centroid)
        .where(
            Topic.session_id == session_id,
            Topic.theme == name,
            Topic.retired_at.is_(None),
            Topic.locked.is_(False),
            Topic.centroid.is_not(None),
        )
        .order_by(Topic.id)
    ).all()
    usable = [row for row in found if len(row.centroid) == 4 * len(vector)]
    if not usable:
        return None
    rows = np.frombuffer(b"".join(row.centroid for row in usable), dtype="<f4").reshape(len(usable), -1)
    cosines = rows @ vector
    best = int(np.argmax(cosines))
    if chance < FIRM and cosines[best] < _NEAR:
        return None
    return int(usable[best].id)


def _open(
    session: Session,
    session_id: int,
    concern_id: int,
    text: str,
    themes: Themes,
    vector: Vectors,
    field_code: str | None,
    now: datetime,
) -> int:
    theme = themes[0][0] if themes and themes[0][1] >= FIRM else None
    topic = Topic(
        session_id=session_id,
        field_code=field_code or (field_of(theme) if theme else None),
        theme=theme,
        label=beginning(text),
        representative_id=concern_id,
        centroid=vector.astype("<f4").tobytes(),
        facts={"concerns": 1, "people": 1},
        created_at=now,
    )
    session.add(topic)
    session.flush()
    return topic.id
