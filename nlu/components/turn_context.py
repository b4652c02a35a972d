"""What belongs to the turn that the current task answers: its seed, and whether an action failed in it.

Rasa passes neither to the places that need them (the tracker store, the logger), but every turn is one
asyncio task, so a context variable reaches both without touching Rasa's code.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass
class TurnContext:
    """`events` seed the tracker; `actions` ran, in order; `failed` says that one of them did not work."""

    events: list[Any]
    actions: list[str] = field(default_factory=list)
    failed: bool = False


CURRENT: ContextVar[TurnContext | None] = ContextVar("nghedan_turn", default=None)


class FailureFilter(logging.Filter):
    """Notices that Rasa swallowed an action's exception, and keeps people's words out of the log.

    `MessageProcessor._run_action` logs the exception at ERROR and goes on as if the action had said
    nothing; the log record is the only trace. Try first whether Rasa reports it before removing this.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Mark the turn; let only records through that cannot hold a message's text."""
        turn = CURRENT.get()
        if record.levelno >= logging.ERROR and turn is not None:
            turn.failed = True
            # The action server's error answer repeats the request, a citizen's words in it.
            record.msg, record.args = "an action failed", ()
            record.exc_info = record.exc_text = None
        return record.levelno >= logging.WARNING


def install() -> None:
    """Attach the filter where Rasa logs failed actions and parsed texts; calling it twice is harmless."""
    for name in ("rasa.core.processor", "rasa.core.actions.action"):
        logger = logging.getLogger(name)
        if not any(isinstance(f, FailureFilter) for f in logger.filters):
            logger.addFilter(FailureFilter())
