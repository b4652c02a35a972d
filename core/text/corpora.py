"""Vietnamese text that installed packages carry, for training the diacritic model; nothing is downloaded.

`underthesea` (Apache-2.0) has word lists, the output of its tagger on a test corpus of news and law texts, and
taggers whose feature names are word sequences of their training text. `vietnam_provinces` has place names.
Our own `everyday.txt` adds how people talk.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

_WORD_LISTS = ("Viet11K.txt", "Viet22K.txt", "Viet39K.txt", "Viet74K.txt")
_TAGGED = "pipeline/pos_tag/models/pos_crf_vlsp2013_20230303/test_output.txt"
_TAGGERS = (
    "pipeline/word_tokenize/models/ws_crf_vlsp2013_20230727/models.bin",
    "pipeline/pos_tag/models/pos_crf_vlsp2013_20230303/models.bin",
    "pipeline/pos_tag/pos_crf_2017_10_11.bin",
)
# A feature of the taggers looks like `T[-1,0].lower=đất đai` and ends with a zero byte.
_FEATURE = re.compile(rb"T\[[-\d,]+\](?:\.lower)?=([^\x00]{2,80})\x00")


class CorpusMissing(Exception):
    """An installed package lacks a file that the diacritic model is trained on."""


def _folder() -> Path:
    spec = importlib.util.find_spec("underthesea")
    if spec is None or spec.origin is None:
        raise CorpusMissing("underthesea is not installed")
    return Path(spec.origin).parent


def _file(name: str) -> Path:
    path = _folder() / name
    if not path.exists():
        raise CorpusMissing(name)
    return path


def dictionary_words() -> list[str]:
    """About 73,000 words and compounds, lower case, sorted. Raises `CorpusMissing`."""
    found: set[str] = set()
    for name in _WORD_LISTS:
        lines = _file(f"corpus/data/{name}").read_text(encoding="utf-8").splitlines()
        found.update(line.strip().lower().replace("-", " ") for line in lines)
    return sorted(found - {""})


def news_sentences() -> list[str]:
    """About 2,100 sentences (96,000 syllables) of news and law texts. Raises `CorpusMissing`."""
    sentences: list[str] = []
    words: list[str] = []
    for line in [*_file(_TAGGED).read_text(encoding="utf-8").splitlines(), ""]:
        if line.strip():
            words.append(line.split("\t")[0].replace("_", " "))
        elif words:
            sentences.append(" ".join(words))
            words = []
    return sentences


def tagger_phrases() -> list[str]:
    """About 35,000 distinct word sequences of one to five syllables that occur in news. Raises `CorpusMissing`."""
    found: set[str] = set()
    for name in _TAGGERS:
        for raw in _FEATURE.findall(_file(name).read_bytes()):
            phrase = raw.decode("utf-8", errors="ignore").replace("_", " ").lower()
            if phrase not in ("bos", "eos"):
                found.add(phrase)
    return sorted(found)


def place_names() -> list[str]:
    """Names of the provinces and communes after July 2025, as `vietnam_provinces` writes them."""
    from vietnam_provinces import Province, Ward

    names = {p.name for p in Province.iter_all()} | {w.name for w in Ward.iter_all()}
    return sorted(names)


def everyday_lines() -> list[str]:
    """Sentences and word groups of everyday speech, written for this project."""
    text = files("core.text").joinpath("everyday.txt").read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]


def general_text() -> Iterator[tuple[str, float]]:
    """All of the above as (line, weight) for `Restorer.train`; the weights were chosen on sentences left out."""
    yield from ((line, 1.0) for line in news_sentences())
    yield from ((phrase, 1.5) for phrase in tagger_phrases())
    yield from ((word, 0.1) for word in dictionary_words())
    yield from ((name, 0.5) for name in place_names())
    for line in everyday_lines():
        yield line, 0.5
        yield from ((part, 1.0) for part in line.split(", "))
