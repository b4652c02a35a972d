"""What a topic is called: a short phrase out of its people's own words.

Class-based TF-IDF: a word weighs as often as the topic's central members use it and as few other topics do. Of the
phrases that the members really wrote, the one with the most weight for its length becomes the label.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from core.text.normal import fold

# Central members that are segmented for a label; about half a millisecond each.
MEMBERS = 5
_NAME_OF_ONE = 0.3
_SHARED = 1.6  # What several members say tells more than a rare word of one.
_WHOLE = 0.3  # A phrase that begins and ends where people pause reads better.
_MOST_WORDS, _MOST_SYLLABLES, _LEAST_SYLLABLES = 6, 9, 3
_READ_WORDS = 60
_MARKED = 1.1  # Bytes a letter: Vietnamese with its marks has about 1.3.
# Words that no label begins or ends with; folded segments.
_EDGE = frozenset(
    fold(
        "đề_nghị kiến_nghị xin mong mong_muốn cần phải được không chưa có là thì mà và của cho ở tại trên vào ra các"
        " những một này kia đó rồi quá lắm nhiều bị do vì nên để với như chúng_tôi tôi em chúng_em bà_con dân"
        " người_dân nhân_dân xã nay năm tháng tuần ngày cả hết lại đi về ạ nhé sớm gấp giúp hiện hiện_nay đang đã sẽ"
        " còn cũng rất bao_giờ khi nào khi_nào sao vì_sao tại_sao ai hỏi cho_hỏi anh chị bác các_bác cán_bộ ơi thưa"
        " kính kính_gửi kính_thưa phản_ánh việc về tình_trạng hiện_tượng từ đến thôn bản tổ xóm nhà nhà_tôi gia_đình"
        " mấy theo mới nữa thế vậy đây toàn chỉ luôn thêm bằng trong ngoài giữa sau trước qua gì"
    ).split()
)


def segment(text: str) -> list[list[str]]:
    """Clauses of a text as words; the syllables of a word are joined by "_"."""
    from underthesea import word_tokenize  # A second to import.

    clauses: list[list[str]] = [[]]
    for word in word_tokenize(" ".join(text.split()[:_READ_WORDS])):
        if any(c.isalnum() for c in word):
            clauses[-1].append(word.replace(" ", "_"))
        elif clauses[-1]:
            clauses.append([])
    return clauses if clauses[-1] else clauses[:-1]


def label_topics(topics: Sequence[Sequence[str]]) -> list[str]:
    """One label for each topic, from the texts of its central members (`MEMBERS` of them at most, best first).

    About two milliseconds a topic. A topic whose words give no phrase is called by its first text's beginning.
    """
    segmented = [[segment(text) for text in _readable(texts)] for texts in topics]
    shares = [_shares(texts) for texts in segmented]
    spread = Counter(word for share in shares for word in share)
    labels: list[str] = []
    for texts, share, raw in zip(segmented, shares, topics, strict=True):
        weight = {
            word: part**_SHARED * math.log(1 + len(topics) / spread[word])
            for word, part in share.items()
            if word not in _EDGE and not word.isdigit()
        }
        labels.append(_best_phrase(texts, weight) or beginning(raw[0]))
    return labels


def _shares(texts: Sequence[Sequence[Sequence[str]]]) -> dict[str, float]:
    """Word → share of the members that use it; names that only one of several gives count little."""
    seen: Counter[str] = Counter()
    named: set[str] = set()
    for text in texts:
        found = {_key(word): word for clause in text for word in clause[1:]}
        found |= {_key(clause[0]): clause[0].lower() for clause in text}
        seen.update(found.keys())
        named |= {key for key, word in found.items() if word[:1].isupper()}
    alone = _NAME_OF_ONE if len(texts) > 1 else 1.0
    return {
        key: count / len(texts) * (alone if key in named and count == 1 else 1.0)
        for key, count in seen.items()
    }


def _readable(texts: Sequence[str]) -> list[str]:
    """Texts typed with their marks where there are any: a label is read by the chair."""
    marked = [text for text in texts[:MEMBERS] if len(text.encode()) > _MARKED * len(text)]
    return marked or list(texts[:MEMBERS])


def _best_phrase(texts: Sequence[Sequence[Sequence[str]]], weight: dict[str, float]) -> str:
    best, most = "", 0.0
    for text in texts:
        for clause in text:
            for first in range(len(clause)):
                for last in range(first + 1, min(first + _MOST_WORDS, len(clause)) + 1):
                    whole = _is_edge(clause, first - 1) + _is_edge(clause, last)
                    score = _score(clause[first:last], weight) * (1 + _WHOLE * whole)
                    if score > most:
                        best, most = " ".join(clause[first:last]).replace("_", " "), score
    return best[:1].upper() + best[1:]


def _is_edge(clause: Sequence[str], position: int) -> bool:
    """Whether a phrase may end here: outside the clause, or at a word that joins."""
    return not 0 <= position < len(clause) or _key(clause[position]) in _EDGE


def _score(words: Sequence[str], weight: dict[str, float]) -> float:
    if _key(words[0]) not in weight or _key(words[-1]) not in weight:
        return 0.0
    syllables = sum(word.count("_") + 1 for word in words)
    if not _LEAST_SYLLABLES <= syllables <= _MOST_SYLLABLES:
        return 0.0
    total = sum(weight.get(word, 0.0) for word in {_key(word) for word in words})
    return total / math.sqrt(len(words) + 1)


@lru_cache(maxsize=50_000)
def _key(word: str) -> str:
    return fold(word)


def beginning(text: str, count: int = 10) -> str:
    """The first words of a text, at most 200 characters."""
    words = text.split()
    return (" ".join(words[:count]) + ("…" if len(words) > count else ""))[:200]
