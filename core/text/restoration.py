"""Put the diacritics back into Vietnamese typed without them: a trigram model over syllables.

Every bare syllable has the written forms that the training text knows; the best sequence is found by a
second-order Viterbi search with a beam, and the sum over the beam says how sure each syllable is. The result is
for reading and embedding; what the citizen typed is always kept by the caller.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.text.normal import clean, fold

_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_|\s+")
_STOP = "."
_STOPPERS = frozenset(".!?;:\n…")
_DISCOUNT = 0.6
_BEAM = 10
_FORMS = 7
# A capitalised word inside a sentence is a name: it is changed only when hardly anything else is possible.
_CERTAIN_OF_A_NAME = 0.9
_ORDER_WEIGHTS = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Restored:
    """A text with diacritics and how sure the model is of it.

    `confidence` is the mean probability (0 to 1) of the syllables that were decided; 1 when there was nothing
    to decide.
    """

    text: str
    confidence: float


def syllables(text: str) -> list[str]:
    """Lower-case words of a text with a full stop at each break; what the model is trained on."""
    found: list[str] = []
    for token in _TOKEN.findall(clean(text).lower()):
        if token[0].isalnum():
            found.append(token)
        elif found and found[-1] != _STOP and (token.strip() in _STOPPERS or "\n" in token or token == ","):
            found.append(_STOP)
    return found


class Restorer:
    """A trained model; `restore` may be called from several threads."""

    def __init__(self, vocabulary: Sequence[str], counts: Sequence[dict[int, float]]) -> None:
        """`vocabulary` in id order (id 0 is the sentence break); `counts` of 1, 2 and 3 ids packed into one key."""
        self._words = list(vocabulary)
        self._ids = {word: i for i, word in enumerate(self._words)}
        self._size = len(self._words)
        self._counts = tuple(counts)
        self._contexts = (self._context_totals(1), self._context_totals(2))
        self._total = sum(self._counts[0].values())
        self._forms = self._written_forms()

    @classmethod
    def train(cls, lines: Iterable[tuple[str, float]]) -> Restorer:
        """Count the syllables of weighted lines; a weight above 1 makes a source speak louder."""
        grams: list[Counter[tuple[str, ...]]] = [Counter(), Counter(), Counter()]
        for text, weight in lines:
            sequence = [_STOP, *syllables(text), _STOP]
            for n, counter in enumerate(grams, 1):
                for start in range(len(sequence) - n + 1):
                    counter[tuple(sequence[start : start + n])] += weight  # type: ignore[assignment]
        words = [_STOP, *sorted(w for (w,) in grams[0] if w != _STOP)]
        ids = {word: i for i, word in enumerate(words)}
        packed: list[dict[int, float]] = []
        for counter in grams:
            table: dict[int, float] = {
                _pack([ids[w] for w in gram], len(words)): round(c, 2) for gram, c in counter.items()
            }
            packed.append(table)
        return cls(words, packed)

    def save(self, path: Path) -> None:
        """Write vocabulary and counts to an `.npz` file (no pickled objects)."""
        arrays = {"words": np.array(self._words)}
        for n, table in enumerate(self._counts, 1):
            arrays[f"keys{n}"] = np.fromiter(table.keys(), dtype=np.int64, count=len(table))
            arrays[f"counts{n}"] = np.fromiter(table.values(), dtype=np.float32, count=len(table))
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> Restorer:
        """Read what `save` wrote. Raises `OSError`, `ValueError` or `KeyError` for anything else."""
        with np.load(path, allow_pickle=False) as stored:
            words = stored["words"].tolist()
            counts = [
                dict(zip(stored[f"keys{n}"].tolist(), stored[f"counts{n}"].tolist(), strict=True))
                for n in (1, 2, 3)
            ]
        return cls(words, counts)

    def restore(self, text: str) -> Restored:
        """The text with the likeliest diacritics; marks that are there stay.

        Case, punctuation, numbers, foreign words and line breaks stay as typed, and so does a capitalised
        name inside a sentence unless the model is nearly certain of it. About 3 ms for 20 words.
        """
        tokens = _TOKEN.findall(clean(text))
        places = [i for i, token in enumerate(tokens) if token[0].isalnum()]
        if not places:
            return Restored("".join(tokens), 1.0)
        decided, sureness = self._decide(tokens)
        open_choices: list[float] = []
        for i in places:
            choice, sure, forms = decided[i], sureness[i], self._choices(tokens[i])
            if not choice or (len(forms) < 2 and choice == tokens[i].lower()):
                continue
            open_choices.append(sure)
            if sure >= _CERTAIN_OF_A_NAME or not _is_name(tokens, i):
                tokens[i] = _with_case(choice, tokens[i])
        confidence = sum(open_choices) / len(open_choices) if open_choices else 1.0
        return Restored("".join(tokens), confidence)

    # The search.

    def _decide(self, tokens: list[str]) -> tuple[dict[int, str], dict[int, float]]:
        """Best form and its probability for every word token, by position."""
        lattice = self._lattice(tokens)
        history: list[dict[tuple[int, int], tuple[float, float, tuple[int, int] | None]]] = []
        beam: dict[tuple[int, int], tuple[float, float, tuple[int, int] | None]] = {(0, 0): (0.0, 1.0, None)}
        for _, forms in lattice:
            beam = self._step(beam, forms)
            history.append(beam)
        return self._trace(lattice, history)

    def _lattice(self, tokens: list[str]) -> list[tuple[int, list[int]]]:
        lattice: list[tuple[int, list[int]]] = []
        for i, token in enumerate(tokens):
            if token[0].isalnum():
                lattice.append((i, self._choices(token)))
            elif token.strip() in _STOPPERS or "\n" in token or token == ",":
                lattice.append((-1, [0]))
        lattice.append((-1, [0]))
        return lattice

    def _choices(self, token: str) -> list[int]:
        lower = token.lower()
        bare = fold(lower)
        if bare != lower or not bare.isalpha():
            return [self._ids.get(lower, -1)]
        return self._forms.get(bare, [-1])

    def _step(
        self, beam: dict[tuple[int, int], tuple[float, float, tuple[int, int] | None]], forms: list[int]
    ) -> dict[tuple[int, int], tuple[float, float, tuple[int, int] | None]]:
        """Extend each beam state; a state carries its best log-probability and the mass of all its paths."""
        new: dict[tuple[int, int], tuple[float, float, tuple[int, int] | None]] = {}
        for (first, second), (score, mass, _) in beam.items():
            for form in forms:
                chance = self._chance(first, second, form)
                state = (second, form)
                candidate = score + math.log(chance)
                best, total, back = new.get(state, (-math.inf, 0.0, None))
                if candidate > best:
                    best, back = candidate, (first, second)
                new[state] = (best, total + mass * chance, back)
        kept = sorted(new.items(), key=lambda item: item[1][0], reverse=True)[:_BEAM]
        scale = sum(mass for _, (_, mass, _) in kept) or 1.0
        return {state: (score, mass / scale, back) for state, (score, mass, back) in kept}

    def _trace(
        self,
        lattice: list[tuple[int, list[int]]],
        history: list[dict[tuple[int, int], tuple[float, float, tuple[int, int] | None]]],
    ) -> tuple[dict[int, str], dict[int, float]]:
        state: tuple[int, int] | None = max(history[-1], key=lambda s: history[-1][s][0])
        decided: dict[int, str] = {}
        sureness: dict[int, float] = {}
        for step in range(len(lattice) - 1, -1, -1):
            position, _ = lattice[step]
            if state is None:
                break
            if position >= 0 and state[1] >= 0:
                decided[position] = self._words[state[1]]
                sureness[position] = self._share(history, step, state[1])
            elif position >= 0:
                decided[position], sureness[position] = "", 0.0
            state = history[step][state][2]
        return decided, sureness

    @staticmethod
    def _share(
        history: list[dict[tuple[int, int], tuple[float, float, tuple[int, int] | None]]],
        step: int,
        form: int,
    ) -> float:
        """Probability of a form at a step, judged one step later (the next word often decides)."""
        later = history[min(step + 1, len(history) - 1)]
        if step + 1 < len(history):
            return sum(mass for (first, _), (_, mass, _) in later.items() if first == form)
        return sum(mass for (_, second), (_, mass, _) in later.items() if second == form)

    # The probabilities.

    def _chance(self, first: int, second: int, third: int) -> float:
        if third < 0:
            return 1e-7
        counts1, counts2, counts3 = self._counts
        size = self._size
        p = (counts1.get(third, 0.0) + 0.1) / (self._total + 0.1 * size)
        if second < 0:
            return p
        total, kinds = self._contexts[0].get(second, (0.0, 0))
        if total:
            found = counts2.get(second * size + third, 0.0)
            p = (max(found - _DISCOUNT, 0.0) + _DISCOUNT * kinds * p) / total
        if first < 0:
            return p
        pair = first * size + second
        total, kinds = self._contexts[1].get(pair, (0.0, 0))
        if total:
            found = counts3.get(pair * size + third, 0.0)
            p = (max(found - _DISCOUNT, 0.0) + _DISCOUNT * kinds * p) / total
        return p

    def _context_totals(self, order: int) -> dict[int, tuple[float, int]]:
        totals: dict[int, tuple[float, int]] = {}
        for key, count in self._counts[order].items():
            context = key // self._size
            total, kinds = totals.get(context, (0.0, 0))
            # Counts below the discount (weak sources) give away all they have.
            totals[context] = (total + max(count, _DISCOUNT), kinds + 1)
        return totals

    def _written_forms(self) -> dict[str, list[int]]:
        forms: dict[str, list[tuple[float, int]]] = {}
        for word, i in self._ids.items():
            if word.isalpha():
                forms.setdefault(fold(word), []).append((self._counts[0].get(i, 0.0), i))
        return {bare: [i for _, i in sorted(found, reverse=True)[:_FORMS]] for bare, found in forms.items()}


def _pack(ids: Sequence[int], size: int) -> int:
    key = 0
    for i in ids:
        key = key * size + i
    return key


def _with_case(word: str, typed: str) -> str:
    if typed.isupper() and len(typed) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if typed[:1].isupper() else word


def _is_name(tokens: list[str], position: int) -> bool:
    """A capitalised word that does not start a sentence, in a text that is not all capitals."""
    token = tokens[position]
    if not token[:1].isupper() or (token.isupper() and len(token) > 1):
        return False
    before = next((t for t in reversed(tokens[:position]) if not t.isspace()), ".")
    return before not in _STOPPERS and before not in ("-", "+", "*")
