"""Start the Rasa server on loopback with our channel only: no HTTP API, no telemetry, no conversations kept."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Serve the newest trained model until told to stop."""
    parser = argparse.ArgumentParser(description="Rasa of Nghe Dân")
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--bare", action="store_true", help="the stock REST channel, for comparing only")
    options = parser.parse_args()
    os.chdir(HERE)
    sys.path.insert(0, str(HERE))
    from quiet import quiet
    from train import MODELS, inputs_hash

    quiet()
    # Before anything loads the embedder: its threads spin, which beside other programs costs seconds a message.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("NGHEDAN_RASA_LOCK_STORE", "in_memory")
    os.environ.setdefault("NGHEDAN_REDIS_HOST", "localhost")

    model = MODELS / f"{inputs_hash()}.tar.gz"
    if not model.exists():
        raise SystemExit("No trained model; run nlu/train.py first.")
    import rasa

    rasa.run(
        model=str(model),
        endpoints="bare/endpoints.yml" if options.bare else "endpoints.yml",
        credentials="bare/credentials.yml" if options.bare else "credentials.yml",
        interface=options.host,
        port=options.port,
        enable_api=False,
    )


if __name__ == "__main__":
    main()
