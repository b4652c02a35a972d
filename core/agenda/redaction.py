"""Take erased words out of a kept agenda: codes, numbers and order stay as they were exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.agenda.document import AgendaDocument, ConcernLine, TopicItem
from core.wording import STAFF


def redacted(document: AgendaDocument, texts: Mapping[str, str]) -> AgendaDocument:
    """The agenda without the words of these concerns; `texts` are what stood there, by receipt code."""
    fields = tuple(
        replace(part, topics=tuple(_topic(topic, texts) for topic in part.topics)) for part in document.fields
    )
    return replace(document, fields=fields)


def _topic(topic: TopicItem, texts: Mapping[str, str]) -> TopicItem:
    erased = [" ".join(texts[code].split()) for code in topic.codes if code in texts]
    if not erased:
        return topic
    lines = tuple(_line(line) if line.code in texts else line for line in topic.concerns)
    return replace(
        topic,
        label=_unless_from(topic.label, erased),
        quote=_unless_from(topic.quote, erased),
        places=tuple(dict.fromkeys(line.place for line in lines)),
        concerns=lines,
    )


def _line(line: ConcernLine) -> ConcernLine:
    return replace(line, text=STAFF.say("agenda.erased_text"), place=line.place.rsplit(", ", 1)[-1])


def _unless_from(words: str, erased: list[str]) -> str:
    stem = words.rstrip("…").rstrip()
    return STAFF.say("agenda.erased_text") if any(stem and stem in text for text in erased) else words
