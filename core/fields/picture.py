"""The confusion matrix of a measurement as an SVG picture, written without any drawing library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from html import escape

from core.fields.catalogue import field_label
from core.fields.evaluation import Answer, FieldRow

_CELL, _LEFT, _TOP = 34, 250, 200
_UNDECIDED = "chờ phân loại"


def confusion_svg(rows: Sequence[FieldRow], answers: Sequence[Answer], *, title: str) -> str:
    """Labels down, answers across; a right answer is green, a defensible one blue, a wrong one red."""
    pairs = Counter((r.code, a.code or "") for r, a in zip(rows, answers, strict=True))
    defended = {
        (r.code, a.code or "") for r, a in zip(rows, answers, strict=True) if (a.code or "") in r.accepted
    }
    codes = sorted({r.code for r in rows} | {a.code or "" for a in answers})
    names = {code: field_label(code) or _UNDECIDED for code in codes}
    return matrix_svg(names, pairs, defended, title=title)


def matrix_svg(
    names: Mapping[str, str],
    pairs: Mapping[tuple[str, str], int],
    defended: Set[tuple[str, str]],
    *,
    title: str,
) -> str:
    """Counts of `(label, answer)` in the order of `names`, which says how each is written."""
    codes = list(names)
    size = _CELL * len(codes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + size + 20}" height="{_TOP + size + 20}" '
        'font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="24" font-size="16">{escape(title)}</text>',
    ]
    for at, code in enumerate(codes):
        middle = at * _CELL + _CELL // 2
        name = escape(names[code])
        parts.append(f'<text x="{_LEFT - 8}" y="{_TOP + middle + 5}" text-anchor="end">{name}</text>')
        x, y = _LEFT + middle + 5, _TOP - 8
        parts.append(f'<text transform="translate({x},{y}) rotate(-60)">{name}</text>')
    for down, label in enumerate(codes):
        for across, answer in enumerate(codes):
            count = pairs.get((label, answer), 0)
            parts += _cell(across, down, count, _colour(label, answer, defended=(label, answer) in defended))
    return "\n".join([*parts, "</svg>", ""])


def _colour(label: str, answer: str, *, defended: bool) -> str:
    if label == answer:
        return "#2e8b57"
    return "#4a7fc1" if defended else "#c0392b"


def _cell(across: int, down: int, count: int, colour: str) -> list[str]:
    x, y = _LEFT + across * _CELL, _TOP + down * _CELL
    shade = 0.25 + 0.75 * min(count, 10) / 10 if count else 0
    box = f'width="{_CELL}" height="{_CELL}" fill="{colour}" fill-opacity="{shade:.2f}" stroke="#ddd"'
    parts = [f'<rect x="{x}" y="{y}" {box}/>']
    if count:
        middle = f'x="{x + _CELL // 2}" y="{y + _CELL // 2 + 5}"'
        parts.append(f'<text {middle} text-anchor="middle">{count}</text>')
    return parts
