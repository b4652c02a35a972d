"""What a page that shows topics asks again and again: has anything changed since."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.models import Topic, TopicEdit, TopicMember


@dataclass(frozen=True, slots=True)
class Pulse:
    """`members` are concerns in standing topics; `mark` changes with every edit, newcomer and regrouping."""

    members: int
    mark: str


def pulse(session: Session, session_id: int) -> Pulse:
    """Numbers only; two small queries."""
    members, newest, topics = session.execute(
        select(func.count(), func.max(TopicMember.at), func.count(TopicMember.topic_id.distinct()))
        .select_from(TopicMember)
        .join(Topic, Topic.id == TopicMember.topic_id)
        .where(Topic.session_id == session_id, Topic.retired_at.is_(None))
    ).one()
    edits = session.execute(
        select(func.count(), func.count(TopicEdit.undone_at)).where(TopicEdit.session_id == session_id)
    ).one()
    return Pulse(members, f"{members}-{topics}-{newest.timestamp() if newest else 0}-{edits[0]}-{edits[1]}")


def sizes(session: Session, session_id: int) -> dict[int, int]:
    """Members of each topic now; newcomers since the last regrouping are counted. One query."""
    rows = session.execute(
        select(TopicMember.topic_id, func.count())
        .join(Topic, Topic.id == TopicMember.topic_id)
        .where(Topic.session_id == session_id)
        .group_by(TopicMember.topic_id)
    )
    return dict(rows.tuples().all())


def last_edit(session: Session, session_id: int) -> TopicEdit | None:
    """The correction that an undo would take back."""
    return session.scalar(
        select(TopicEdit)
        .where(TopicEdit.session_id == session_id, TopicEdit.undone_at.is_(None))
        .order_by(TopicEdit.id.desc())
        .limit(1)
    )
