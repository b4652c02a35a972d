"""The digest of a session from its rows: a handful of queries, whatever the size."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.digest.page import Bar, Digest, DigestTopic, HotSpot, Promise
from core.fields.catalogue import field_order
from core.fields.names import FieldNames, field_names
from core.sessions import lifecycle
from core.wording import STAFF, local
from storage.models import (
    Answer,
    Concern,
    ConcernState,
    DialogueSession,
    SessionState,
    Support,
    Topic,
    TopicMember,
    Unit,
)

_LISTED = (ConcernState.RECEIVED, ConcernState.ON_AGENDA, ConcernState.ANSWERED)
# What one page holds; the counts beside each list say how many more there are.
TOPICS, FIELDS, PLACES, NEW, PROMISES = 8, 7, 6, 5, 5
_QUOTE, _LABEL, _PROMISE, _BY, _HOT, _NEW = 76, 66, 46, 24, 40, 50
# A topic without a theme of its own is known when a topic of the session before was about this near.
_KNOWN = 0.35


@dataclass(frozen=True, slots=True)
class _Voices:
    """Who spoke in a session: people by topic, by field and by unit, and topics by unit."""

    concerns: int
    everybody: frozenset[int]
    of_topic: Mapping[int, frozenset[int]]
    of_field: Mapping[str, frozenset[int]]
    of_unit: Mapping[str, frozenset[int]]
    topics_of_unit: Mapping[str, Counter[int]]
    units_of_topic: Mapping[int, Counter[str]]


def build(session: Session, *, session_id: int, now: datetime) -> Digest:
    """The digest as it stands; writes nothing. Raises `SessionError` for an unknown session."""
    found = lifecycle.get(session, session_id)
    earlier = _session_before(session, found)
    voices = _voices(session, found.id)
    then = _voices(session, earlier.id) if earlier else _gathered((), {})
    topics = _topics(session, found.id)
    is_new = _newness(session, earlier)
    names = field_names(session, found.unit_code)
    promises = _promises(session, found, today=local(now).date())
    shown = [_topic(topic, quote, voices, new=is_new(topic)) for topic, quote in topics]
    fresh = [item for item in shown if item.new]
    return Digest(
        title=found.title,
        unit=session.get_one(Unit, found.unit_code).name,
        held_at=local(found.held_at),
        made_at=local(now),
        concerns=voices.concerns,
        people=len(voices.everybody),
        topics=len(topics),
        units=len(voices.of_unit),
        before=earlier.title if earlier else "",
        before_concerns=then.concerns,
        before_people=len(then.everybody),
        top=tuple(shown[:TOPICS]),
        bars=_bars(voices, then, names),
        hot=_hot_spots(voices, {topic.id: topic for topic, _ in topics}),
        new=tuple((_short(item.label, _NEW), item.people) for item in fresh[:NEW]),
        new_count=len(fresh),
        promises=promises[:PROMISES],
        promise_count=len(promises),
    )


def _session_before(session: Session, found: DialogueSession) -> DialogueSession | None:
    return session.scalar(
        select(DialogueSession)
        .where(
            DialogueSession.unit_code == found.unit_code,
            DialogueSession.held_at < found.held_at,
            DialogueSession.state != SessionState.PLANNED,
            DialogueSession.id != found.id,
        )
        .order_by(DialogueSession.held_at.desc(), DialogueSession.id.desc())
        .limit(1)
    )


def _voices(session: Session, session_id: int) -> _Voices:
    supporters: dict[int, set[int]] = defaultdict(set)
    for concern_id, citizen_id in session.execute(
        select(Support.concern_id, Support.citizen_id)
        .join(Concern, Concern.id == Support.concern_id)
        .where(Concern.session_id == session_id)
    ):
        supporters[concern_id].add(citizen_id)
    rows = session.execute(
        select(
            Concern.id,
            Concern.citizen_id,
            Unit.name,
            TopicMember.topic_id,
            Topic.field_code.label("topic_field"),
            Concern.field_code,
        )
        .join(Unit, Unit.code == Concern.unit_code)
        .outerjoin(TopicMember, TopicMember.concern_id == Concern.id)
        .outerjoin(Topic, Topic.id == TopicMember.topic_id)
        .where(Concern.session_id == session_id, Concern.state.in_(_LISTED), Concern.erased_at.is_(None))
    ).all()
    return _gathered(
        [(r.id, r.citizen_id, r.name, r.topic_id, r.topic_field or r.field_code or "") for r in rows],
        supporters,
    )


def _gathered(
    rows: Sequence[tuple[int, int, str, int | None, str]], supporters: Mapping[int, set[int]]
) -> _Voices:
    of_topic: dict[int, set[int]] = defaultdict(set)
    of_field: dict[str, set[int]] = defaultdict(set)
    of_unit: dict[str, set[int]] = defaultdict(set)
    topics_of_unit: dict[str, Counter[int]] = defaultdict(Counter)
    units_of_topic: dict[int, Counter[str]] = defaultdict(Counter)
    for concern_id, citizen_id, unit, topic_id, field_code in rows:
        people = {citizen_id, *supporters.get(concern_id, ())}
        of_field[field_code] |= people
        of_unit[unit] |= people
        if topic_id is not None:
            of_topic[topic_id] |= people
            topics_of_unit[unit][topic_id] += len(people)
            units_of_topic[topic_id][unit] += len(people)
    return _Voices(
        len(rows),
        frozenset().union(*of_field.values()),
        {key: frozenset(people) for key, people in of_topic.items()},
        {key: frozenset(people) for key, people in of_field.items()},
        {key: frozenset(people) for key, people in of_unit.items()},
        topics_of_unit,
        units_of_topic,
    )


def _topics(session: Session, session_id: int) -> list[tuple[Topic, str]]:
    """Standing topics with the words of their representative, in the order proposed to the chair."""
    rows = session.execute(
        select(Topic, Concern.text)
        .outerjoin(Concern, (Concern.id == Topic.representative_id) & Concern.erased_at.is_(None))
        .where(Topic.session_id == session_id, Topic.retired_at.is_(None))
        .order_by(Topic.id)
    ).all()
    last = len(rows) + 1
    return sorted(((r[0], r[1] or "") for r in rows), key=lambda r: (r[0].facts.get("rank", last), r[0].id))


def _newness(session: Session, earlier: DialogueSession | None) -> Callable[[Topic], bool]:
    """Tells of a topic whether the session before had nothing like it: not its theme, or nothing near its middle."""
    if earlier is None:
        return lambda _topic: False
    rows = session.execute(select(Topic.theme, Topic.centroid).where(Topic.session_id == earlier.id)).all()
    themes = {theme for theme, _ in rows if theme}
    middles = [centroid for _, centroid in rows if centroid]

    def is_new(topic: Topic) -> bool:
        if topic.theme:
            return topic.theme not in themes
        if not topic.centroid:
            return False
        near = b"".join(middle for middle in middles if len(middle) == len(topic.centroid))
        own = np.frombuffer(topic.centroid, dtype="<f4")
        cosines = np.frombuffer(near, dtype="<f4").reshape(-1, len(own)) @ own
        return not (cosines >= _KNOWN).any()

    return is_new


def _topic(topic: Topic, quote: str, voices: _Voices, *, new: bool) -> DigestTopic:
    facts = topic.facts
    units = [name for name, _ in voices.units_of_topic.get(topic.id, Counter()).most_common()]
    parts = sorted(facts.get("parts", {}).items(), key=lambda part: -part[1])
    return DigestTopic(
        label=_short(topic.label, _LABEL),
        quote=_short(quote, _QUOTE),
        people=len(voices.of_topic.get(topic.id, ())),
        recent=facts.get("recent", 0),
        places=tuple(units[:2]),
        more_places=max(0, len(units) - 2),
        score=facts.get("score", 0.0),
        parts=tuple((name, value) for name, value in parts if value > 0),
        flags=tuple(facts.get("flags", ())),
        new=new,
        lifted=bool(facts.get("lifted")),
    )


def _bars(voices: _Voices, then: _Voices, names: FieldNames) -> tuple[Bar, ...]:
    """Fields with most people first; those beyond the page are one bar together, each person once in it."""
    ranked = sorted(voices.of_field, key=lambda code: (-len(voices.of_field[code]), field_order(code)))
    shown, rest = ranked[:FIELDS], ranked[FIELDS:]
    bars = [
        Bar(
            names(code) or STAFF.say("agenda.unclassified"),
            len(voices.of_field[code]),
            len(then.of_field.get(code, ())),
        )
        for code in shown
    ]
    if rest:
        others = frozenset().union(*(voices.of_field[code] for code in rest))
        before = frozenset().union(*(people for code, people in then.of_field.items() if code not in shown))
        bars.append(Bar(STAFF.say("digest.other_fields"), len(others), len(before)))
    return tuple(bars)


def _hot_spots(voices: _Voices, topics: Mapping[int, Topic]) -> tuple[HotSpot, ...]:
    ranked = sorted(voices.of_unit, key=lambda unit: (-len(voices.of_unit[unit]), unit))
    spots: list[HotSpot] = []
    for unit in ranked[:PLACES]:
        told = [topic_id for topic_id, _ in voices.topics_of_unit[unit].most_common() if topic_id in topics]
        main = topics[told[0]] if told else None
        spots.append(
            HotSpot(
                unit,
                len(voices.of_unit[unit]),
                _short(main.label, _HOT) if main else "",
                tuple(main.facts.get("flags", ())) if main else (),
            )
        )
    return tuple(spots)


def _promises(session: Session, found: DialogueSession, *, today: date) -> tuple[Promise, ...]:
    """Dated answers that the unit's earlier sessions published, most overdue first."""
    rows = session.execute(
        select(Topic.label, Answer.text, Answer.answered_by, Answer.due_on)
        .join(DialogueSession, DialogueSession.id == Answer.session_id)
        .outerjoin(Topic, Topic.id == Answer.topic_id)
        .where(
            DialogueSession.unit_code == found.unit_code,
            DialogueSession.held_at < found.held_at,
            DialogueSession.id != found.id,
            Answer.published_at.is_not(None),
            Answer.due_on.is_not(None),
        )
        .order_by(Answer.due_on, Answer.id)
    ).all()
    return tuple(
        Promise(_short(label or text, _PROMISE), _short(by, _BY), due_on, (today - due_on).days)
        for label, text, by, due_on in rows
        if due_on is not None
    )


def _short(text: str, limit: int) -> str:
    """One line of at most `limit` characters, cut between words."""
    words = " ".join(text.split())
    if len(words) <= limit:
        return words
    cut = words[: limit - 1].rsplit(" ", 1)[0]
    return cut.rstrip(" ,.;:") + "…"
