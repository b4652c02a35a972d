"""Reading a Bot API request: parameters come by query, form, JSON or multipart, objects as JSON text."""

from __future__ import annotations

import json
from typing import Any

from bot.rehearsal.fakes.asgi import Call, UploadedFile

Params = dict[str, Any]


class Refused(Exception):
    """A request that Telegram answers with an error; the code is also the HTTP status."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def bad_request(text: str) -> Refused:
    """A 400 in the platform's words."""
    return Refused(400, f"Bad Request: {text}")


async def read_parameters(call: Call) -> tuple[Params, dict[str, UploadedFile]]:
    """Parameters from the query, a form, JSON, or multipart, as the Bot API takes them."""
    kind = call.header(b"content-type")
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(call.form()), {}
    if kind.startswith("application/json"):
        return call.json(), {}
    if kind.startswith("multipart/form-data"):
        fields, files = await call.multipart()
        return dict(fields), files
    return dict(call.query()), {}


def object_of(params: Params, field: str) -> dict[str, Any]:
    """An object parameter; empty when absent. Raises `Refused`."""
    value = _decoded(params, field, absent={})
    if not isinstance(value, dict):
        raise bad_request(f"object expected as {field}")
    return value


def array_of(params: Params, field: str) -> list[Any]:
    """A list parameter; empty when absent. Raises `Refused`."""
    value = _decoded(params, field, absent=[])
    if not isinstance(value, list):
        raise bad_request(f"Array expected as {field}")
    return value


def _decoded(params: Params, field: str, *, absent: Any) -> Any:
    value = params.get(field)
    if value is None or value == "":
        return absent
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise bad_request(f"can't parse {field} JSON object") from error


def kinds_of(params: Params) -> frozenset[str] | None:
    """Allowed update kinds; None when the request does not speak of them, the default set when empty."""
    if "allowed_updates" not in params:
        return None
    return frozenset(map(str, array_of(params, "allowed_updates")))


def flag_of(params: Params, field: str) -> bool:
    """A yes-or-no parameter; absent is no."""
    return str(params.get(field, "")).lower() in ("true", "1")


def scope_key(params: Params) -> str:
    """One text for the scope and the language that a list of commands is for."""
    return json.dumps([object_of(params, "scope"), str(params.get("language_code", ""))])


def number_of(params: Params, field: str, default: int) -> int:
    """An integer parameter; raises `Refused` when it is not one."""
    try:
        return int(params.get(field, default))
    except (TypeError, ValueError) as error:
        raise bad_request(f"wrong parameter {field} in request") from error
