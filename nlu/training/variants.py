"""Rule-made variants of a written example: without diacritics, in chat spelling, mistyped, with particles.

Seeded and deterministic: the same seeds file gives the same training data on every machine.
"""

from __future__ import annotations

import random
import re
import unicodedata

_TEENCODE: dict[str, list[str]] = {
    "không": ["ko", "k", "hok", "khong", "kg", "hông"],
    "được": ["dc", "đc", "dk", "đk"],
    "gì": ["j", "gi"],
    "vậy": ["v", "vay", "dzậy"],
    "với": ["vs", "voi", "zới"],
    "rồi": ["r", "rui", "roài", "ròi"],
    "tôi": ["t", "tui", "toi", "tôj"],
    "mình": ["mk", "mik", "m"],
    "người": ["ng", "ngừi"],
    "bao giờ": ["bh", "bao h"],
    "bây giờ": ["bh", "bi h"],
    "như thế nào": ["ntn"],
    "thế nào": ["tn", "sao"],
    "nhiều": ["nhìu", "nhiu"],
    "nước": ["nc", "nươc"],
    "đường": ["đg", "dg", "đuờng"],
    "điện thoại": ["đt", "dt"],
    "trường": ["trg", "truong"],
    "cán bộ": ["cb"],
    "ý kiến": ["yk", "ykien", "ý kiên"],
    "biết": ["bít", "bik", "bt"],
    "xã": ["xa", "xả"],
    "ủy ban": ["ub", "ubnd"],
    "cảm ơn": ["cám ơn", "cam on", "thanks", "tks", "camon"],
    "thông báo": ["tb", "thong bao"],
    "giúp": ["júp", "giup"],
    "ạ": ["a", "ah"],
    "quá": ["wá", "qá", "qua"],
    "cũng": ["cug", "cg"],
    "những": ["nhữg", "nhg"],
    "trả lời": ["tl", "rep"],
    "hôm nay": ["hnay", "h nay"],
    "hôm qua": ["hqua"],
    "chưa": ["chua", "chưa dậy"],
}
_DIALECT: dict[str, list[str]] = {
    "thế này": ["ri", "như ri"],
    "thế": ["rứa", "dị"],
    "không": ["khôông", "nỏ", "hổng"],
    "sao": ["răng"],
    "đâu": ["mô"],
    "tôi": ["tui", "tau"],
    "gì": ["chi"],
    "này": ["ni"],
    "kia": ["tê"],
    "bố": ["bọ", "ba", "tía"],
    "nhà": ["nhà"],
    "vậy": ["dậy", "rứa"],
    "bảo": ["biểu", "nói"],
}
_BEFORE = ["dạ ", "ad ơi ", "em ơi ", "cho hỏi ", "anh chị ơi ", "thưa cán bộ, ", "các bác ơi "]
_AFTER = [" ạ", " nhé", " với ạ", " nha", " đi", " ạ!", "!!", "..", " a", " hen", " hỉ"]
_NEIGHBOURS = {"a": "s", "s": "a", "o": "p", "i": "u", "n": "m", "m": "n", "h": "g", "t": "r", "e": "r"}


def fold(text: str) -> str:
    """Drop diacritics; `đ` does not decompose."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare).replace("đ", "d").replace("Đ", "D")


def replace_words(text: str, table: dict[str, list[str]], rng: random.Random, share: float) -> str:
    """Replace known words by one of their other spellings, each with probability `share`."""
    for word, others in table.items():
        pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
        if rng.random() < share:
            text = pattern.sub(lambda _match, others=others: rng.choice(others), text)
    return text


def mistype(text: str, rng: random.Random) -> str:
    """One slip of the finger: a dropped, doubled, swapped or neighbouring letter, or two words run together."""
    if len(text) < 6:
        return text
    at = rng.randrange(1, len(text) - 2)
    kind = rng.randrange(5)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    if kind == 2:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 3:
        return text[:at] + _NEIGHBOURS.get(text[at], text[at]) + text[at + 1 :]
    return text.replace(" ", "", 1)


def variants_of(text: str) -> dict[str, str]:
    """The example and its variants by kind; chosen by the text alone, so other seeds never change them."""
    rng = random.Random(text)
    return {
        "written": text,
        "unmarked": fold(text),
        "teencode": replace_words(text, _TEENCODE, rng, 0.8),
        "unmarked_teencode": fold(replace_words(text, _TEENCODE, rng, 0.6)),
        "dialect": replace_words(text, _DIALECT, rng, 0.6),
        "mistyped": mistype(text, rng),
        "addressed": rng.choice(_BEFORE) + text,
        "particle": text + rng.choice(_AFTER),
        "shouted": fold(mistype(text, rng)).upper(),
    }
