"""A tracker store that keeps nothing: each turn's tracker is made from the snapshot that came with it.

The application's database is the truth of every conversation, so Rasa can be killed, replaced or
multiplied at any moment, and a repeated turn with the same snapshot takes the same way.
"""

from __future__ import annotations

from collections.abc import Iterable

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.events import ActionExecuted
from rasa.shared.core.trackers import DialogueStateTracker

from components.turn_context import CURRENT


class SeededTrackerStore(TrackerStore):
    """Gives out a fresh tracker with the current turn's seed; saving only notes which actions ran."""

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """A tracker made from the seed, or None outside a turn."""
        turn = CURRENT.get()
        if turn is None:
            return None
        return DialogueStateTracker.from_events(
            sender_id, turn.events, slots=self.domain.slots, domain=self.domain
        )

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Note the actions of this turn (those after the seed) and forget the tracker."""
        turn = CURRENT.get()
        if turn is not None:
            new_events = list(tracker.events)[len(turn.events) :]
            turn.actions = [e.action_name for e in new_events if isinstance(e, ActionExecuted)]

    async def keys(self) -> Iterable[str]:
        """No conversation is kept."""
        return []
