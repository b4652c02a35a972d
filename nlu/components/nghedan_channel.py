"""The one door into Rasa: our input channel. See `nlu/README.md` for the messages.

It differs from Rasa's REST channel where that one is dangerous for us: it asks for a token, it never takes
a text for an intent, it reports failed actions, and it keeps no conversation.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME, REQUESTED_SLOT
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SessionStarted, SlotSet
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from components import turn_context
from components.turn_context import CURRENT, TurnContext

logger = logging.getLogger("nghedan.channel")

_MAX_TEXT = 20_000


class BadRequest(ValueError):
    """The body does not have the agreed shape; the message names the key."""


class NghedanOutput(OutputChannel):
    """Collects what the actions say: one entry per message, text with its choices."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    @classmethod
    def name(cls) -> str:
        """Name of the channel."""
        return "nghedan"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Keep text and choices of one message together (Rasa's default would send them apart)."""
        custom = message.get("custom") or {}
        if message.get("text"):
            self.messages.append({"text": message["text"], "choices": custom.get("choices") or []})


class NghedanInput(InputChannel):
    """`POST /webhooks/nghedan/webhook`, for our application only."""

    @classmethod
    def name(cls) -> str:
        """Name of the channel; also its path."""
        return "nghedan"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> InputChannel:
        """Read the token from credentials.yml, where it refers to the environment."""
        return cls(str((credentials or {}).get("token") or ""))

    def __init__(self, token: str) -> None:
        self._token = token
        turn_context.install()

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The two routes."""
        door = Blueprint("nghedan_webhook")

        @door.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            ready = request.app.ctx.agent is not None and request.app.ctx.agent.is_ready()
            return response.json({"status": "ok" if ready else "no_model"}, status=200 if ready else 503)

        @door.route("/webhook", methods=["POST"])
        async def webhook(request: Request) -> HTTPResponse:
            if not self._authorised(request):
                return response.json({"error": "unauthorised"}, status=401)
            agent = request.app.ctx.agent
            if agent is None or not agent.is_ready():
                return response.json({"error": "no_model"}, status=503)
            try:
                body = _checked(request.json)
            except BadRequest as error:
                return response.json({"error": "bad_request", "detail": str(error)}, status=400)
            return await _answer(agent, body)

        return door

    def _authorised(self, request: Request) -> bool:
        # A header may hold any byte; Sanic gives those outside UTF-8 as surrogates.
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return bool(self._token) and hmac.compare_digest(given, f"Bearer {self._token}".encode())


def _checked(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadRequest("body")
    for key, kind in (("sender", str), ("inbound_id", int), ("text", str), ("snapshot", dict)):
        if not isinstance(body.get(key), kind):
            raise BadRequest(key)
    if len(body["text"]) > _MAX_TEXT:
        raise BadRequest("text")
    intent = body.get("intent")
    if intent is not None and not (isinstance(intent, dict) and isinstance(intent.get("name"), str)):
        raise BadRequest("intent")
    return body


async def _answer(agent: Any, body: dict[str, Any]) -> HTTPResponse:
    turn = TurnContext(events=seed_events(body["snapshot"]))
    output = NghedanOutput()
    mark = CURRENT.set(turn)
    try:
        parse_data = await _understand(agent, body)
        message = UserMessage(
            body["text"],
            output,
            body["sender"],
            parse_data=parse_data,
            input_channel="nghedan",
            message_id=str(body["inbound_id"]),
            metadata={"inbound_id": body["inbound_id"], "sender": body["sender"]},
        )
        await agent.handle_message(message)
    finally:
        CURRENT.reset(mark)
    if turn.failed:
        logger.warning("turn failed: inbound_id=%s actions=%s", body["inbound_id"], turn.actions)
        return response.json({"error": "action_failed", "actions": turn.actions}, status=502)
    if not output.messages:
        return response.json({"error": "no_reply", "actions": turn.actions}, status=502)
    intent = {key: parse_data["intent"].get(key) for key in ("name", "confidence")}
    return response.json({"messages": output.messages, "intent": intent, "actions": turn.actions})


async def _understand(agent: Any, body: dict[str, Any]) -> dict[str, Any]:
    given = body.get("intent")
    if given is not None:
        entities = [{"entity": name, "value": value} for name, value in (given.get("entities") or {}).items()]
        intent = {"name": given["name"], "confidence": 1.0}
        return {"text": body["text"], "intent": intent, "entities": entities, "intent_ranking": [intent]}
    # Rasa takes a text that begins with "/" for an intent name; people's texts must never be that.
    words = body["text"].lstrip("/ \n\t") or "?"
    parsed: dict[str, Any] = await agent.parse_message(words)
    parsed["text"] = body["text"]
    return parsed


def seed_events(snapshot: dict[str, Any]) -> list[Any]:
    """The events that put a fresh tracker where the conversation stands."""
    now = time.time()
    events: list[Any] = [
        ActionExecuted(ACTION_SESSION_START_NAME, timestamp=now),
        SessionStarted(timestamp=now),
    ]
    slots = snapshot.get("slots") or {}
    events += [SlotSet(name, value, timestamp=now) for name, value in slots.items()]
    if snapshot.get("active_loop"):
        events += [
            ActiveLoop(snapshot["active_loop"], timestamp=now),
            SlotSet(REQUESTED_SLOT, snapshot.get("requested_slot"), timestamp=now),
        ]
    events.append(ActionExecuted(ACTION_LISTEN_NAME, timestamp=now))
    return events
