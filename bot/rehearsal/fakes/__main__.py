"""`python -m bot.rehearsal.fakes`: the three fakes by themselves, driven over `/_control/…`.

Prints the settings that connect the system under test, one `NAME=value` a line, and runs until it is
interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path

from bot.rehearsal.fakes.control import ControlApp
from bot.rehearsal.fakes.faults import FaultMode, FaultPlan
from bot.rehearsal.fakes.servers import running_fakes
from bot.rehearsal.fakes.telegram import TelegramFake, TelegramRules
from bot.rehearsal.fakes.world import Platform, World
from bot.rehearsal.fakes.zalo_bot import ZaloBotFake
from bot.rehearsal.fakes.zalo_oa import ZaloOAFake, ZaloOARules


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.rehearsal.fakes", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    for platform in Platform:
        flag = f"--port-{platform.value.replace('_', '-')}"
        parser.add_argument(flag, type=int, default=0, help="port; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=0, help="seed of ids and faults")
    parser.add_argument("--faults", choices=[mode.value for mode in FaultMode], default="none")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every answer")
    parser.add_argument("--record", type=Path, help="file that gets one JSON line per happening")
    parser.add_argument("--telegram-token", default="", help="bot token; made up when empty")
    parser.add_argument("--zalo-bot-token", default="", help="bot token; made up when empty")
    parser.add_argument(
        "--zalo-oa-webhook", default="", help="webhook address of the OA, as set in its console"
    )
    parser.add_argument("--zalo-oa-refresh-token", default="", help="first refresh token; made up when empty")
    parser.add_argument("--zalo-oa-calls-per-minute", type=int, default=100, help="the plan's rate")
    parser.add_argument(
        "--telegram-paid", action="store_true", help="the bot has the Stars for paid broadcasts"
    )
    parser.add_argument(
        "--time-factor", type=float, default=1.0, help="scales the waits of webhook repetitions"
    )
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    world = World(seed=arguments.seed, jsonl=arguments.record)
    latency_s = arguments.latency_ms / 1000
    plans = [FaultPlan(FaultMode(arguments.faults), seed=arguments.seed + number) for number in range(3)]
    telegram_rules = TelegramRules(retry_base_s=arguments.time_factor)
    if arguments.telegram_paid:
        telegram_rules = replace(telegram_rules, star_balance=1e9, monthly_users=10**6)
    telegram = TelegramFake(
        world, token=arguments.telegram_token, rules=telegram_rules, faults=plans[0], latency_s=latency_s
    )
    oa_rules = ZaloOARules(
        calls_per_minute=arguments.zalo_oa_calls_per_minute, time_factor=arguments.time_factor
    )
    zalo_oa = ZaloOAFake(
        world,
        refresh_token=arguments.zalo_oa_refresh_token,
        rules=oa_rules,
        faults=plans[1],
        latency_s=latency_s,
    )
    zalo_oa.set_webhook(arguments.zalo_oa_webhook)
    zalo_bot = ZaloBotFake(world, token=arguments.zalo_bot_token, faults=plans[2], latency_s=latency_s)
    ports = {platform: getattr(arguments, f"port_{platform.value}") for platform in Platform}
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_fakes(
        world=world,
        telegram=telegram,
        zalo_oa=zalo_oa,
        zalo_bot=zalo_bot,
        host=arguments.host,
        ports=ports,
        wrap=ControlApp,
    ) as fakes:
        for name, value in fakes.settings().items():
            sys.stdout.write(f"{name}={value}\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve(_arguments()))
