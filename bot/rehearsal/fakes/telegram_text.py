"""Telegram's rules for text: what is left of a formatted message, and when it is refused.

Limits are those of the Bot API as restated by python-telegram-bot 22.8 (`telegram/constants.py`),
read 2026-11. HTML is checked in full; of Markdown only what makes Telegram refuse a message.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

MAX_TEXT = 4096
MAX_CAPTION = 1024

_HTML_TAGS = frozenset(
    {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "pre", "a"}
    | {"blockquote", "tg-spoiler", "tg-emoji", "span"}
)
_V2_RESERVED = frozenset(">#+-=|{}.!()[]")
_V2_LINK = re.compile(r"!?\[([^\]]*)\]\((?:[^)\\]|\\.)*\)")


class EntitiesUnreadable(Exception):
    """Telegram would say "can't parse entities" with this text."""


def visible_text(text: str, parse_mode: str) -> str:
    """The text that a person sees, outer white space cut as on Telegram; raises `EntitiesUnreadable`."""
    mode = parse_mode.lower()
    if mode == "":
        return text.strip()
    if mode == "html":
        return _strip_html(text).strip()
    if mode in ("markdown", "markdownv2"):
        return _strip_markdown(text, strict=mode == "markdownv2").strip()
    raise EntitiesUnreadable("unsupported parse_mode")


class _HTMLReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.open_tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _HTML_TAGS:
            raise EntitiesUnreadable(f'Unsupported start tag "{tag}"')
        self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open_tags or self.open_tags.pop() != tag:
            raise EntitiesUnreadable(f'Unexpected end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _strip_html(text: str) -> str:
    if re.search(r"<(?![a-zA-Z/])", text):
        raise EntitiesUnreadable('Unsupported start tag ""')
    reader = _HTMLReader()
    reader.feed(text)
    reader.close()
    if reader.open_tags:
        raise EntitiesUnreadable(f'Can\'t find end tag corresponding to start tag "{reader.open_tags[-1]}"')
    return "".join(reader.parts)


def _strip_markdown(text: str, *, strict: bool) -> str:
    marks = {"*": 0, "_": 0, "~": 0} if strict else {"*": 0, "_": 0}
    result: list[str] = []
    text = _V2_LINK.sub(lambda match: match.group(1), text)
    characters = iter(re.split(r"(```.*?```|`[^`]*`)", text, flags=re.DOTALL))
    for number, piece in enumerate(characters):
        if number % 2:
            result.append(piece.strip("`"))
        else:
            result.append(_strip_marks(piece, marks, strict=strict))
    for mark, number in marks.items():
        if number % 2:
            raise EntitiesUnreadable(f"Can't find end of the entity starting with {mark}")
    return "".join(result)


def _strip_marks(piece: str, marks: dict[str, int], *, strict: bool) -> str:
    kept: list[str] = []
    escaped = False
    for character in piece:
        if escaped:
            kept.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character in marks:
            marks[character] += 1
        elif character == "`":
            raise EntitiesUnreadable("Can't find end of the entity starting with `")
        elif strict and character in _V2_RESERVED:
            raise EntitiesUnreadable(
                f"Character '{character}' is reserved and must be escaped with the preceding '\\'"
            )
        else:
            kept.append(character)
    return "".join(kept)
