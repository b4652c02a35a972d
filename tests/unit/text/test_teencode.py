import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.teencode import expand_teencode


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("đường hỏng ko ai sửa", "đường hỏng không ai sửa"),
        ("Ko dc cấp sổ", "Không được cấp sổ"),
        ("k biết hỏi ai, nộp 500 k rồi", "không biết hỏi ai, nộp 500 k rồi"),
        ("e ko bt hỏi ai", "em không biết hỏi ai"),
        ("điện chạy bt", "điện chạy bình thường"),
        ("nộp hs từ tháng 3", "nộp hồ sơ từ tháng 3"),
        ("hs phải lội suối", "học sinh phải lội suối"),
        ("QL 70 ngập", "quốc lộ 70 ngập"),
        ("mất 5 tr", "mất 5 triệu"),
        ("nhờ a chị xem giúp", "nhờ anh chị xem giúp"),
        ("thẻ BHYT hết hạn", "thẻ bảo hiểm y tế hết hạn"),
        ("khổ quáaaa, đườg nát", "khổ quá, đường nát"),
        ("fải chờ ntn nữa z", "phải chờ như thế nào nữa vậy"),
    ],
)
def test_chat_spellings_are_written_out_by_their_neighbours(typed, meant):
    assert expand_teencode(typed) == meant


@pytest.mark.parametrize(
    "text",
    [
        "Đề nghị sửa đường vào bản Nà Lay, xe máy không đi được.",
        "Duong hong nang, ba con mong som sua chua",
        "Cứu hươu, lưu giữ, khuỷu tay, mưu, bưu điện",
        "Nhà tôi ở tổ 5, phường A, gặp chị C",
        "",
    ],
)
def test_ordinary_words_stay_as_they_are(text):
    assert expand_teencode(text) == text


@given(st.text(max_size=60))
def test_expanding_never_fails(text):
    expand_teencode(text).encode("utf-8")
