"""Driving the fakes from other programs: `/_control/…` in front of each platform's own addresses.

    GET  /_control/settings                      the environment that connects the system under test
    GET  /_control/stats                         calls, shown, violations, lost … per platform
    GET  /_control/record?after=N                up to 1,000 entries of the record from number N
    POST /_control/PLATFORM/people               {"name", …} → {"id"}
    GET  /_control/PLATFORM/people               [{"id", "name"}]
    POST /_control/PLATFORM/people/ID/ACT        an act of `FakePhone` with its arguments → {"message_id"}
    GET  /_control/PLATFORM/people/ID/screen?after=N   what the person sees from message number N
    POST /_control/PLATFORM/faults               {"mode"?, "seed"?, "script"?: [{"kind", …}], "chat_id"?}
    POST /_control/zalo_oa/webhook               {"url"}
    POST /_control/zalo_oa/templates             {"template_id", "text", "kind"?, "by_user_id"?}

Files are given as base64 in `content`. For a loopback demo only: there is no login.
"""

from __future__ import annotations

import base64
import binascii
import inspect
from collections.abc import Callable
from typing import Any

from bot.rehearsal.fakes.asgi import Answer, BodyUnreadable, Call, FakeApp, Receive, Scope, Send, json_answer
from bot.rehearsal.fakes.faults import FaultMode, Lane, Outcome, OutcomeKind
from bot.rehearsal.fakes.platform import FakePlatform
from bot.rehearsal.fakes.servers import RunningFakes
from bot.rehearsal.fakes.world import FakePhone, Happening, NotOnThisPlatform, PhoneRefuses, Platform, Shown

_PREFIX = "/_control/"
_RECORD_PAGE = 1000
_ACTS = frozenset(
    {"follow", "unfollow", "block", "unblock", "deactivate", "write", "edit", "tap", "read"}
    | {"send_photo", "send_file", "send_voice", "send_video", "send_location", "send_sticker"}
    | {"send_unsupported"}
)


class _Wrong(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class ControlApp(FakeApp):
    """Answers `/_control/…` and passes everything else to the platform behind it."""

    def __init__(self, fakes: RunningFakes, behind: Any) -> None:
        self._fakes = fakes
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_PREFIX):
            await super().__call__(scope, receive, send)
        else:
            await self._behind(scope, receive, send)

    async def answer(self, call: Call) -> Answer:
        """Answer one control request; mistakes give 4xx with `{"error"}`."""
        try:
            return json_answer(self._dispatch(call))
        except BodyUnreadable as error:
            return json_answer({"error": str(error)}, status=400)
        except _Wrong as wrong:
            return json_answer({"error": str(wrong)}, status=wrong.status)

    def _dispatch(self, call: Call) -> Any:
        parts = call.path.removeprefix(_PREFIX).split("/")
        if call.method == "GET":
            return self._read(parts, call.query())
        return self._act(parts, call.json())

    def _read(self, parts: list[str], query: dict[str, str]) -> Any:
        after = int(query.get("after", "0")) if query.get("after", "0").isdecimal() else 0
        match parts:
            case ["settings"]:
                return self._fakes.settings()
            case ["stats"]:
                return {fake.platform.value: stats(fake) for fake in self._fakes.all}
            case ["record"]:
                entries = self._fakes.world.record.entries[after : after + _RECORD_PAGE]
                return [{**entry._asdict(), "at": entry.at.isoformat(), "detail": None} for entry in entries]
            case [name, "people"]:
                return [{"id": p.chat_id, "name": p.name} for p in self._platform(name).people.values()]
            case [name, "people", chat_id, "screen"]:
                screen = self._person(name, chat_id).screen
                return {"messages": [_as_dict(shown) for shown in screen[after:]], "next": len(screen)}
        raise _Wrong(404, "unknown control address")

    def _act(self, parts: list[str], body: dict[str, Any]) -> Any:
        match parts:
            case [name, "people"]:
                return {"id": _apply(self._platform(name).add_person, body).chat_id}
            case [name, "people", chat_id, act] if act in _ACTS:
                return {"message_id": _do(self._person(name, chat_id), act, body) or ""}
            case [name, "faults"]:
                return _plan(self._platform(name), body)
            case [Platform.ZALO_OA.value, "webhook"]:
                _apply(self._fakes.zalo_oa.set_webhook, body)
                return {}
            case [Platform.ZALO_OA.value, "templates"]:
                _apply(self._fakes.zalo_oa.add_template, body)
                return {}
        raise _Wrong(404, "unknown control address")

    def _platform(self, name: str) -> FakePlatform:
        for fake in self._fakes.all:
            if fake.platform.value == name:
                return fake
        raise _Wrong(404, "unknown platform")

    def _person(self, name: str, chat_id: str) -> FakePhone:
        person = self._platform(name).people.get(chat_id)
        if person is None:
            raise _Wrong(404, "unknown person")
        return person


def stats(fake: FakePlatform) -> dict[str, Any]:
    """Totals of one platform: people, calls by method, messages shown, violations, losses, open trouble."""
    record, platform = fake.world.record, fake.platform
    return {
        "people": len(fake.people),
        "calls": record.totals(Happening.CALL).get(platform.value, {}),
        "shown": record.total(Happening.SHOWN, platform=platform),
        "violations": fake.violations(),
        "webhooks": record.total(Happening.WEBHOOK, platform=platform),
        "lost": record.totals(Happening.LOST).get(platform.value, {}),
        "scripted_left": fake.faults.scripted_left(),
        "idle": fake.idle,
    }


def _do(person: FakePhone, act: str, body: dict[str, Any]) -> Any:
    if "content" in body:
        try:
            body = {**body, "content": base64.b64decode(body["content"], validate=True)}
        except (TypeError, binascii.Error) as error:
            raise _Wrong(400, "content must be base64") from error
    try:
        return _apply(getattr(person, act), body)
    except KeyError as error:
        raise _Wrong(404, f"not on the screen: {error}") from error
    except (NotOnThisPlatform, PhoneRefuses) as error:
        raise _Wrong(409, str(error)) from error


def _apply(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    try:
        inspect.signature(function).bind(**arguments)
    except TypeError as error:
        raise _Wrong(400, str(error)) from error
    return function(**arguments)


def _plan(fake: FakePlatform, body: dict[str, Any]) -> dict[str, Any]:
    try:
        if "mode" in body:
            fake.faults.mode = FaultMode(body["mode"])
        if "seed" in body:
            fake.faults.seed = int(body["seed"])
        outcomes = [
            Outcome(**{**one, "kind": OutcomeKind(one.get("kind"))}) for one in body.get("script", ())
        ]
        lane = Lane[str(body.get("lane", "SEND")).upper()]
    except (KeyError, TypeError, ValueError) as error:
        raise _Wrong(400, str(error)) from error
    fake.faults.script(*outcomes, chat_id=str(body.get("chat_id", "")), lane=lane)
    return {"mode": fake.faults.mode.value, "scripted_left": fake.faults.scripted_left()}


def _as_dict(shown: Shown) -> dict[str, Any]:
    buttons = [button._asdict() for button in shown.buttons]
    return {**shown._asdict(), "at": shown.at.isoformat(), "buttons": buttons}
