"""Each step of the dialogue as a Rasa action: read the tracker, call the rule, say, return slot events."""

from __future__ import annotations

import asyncio
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher

from core.intake.perform import perform
from core.intake.steps import STEPS
from core.intake.turn import Services, StepCall


class StepAction(Action):  # type: ignore[misc]  # The SDK ships no types.
    """One core step under the name that the domain knows it by."""

    def __init__(self, name: str, services: Services) -> None:
        self._name = name
        self._services = services

    def name(self) -> str:
        """The action's name in the domain."""
        return self._name

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Run the step for the message in the tracker; database work happens off the event loop."""
        result = await asyncio.to_thread(perform, self._services, self._name, call_from(tracker))
        for reply in result.replies:
            choices = [{"label": c.label, "value": c.value} for c in reply.choices]
            dispatcher.utter_message(text=reply.text, json_message={"choices": choices} if choices else None)
        return [SlotSet(name, value) for name, value in result.slots.items()]


def call_from(tracker: Tracker) -> StepCall:
    """The message that the tracker is about; a tracker without our metadata is a `KeyError`."""
    message = tracker.latest_message
    choice = next((e["value"] for e in message.get("entities", []) if e.get("entity") == "choice"), None)
    return StepCall(
        inbound_id=int(message["metadata"]["inbound_id"]),
        intent=(message.get("intent") or {}).get("name") or "nlu_fallback",
        choice=choice,
    )


def make_executor(services: Services) -> ActionExecutor:
    """An executor that knows every step."""
    executor = ActionExecutor()
    for name in STEPS:
        executor.register_action(StepAction(name, services))
    return executor
