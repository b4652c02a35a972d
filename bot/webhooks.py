"""Webhook addresses: entered at the platforms when there is a public address, removed before polling."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from core.outbox.port import Channel, ChannelName, SendError, WebhookOwner

log = structlog.get_logger("nghedan.webhooks")

PATHS: Mapping[ChannelName, str] = {
    ChannelName.TELEGRAM: "/webhooks/telegram",
    ChannelName.ZALO_OA: "/webhooks/zalo-oa",
    ChannelName.ZALO_BOT: "/webhooks/zalo-bot",
}
_RETRY_S = 30.0
# Somebody may enter another address by hand; ours comes back within the hour.
_AGAIN_S = 3600.0


class WebhookRegistration:
    """Keeps one channel's webhook at `public_url`; a platform that is away is asked again."""

    def __init__(self, channel: Channel, *, public_url: str, retry_s: float = _RETRY_S) -> None:
        self._channel = channel
        self._url = public_url.rstrip("/") + PATHS[channel.name]
        self._retry_s = retry_s

    async def run(self) -> None:
        """Register until cancelled."""
        assert isinstance(self._channel, WebhookOwner)
        while True:
            try:
                await self._channel.register_webhook(self._url)
            except SendError as error:
                log.warning("webhook not registered", channel=self._channel.name, reason=str(error))
                await asyncio.sleep(self._retry_s)
            else:
                log.info("webhook registered", channel=self._channel.name)
                await asyncio.sleep(_AGAIN_S)


async def stop_webhook(channel: Channel) -> None:
    """Remove the channel's webhook: a platform that pushes refuses to be polled. Raises `SendError`."""
    if isinstance(channel, WebhookOwner):
        await channel.remove_webhook()
