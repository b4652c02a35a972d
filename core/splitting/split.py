"""Cut a message into its matters; a story of one matter stays whole.

Boundaries are scored one by one: numbering and "ngoài ra" decide alone; otherwise the clause after the
boundary
must be about another thing, have a trouble or a wish of its own, and not lean on what stands before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.places.tokens import Token, tokenize, without_marks
from core.splitting.topics import Thing, connectives, things
from core.text.normal import clean

_NUMBERED = re.compile(
    r"(?:(?<=^)|(?<=[\s,.;:]))(?:\(?\d{1,2}[.)/:]|[-•+*–]|[a-eA-E][.)])[ ]?(?=\S)", re.MULTILINE
)
# Nouns that a number belongs to: "thôn 2.", "ngày 1." begin no item.
_COUNTED = re.compile(
    r"(?:ngày|tháng|năm|quý|thôn|tổ|khu|đội|ấp|xóm|đường|ngõ|số|lớp|cấp|khóa|điều|khoản|mục|lần|quận|phường) $",
    re.IGNORECASE,
)
_CLOSE = frozenset(",")
_ENDS = frozenset(".;!?\n")
FARTHEST_HEAD = 7  # words before the first thing of a new matter
FARTHEST_AFTER_PLEA = 10  # "đề nghị tỉnh hỗ trợ xi măng làm đường"


@dataclass(frozen=True, slots=True)
class Part:
    """One matter: `text` is a piece of the cleaned message, trimmed; `start`/`end` are its place there."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Clause:
    """Words `first` to `last` (exclusive) between two stops; `gap` is what stands before them."""

    first: int
    last: int
    gap: str


# A piece of a message to the probabilities of its field (`FieldClassifier.by_words`).
Judge = Callable[[str], Mapping[str, float]]
_LEAST_WORDS_TO_JUDGE = 4
_SURE_FIELD = 0.45
_FOREIGN_FIELD = 0.15


def split_matters(text: str, judge: Judge | None = None) -> tuple[Part, ...]:
    """The matters of a message, in order; one part when it is about one thing, none for an empty text.

    `judge` tells whether two sentences are of different fields, which finds matters that the word lists do
    not name. Words are never lost except numbering and connectives ("ngoài ra") between matters. Never raises.
    """
    cleaned = clean(text)
    if not cleaned:
        return ()
    tokens = tokenize(cleaned)
    reader = _Reader(cleaned, tokens, judge)
    cuts = _numbered_cuts(cleaned, tokens) or _ordinal_cuts(reader) or reader.topic_cuts()
    return _parts(cleaned, tokens, cuts)


def _parts(text: str, tokens: Sequence[Token], cuts: Sequence[tuple[int, int]]) -> tuple[Part, ...]:
    """`cuts` are (character where the last matter ends, character where the next begins)."""
    bounds = [0]
    for end, start in cuts:
        bounds += [end, start]
    bounds.append(len(text))
    parts = []
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        piece = text[start:end]
        trimmed = piece.strip(" \n,;")
        if any(c.isalnum() for c in trimmed):
            begin = start + piece.index(trimmed)
            parts.append(Part(trimmed, begin, begin + len(trimmed)))
    return tuple(parts) or (Part(text, 0, len(text)),)


# -- numbering
# -------------------------------------------------------------------------------------------------


def _numbered_cuts(text: str, tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """ "1. … 2. …", or lines that begin with a dash: two or more, counting up, each with words of its own."""
    found = [m for m in _NUMBERED.finditer(text) if _is_item(text, m)]
    numbers = [m for m in found if m.group().strip(" (")[0].isdigit()]
    letters = [m for m in found if m.group().strip()[0].isalpha()]
    dashes = [m for m in found if not m.group().strip(" (")[0].isalnum()]
    for items in (_counting(numbers), letters, dashes):
        if len(items) >= 2:
            return _item_cuts(text, items)
    return []


def _is_item(text: str, match: re.Match[str]) -> bool:
    sign = match.group().strip()
    at_line_start = match.start() == 0 or text[match.start() - 1] == "\n"
    if not sign[0].isalnum() and sign[0] != "(":
        return at_line_start
    return at_line_start or (
        text[match.start() - 1] in " ,.;:" and not _COUNTED.search(text[: match.start()])
    )


def _counting(numbers: list[re.Match[str]]) -> list[re.Match[str]]:
    kept: list[re.Match[str]] = []
    for match in numbers:
        value = int(re.sub(r"\D", "", match.group()))
        if value == len(kept) + 1:
            kept.append(match)
    return kept


def _item_cuts(text: str, items: Sequence[re.Match[str]]) -> list[tuple[int, int]]:
    """What stands before the first item is an introduction: it stays with the first matter."""
    intro = text[: items[0].start()].strip(" \n:;,.-")
    cuts = [(item.start(), item.end()) for item in items[1:]]
    if len(intro) == 0:
        return [(0, items[0].end()), *cuts]
    return cuts


def _ordinal_cuts(reader: _Reader) -> list[tuple[int, int]]:
    """ "thứ nhất … thứ hai …": two or more at the head of clauses."""
    tokens = reader.tokens
    heads = {clause.first for clause in reader.clauses()}
    heads |= {i for i, token in enumerate(tokens) if ":" in token.gap}
    found: list[tuple[int, int]] = []
    for position in range(len(tokens)):
        size = _starts_with(tokens, position, connectives()["ordinals"])
        counts_up = (
            found and tokens[position].text[0].isupper() and tokens[position].folded in ("thu", "viec")
        )
        if size and (position in heads or counts_up):
            found.append((position, position + size))
    if len(found) < 2:
        return []
    cuts = [(tokens[first].start, _after(tokens, last)) for first, last in found]
    return cuts if found[0][0] == 0 else cuts[1:]


def _after(tokens: Sequence[Token], position: int) -> int:
    if position < len(tokens) and tokens[position].folded in ("la", "thi"):
        position += 1
    return tokens[position].start if position < len(tokens) else tokens[-1].end


# -- topics
# ----------------------------------------------------------------------------------------------------


class _Reader:
    """One tokenized message with the things that it names."""

    def __init__(self, text: str, tokens: Sequence[Token], judge: Judge | None) -> None:
        self.text = text
        self.tokens = tokens
        self._judge = judge
        self._marked = without_marks(text) != text
        self._things = things(tokens)

    def things(self, first: int, last: int) -> list[Thing]:
        return [t for t in self._things if first <= t.first and t.last <= last]

    def thing_at(self, position: int) -> bool:
        return any(t.first == position for t in self._things)

    def action_at(self, position: int) -> bool:
        """Actions with their thing right behind: "lắp trạm phát sóng", "đề nghị sửa lại nhà văn hóa"."""
        while size := _starts_with(self.tokens, position, connectives()["action"]):
            position += size
            if self.thing_at(position):
                return True
        return False

    def says(self, first: int, last: int, what: str) -> bool:
        phrases = connectives()[what]
        return any(_starts_with(self.tokens[:last], position, phrases) for position in range(first, last))

    def is_matter(self, first: int, last: int) -> bool:
        if last - first < 2 or not self.things(first, last):
            return False
        return self.says(first, last, "trouble") or self.says(first, last, "wish")

    def opens(self, position: int) -> bool:
        """Whether another matter may open here without a stop before it."""
        light = self._light_words(position)
        size = _starts_with(self.tokens, position, connectives()["another"])
        if size:
            return not light or self.thing_at(position + size)
        if not light:
            return False
        after = position + light
        asks = _starts_with(self.tokens, after, connectives()["question"]) > 0
        return asks or self.thing_at(after) or self.action_at(after)

    def _light_words(self, position: int) -> int:
        """How many words of "còn", "và", "đồng thời" stand here: joints that need a thing behind them."""
        size = _starts_with(self.tokens, position, connectives()["joint"])
        if size and self.tokens[position].folded == "con":
            # "bà con", "con đường": the noun, not the joint, which has its mark in a text with marks.
            people = position > 0 and self.tokens[position - 1].folded == "ba"
            return 0 if people or (self._marked and self.tokens[position].text.casefold() == "con") else size
        return size

    def clauses(self) -> list[Clause]:
        """Clauses between stops and commas; "còn" and "với lại" open one without a stop as well."""
        found: list[Clause] = []
        first = 0
        for position in range(1, len(self.tokens)):
            stop = any(c in _ENDS or c in _CLOSE for c in self.tokens[position].gap)
            if stop or (position - first >= 3 and self.opens(position)):
                found.append(Clause(first, position, self.tokens[first].gap))
                first = position
        if self.tokens:
            found.append(Clause(first, len(self.tokens), self.tokens[first].gap))
        return found

    def topic_cuts(self) -> list[tuple[int, int]]:
        """Cuts where the message turns to something else."""
        clauses = self.clauses()
        cuts: list[tuple[int, int]] = []
        begun = 0
        for number in range(1, len(clauses)):
            after = clauses[number]
            end = self._sentence_end(clauses, number)
            skipped = self._new_matter(clauses[begun].first, after, end)
            if skipped is not None:
                cuts.append((self.tokens[after.first].start, self.tokens[after.first + skipped].start))
                begun = number
        return cuts

    def _sentence_end(self, clauses: Sequence[Clause], number: int) -> int:
        """Where the sentence of a clause ends, or the next matter opens."""
        last = clauses[number].last
        for clause in clauses[number + 1 :]:
            if any(c in _ENDS for c in clause.gap) or self.opens(clause.first):
                break
            last = clause.last
        return last

    def _new_matter(self, begun: int, after: Clause, end: int) -> int | None:
        """Connective words to drop when a new matter begins at `after`, None when none does."""
        skipped = _starts_with(self.tokens, after.first, connectives()["another"])
        if skipped and after.first + skipped < end:
            long_enough = after.first - begun >= 2
            return skipped if long_enough and self._another_matter(after.first + skipped, end) else None
        if not any(c in _ENDS for c in after.gap):
            explains = _starts_with(self.tokens, self._sentence_start(after.first), connectives()["cause"])
            if explains:
                return None
            if self._coordinated(begun, after):
                return self._light(after.first)
            return 0 if self._contrasted(begun, after) else None
        leans = _starts_with(self.tokens, after.first, connectives()["dependent"])
        wishes = _starts_with(self.tokens, after.first, connectives()["action"])
        if leans and not (wishes and self.says(begun, after.first, "plea")):
            return None
        both = self.is_matter(begun, after.first) and self.is_matter(after.first, end)
        if both and self._new_head(begun, after.first, end):
            return self._light(after.first)
        return 0 if self._other_field(begun, after.first, end) else None

    def _contrasted(self, begun: int, after: Clause) -> bool:
        """ "người già chưa có trợ cấp, thanh niên thì thất nghiệp": another subject, and surely another field."""
        head = [token.folded for token in self.tokens[after.first + 1 : after.first + 4]]
        leans = any(
            _starts_with(self.tokens, after.first, connectives()[kind])
            for kind in ("consequence", "dependent")
        )
        return "thi" in head and not leans and self._other_field(begun, after.first, after.last)

    def _other_field(self, begun: int, first: int, last: int) -> bool:
        """Whether both sides surely belong to different fields and each has a trouble or a wish."""
        if self._judge is None or min(first - begun, last - first) < _LEAST_WORDS_TO_JUDGE:
            return False
        if not all(
            self.says(*side, "trouble") or self.says(*side, "wish")
            for side in ((begun, first), (first, last))
        ):
            return False
        left, right = self._judge(self._piece(begun, first)), self._judge(self._piece(first, last))
        one, other = max(left, key=left.__getitem__), max(right, key=right.__getitem__)
        sure = left[one] >= _SURE_FIELD and right[other] >= _SURE_FIELD
        return sure and left[other] < _FOREIGN_FIELD and right[one] < _FOREIGN_FIELD

    def _piece(self, first: int, last: int) -> str:
        return self.text[self.tokens[first].start : self.tokens[last - 1].end]

    def _light(self, position: int) -> int:
        """ "còn", "và" before a thing: dropped from the part."""
        size = self._light_words(position)
        return size if self.thing_at(position + size) or self.action_at(position + size) else 0

    def _sentence_start(self, position: int) -> int:
        while position > 0 and not any(c in _ENDS for c in self.tokens[position].gap):
            position -= 1
        return position

    def _another_matter(self, first: int, last: int) -> bool:
        """After "ngoài ra" anything of some length counts, except a closing wish ("mong các cấp quan
        tâm").
        """
        if self.is_matter(first, last):
            return True
        closing = _starts_with(self.tokens, first, connectives()["dependent"]) and not self.things(
            first, last
        )
        return last - first >= 4 and not closing

    def _coordinated(self, begun: int, after: Clause) -> bool:
        """ "đường hỏng, điện thì chập chờn": a new thing must stand first and have its own trouble.

        Wishes go on in the same way: "xin làm kè và lắp trạm phát sóng".
        """
        left = (begun, after.first)
        first = after.first + self._light_words(after.first)
        asks = first > after.first and _starts_with(self.tokens, first, connectives()["question"]) > 0
        leans = any(
            _starts_with(self.tokens, first, connectives()[kind]) for kind in ("consequence", "dependent")
        )
        if leans and not asks:
            return False
        topics = {thing.topic for thing in self.things(*left)}
        near = self.things(first, after.last)
        if not topics or not near or near[0].topic in topics:
            return False
        if self.action_at(first) and self.says(*left, "wish"):
            return True
        if asks:
            return True
        if near[0].first > first:
            return False
        troubled = self.says(first, after.last, "trouble") and self.says(*left, "trouble")
        asked = first > after.first and self.says(first, after.last, "wish") and self.says(*left, "wish")
        return troubled or asked

    def _new_head(self, begun: int, first: int, last: int) -> bool:
        """Whether the right side begins with a thing of a topic that the left has not named, and the
        reverse.
        """
        named, new = self.things(begun, first), self.things(first, last)
        asks = _starts_with(self.tokens, first, connectives()["plea"]) > 0
        if new[0].first - first > (FARTHEST_AFTER_PLEA if asks else FARTHEST_HEAD):
            return False
        return new[0].topic not in {t.topic for t in named} and named[0].topic not in {
            t.topic for t in new[:2]
        }


def _starts_with(tokens: Sequence[Token], position: int, phrases: frozenset[tuple[str, ...]]) -> int:
    """Words of the longest phrase that stands at `position`, 0 for none."""
    for size in (5, 4, 3, 2, 1):
        piece = tuple(t.folded for t in tokens[position : position + size])
        if len(piece) == size and piece in phrases:
            return size
    return 0
