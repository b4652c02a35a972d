"""The action server: loopback (or an internal network) only, one process."""

from __future__ import annotations

import argparse
import logging
import os

from rasa_sdk.endpoint import create_app

from actions.steps import make_executor
from core.bootstrap import make_services
from core.settings import Settings


def main() -> None:
    """Serve the actions until told to stop."""
    parser = argparse.ArgumentParser(description="Máy chủ hành động của Nghe Dân")
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    settings = Settings()
    logging.basicConfig(level=settings.log_level)
    # Sanic's access log and request dumps carry what people wrote.
    logging.getLogger("sanic").setLevel(logging.WARNING)
    services = make_services(settings)
    services.reader.read("khởi động")  # Load the models before the first citizen waits for them.
    app = create_app(make_executor(services))
    app.run(
        host=options.host,
        port=settings.actions_port,
        single_process=True,
        motd=False,
        access_log=False,
        debug=False,
    )


if __name__ == "__main__":
    os.environ.setdefault("SANIC_NO_UVLOOP", "true")
    main()
