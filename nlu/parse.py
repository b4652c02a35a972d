"""Intents of many texts, for measuring: a JSON list of texts on stdin, one JSON object on stdout.

Answers `{"predictions": [{"intent", "confidence", "ms"}]}`. `--baseline` asks Rasa's default pipeline instead,
trained on the same examples and kept by the hash of its inputs. Models are trained when missing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from quiet import quiet  # noqa: E402
from train import MODELS, say  # noqa: E402

BASELINE = HERE / "baseline.yml"


def our_model() -> Path:
    """The model in use; a process of its own trains it, so that its memory is free again."""
    done = subprocess.run([sys.executable, str(HERE / "train.py")], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    return Path(done.stdout.strip())


def baseline_model() -> Path:
    """Rasa's default pipeline on our training examples."""
    from training.generate import write

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "nlu.yml"
        count = write(data)
        digest = hashlib.sha256(data.read_bytes() + BASELINE.read_bytes() + (HERE / "uv.lock").read_bytes())
        target = MODELS / f"baseline-{digest.hexdigest()[:16]}.tar.gz"
        if target.exists():
            return target
        say(f"Mốc so sánh: huấn luyện DIET trên {count} câu (chỉ lần đầu, nhiều phút)…")
        from rasa.model_training import train_nlu

        with contextlib.redirect_stdout(sys.stderr):
            made = train_nlu(str(BASELINE), str(data), folder, fixed_model_name="baseline")
        if made is None:
            raise SystemExit("training of the baseline failed")
        MODELS.mkdir(parents=True, exist_ok=True)
        for old in MODELS.glob("baseline-*.tar.gz"):
            old.unlink()
        part = target.with_suffix(".part")
        part.write_bytes(Path(made).read_bytes())
        part.replace(target)
    return target


async def parse(model: Path, texts: list[str]) -> list[dict[str, Any]]:
    """Every text on its own, timed, as the server would get it."""
    from rasa.core.agent import Agent

    agent = Agent.load(model)
    await agent.parse_message("khởi động")
    found = []
    for text in texts:
        start = time.perf_counter()
        # As our channel does: Rasa would take "/…" for an intent's name.
        intent = (await agent.parse_message(text.lstrip("/ \n\t") or "?"))["intent"]
        spent = (time.perf_counter() - start) * 1000
        found.append({"intent": intent["name"], "confidence": intent["confidence"], "ms": round(spent, 2)})
    return found


def main() -> None:
    """Read, parse, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", action="store_true")
    options = parser.parse_args()
    texts = json.loads(sys.stdin.buffer.read())
    os.chdir(HERE)
    quiet()
    model = baseline_model() if options.baseline else our_model()
    with contextlib.redirect_stdout(sys.stderr):
        predictions = asyncio.run(parse(model, texts))
    print(json.dumps({"predictions": predictions}))


if __name__ == "__main__":
    main()
