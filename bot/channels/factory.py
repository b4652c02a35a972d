"""Make the channels that the settings configure."""

from __future__ import annotations

from collections.abc import Callable

from bot.channels.telegram import TelegramChannel
from bot.channels.zalo_bot import ZaloBotChannel
from bot.channels.zalo_oa import ZaloOAChannel
from core.outbox.port import Channel, ChannelName, TokenStore
from core.settings import Settings


def make_channels(
    settings: Settings, token_store_for: Callable[[str], TokenStore]
) -> dict[ChannelName, Channel]:
    """One channel for each platform with keys; `token_store_for` takes the OA's id."""
    channels: dict[ChannelName, Channel] = {}
    if token := settings.telegram_token.get_secret_value():
        channels[ChannelName.TELEGRAM] = TelegramChannel(
            token,
            base_url=settings.telegram_base_url,
            webhook_secret=settings.telegram_webhook_secret.get_secret_value(),
            paid_per_second=settings.telegram_paid_messages_per_second,
        )
    if settings.zalo_oa_app_id and settings.zalo_oa_id:
        channels[ChannelName.ZALO_OA] = ZaloOAChannel(
            app_id=settings.zalo_oa_app_id,
            app_secret=settings.zalo_oa_app_secret.get_secret_value(),
            oa_secret_key=settings.zalo_oa_secret_key.get_secret_value(),
            oa_id=settings.zalo_oa_id,
            base_url=settings.zalo_oa_base_url,
            oauth_base_url=settings.zalo_oauth_base_url,
            store=token_store_for(settings.zalo_oa_id),
            first_refresh_token=settings.zalo_oa_refresh_token.get_secret_value(),
            messages_per_minute=settings.zalo_oa_messages_per_minute,
            template_id=settings.zalo_oa_template_id,
        )
    if token := settings.zalo_bot_token.get_secret_value():
        channels[ChannelName.ZALO_BOT] = ZaloBotChannel(
            token,
            base_url=settings.zalo_bot_base_url,
            webhook_secret=settings.zalo_bot_webhook_secret.get_secret_value(),
            monthly_quota=settings.zalo_bot_monthly_quota,
        )
    return channels
