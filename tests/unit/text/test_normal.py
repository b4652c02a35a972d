import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.text.normal import clean, fold, is_mostly_undiacritised, words

ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=60)
# Marks, joiners and styled letters next to plain ones: where cleaning goes wrong if it goes wrong.
NASTY = st.text(
    alphabet="aăâđoơuưiyề\u0301\u0309\u0302\u0306\u031b\u0323 \n\r\t"
    "\u00a0\u200b\u200d\ufe0f\ufeff\u202e\u2028👍🏽🇻\U0001d400Ⓐ\ud800",
    max_size=40,
)


@given(st.one_of(ANY_TEXT, NASTY))
@example("a\u200b\u0301")
@example("\r\u0301\n")
@example("e\u200d\u0323\u0302")
def test_cleaning_twice_changes_nothing(text):
    once = clean(text)
    assert clean(once) == once


@given(st.one_of(ANY_TEXT, NASTY))
def test_folding_twice_changes_nothing(text):
    once = fold(text)
    assert fold(once) == once


@given(st.one_of(ANY_TEXT, NASTY))
def test_cleaned_text_can_be_stored_and_sent(text):
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert unicodedata.is_normalized("NFC", cleaned)
    assert "\x00" not in cleaned
    assert "\n\n\n" not in cleaned
    assert "  " not in cleaned


@given(st.text(alphabet="aàáảãạăằắâầấậđeèêếệioòôốộơờớợuùưừứựyý -,.\n", max_size=60))
def test_composed_and_decomposed_typing_give_the_same_text(text):
    decomposed = unicodedata.normalize("NFD", text)
    assert clean(decomposed) == clean(text)
    assert fold(decomposed) == fold(text)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Hoà bình, hòa giải", "Hoà bình, hòa giải"),
        ("Đường\u00a0 hỏng\t nặng", "Đường hỏng nặng"),
        ("dòng một \r\n\r\n\r\n dòng hai", "dòng một\n\ndòng hai"),
        ("𝐃𝐚 𝒔𝒖𝒂 𝟏𝟐 Ⓐ ＡＢＣ", "Da sua 12 A ABC"),
        ("m\u200bất đi\u2060ện\ufeff", "mất điện"),
        ("cảm ơn 👍🏽 👨\u200d👩\u200d👧 ❤\ufe0f", "cảm ơn 👍🏽 👨\u200d👩\u200d👧 ❤\ufe0f"),
        ("t\u200dố c\u200dáo", "tố cáo"),
        ("5m², ½ ngày", "5m², ½ ngày"),
        ("\u202eabc\u202c", "abc"),
        ("\ud83d lẻ", "lẻ"),
        ("", ""),
    ],
)
def test_cleaning_keeps_words_marks_and_emoji(typed, kept):
    assert clean(typed) == kept


def test_folding_drops_every_vietnamese_mark_and_keeps_lines():
    assert fold("Đề nghị SỬA đường\nNước SẠCH") == "de nghi sua duong\nnuoc sach"
    assert fold("Hoà") == fold("Hòa") == "hoa"


def test_words_are_letters_and_digits_in_order():
    assert words("Đường 435, QL6: hỏng_nặng!") == ["Đường", "435", "QL6", "hỏng", "nặng"]


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("duong vao ban hong qua", True),
        ("đường vào bản hỏng quá", False),
        ("Duong vao ban hong, de nghi som sua chua cho ba con di lai, Bản Vai", True),
        ("ok", False),
        ("", False),
    ],
)
def test_text_typed_without_diacritics_is_noticed(text, bare):
    assert is_mostly_undiacritised(text) is bare
