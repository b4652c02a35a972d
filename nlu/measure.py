"""Measure the classifier on left-out seeds and templates: which weight of the views, which fallback threshold.

Every example of a left-out seed or template is unseen, so this is harder than a message of a known kind.
Prints one JSON object; `--folds` times the whole training (about two minutes each, plus the vectors once).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from quiet import quiet  # noqa: E402
from train import say  # noqa: E402

quiet()
from components.blended_classifier import TwoViews  # noqa: E402
from components.e5_featurizer import E5Featurizer  # noqa: E402
from components.folding_tokenizer import FoldingTokenizer  # noqa: E402
from rasa.shared.nlu.constants import TEXT  # noqa: E402
from rasa.shared.nlu.training_data.message import Message  # noqa: E402
from sklearn.metrics import f1_score  # noqa: E402
from training.generate import unique_examples  # noqa: E402

_WEIGHTS = (1.0, 0.9, 0.8, 0.7, 0.5, 0.0)
_THRESHOLDS = (0.0, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)


def folds_of(groups: list[str], folds: int) -> list[set[str]]:
    """Groups dealt into folds, the same on every run."""
    names = sorted(set(groups))
    random.Random(3).shuffle(names)
    return [set(names[i::folds]) for i in range(folds)]


def measure(folds: int, share: int) -> dict[str, Any]:
    """Right answers by weight of the folded view, and by threshold at the configured weight."""
    rows = list(unique_examples())
    texts = [text for text, _intent, _group in rows]
    intents = np.array([intent for _text, intent, _group in rows])
    groups = [group for _text, _intent, group in rows]
    messages = [Message({TEXT: text}) for text in texts]
    tokenizer = FoldingTokenizer(FoldingTokenizer.get_default_config())
    tokens = [" ".join(t.text for t in tokenizer.tokenize(m, TEXT)) for m in messages]
    say(f"{len(texts)} câu: tính véc-tơ…")
    E5Featurizer("e5", E5Featurizer.get_default_config()).process(messages)
    vectors = np.vstack([m.get_dense_features(TEXT, [])[1].features for m in messages])
    said: dict[float, list[str]] = {weight: [] for weight in _WEIGHTS}
    sure: list[float] = []
    right: list[str] = []
    for number, held in enumerate(folds_of(groups, share)[:folds], 1):
        say(f"Phần {number}/{folds}…")
        seen = [i for i, group in enumerate(groups) if group not in held]
        unseen = [i for i, group in enumerate(groups) if group in held]
        model = TwoViews(0.8).fit([tokens[i] for i in seen], vectors[seen], list(intents[seen]))
        names = np.array(model.intents)
        for weight in _WEIGHTS:
            model.words_weight = model.plain_weight = weight
            plain = np.zeros(len(unseen), dtype=bool)
            found = model.probabilities([tokens[i] for i in unseen], vectors[unseen], plain)
            said[weight] += list(names[found.argmax(axis=1)])
            if weight == 0.8:
                sure += list(found.max(axis=1))
        right += list(intents[unseen])
    hits = np.array(said[0.8]) == np.array(right)
    return {
        "left_out": len(right),
        "weights": {
            str(weight): {
                "accuracy": round(float(np.mean(np.array(answers) == np.array(right))), 3),
                "macro_f1": round(float(f1_score(right, answers, average="macro")), 3),
            }
            for weight, answers in said.items()
        },
        "thresholds": {
            str(limit): {
                "refused": round(float(np.mean(np.array(sure) < limit)), 3),
                "right_of_refused": round(float(hits[np.array(sure) < limit].mean()), 3)
                if (np.array(sure) < limit).any()
                else None,
            }
            for limit in _THRESHOLDS
        },
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=1, help="how many of the folds to run")
    parser.add_argument("--share", type=int, default=6, help="into how many folds the groups are dealt")
    options = parser.parse_args()
    print(json.dumps(measure(options.folds, options.share)))


if __name__ == "__main__":
    main()
