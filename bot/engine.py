"""The dialogue engine behind HTTP: our own input channel inside Rasa, as a foreign service that may fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from core.intake.turn import Reply
from core.intake.turns import ClaimedTurn
from core.outbox.port import Choice


class EngineFailed(Exception):
    """The engine gave no usable answer; the turn is repeated later with the same snapshot."""


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """What the engine made of one message."""

    replies: tuple[Reply, ...]
    intent: str | None


class RasaEngine:
    """Client of `/webhooks/nghedan`; one per process, safe for concurrent turns."""

    def __init__(self, url: str, *, token: str, timeout_s: float) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(timeout_s, connect=min(1.0, timeout_s)),
            limits=httpx.Limits(max_connections=64),
        )

    async def answer(self, turn: ClaimedTurn) -> EngineAnswer:
        """Ask for the replies to one message; raises `EngineFailed` for anything but a good answer."""
        try:
            response = await self._client.post("/webhooks/nghedan/webhook", json=_request(turn))
        except httpx.HTTPError as error:
            raise EngineFailed(type(error).__name__) from error
        if response.status_code != 200:
            raise EngineFailed(f"status {response.status_code}")
        try:
            return _read(response.json())
        except (ValueError, KeyError, TypeError) as error:
            raise EngineFailed("unreadable answer") from error

    async def healthy(self) -> bool:
        """Whether the engine has a model loaded and answers."""
        try:
            response = await self._client.get("/webhooks/nghedan/", timeout=2.0)
        except httpx.HTTPError:
            return False
        return response.status_code == 200

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()


def _request(turn: ClaimedTurn) -> dict[str, Any]:
    intent = None
    if turn.resolved is not None:
        entities = {"choice": turn.resolved.choice} if turn.resolved.choice else {}
        intent = {"name": turn.resolved.intent, "entities": entities}
    return {
        "sender": f"c-{turn.contact_id}",
        "inbound_id": turn.inbound_id,
        "text": turn.text,
        "intent": intent,
        "snapshot": turn.snapshot,
    }


def _read(body: dict[str, Any]) -> EngineAnswer:
    replies = tuple(
        Reply(m["text"], tuple(Choice(c["label"], c["value"]) for c in m.get("choices") or ()))
        for m in body["messages"]
    )
    if not replies:
        raise KeyError("messages")
    intent = body.get("intent") or {}
    return EngineAnswer(replies, intent.get("name"))
