"""`nghedan evaluate intents`: the intents of the Rasa room beside Rasa's default pipeline.

Rasa lives in an environment of its own and is asked through `nlu/parse.py`.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from sklearn.metrics import f1_score

from bot.cli.console import fail, note, print_json
from bot.cli.evaluation_rows import note_lines, read_rows, text_of
from core.fields.picture import matrix_svg
from core.places.tokens import without_marks

ROOT = Path(__file__).resolve().parents[2]
LABELS = (
    "greet", "goodbye", "thank", "affirm", "deny", "raise_concern", "ask_status", "ask_sessions", "subscribe",
    "unsubscribe", "ask_help", "support_existing", "withdraw", "chitchat", "abuse", "out_of_scope",
)  # fmt: skip
# The dialogue tells more apart than the labels do.
_COARSE = {
    "ask_human": "ask_help",
    "data_rights": "ask_help",
    "ask_bot": "chitchat",
    "erase_data": "withdraw",
    "edit_concern": "withdraw",
    "provide_place": "raise_concern",
    "choose": "affirm",
    "nlu_fallback": "out_of_scope",
}
_OTHER = "chitchat|out_of_scope"
_CHAT = {
    "không": "ko k kg hok hông", "được": "dc đc", "gì": "j", "vậy": "z zậy", "với": "vs", "rồi": "r rùi",
    "tôi": "tui", "mình": "mk mik", "người": "ng", "như thế nào": "ntn", "nhiều": "nhìu", "nước": "nc",
    "đường": "đg", "điện thoại": "đt", "biết": "bít bik", "cảm ơn": "tks thanks", "thông báo": "tb",
    "quá": "wá", "cũng": "cx cg", "trả lời": "tl rep", "hôm nay": "hnay", "hôm qua": "hqua", "bao giờ": "bh",
    "giúp": "júp", "cán bộ": "cb", "ủy ban": "ub", "ý kiến": "yk", "trước": "trc", "mọi người": "mn",
    "công ty": "cty", "giấy phép lái xe": "gplx", "làm": "lm", "vấn đề": "vđ", "mới": "ms", "tin nhắn": "tn",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class IntentRow:
    """A message and its label."""

    text: str
    intent: str


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("intents", help="Hiểu ý định: {text, intent}.")(intents)


def intents(
    data: Annotated[Path, typer.Option(help="Tệp JSON Lines.", exists=True, dir_okay=False)],
    strip_diacritics: Annotated[
        bool, typer.Option("--strip-diacritics", help="Bỏ dấu trước khi đo.")
    ] = False,
    teencode: Annotated[
        bool, typer.Option("--teencode", help="Viết tắt kiểu nhắn tin trước khi đo.")
    ] = False,
    picture: Annotated[
        Path | None, typer.Option(help="Vẽ ma trận nhầm lẫn vào tệp SVG này.", dir_okay=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Ask the trained model and the baseline; both are trained when missing (the baseline takes minutes)."""
    file = read_rows(data, intent_row)
    texts = [_changed(row.text, strip=strip_diacritics, chat=teencode) for row in file.rows]
    right = [row.intent for row in file.rows]
    ours = _ask(texts, baseline=False)
    score = score_intents(right, ours)
    wrong = [
        line
        for line, label, answer in zip(file.lines, right, ours, strict=True)
        if merged(label) != merged(coarse(answer["intent"]))
    ]
    if picture is not None:
        picture.write_text(intents_svg(right, ours), "utf-8")
    baseline = score_intents(right, _ask(texts, baseline=True))
    _tell("Mô hình", score)
    _tell("Mốc so sánh (Rasa mặc định)", baseline)
    note_lines("Sai", wrong)
    if as_json:
        print_json({**score, "baseline": baseline, "bad_lines": file.bad_lines()})


def intent_row(row: dict[str, Any]) -> IntentRow:
    """A labelled row. Raises `ValueError`."""
    text = text_of(row)
    if row.get("intent") not in LABELS:
        raise ValueError("«intent» không phải ý định đã biết")
    return IntentRow(text, row["intent"])


def coarse(intent: str | None) -> str:
    """The label of an intent of the dialogue; what was not understood is out of scope."""
    name = intent or "nlu_fallback"
    return _COARSE.get(name, name)


def merged(label: str) -> str:
    """Chit-chat and out of scope as one: the bot answers both with what it can do."""
    return _OTHER if label in ("chitchat", "out_of_scope") else label


def to_teencode(text: str) -> str:
    """Chat spellings by rule, chosen by the text itself: the same text always becomes the same."""
    rng = random.Random(text)
    for word, spellings in _CHAT.items():
        chosen = rng.choice(spellings.split())
        text = re.sub(rf"(?<!\w){word}(?!\w)", chosen, text, flags=re.IGNORECASE)
    return text


def _changed(text: str, *, strip: bool, chat: bool) -> str:
    text = to_teencode(text) if chat else text
    return without_marks(text) if strip else text


def _ask(texts: list[str], *, baseline: bool) -> list[dict[str, Any]]:
    python = ROOT / "nlu" / ".venv" / "bin" / "python"
    if not python.exists():
        fail("evaluate.no_rasa", "Chưa có môi trường Rasa (nlu/.venv). Chạy: make setup")
    command = [str(python), "nlu/parse.py", *(["--baseline"] if baseline else [])]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(texts).encode(), stdout=subprocess.PIPE)
    if done.returncode != 0:
        fail("evaluate.rasa_failed", "Rasa không trả lời")
    answers: list[dict[str, Any]] = json.loads(done.stdout)["predictions"]
    return answers


def score_intents(right: list[str], answers: list[dict[str, Any]]) -> dict[str, Any]:
    """The measures of issue 6's command; macro-F1 runs over the labels that the rows have."""
    said = [coarse(answer["intent"]) for answer in answers]
    spent = [answer["ms"] for answer in answers] or [0.0]
    both, both_said = [merged(x) for x in right], [merged(x) for x in said]
    return {
        "n": len(right),
        "accuracy": _share(right, said),
        "macro_f1": _macro(right, said),
        "merged_accuracy": _share(both, both_said),
        "merged_macro_f1": _macro(both, both_said),
        "per_intent": {label: _one(label, right, said) for label in sorted(set(right))},
        "confusions": [
            {"intent": a, "said": b, "count": count}
            for (a, b), count in Counter(zip(right, said, strict=True)).most_common()
            if a != b
        ],
        "ms_p50": round(float(np.percentile(spent, 50)), 1),
        "ms_p95": round(float(np.percentile(spent, 95)), 1),
    }


def intents_svg(right: list[str], answers: list[dict[str, Any]]) -> str:
    """The confusion matrix; small talk and out of scope taken for each other is no harm."""
    pairs = Counter(zip(right, [coarse(answer["intent"]) for answer in answers], strict=True))
    names = {label: label for label in LABELS if any(label in pair for pair in pairs)}
    harmless = {pair for pair in pairs if merged(pair[0]) == merged(pair[1])}
    return matrix_svg(names, pairs, harmless, title=f"Ý định, {len(right)} dòng")


def _share(right: list[str], said: list[str]) -> float:
    return round(sum(a == b for a, b in zip(right, said, strict=True)) / max(1, len(right)), 4)


def _macro(right: list[str], said: list[str]) -> float:
    labels = sorted(set(right))
    return (
        round(float(f1_score(right, said, labels=labels, average="macro", zero_division=0)), 4)
        if labels
        else 0.0
    )


def _one(label: str, right: list[str], said: list[str]) -> dict[str, float | int]:
    hits = sum(a == b == label for a, b in zip(right, said, strict=True))
    have, gave = right.count(label), said.count(label)
    return {
        "n": have,
        "recall": round(hits / have, 4),
        "precision": round(hits / gave, 4) if gave else 0.0,
        "f1": round(2 * hits / (have + gave), 4),
    }


def _tell(name: str, score: dict[str, Any]) -> None:
    note(
        f"{name}: {score['n']} dòng; đúng {score['accuracy']:.3f} (gộp {score['merged_accuracy']:.3f}), macro-F1 "
        f"{score['macro_f1']:.3f} (gộp {score['merged_macro_f1']:.3f}); {score['ms_p50']} ms, p95 {score['ms_p95']} ms"
    )
