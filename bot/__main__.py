"""Run the app process: gateway, turns, senders and jobs."""

from __future__ import annotations

import uvicorn

from bot import logs
from bot.app import make_app
from core.settings import Settings


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    logs.configure(settings.log_level)
    uvicorn.run(
        make_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
