"""How far apart two folded names are, forgiving what Vietnamese people mix up when they type or speak."""

from __future__ import annotations

# Pairs that sound alike in some dialect, and Telex tone letters left at the end of a word.
_SOUNDS = (
    ("ngh", "ng"),
    ("gh", "g"),
    ("tr", "ch"),
    ("gi", "d"),
    ("r", "d"),
    ("x", "s"),
    ("l", "n"),
    ("k", "c"),
    ("q", "c"),
)
_TELEX_TONES = "sfrxj"


def limit_for(name: str) -> int:
    """Letters that may be wrong in a name: none in very short ones, two in long ones."""
    letters = len(name.replace(" ", ""))
    return 0 if letters < 4 else 1 if letters < 9 else 2


def distance(typed: str, name: str, *, limit: int) -> int | None:
    """Letters to insert, delete, change or swap to get from `typed` to `name`; None when more than `limit`.

    Both have the same number of words. A difference that is only heard (s/x, l/n, y/i) or a Telex letter left
    over counts one for the whole word.
    """
    total = 0
    for one, other in zip(typed.split(), name.split(), strict=True):
        if one == other:
            continue
        total += 1 if _sounds_like(one, other) else _letters_apart(one, other)
        if total > limit:
            return None
    return total


def _sounds_like(one: str, other: str) -> bool:
    return _sound(one) == _sound(other) or _sound(without_telex(one)) == _sound(other)


def _sound(word: str) -> str:
    for spelling, sound in _SOUNDS:
        if word.startswith(spelling):
            word = sound + word[len(spelling) :]
            break
    return word.replace("y", "i")


def without_telex(word: str) -> str:
    """A word without what Telex typing leaves when the input method is off (`bats` for `bát`)."""
    bare = word.rstrip(_TELEX_TONES) if len(word) > 2 else word
    for doubled, plain in (("aa", "a"), ("ee", "e"), ("oo", "o"), ("dd", "d"), ("w", "")):
        bare = bare.replace(doubled, plain)
    return bare


def _letters_apart(one: str, other: str) -> int:
    """Damerau–Levenshtein distance (neighbours swapped count one)."""
    if abs(len(one) - len(other)) > 2:
        return 3
    previous: list[int] = []
    current = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, previous, current = previous, current, [i]
        for j, b in enumerate(other, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
    return current[-1]
