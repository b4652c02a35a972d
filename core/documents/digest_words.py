"""The lines of the digest as people read them, the same in every format."""

from __future__ import annotations

from core.digest.page import Digest, DigestTopic, HotSpot, Promise
from core.documents.safe_text import printable
from core.wording import STAFF


def number(value: float) -> str:
    """`1.172` and `6,2`: how numbers are written in Vietnamese."""
    if isinstance(value, int):
        return f"{value:,}".replace(",", ".")
    return f"{value:.1f}".replace(".", ",")


def when(digest: Digest) -> str:
    """Unit, day of the session, when the page was made."""
    return printable(
        STAFF.say(
            "digest.when",
            unit=digest.unit,
            held=f"{digest.held_at:%d/%m/%Y}",
            made=f"{digest.made_at:%H:%M %d/%m/%Y}",
        )
    )


def figures(digest: Digest) -> list[tuple[str, str, str]]:
    """Number, what it counts, and the same of the session before where there is one."""
    before = {"concerns": digest.before_concerns, "people": digest.before_people} if digest.before else {}
    counts = {
        "concerns": digest.concerns,
        "people": digest.people,
        "topics": digest.topics,
        "units": digest.units,
    }
    return [
        (
            number(count),
            STAFF.say(f"digest.{key}"),
            STAFF.say("digest.before", count=number(before[key])) if key in before else "",
        )
        for key, count in counts.items()
    ]


def top_heading(digest: Digest) -> str:
    """The heading of the short list, with the whole number where it does not show all."""
    if digest.topics <= len(digest.top):
        return STAFF.say("digest.top")
    return STAFF.say("digest.top_more", shown=len(digest.top), count=number(digest.topics))


def where(topic: DigestTopic) -> str:
    """Places, growth and flags of a topic in one line."""
    places = "; ".join(topic.places)
    if topic.more_places:
        places = STAFF.say("digest.places_more", places=places, more=topic.more_places)
    parts = [places, STAFF.say("digest.recent", count=topic.recent) if topic.recent else ""]
    return printable(" · ".join(part for part in parts if part))


def flags(topic: DigestTopic) -> list[str]:
    """What is shown beside a topic so that nobody takes its number at face value."""
    names = [*topic.flags, *(["new"] if topic.new else []), *(["lifted"] if topic.lifted else [])]
    return [STAFF.say(f"topic_flag.{name}") for name in names]


def why(topic: DigestTopic) -> str:
    """The score as the sum of its parts: `6,2 = số người 3,3 + nguy hại 2,0`."""
    parts = " + ".join(
        f"{STAFF.say(f'score_part.{name}')} {number(float(value))}" for name, value in topic.parts
    )
    return f"{number(float(topic.score))} = {parts}" if parts else number(float(topic.score))


def hot_line(spot: HotSpot) -> str:
    """One commune."""
    key = "digest.hot_line" if spot.label else "digest.hot_line_plain"
    line = STAFF.say(key, unit=spot.unit, people=number(spot.people), label=spot.label)
    shown = ", ".join(STAFF.say(f"topic_flag.{flag}") for flag in spot.flags)
    return printable(f"{line} ({shown})" if shown else line)


def new_lines(digest: Digest) -> list[str]:
    """What the session before had nothing of, or why there is nothing to say."""
    if not digest.before:
        return [STAFF.say("digest.new_first")]
    lines = [
        printable(STAFF.say("digest.new_line", label=label, people=number(n))) for label, n in digest.new
    ]
    return lines or [STAFF.say("digest.new_none")]


def promise_lines(digest: Digest) -> list[str]:
    """What earlier sessions promised with a date."""
    return [_promise(promise) for promise in digest.promises] or [STAFF.say("digest.promise_none")]


def _promise(promise: Promise) -> str:
    key = "digest.promise_late" if promise.late_days > 0 else "digest.promise_open"
    by = f" ({promise.by})" if promise.by else ""
    due = f"{promise.due_on:%d/%m/%Y}"
    return printable(STAFF.say(key, matter=promise.matter, by=by, due=due, days=promise.late_days))


def chart_says(digest: Digest) -> str:
    """The chart in words, for those who do not see it."""
    bars = "; ".join(f"{bar.label}: {number(bar.people)}" for bar in digest.bars)
    return printable(f"{STAFF.say('digest.chart')}: {bars}")
