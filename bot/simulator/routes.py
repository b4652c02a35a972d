"""The simulator's page and its small API, over one `SimulatorChannel`.

    GET  /simulator                       the page (`?phone=2` is a second phone in the same browser)
    GET  /simulator/static/{name}         its own script, style and icon
    POST /simulator/api/messages          one message as JSON, see `requests`; repeated ids change nothing
    POST /simulator/api/files             one file as the raw body, with X-Person, X-Message-Id, X-File-Name
    GET  /simulator/api/files/{ref}       a sent picture
    GET  /simulator/api/stream            Server-Sent Events: what appears on a phone
    GET  /simulator/api/messages          the same by asking, where streams do not pass

A refusal is `{"detail": {"code", "text"}}` with a Vietnamese text. The posts need a JSON type or own headers,
which a page of another site cannot send without our permission.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from jinja2 import Environment, FileSystemLoader

from bot.simulator import files, requests
from bot.simulator.channel import PERSON_PATTERN, SimulatorChannel
from bot.simulator.talks import Author, Entry
from bot.simulator.words import page_words
from core.clock import utc_now
from core.outbox.port import Incoming, IncomingAttachment

Receive = Callable[[list[Incoming]], Awaitable[None]]

_HERE = Path(__file__).parent
_STATIC = {
    "page.css": "text/css; charset=utf-8",
    "phone.js": "text/javascript; charset=utf-8",
    "line.js": "text/javascript; charset=utf-8",
    "memory.js": "text/javascript; charset=utf-8",
    "outbox.js": "text/javascript; charset=utf-8",
    "screen.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
# 10,000 characters of JSON, each escaped as two \uXXXX.
_MESSAGE_BYTES = 128_000
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_API_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_PICTURE_HEADERS = {
    **_API_HEADERS,
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Person = Annotated[str, Query(pattern=PERSON_PATTERN)]
Cursor = Annotated[str | None, Query(max_length=40)]


def make_router(
    channel: SimulatorChannel,
    receive: Receive,
    *,
    max_file_bytes: int = 20_000_000,
    max_streams: int = 200,
    beat_s: float = 15.0,
) -> APIRouter:
    """Routes under `/simulator`. `receive` stores events durably; a post is answered after it returned.

    Pages beyond `max_streams` ask instead. `beat_s`: seconds between signs of life on an idle stream.
    """
    router = APIRouter(prefix="/simulator")
    _add_page(router, max_file_bytes=max_file_bytes)
    _add_posts(router, channel, receive=receive, max_file_bytes=max_file_bytes)
    _add_reads(router, channel, max_file_bytes=max_file_bytes)
    _add_stream(router, channel, max_streams=max_streams, beat_s=beat_s)
    return router


def _add_page(router: APIRouter, *, max_file_bytes: int) -> None:
    templates = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True)

    @router.get("")
    async def page(phone: Annotated[int, Query(ge=1, le=9)] = 1) -> Response:
        content = templates.get_template("page.html").render(
            words=page_words(),
            phone=phone,
            text_limit=requests.TEXT_LIMIT,
            file_limit=max_file_bytes,
        )
        return Response(content, media_type="text/html", headers=_PAGE_HEADERS)

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in _STATIC:
            raise HTTPException(404)
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
        return FileResponse(_HERE / "static" / name, media_type=_STATIC[name], headers=headers)


def _add_posts(
    router: APIRouter, channel: SimulatorChannel, *, receive: Receive, max_file_bytes: int
) -> None:
    @router.post("/api/messages")
    async def post_message(request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise _refusal(415, "unreadable")
        body = await _body(request, limit=_MESSAGE_BYTES, code="text_too_long")
        return await _take_message(channel, receive, body=body)

    @router.post("/api/files")
    async def post_file(
        request: Request,
        x_person: Annotated[str, Header()] = "",
        x_message_id: Annotated[str, Header()] = "",
        x_file_name: Annotated[str, Header()] = "",
    ) -> Response:
        if not requests.are_ids(x_person, x_message_id):
            raise _refusal(422, "unreadable")
        name = requests.file_name(x_file_name)
        recognised = files.recognise(request.headers.get("content-type", ""), name)
        if recognised is None:
            raise _refusal(415, "file_type")
        content = await _body(request, limit=max_file_bytes, code="file_too_large")
        kind, mime_type = recognised
        attachment = IncomingAttachment(
            kind=kind,
            file_ref=files.reference(x_person, x_message_id),
            file_name=name or None,
            mime_type=mime_type,
            size_bytes=len(content),
        )
        incoming = requests.incoming_file(x_person, x_message_id, attachment=attachment, at=utc_now())
        return await _take_file(channel, receive, incoming=incoming, content=content)


async def _take_message(channel: SimulatorChannel, receive: Receive, *, body: bytes) -> Response:
    try:
        message = requests.read_message(body)
    except requests.UnreadableMessage as error:
        raise _refusal(422, "unreadable") from error
    known = channel.talks.find(message.person, message.id)
    if known is not None:
        return _entry_response(known, status=200)
    event = requests.incoming(message, at=utc_now())
    await receive([event])
    entry = _show(channel, event, entry_id=message.id, kind=message.kind, text=requests.shown_text(message))
    return _entry_response(entry, status=201)


async def _take_file(
    channel: SimulatorChannel, receive: Receive, *, incoming: Incoming, content: bytes
) -> Response:
    if not content:
        raise _refusal(422, "file_empty")
    entry_id = incoming.external_id.partition(":")[2]
    known = channel.talks.find(incoming.sender_id, entry_id)
    if known is not None:
        return _entry_response(known, status=200)
    # Kept before the event is: an event whose file is missing could never be mended.
    ref = incoming.attachments[0].file_ref or ""
    await asyncio.to_thread(channel.files.save, ref, content, now_s=incoming.occurred_at.timestamp())
    await receive([incoming])
    entry = _show(channel, incoming, entry_id=entry_id, kind=incoming.kind, text="")
    return _entry_response(entry, status=201)


def _show(channel: SimulatorChannel, event: Incoming, *, entry_id: str, kind: str, text: str) -> Entry:
    return channel.talks.append(
        event.sender_id,
        entry_id,
        author=Author.PERSON,
        kind=kind,
        text=text,
        at=event.occurred_at,
        attachment=event.attachments[0] if event.attachments else None,
    )


def _add_reads(router: APIRouter, channel: SimulatorChannel, *, max_file_bytes: int) -> None:
    @router.get("/api/messages")
    async def read_messages(person: Person, after: Cursor = None) -> Response:
        entries = channel.talks.after(person, after)
        body = {
            "cursor": channel.talks.cursor(entries, after),
            "messages": [entry.as_json() for entry in entries],
        }
        return JSONResponse(body, headers=_API_HEADERS)

    @router.get("/api/files/{ref}")
    async def read_picture(ref: str) -> Response:
        try:
            content = await asyncio.to_thread(channel.files.read, ref, max_bytes=max_file_bytes)
        except (files.FileGone, files.FileTooLarge) as error:
            raise _refusal(404, "file_gone") from error
        picture_type = files.shown_type(content)
        if picture_type is None:
            raise _refusal(404, "file_gone")
        return Response(content, media_type=picture_type, headers=_PICTURE_HEADERS)


def _add_stream(router: APIRouter, channel: SimulatorChannel, *, max_streams: int, beat_s: float) -> None:
    @router.get("/api/stream")
    async def stream(
        person: Person, after: Cursor = None, last_event_id: Annotated[str | None, Header()] = None
    ) -> Response:
        if channel.talks.listening >= max_streams:
            raise _refusal(429, "busy")
        events = _events(channel, person, cursor=last_event_id or after, beat_s=beat_s)
        headers = {**_API_HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(
    channel: SimulatorChannel, person: str, *, cursor: str | None, beat_s: float
) -> AsyncIterator[str]:
    """Everything after the cursor, then what comes, until the page leaves or the channel closes."""
    with channel.talks.listen(person) as listener:
        while not channel.closed:
            entries = channel.talks.after(person, cursor)
            for entry in entries:
                cursor = channel.talks.cursor([entry], cursor)
                yield f"id: {cursor}\ndata: {json.dumps(entry.as_json(), ensure_ascii=False)}\n\n"
            if not entries:
                yield "event: beat\ndata: {}\n\n"
            await listener.wait(beat_s)


async def _body(request: Request, *, limit: int, code: str) -> bytes:
    """The request's body; refused with 413 as soon as it is known to be longer than `limit` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _refusal(413, code)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _refusal(413, code)
    return bytes(body)


def _entry_response(entry: Entry, *, status: int) -> Response:
    return JSONResponse(entry.as_json(), status_code=status, headers=_API_HEADERS)


def _refusal(status: int, code: str) -> HTTPException:
    detail: dict[str, Any] = {"code": code, "text": page_words()["refusals"][code]}
    return HTTPException(status, detail=detail, headers=_API_HEADERS)
