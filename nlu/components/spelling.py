"""Chat spellings of single words, written out, and folding; shared by the features of the pipeline."""

from __future__ import annotations

import unicodedata

# Unambiguous ones only, folded on both sides; what could be several words is left to the letters around it.
_WRITTEN_OUT: dict[str, str] = {
    "ko": "khong", "k": "khong", "kg": "khong", "hok": "khong", "hong": "khong", "hem": "khong", "khum": "khong",
    "dc": "duoc", "dk": "duoc", "j": "gi", "vs": "voi", "zoi": "voi", "r": "roi", "rui": "roi", "rùi": "roi",
    "tui": "toi", "mk": "minh", "mik": "minh", "ng": "nguoi", "ngừi": "nguoi", "ntn": "nhu the nao",
    "nhiu": "nhieu", "nc": "nuoc", "dg": "duong", "trg": "truong", "cb": "can bo", "yk": "y kien",
    "ykien": "y kien", "bit": "biet", "bik": "biet", "ub": "uy ban", "ubnd": "uy ban", "tks": "cam on",
    "thks": "cam on", "thanks": "cam on", "camon": "cam on", "tb": "thong bao", "jup": "giup", "wa": "qua",
    "qa": "qua", "cug": "cung", "cg": "cung", "nhg": "nhung", "tl": "tra loi", "rep": "tra loi", "ah": "a",
    "hnay": "hom nay", "hqua": "hom qua", "oke": "ok", "okie": "ok", "okela": "ok", "uk": "u", "uh": "u",
    "uhm": "u", "um": "u", "dt": "dien thoai", "bh": "bao gio", "hum": "hom", "lun": "luon", "mn": "moi nguoi",
    "nma": "nhung ma", "sdt": "so dien thoai", "rua": "the", "ri": "the nay", "chi": "gi", "rang": "sao",
    "mo": "dau", "hong'": "khong", "nhe": "nhe", "nha": "nha",
}  # fmt: skip


def fold(text: str) -> str:
    """Lower case, no diacritics."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare).replace("đ", "d")


def expand(word: str) -> str:
    """The folded word, a chat spelling written out."""
    folded = fold(word)
    return _WRITTEN_OUT.get(folded, folded)
