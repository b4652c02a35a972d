"""How long a regrouping takes, and adding one concern, on vectors shaped like real ones.

The texts are wordings of our own templates. Their vectors are the embeddings of such wordings, drawn towards a second
one of the same theme and shaken a little, so that a million of them need not be embedded; the time of embedding is
measured on a sample. Regrouping is everything but storage: groups, identities, staff's edits, labels, ranking.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from core.fields import FieldClassifier
from core.fields.generator import Example, generate
from core.people import units
from core.people.units import UnitFacts
from core.sessions import lifecycle
from core.text.embedding import Vectors, unit_rows
from core.text.normal import fold
from core.topics import baseline, newcomer
from core.topics.arrange import Arranged, Told, arrange
from core.topics.identity import Kept
from core.topics.ranking import Voice
from core.topics.themes import ThemeModel
from core.topics.vocabulary import theme_of
from storage.database import Database
from storage.migrate import upgrade
from storage.models import Citizen, Concern, Contact, Topic

_NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
_COMMUNES = 99
_SAMPLE = 200
_NEWCOMERS = 300
_BASELINE_SIZE = 20_000
_EDITED = 0.02
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class GroupingFigures:
    """`ratio` is the baseline's time per concern over ours; the baseline runs on `baseline_size` of the concerns."""

    size: int
    topics: int
    seconds: float
    embed_seconds: float
    peak_mb: float
    incremental_ms_p95: float
    baseline_seconds: float
    baseline_size: int
    ratio: float

    def as_json(self) -> dict[str, Any]:
        """The keys of the command."""
        return asdict(self)


def measure(
    fields: FieldClassifier, themes: ThemeModel, *, size: int, seed: int, say: Progress
) -> GroupingFigures:
    """Make `size` concerns, group them twice (the second time with edits to obey), add some one by one."""
    say(f"Tạo {size} ý kiến…")
    told, vectors = _concerns(fields, themes, size=size, seed=seed)
    embed_seconds = _embedding_time(fields, told) * size
    say("Gộp lần đầu…")
    first = arrange(told, vectors, kept=Kept(), now=_NOW)
    kept = _edited(first, seed=seed)
    say(f"Được {len(first)} nội dung; gộp lại, giữ nguyên {len(kept.pinned)} ý kiến đã sửa tay…")
    started = time.perf_counter()
    again = arrange(told, vectors, kept=kept, now=_NOW)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say("Thêm từng ý kiến…")
    incremental = _incremental(again, told, vectors)
    few = min(size, _BASELINE_SIZE)
    say(f"Mốc so sánh (TF-IDF, HDBSCAN) trên {few} ý kiến…")
    started = time.perf_counter()
    baseline.tfidf_hdbscan([one.text for one in told[:few]], seed=seed)
    plain = time.perf_counter() - started
    return GroupingFigures(
        size,
        len(again),
        round(seconds, 3),
        round(embed_seconds, 1),
        round(peak, 1),
        round(incremental, 2),
        round(plain, 3),
        few,
        round((plain / few) / (seconds / size), 1),
    )


def _concerns(
    fields: FieldClassifier, themes: ThemeModel, *, size: int, seed: int
) -> tuple[list[Told], Vectors]:
    """Concerns in a shuffled order with whitened vectors; a tenth have no sure theme, as in real ones."""
    random = np.random.default_rng(seed)
    examples = _wordings(fields.model.codes, size=size, seed=seed)
    raw = fields.model.vectors
    lines: dict[str, list[int]] = {}
    sources = list(generate(fields.model.codes, rounds=1, seed=7))
    for row, source in enumerate(sources[: len(raw)]):
        lines.setdefault(theme_of(source) or source.field, []).append(row)
    names = [theme_of(example) or example.field for example in examples]
    one = np.array([random.choice(lines[name]) for name in names])
    other = np.array([random.choice(lines[name]) for name in names])
    white = themes.whitener.apply(raw).astype(np.float32)
    vectors = unit_rows(0.7 * white[one] + 0.3 * white[other])
    for start in range(0, size, 50_000):  # In parts: the noise of a million rows would double the memory.
        part = vectors[start : start + 50_000]
        part += random.normal(scale=0.02, size=part.shape).astype(np.float32)
    vectors = unit_rows(vectors)
    chances = random.beta(4, 2, size=size)
    days = random.integers(0, 30, size=size)
    told = [
        Told(
            n + 1,
            example.text,
            example.field,
            ((name, float(chance)),) if "/" in name else (),
            Voice(
                frozenset({n + 1}),
                fold(example.text),
                f"{10_000 + n % _COMMUNES}",
                _NOW - timedelta(days=int(day)),
            ),
        )
        for n, (example, name, chance, day) in enumerate(zip(examples, names, chances, days, strict=True))
    ]
    return told, vectors


def _wordings(codes: tuple[str, ...], *, size: int, seed: int) -> list[Example]:
    """`size` wordings, repeated when the templates have no more different ones."""
    rounds = 1 + size // 1_800
    made = list(generate(codes, rounds=min(rounds, 40), seed=seed + 1))
    bare = [example for example in made if theme_of(example) is None]
    made = [example for example in made if theme_of(example)]
    made += bare[: len(made) // 10]
    order = np.random.default_rng(seed).permutation(max(size, len(made)))[:size] % len(made)
    return [made[int(n)] for n in order]


def _embedding_time(fields: FieldClassifier, told: list[Told]) -> float:
    """Seconds for one text, themes included, on a sample."""
    texts = [one.text for one in told[:_SAMPLE]]
    started = time.perf_counter()
    fields.embedder.embed([fields.read(text).text for text in texts])
    return (time.perf_counter() - started) / max(1, len(texts))


def _edited(arranged: list[Arranged], *, seed: int) -> Kept:
    """As stored, with the first of every fifty topics pinned and locked by staff."""
    placed = {concern: number for number, one in enumerate(arranged, 1) for concern in one.members}
    step = max(1, int(1 / _EDITED))
    shaped = frozenset(range(1 + seed % step, len(arranged) + 1, step))
    pinned = frozenset(concern for concern, topic in placed.items() if topic in shaped)
    return Kept(placed, pinned, frozenset(sorted(shaped)[::2]))


def _incremental(arranged: list[Arranged], told: list[Told], vectors: Vectors) -> float:
    """Milliseconds, 95th percentile, of placing newcomers into these topics on SQLite, one transaction each."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        upgrade(url)
        database = Database(url)
        try:
            return _timed_newcomers(database, arranged, told, vectors)
        finally:
            database.dispose()


def _timed_newcomers(
    database: Database, arranged: list[Arranged], told: list[Told], vectors: Vectors
) -> float:
    few = min(_NEWCOMERS, len(told))
    with database.write() as session:
        units.seed(session, [UnitFacts("15", "Tỉnh Lào Cai", "tinh", None)])
        made = lifecycle.create(
            session, unit_code="15", title="Đo", held_at=_NOW + timedelta(days=20),
            collects_until=_NOW + timedelta(days=10), place="", chair="", now=_NOW,
        )  # fmt: skip
        session.add(Citizen(id=1, consent="granted", unit_code="15", created_at=_NOW))
        session.flush()
        session.add(
            Contact(
                id=1,
                channel="simulator",
                account_id="b",
                external_id="b",
                citizen_id=1,
                dialogue={},
                created_at=_NOW,
            )
        )
        session.flush()
        session.add_all(
            Concern(
                id=n + 1, citizen_id=1, contact_id=1, unit_code="15", session_id=made.id, state="received",
                text=told[n].text, text_key=str(n), folded="", door="normal", door_reasons=[], created_at=_NOW,
            )
            for n in range(few)
        )  # fmt: skip
        session.add_all(
            Topic(
                session_id=made.id, field_code=one.field_code, label=one.label, theme=one.theme, facts={},
                centroid=one.centroid.astype("<f4").tobytes(), created_at=_NOW,
            )
            for one in arranged
        )  # fmt: skip
        session_id = made.id
    spent: list[float] = []
    for n in range(few):
        started = time.perf_counter()
        with database.write() as session:
            newcomer.place(
                session, session_id=session_id, concern_id=n + 1, text=told[n].text, themes=told[n].themes,
                vector=vectors[n], field_code=told[n].field_code, placed_by="bench", now=_NOW,
            )  # fmt: skip
        spent.append(1000 * (time.perf_counter() - started))
    return float(np.percentile(spent, 95))
