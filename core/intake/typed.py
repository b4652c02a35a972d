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
# One word is enough to confirm what was just shown; folded, so "đúng" must not be read as "dừng".
_YES_WORDS = (
    "dung; dung roi; dung a; dung vay; dung the; da dung; da dung roi; phai; phai roi; vang; "
    "da vang; vang a; da; u; uh; uk; um; ok; oke; okie; okay; dong y; toi dong y; gui; gui di; "
    "gui luon; gui nhe; xac nhan; chinh xac; chuan; duoc; dc; co; yes; y"
)
_YES = frozenset(_YES_WORDS.split("; "))
_NO = frozenset(
    [
        "khong",
        "ko",
        "k",
        "khong a",
        "da khong",
        "khong dau",
        "thoi",
        "thoi a",
        "khong dong y",
        "toi khong dong y",
        "no",
    ]
)
# The questions with a yes and a no of their own: to withdraw, to erase.
_YES_OR_NO = {
    "yes": re.compile(r"(?:withdraw|erase):yes(?::\d+)?"),
    "no": re.compile(r"(?:withdraw|erase|consent):no(?::\d+)?"),
}
_BY_WORDS = {fold(phrase): intent for intent, phrases in _COMMANDS.items() for phrase in phrases}
# Verbs before a code: "RÚT LC-26-00012", "bo sung LC-26-00012: …".
# The longer phrase first: "bo sung" is not "bo".
_CODE_VERBS = (
    ("add", ("bo sung", "them", "viet them")),
    ("withdraw", ("rut", "huy", "bo")),
    ("rewrite", ("sua",)),
)
_MAX_COMMUNE_WORDS = 12
_MAX_DETAIL_WORDS = 25
# "không phải tố cáo đâu, tôi chỉ phản ánh thôi" under the advice about a legal door.
_NOT_A_CASE = re.compile(
    r"^(?:da |a |u |o )*(?:(?:khong phai|ko phai|k phai|dau phai|khong|chang phai) (?:la )?"
    r"(?:to cao|khieu nai|kien|to giac|chui|quang cao)|(?:toi|em|chau|minh) chi (?:phan anh|gop y|kien nghi|hoi))"
)
_MAX_NOT_A_CASE_WORDS = 16
_NO_IDEA = re.compile(
    r"(?:da |toi |em |chau |minh |cung )*(?:khong|ko|k|hong|kg|chua|chang|hk|hok) "
    r"(?:biet|ro|nho|co|nam ro|biet ro|biet nua|ro lam|can)(?: (?:a|nua|dau|gi|het|lam|nha|nhe|thi sao))*"
    r"|chiu|khong|thoi|bo qua|gui luon(?: di)?|cu gui(?: di)?"
)


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
    offered = _offered(text, folded, dialogue)
    if offered is not None:
        return Resolved("choose", offered)
    bare = folded.strip(" .!")
    if bare in _YES and _confirms(text, bare, dialogue):
        return Resolved("affirm")
    command = _BY_WORDS.get(bare)
    if command is not None:
        return Resolved(command)
    about = _about_code(folded)
    if about is not None:
        return about
    undo = _undone_door(folded, dialogue)
    if undo is not None:
        return Resolved("choose", undo)
    short = "?" not in text and len(folded.split()) <= _MAX_DETAIL_WORDS
    if dialogue.awaiting is Awaiting.DETAIL and short:
        return Resolved("choose", f"detail:words:{dialogue.about}")
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


def _offered(text: str, folded: str, dialogue: Dialogue) -> str | None:
    number = _NUMBER.match(folded)
    if number and int(number[1]) <= len(dialogue.choices):
        return dialogue.choices[int(number[1]) - 1][1]
    bare = folded.strip(" .!")
    for label, value in dialogue.choices:
        if bare == fold(label).strip(" .!"):
            return value
    if bare in _NO or (bare in _YES and "dừng" not in text.casefold()):
        meant = _YES_OR_NO["no" if bare in _NO else "yes"]
        return next((value for _, value in dialogue.choices if meant.fullmatch(value)), None)
    return None


def _confirms(text: str, bare: str, dialogue: Dialogue) -> bool:
    """Whether a yes is meant: a question waits for it, or "đúng" was typed with its own marks."""
    if dialogue.awaiting is Awaiting.CONFIRMATION:
        return "dừng" not in text.casefold()
    return bare == "dung" and "đúng" in text.casefold()


def _undone_door(folded: str, dialogue: Dialogue) -> str | None:
    offered = (value for _, value in dialogue.choices if value.startswith("door:normal:"))
    short = len(folded.split()) <= _MAX_NOT_A_CASE_WORDS
    return next(offered, None) if short and _NOT_A_CASE.match(folded) else None


def knows_nothing(text: str) -> bool:
    """Whether an answer to a question says "không biết"."""
    return _NO_IDEA.fullmatch(" ".join(fold(text).split()).strip(" .!,")) is not None


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
