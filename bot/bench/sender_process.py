"""`python -m bot.bench.sender_process CHANNEL`: the app's sender by itself, set up by the environment."""

from __future__ import annotations

import asyncio
import signal
import sys

from bot.app import holder_name
from bot.channels.factory import make_channels
from bot.logs import configure
from bot.sender import Sender
from bot.tokens import DatabaseTokenStore
from core.outbox.port import ChannelName
from core.outbox.tariff import tariff_of
from core.settings import Settings
from storage.database import Database


async def _run(channel: ChannelName) -> None:
    settings = Settings()
    configure(settings.log_level)
    database = Database(settings.resolved_database_url)
    holder = holder_name(settings)
    channels = make_channels(
        settings,
        lambda account_id: DatabaseTokenStore(
            database, channel=ChannelName.ZALO_OA, account_id=account_id, holder=holder
        ),
    )
    task = asyncio.create_task(
        Sender(database, channels[channel], holder=holder, tariff=tariff_of(channel, settings)).run()
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.gather(task, return_exceptions=True)
    await channels[channel].close()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_run(ChannelName(sys.argv[1])))
