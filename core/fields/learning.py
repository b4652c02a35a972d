"""Learning from the clerks' corrections: a retrained candidate is taken into use only if it is not worse."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from core.fields.catalogue import field_label
from core.fields.evaluation import Answer, FieldRow, FieldScore, score_fields
from core.fields.model import Correction, FieldModel, Progress, model_folder, retrain
from core.text.folders import put_folder

if TYPE_CHECKING:
    from core.fields.classifier import FieldClassifier

_POINTER = "active.json"


class LearningError(Exception):
    """A candidate cannot be made or taken into use.

    `code` is `no_corrections`, `unknown_field`, `no_evaluation_rows` or `worse_on_evaluation`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Candidate:
    """A retrained model that is not in use yet; `digest` names the corrections it learned from."""

    model: FieldModel
    digest: str
    corrections: int


@dataclass(frozen=True)
class Acceptance:
    """The scores of the model in use before and of the candidate that replaced it, on the same rows."""

    before: FieldScore
    after: FieldScore


def active_folder(models: Path, embedder_name: str) -> Path:
    """The model folder in use: the accepted candidate of this code and embedder, or the plain model."""
    plain = model_folder(models, embedder_name)
    pointer = models / f"{plain.name}.{_POINTER}"
    if not pointer.exists():
        return plain
    name = json.loads(pointer.read_text(encoding="utf-8"))["folder"]
    chosen = models / Path(str(name)).name
    return chosen if (chosen / "model.json").exists() else plain


def train(classifier: FieldClassifier, corrections: Sequence[Correction], *, progress: Progress) -> Candidate:
    """Retrain the classifier's model with corrections added; nothing in use changes. Takes seconds.

    Raises `LearningError` with `no_corrections` or `unknown_field`.
    """
    if not corrections:
        raise LearningError("no_corrections", "there is nothing to learn from")
    unknown = sorted({c.code for c in corrections if field_label(c.code) is None})
    if unknown:
        raise LearningError("unknown_field", ", ".join(unknown))
    model = retrain(classifier.model, classifier.embedder, corrections=corrections, progress=progress)
    ordered = sorted((c.code, c.text) for c in corrections)
    digest = hashlib.sha256(json.dumps(ordered).encode()).hexdigest()[:12]
    return Candidate(model, digest, len(corrections))


def accept_if_not_worse(
    candidate: Candidate, rows: Sequence[FieldRow], *, current: FieldClassifier, models: Path
) -> Acceptance:
    """Take a candidate into use unless it does worse on the rows in accuracy (defensible labels) or macro-F1.

    Afterwards `FieldClassifier.load(models)` gives the candidate. Raises `LearningError` with
    `worse_on_evaluation` (nothing changes) or `no_evaluation_rows`.
    """
    if not rows:
        raise LearningError("no_evaluation_rows", "a candidate is not accepted unmeasured")
    before = measure(current, rows)
    after = measure(type(current)(candidate.model, current.embedder), rows)
    # Half a row of slack for rounding of the macro mean; accuracy has none.
    if after.accuracy_alt < before.accuracy_alt or after.macro_f1 < before.macro_f1 - 0.5 / len(rows):
        raise LearningError(
            "worse_on_evaluation",
            f"accuracy_alt {before.accuracy_alt:.4f} -> {after.accuracy_alt:.4f}, "
            f"macro_f1 {before.macro_f1:.4f} -> {after.macro_f1:.4f}",
        )
    _take_into_use(candidate, models, current.embedder.name)
    return Acceptance(before, after)


def own_rows() -> list[FieldRow]:
    """The labelled rows that every candidate is measured on: written for this, never trained on."""
    text = files("core.fields").joinpath("own_rows.jsonl").read_text("utf-8")
    rows = map(json.loads, text.splitlines())
    return [FieldRow(row["text"], row["field"], frozenset(row.get("field_alt", ()))) for row in rows]


def measure(classifier: FieldClassifier, rows: Sequence[FieldRow]) -> FieldScore:
    """Score a classifier on labelled rows."""
    return score_fields(rows, answers_of(classifier, [row.text for row in rows]))


def answers_of(classifier: FieldClassifier, texts: Sequence[str]) -> list[Answer]:
    """What a classifier says, in the form that measuring takes."""
    guesses = classifier.classify_many(texts)
    return [Answer(g.code, g.confidence, tuple(code for code, _ in g.ranking)) for g in guesses]


def forget(models: Path, embedder_name: str) -> None:
    """Go back to the plain model; the accepted candidates stay on disk until they are removed."""
    (models / f"{model_folder(models, embedder_name).name}.{_POINTER}").unlink(missing_ok=True)


def _take_into_use(candidate: Candidate, models: Path, embedder_name: str) -> None:
    plain = model_folder(models, embedder_name)
    folder = plain.with_name(f"{plain.name}-{candidate.digest}")
    put_folder(candidate.model, folder)
    pointer = models / f"{plain.name}.{_POINTER}"
    scratch = pointer.with_name(f".{pointer.name}.{os.getpid()}")
    scratch.write_text(json.dumps({"folder": folder.name}), encoding="utf-8")
    scratch.replace(pointer)
