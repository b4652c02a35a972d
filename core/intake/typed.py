"""What needs no language model: typed numbers, the words of an offered choice, commands and receipt codes.

A person who types "1" or TRANG THAI must get the same answer every day, so these are resolved here and
given to the dialogue engine as a certain intent; everything else is left to understanding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.intake.state import Awaiting, Dialogue
from core.outbox.port import IncomingKind
from core.text.normal import fold

_NUMBER = re.compile(r"^(?:so|chon|y|muc|cau)?\s*([1-9])\s*[.)]?\s*(?:a|nhe|nha)?$")
_CODE = re.compile(r"\b([a-z]{1,4})\s*[-–. ]?\s*(\d{2})\s*[-–. ]\s*(\d{1,6})\b")
_COMMANDS = {
    "ask_status": ("trang thai", "tinh trang", "xem trang thai", "tt", "y kien cua toi"),
    "ask_sessions": ("lich", "lich doi thoai", "xem lich", "phien doi thoai"),
    "ask_help": ("tro giup", "giup", "help", "huong dan", "menu", "?", "/help", "/menu"),
    "data_rights": ("quyen", "quyen cua toi"),
    "erase_data": ("xoa", "xoa du lieu", "xoa du lieu cua toi"),
    "subscribe": ("dang ky", "dang ky nhan thong bao"),
    "unsubscribe": ("ngung", "dung", "ngung nhan", "huy dang ky", "stop", "/stop"),
    "ask_human": ("gap can bo", "gap nguoi that", "gap nguoi"),
    "greet": ("/start", "bat dau", "start"),
    "withdraw": ("rut", "rut y kien"),
    "edit_concern": ("sua", "sua y kien"),
}
_BY_WORDS = {fold(phrase): intent for intent, phrases in _COMMANDS.items() for phrase in phrases}
# Verbs before a code: "RÚT LC-26-00012", "bo sung LC-26-00012: …".
_CODE_VERBS = (
    ("withdraw", ("rut", "huy", "bo")),
    ("rewrite", ("sua",)),
    ("add", ("bo sung", "them", "viet them")),
)
_MAX_COMMUNE_WORDS = 12


@dataclass(frozen=True, slots=True)
class Resolved:
    """A certain intent. `choice` is `verb:argument…` of an offered choice or of a command with a code."""

    intent: str
    choice: str | None = None


def resolve(kind: IncomingKind, text: str | None, dialogue: Dialogue, *, inbound_id: int) -> Resolved | None:
    """The certain meaning of a message, or None when it must be understood."""
    if kind is IncomingKind.CHOICE and text:
        return Resolved("choose", text)
    if kind is IncomingKind.EDITED_TEXT:
        return Resolved("choose", "edited")
    if kind is IncomingKind.FOLLOWED:
        return Resolved("greet")
    if kind is not IncomingKind.TEXT:
        return Resolved("choose", f"attach:{kind}")
    if not text:
        return Resolved("choose", "empty")
    return _resolve_text(text, dialogue)


def _resolve_text(text: str, dialogue: Dialogue) -> Resolved | None:
    folded = fold(text).strip()
    offered = _offered(folded, dialogue)
    if offered is not None:
        return Resolved("choose", offered)
    command = _BY_WORDS.get(folded.strip(" .!"))
    if command is not None:
        return Resolved(command)
    about = _about_code(folded)
    if about is not None:
        return about
    if dialogue.awaiting is Awaiting.REWRITE:
        return Resolved("choose", f"rewritten:{dialogue.about}")
    if dialogue.awaiting is Awaiting.ADDITION:
        return Resolved("choose", f"added:{dialogue.about}")
    if (
        dialogue.awaiting is Awaiting.COMMUNE
        and "?" not in text
        and len(folded.split()) <= _MAX_COMMUNE_WORDS
    ):
        return Resolved("choose", "commune_text")
    return None


def _offered(folded: str, dialogue: Dialogue) -> str | None:
    number = _NUMBER.match(folded)
    if number and int(number[1]) <= len(dialogue.choices):
        return dialogue.choices[int(number[1]) - 1][1]
    bare = folded.strip(" .!")
    for label, value in dialogue.choices:
        if bare == fold(label).strip(" .!"):
            return value
    return None


def _about_code(folded: str) -> Resolved | None:
    match = _CODE.search(folded)
    if match is None:
        return None
    code = f"{match[1].upper()}-{match[2]}-{int(match[3]):05d}"
    before, after = folded[: match.start()].strip(" :"), folded[match.end() :].strip(" :.?")
    for verb, words in _CODE_VERBS:
        if before in words or any(before.startswith(word + " ") and len(before) < 30 for word in words):
            return Resolved("choose", f"{verb}_code:{code}" + (":text" if after else ""))
    if len(before.split()) <= 4 and not after:
        return Resolved("choose", f"history:{code}")
    return None


def words_after_code(text: str) -> str:
    """What was written behind the receipt code, in the person's own letters."""
    pattern = re.compile(r"[A-Za-zĐđ]{1,4}\s*[-–. ]?\s*\d{2}\s*[-–. ]\s*\d{1,6}\s*[:.,-]?\s*")
    match = pattern.search(text)
    return text[match.end() :].strip() if match else ""
