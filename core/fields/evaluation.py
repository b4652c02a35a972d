"""How well fields are found on labelled rows: pure measuring, also for the baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_BINS = 10


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One labelled text: `code` is the label, `alternatives` other codes that can be defended."""

    text: str
    code: str
    alternatives: frozenset[str] = frozenset()

    @property
    def accepted(self) -> frozenset[str]:
        """The label and the alternatives."""
        return self.alternatives | {self.code}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a classifier said: `code` None for an abstention, codes of `ranking` best first."""

    code: str | None
    confidence: float
    ranking: tuple[str, ...]


@dataclass(frozen=True)
class FieldScore:
    """Shares of all rows (0 to 1); an abstention counts as wrong in every share but `top2_alt`.

    `macro_f1` is the mean over the fields that occur as labels. `ece` is the expected calibration error of the
    best field's confidence against `accepted`, ten bins. `confusions` counts (label, answer) of wrong rows.
    """

    n: int
    accuracy: float
    accuracy_alt: float
    top2_alt: float
    macro_f1: float
    abstained: int
    ece: float
    per_field: dict[str, dict[str, float]]
    confusions: Counter[tuple[str, str | None]]
    wrong: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        """The part that the command prints."""
        return {
            "n": self.n,
            "accuracy": round(self.accuracy, 4),
            "accuracy_alt": round(self.accuracy_alt, 4),
            "top2_alt": round(self.top2_alt, 4),
            "macro_f1": round(self.macro_f1, 4),
            "abstained": self.abstained,
            "ece": round(self.ece, 4),
            "per_field": self.per_field,
        }


def score_fields(rows: Sequence[FieldRow], answers: Sequence[Answer]) -> FieldScore:
    """Compare answers with rows, in the same order; all shares are 0 for no rows."""
    exact = [a.code == r.code for r, a in zip(rows, answers, strict=True)]
    defended = [a.code in r.accepted for r, a in zip(rows, answers, strict=True)]
    second = [bool(set(a.ranking[:2]) & r.accepted) for r, a in zip(rows, answers, strict=True)]
    per_field = _per_field(rows, answers)
    scores = [part["f1"] for part in per_field.values() if part["n"]]
    pairs = [(r.code, a.code) for r, a in zip(rows, answers, strict=True)]
    return FieldScore(
        n=len(rows),
        accuracy=_mean(exact),
        accuracy_alt=_mean(defended),
        top2_alt=_mean(second),
        macro_f1=_mean(scores),
        abstained=sum(answer.code is None for answer in answers),
        ece=_calibration_error(rows, answers),
        per_field=per_field,
        confusions=Counter(pair for pair, right in zip(pairs, defended, strict=True) if not right),
        wrong=tuple(i for i, right in enumerate(defended) if not right),
    )


def _per_field(rows: Sequence[FieldRow], answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    labels = sorted({r.code for r in rows} | {a.code for a in answers if a.code})
    parts: dict[str, dict[str, float]] = {}
    for code in labels:
        hits = sum(r.code == code == a.code for r, a in zip(rows, answers, strict=True))
        said, there = sum(a.code == code for a in answers), sum(r.code == code for r in rows)
        precision, recall = hits / said if said else 0.0, hits / there if there else 0.0
        f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
        parts[code] = {
            "n": there,
            "precision": round(precision, 4),
            "recall": round(recall, 4),
            "f1": round(f1, 4),
        }
    return parts


def _calibration_error(rows: Sequence[FieldRow], answers: Sequence[Answer]) -> float:
    """Mean distance between confidence and share of right best guesses, weighted by bin size."""
    if not rows:
        return 0.0
    sure = np.array([answer.confidence for answer in answers])
    right = np.array([a.ranking[0] in r.accepted for r, a in zip(rows, answers, strict=True)], dtype=float)
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    gaps = [abs(sure[bins == b].sum() - right[bins == b].sum()) for b in range(_BINS)]
    return float(sum(gaps) / len(rows))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
