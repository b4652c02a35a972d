"""Train the Rasa model when its inputs changed; print the model's path.

Run with this folder's own Python. Progress goes to stderr, the path alone to stdout.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODELS = HERE / "models"
_INPUTS = ("config.yml", "domain.yml", "data/rules.yml", "uv.lock", "train.py")
_FOLDERS = ("components", "training")


def inputs_hash() -> str:
    """Changes whenever something that the model depends on does."""
    digest = hashlib.sha256()
    files = [HERE / name for name in _INPUTS]
    for folder in _FOLDERS:
        files += [p for p in sorted((HERE / folder).rglob("*")) if p.suffix in (".py", ".yml", ".txt")]
    for path in files:
        digest.update(path.relative_to(HERE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def say(text: str) -> None:
    """Progress for people."""
    print(text, file=sys.stderr, flush=True)


def train(target: Path) -> None:
    """Train into a temporary folder and move the finished model into place."""
    os.environ.setdefault("NGHEDAN_ACTIONS_URL", "http://127.0.0.1:5055")
    os.chdir(HERE)
    sys.path.insert(0, str(HERE))
    from quiet import quiet
    from training.generate import write

    quiet()

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        count = write(data / "nlu.yml")
        (data / "rules.yml").write_text((HERE / "data" / "rules.yml").read_text("utf-8"), "utf-8")
        say(f"Rasa: huấn luyện trên {count} câu (vài phút)…")
        import rasa

        with contextlib.redirect_stdout(sys.stderr):
            result = rasa.train(
                domain="domain.yml",
                config="config.yml",
                training_files=str(data),
                output=folder,
                fixed_model_name="model",
                force_training=True,
            )
        if result.code != 0 or result.model is None:
            raise SystemExit(f"Rasa training failed with code {result.code}")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        part.write_bytes(Path(result.model).read_bytes())
        part.replace(target)


def main() -> None:
    """Train if needed."""
    target = MODELS / f"{inputs_hash()}.tar.gz"
    if target.exists():
        say("Rasa: mô hình đã có sẵn.")
    else:
        train(target)
        for old in MODELS.glob("*.tar.gz"):
            if old != target and not old.name.startswith("baseline"):
                old.unlink()
        say("Rasa: huấn luyện xong.")
    print(target)


if __name__ == "__main__":
    main()
