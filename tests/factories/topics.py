"""Concerns with themes and vectors as rows, for grouping without a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import func, insert, select

from core.intake.concerns import text_key
from core.text.normal import fold
from storage.database import Database
from storage.models import Citizen, Concern, ConcernVector, Contact

WORDS = {
    "giao_thong/duong": "Đường vào thôn {n} hỏng nặng",
    "moi_truong/rac": "Rác ở chợ thôn {n} không ai thu gom",
    "y_te/tram_y_te": "Trạm y tế thôn {n} thiếu thuốc",
}
_DIM = 8


def tell(
    database: Database, themes: Sequence[str], *, session_id: int, unit_code: str, now: datetime
) -> list[int]:
    """One concern of a person of its own for each theme; returns their ids."""
    with database.write() as session:
        first = (session.scalar(select(func.max(Concern.id))) or 0) + 1
        ids = list(range(first, first + len(themes)))
        session.execute(
            insert(Citizen),
            [{"id": i, "consent": "granted", "unit_code": unit_code, "created_at": now} for i in ids],
        )
        session.execute(
            insert(Contact),
            [
                {
                    "id": i, "channel": "simulator", "account_id": "a", "external_id": f"t{i}", "citizen_id": i,
                    "dialogue": {}, "created_at": now,
                }
                for i in ids
            ],
        )  # fmt: skip
        texts = [WORDS[theme].format(n=i) for i, theme in zip(ids, themes, strict=True)]
        session.execute(
            insert(Concern),
            [
                {
                    "id": i, "code": f"LC-26-{i:05d}", "citizen_id": i, "contact_id": i, "unit_code": unit_code,
                    "session_id": session_id, "state": "received", "text": text, "folded": fold(text),
                    "text_key": text_key(text), "field_code": theme.partition("/")[0], "door": "normal",
                    "door_reasons": [], "created_at": now, "submitted_at": now + timedelta(minutes=i),
                }
                for i, theme, text in zip(ids, themes, texts, strict=True)
            ],
        )  # fmt: skip
        session.execute(
            insert(ConcernVector),
            [
                {"concern_id": i, "model": "plain", "vector": vector_of(theme, i), "themes": [[theme, 0.9]]}
                for i, theme in zip(ids, themes, strict=True)
            ],
        )
    return ids


def vector_of(theme: str, number: int) -> bytes:
    """Near its theme's direction, a little different for every number."""
    row = np.random.default_rng(number).normal(scale=0.2, size=_DIM)
    row[list(WORDS).index(theme)] += 1.0
    return (row / np.linalg.norm(row)).astype("<f4").tobytes()
