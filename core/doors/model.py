"""The door model: a linear classifier over the features of a message, trained here from the templates.

The file holds names and weights only (npz, no pickled objects) and is keyed by a hash of everything it was
trained from, so a change of the templates or of the features retrains it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.doors import samples
from core.doors.features import SOMEONE, WRONGS, features, find_ideas
from core.fields.catalogue import fields
from core.fields.generator import templates_digest
from core.text.normal import clean

Progress = Callable[[str], None]

PER_FAMILY = 150
SEED = 20261
_INVERSE_PENALTY = 1.0
_TRAINED_FROM = ("features.py", "samples.py", "model.py", "personal.py", "concepts.toml")


@dataclass(frozen=True, slots=True)
class DoorModel:
    """`weights` has one row a door and one column a feature (`columns` gives the column of a feature
    name).
    """

    doors: tuple[str, ...]
    columns: dict[str, int]
    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    def probabilities(self, values: dict[str, float]) -> dict[str, float]:
        """Door to probability; unknown features count nothing."""
        scores = self.intercepts.copy()
        for name, value in values.items():
            column = self.columns.get(name)
            if column is not None:
                scores += self.weights[:, column] * value
        scores = np.exp(scores - scores.max())
        scores /= scores.sum()
        return dict(zip(self.doors, scores.tolist(), strict=True))

    def pull(self, door: str, feature: str, value: float) -> float:
        """How far one feature pulls towards a door and away from normal."""
        column = self.columns.get(feature)
        if column is None:
            return 0.0
        toward = (
            self.weights[self.doors.index(door), column] - self.weights[self.doors.index("normal"), column]
        )
        return float(toward * value)

    def save(self, path: Path) -> None:
        """Write atomically: a reader never sees half a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        np.savez_compressed(
            partial,
            doors=np.array(self.doors),
            names=np.array(list(self.columns)),
            weights=self.weights.astype(np.float32),
            intercepts=self.intercepts,
        )
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> DoorModel:
        """Read a saved model; raises `FileNotFoundError`."""
        with np.load(path, allow_pickle=False) as stored:
            names = stored["names"].tolist()
            return cls(
                doors=tuple(stored["doors"].tolist()),
                columns={name: column for column, name in enumerate(names)},
                weights=stored["weights"].astype(np.float64),
                intercepts=stored["intercepts"],
            )


def train(chosen: list[samples.Sample]) -> DoorModel:
    """Fit the classifier on labelled messages (a second or two for ten thousand)."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    texts = [clean(sample.text) for sample in chosen]
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform([features(text, find_ideas(text)) for text in texts])
    classifier = LogisticRegression(C=_INVERSE_PENALTY, max_iter=500)
    classifier.fit(matrix, [sample.door for sample in chosen])
    return DoorModel(
        doors=tuple(str(door) for door in classifier.classes_),
        columns={str(name): column for column, name in enumerate(vectorizer.get_feature_names_out())},
        weights=classifier.coef_,
        intercepts=classifier.intercept_,
    )


def _blames(text: str) -> bool:
    """Whether a text names somebody in office and a wrong: it may be a denunciation, so it teaches nothing."""
    ideas = {hit.idea for hit in find_ideas(clean(text))}
    return not SOMEONE.isdisjoint(ideas) and not WRONGS.isdisjoint(ideas)


def key() -> str:
    """Hash of everything that the model is trained from."""
    digest = hashlib.sha256(version("scikit-learn").encode())
    digest.update(templates_digest(tuple(field.code for field in fields())).encode())
    package = files("core.doors")
    for name in _TRAINED_FROM:
        digest.update(package.joinpath(name).read_bytes())
    for entry in sorted(package.joinpath("training").iterdir(), key=lambda e: e.name):
        digest.update(entry.read_bytes())
    return digest.hexdigest()[:16]


def build(out_dir: Path, *, progress: Progress) -> Path:
    """Write the templates' messages, train on them and save the model in `out_dir`; about 10 s."""
    progress("Đang tạo dữ liệu nhận diện loại đơn thư…")
    chosen = list(samples.write(samples.families(), per_family=PER_FAMILY, seed=SEED))
    chosen += [sample for sample in samples.ordinary(seed=SEED) if not _blames(sample.text)]
    progress(f"Đang huấn luyện trên {len(chosen)} câu…")
    file = model_file(out_dir)
    train(chosen).save(file)
    return file


def model_file(out_dir: Path) -> Path:
    """Where the model of the present templates is, once it is built."""
    return out_dir / f"doors-{key()}.npz"


def ensure(out_dir: Path, progress: Progress) -> DoorModel:
    """The model of the present templates, built when it is not there yet."""
    file = model_file(out_dir)
    if not file.is_file():
        file = build(out_dir, progress=progress)
    return DoorModel.load(file)
