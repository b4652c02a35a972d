"""The HTTP side that the fakes share: plain ASGI, as few steps per request as will do.

A platform answers with an `Answer`; the app writes it, late, broken or never when the fault plan says so.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_JSON_TYPE = (b"content-type", b"application/json; charset=utf-8")
_MAX_BODY_BYTES = 64_000_000


class Fate(Enum):
    """What happens to an answer on its way."""

    SENT = 1
    NEVER = 2  # held until the caller leaves
    CUT = 3  # the head goes out, then the connection breaks


@dataclass(slots=True)
class Answer:
    """One HTTP answer; `code` is the platform's own error code for the record, 0 when it accepted."""

    status: int
    body: bytes
    code: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = (_JSON_TYPE,)
    fate: Fate = Fate.SENT
    delay_s: float = 0.0


class UploadedFile(NamedTuple):
    """One file part of a multipart request."""

    name: str
    mime_type: str
    content: bytes


class BodyUnreadable(Exception):
    """The request body is not what its content type says, or too large."""


def as_json(payload: Any) -> bytes:
    """Compact UTF-8 JSON."""
    return _encode(payload).encode()


def json_answer(
    payload: Any, *, status: int = 200, code: int = 0, headers: Iterable[tuple[bytes, bytes]] = ()
) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, _encode(payload).encode(), code, (_JSON_TYPE, *headers))


def file_answer(content: bytes, mime_type: str) -> Answer:
    """A download."""
    return Answer(200, content, headers=((b"content-type", mime_type.encode()),))


def html_answer(status: int, title: str) -> Answer:
    """What a proxy in front of the platform says."""
    body = f"<html><head><title>{status} {title}</title></head><body>{title}</body></html>"
    return Answer(status, body.encode(), status, ((b"content-type", b"text/html"),))


class Call:
    """One HTTP request, read once."""

    __slots__ = ("_receive", "_scope", "body", "method", "path")

    def __init__(self, scope: Scope, receive: Receive, body: bytes) -> None:
        self._scope = scope
        self._receive = receive
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.body = body

    def header(self, name: bytes) -> str:
        """The first header of this lower-case name, or an empty text."""
        for key, value in self._scope["headers"]:
            if key == name:
                return bytes(value).decode("latin-1")
        return ""

    def query(self) -> dict[str, str]:
        """Query parameters; of repeated ones the last."""
        return dict(parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True))

    def form(self) -> dict[str, str]:
        """The fields of an urlencoded body."""
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        except ValueError as error:
            raise BodyUnreadable(str(error)) from error

    def json(self) -> dict[str, Any]:
        """The JSON object in the body; an empty body is an empty object."""
        if not self.body:
            return {}
        try:
            payload = json.loads(self.body)
        except ValueError as error:
            raise BodyUnreadable(str(error)) from error
        if not isinstance(payload, dict):
            raise BodyUnreadable("a JSON object is expected")
        return payload

    async def multipart(self) -> tuple[dict[str, str], dict[str, UploadedFile]]:
        """The fields and the files of a multipart body."""
        fields: dict[str, str] = {}
        files: dict[str, UploadedFile] = {}
        parser = MultiPartParser(Headers(scope=self._scope), _once(self.body), max_part_size=_MAX_BODY_BYTES)
        try:
            items = (await parser.parse()).multi_items()
        except (MultiPartException, KeyError) as error:
            raise BodyUnreadable(str(error)) from error
        for key, value in items:
            if isinstance(value, UploadFile):
                mime_type = value.content_type or "application/octet-stream"
                files[key] = UploadedFile(value.filename or "", mime_type, await value.read())
                await value.close()
            else:
                fields[key] = value
        return fields, files

    async def until_gone(self) -> None:
        """Return when the caller has closed the connection."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


class FakeApp(ABC):
    """An ASGI application that answers one platform's requests."""

    # How long an answer that never comes keeps a patient caller waiting before a gateway says 504.
    hang_s: float = 60.0

    @abstractmethod
    async def answer(self, call: Call) -> Answer:
        """Do what the request asks and say what the platform would say."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _idle_lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"the fakes do not speak {scope['type']}")
        body = await _read_body(receive)
        if body is None:
            await _write(send, html_answer(413, "Request Entity Too Large"))
            return
        call = Call(scope, receive, body)
        answer = await self.answer(call)
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.fate is Fate.NEVER:
            answer = await self._outwait(call)
        await _write(send, answer)

    async def _outwait(self, call: Call) -> Answer:
        try:
            await asyncio.wait_for(call.until_gone(), self.hang_s)
        except TimeoutError:
            return html_answer(504, "Gateway Time-out")
        return html_answer(504, "nobody is listening")


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body; None when it is larger than anything a platform takes."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    size = len(body)
    while message.get("more_body"):
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        # The rest is read and dropped, so that the caller gets an answer instead of a broken pipe.
        if size <= _MAX_BODY_BYTES:
            parts.append(part)
    return b"".join(parts) if size <= _MAX_BODY_BYTES else None


async def _write(send: Send, answer: Answer) -> None:
    length = len(answer.body) + (1 if answer.fate is Fate.CUT else 0)
    headers = [*answer.headers, (b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    more = answer.fate is Fate.CUT
    await send({"type": "http.response.body", "body": answer.body, "more_body": more})


async def _idle_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
