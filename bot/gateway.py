"""Webhooks, health and the front page. A webhook is stored before it is answered, and nothing more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.conversation_jobs import workers_alive
from bot.webhooks import PATHS
from core.outbox.port import ChannelName, WebhookRefused

if TYPE_CHECKING:
    from bot.app import Parts

log = structlog.get_logger("nghedan.gateway")

_MAX_BODY_BYTES = 2_000_000
_CHANNELS = {path: channel for channel, path in PATHS.items()}
_CHECK_S = 5.0


def gateway_router(parts: Parts) -> APIRouter:
    """Routes over the app's parts."""
    router = APIRouter()

    @router.post("/webhooks/{platform}")
    async def webhook(platform: str, request: Request) -> Response:
        return await _webhook(parts, platform, request)

    @router.get("/healthz")
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok")

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        checks = await readiness(parts)
        return JSONResponse(checks, status_code=200 if checks["ok"] else 503)

    @router.get("/")
    async def front() -> HTMLResponse:
        return HTMLResponse(_FRONT)

    return router


async def _webhook(parts: Parts, platform: str, request: Request) -> Response:
    name = _CHANNELS.get(f"/webhooks/{platform}")
    channel = parts.channels.get(name) if name is not None else None
    if channel is None:
        return PlainTextResponse("unknown channel", status_code=404)
    body = await request.body()
    if len(body) > _MAX_BODY_BYTES:
        return PlainTextResponse("too large", status_code=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        events = channel.read_webhook(headers, body)
    except WebhookRefused as refused:
        log.warning("webhook refused", channel=channel.name, authentic=refused.authentic)
        return PlainTextResponse("refused", status_code=400 if refused.authentic else 401)
    await parts.intake.receive(events)
    return PlainTextResponse("ok")


async def readiness(parts: Parts) -> dict[str, object]:
    """Database, Rasa, actions and each channel; `ok` is about what every message needs, not the channels."""
    database, rasa, actions = await asyncio.gather(
        asyncio.to_thread(_database_answers, parts), parts.engine.healthy(), _actions_answer(parts)
    )
    names = list(parts.channels)
    results = await asyncio.gather(*(_check(parts, name) for name in names))
    checks: dict[str, object] = {
        "ok": database and rasa and actions,
        "database": database,
        "rasa": rasa,
        "actions": actions,
        "channels": dict(zip(names, results, strict=True)),
    }
    if database and parts.settings.several_programs:
        workers = await asyncio.to_thread(_count_workers, parts)
        checks |= {"workers": workers, "ok": checks["ok"] and workers > 0}
    return checks


def _count_workers(parts: Parts) -> int:
    with parts.database.read() as session:
        return workers_alive(session)


def _database_answers(parts: Parts) -> bool:
    try:
        with parts.database.read() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


async def _actions_answer(parts: Parts) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2.0) as client:
            response = await client.get(f"{parts.settings.actions_url}/health")
    except httpx.HTTPError:
        return False
    return response.status_code == 200


async def _check(parts: Parts, name: ChannelName) -> dict[str, object]:
    try:
        health = await asyncio.wait_for(parts.channels[name].check(), _CHECK_S)
    except TimeoutError:
        return {"ok": False, "problem": "unreachable"}
    return {"ok": health.ok, "problem": health.problem}


_FRONT = """<!doctype html>
<html lang="vi"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nghe Dân</title></head>
<body style="font-family: system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem">
<h1>Nghe Dân</h1>
<p>Kênh nhận ý kiến trước phiên đối thoại trực tiếp với Nhân dân.</p>
<ul>
<li><a href="/simulator">Điện thoại giả lập: nhắn thử như một người dân</a></li>
<li><a href="/console/">Trang của cán bộ</a></li>
<li><a href="/readyz">Tình trạng hệ thống</a></li>
</ul></body></html>"""
