"""Run one program of the app: its roles decide whether it serves HTTP or only works."""

from __future__ import annotations

import asyncio
import signal

import uvicorn

from bot import logs
from bot.app import build, make_app, running
from core.settings import Settings


def main() -> None:
    """Work until told to stop."""
    settings = Settings()
    logs.configure(settings.log_level)
    if "gateway" in settings.role_names:
        _serve(settings)
    else:
        asyncio.run(_work(settings))


def _serve(settings: Settings) -> None:
    uvicorn.run(
        make_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
    )


async def _work(settings: Settings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with running(build(settings)):
        await stopped.wait()


if __name__ == "__main__":
    main()
