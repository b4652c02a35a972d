"""Staff's corrections to the grouping: merge, split, move, rename, lock, and taking the last one back.

A corrected concern is pinned: regrouping never moves it. Each correction is a row with who, when, why and what was
before. Errors::

    EditError    `code`: topic_unknown, concern_unknown, nothing_chosen, whole_topic, name_empty, nothing_to_undo
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.text.normal import clean
from storage.models import Topic, TopicEdit, TopicMember

_LABEL = 200


class EditError(ValueError):
    """A correction that cannot be made; nothing was changed. `code` is one of the module's codes."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def merge(
    session: Session,
    *,
    session_id: int,
    into: int,
    others: Sequence[int],
    by: str,
    now: datetime,
    why: str = "",
) -> TopicEdit:
    """Put all members of some topics into one of them; the others are retired."""
    topics = _topics(session, session_id, [into, *others])
    rest = [topic for topic in topics if topic.id != into]
    if not rest:
        raise EditError("nothing_chosen")
    members = _members(session, [topic.id for topic in topics])
    edit = _record(session, session_id, "merge", topics, members, by=by, why=why, now=now)
    _pin(members, into, by=by, now=now)
    for topic in rest:
        topic.retired_at = now
    session.flush()
    return edit


def split(
    session: Session,
    *,
    session_id: int,
    topic_id: int,
    concerns: Iterable[int],
    by: str,
    now: datetime,
    label: str = "",
    why: str = "",
) -> TopicEdit:
    """Make a new topic of some members; both parts stay apart from now on. A part must be left behind."""
    (topic,) = _topics(session, session_id, [topic_id])
    members = _members(session, [topic_id])
    chosen = _chosen(members, concerns)
    if len(chosen) == len(members):
        raise EditError("whole_topic")
    edit = _record(session, session_id, "split", [topic], members, by=by, why=why, now=now)
    name = " ".join(clean(label).split())[:_LABEL]
    made = Topic(
        session_id=session_id,
        field_code=topic.field_code,
        theme=topic.theme,
        label=name or topic.label,
        named_by=by if name else None,
        representative_id=chosen[0].concern_id,
        facts={},
        created_at=now,
    )
    session.add(made)
    session.flush()
    _pin(members, topic_id, by=by, now=now)
    _pin(chosen, made.id, by=by, now=now)
    edit.before = edit.before | {"made": made.id}
    session.flush()
    return edit


def move(
    session: Session,
    *,
    session_id: int,
    concerns: Sequence[int],
    to: int,
    by: str,
    now: datetime,
    why: str = "",
) -> TopicEdit:
    """Put some concerns, wherever they are, into a topic; a topic that is left empty is retired."""
    (target,) = _topics(session, session_id, [to])
    members = list(
        session.scalars(
            select(TopicMember)
            .join(Topic, Topic.id == TopicMember.topic_id)
            .where(Topic.session_id == session_id, TopicMember.concern_id.in_(list(concerns)))
            .order_by(TopicMember.concern_id)
        )
    )
    chosen = _chosen(members, concerns)
    left = sorted({member.topic_id for member in chosen} - {to})
    touched = [target, *(_topics(session, session_id, left) if left else [])]
    edit = _record(session, session_id, "move", touched, chosen, by=by, why=why, now=now)
    _pin(chosen, to, by=by, now=now)
    session.flush()
    for topic in touched[1:]:
        if (
            session.scalar(select(TopicMember.concern_id).where(TopicMember.topic_id == topic.id).limit(1))
            is None
        ):
            topic.retired_at = now
    session.flush()
    return edit


def rename(
    session: Session, *, session_id: int, topic_id: int, label: str, by: str, now: datetime, why: str = ""
) -> TopicEdit:
    """Give a topic a name that regrouping keeps."""
    (topic,) = _topics(session, session_id, [topic_id])
    name = " ".join(clean(label).split())[:_LABEL]
    if not name:
        raise EditError("name_empty")
    edit = _record(session, session_id, "rename", [topic], [], by=by, why=why, now=now)
    topic.label, topic.named_by = name, by
    session.flush()
    return edit


def lock(
    session: Session,
    *,
    session_id: int,
    topic_id: int,
    by: str,
    now: datetime,
    locked: bool = True,
    why: str = "",
) -> TopicEdit:
    """Keep a topic exactly as it is: nobody leaves, nobody joins by itself. Unlocking keeps the members pinned."""
    (topic,) = _topics(session, session_id, [topic_id])
    members = _members(session, [topic_id])
    edit = _record(session, session_id, "lock", [topic], members, by=by, why=why, now=now)
    topic.locked = locked
    _pin(members, topic_id, by=by, now=now)
    session.flush()
    return edit


def undo(session: Session, *, session_id: int, now: datetime) -> TopicEdit:
    """Take the session's last standing correction back: members, names and locks are as they were before it.

    Concerns that joined meanwhile stay where they are, unless their topic ceases to be; then the next regrouping
    places them. Raises `EditError`.
    """
    edit = session.scalar(
        select(TopicEdit)
        .where(TopicEdit.session_id == session_id, TopicEdit.undone_at.is_(None))
        .order_by(TopicEdit.id.desc())
        .limit(1)
    )
    if edit is None:
        raise EditError("nothing_to_undo")
    before = edit.before
    for topic_id, label, named_by, locked, retired in before["topics"]:
        topic = session.get_one(Topic, topic_id)
        topic.label, topic.named_by, topic.locked = label, named_by, locked
        topic.retired_at = datetime.fromisoformat(retired) if retired else None
    present = set(
        session.scalars(
            select(TopicMember.concern_id).where(
                TopicMember.concern_id.in_([row[0] for row in before["members"]])
            )
        )
    )
    rows = [
        {"concern_id": c, "topic_id": topic_id, "pinned": pinned, "placed_by": placed_by, "at": now}
        for c, topic_id, pinned, placed_by in before["members"]
        if c in present
    ]
    if rows:
        session.execute(update(TopicMember), rows)
    if "made" in before:
        _give_back(session, made=before["made"], to=before["topics"][0][0], now=now)
    edit.undone_at = now
    session.flush()
    session.expire_all()
    return edit


def _give_back(session: Session, *, made: int, to: int, now: datetime) -> None:
    """A topic that a split made ceases to be; who joined it meanwhile returns to where it came from."""
    session.execute(
        update(TopicMember)
        .where(TopicMember.topic_id == made)
        .values(topic_id=to)
        .execution_options(synchronize_session=False)
    )
    session.execute(update(Topic).where(Topic.id == made).values(retired_at=now, locked=False))


def _topics(session: Session, session_id: int, ids: Sequence[int]) -> list[Topic]:
    """Standing topics of the session in the order asked for, each once."""
    wanted = list(dict.fromkeys(ids))
    found = {
        topic.id: topic
        for topic in session.scalars(
            select(Topic).where(
                Topic.id.in_(wanted), Topic.session_id == session_id, Topic.retired_at.is_(None)
            )
        )
    }
    if len(found) != len(wanted):
        raise EditError("topic_unknown")
    return [found[topic_id] for topic_id in wanted]


def _members(session: Session, topics: Sequence[int]) -> list[TopicMember]:
    return list(
        session.scalars(
            select(TopicMember).where(TopicMember.topic_id.in_(topics)).order_by(TopicMember.concern_id)
        )
    )


def _chosen(members: Sequence[TopicMember], concerns: Iterable[int]) -> list[TopicMember]:
    wanted = set(concerns)
    if not wanted:
        raise EditError("nothing_chosen")
    chosen = [member for member in members if member.concern_id in wanted]
    if len(chosen) != len(wanted):
        raise EditError("concern_unknown")
    return chosen


def _pin(members: Iterable[TopicMember], topic_id: int, *, by: str, now: datetime) -> None:
    for member in members:
        member.topic_id, member.pinned, member.placed_by, member.at = topic_id, True, by, now


def _record(
    session: Session,
    session_id: int,
    kind: str,
    topics: Iterable[Topic],
    members: Iterable[TopicMember],
    *,
    by: str,
    why: str,
    now: datetime,
) -> TopicEdit:
    before: dict[str, Any] = {
        "topics": [
            [t.id, t.label, t.named_by, t.locked, t.retired_at.isoformat() if t.retired_at else None]
            for t in topics
        ],
        "members": [[m.concern_id, m.topic_id, m.pinned, m.placed_by] for m in members],
    }
    edit = TopicEdit(session_id=session_id, kind=kind, by=by, why=why[:300], at=now, before=before)
    session.add(edit)
    session.flush()
    return edit
