"""Run one step for one message exactly once: its effects and its result are one transaction.

The dialogue engine may call the same action again after a crash or a lost answer. The stored result is
then given back, and nothing happens twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.intake.state import Dialogue
from core.intake.steps import STEPS
from core.intake.turn import Reply, Services, StepCall, Turn
from core.outbox.port import Choice
from core.people import erasure
from storage.models import ActionResult, Citizen, Concern, ConcernState, Contact, Inbound


class UnknownMessage(LookupError):
    """The action was called for a message that is not stored or belongs to nobody."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What the engine passes on: messages to say, and slot values (None clears; absent means untouched)."""

    replies: tuple[Reply, ...]
    slots: dict[str, Any]

    def dump(self) -> dict[str, Any]:
        """To JSON, for replays."""
        return {
            "replies": [[r.text, [[c.label, c.value] for c in r.choices]] for r in self.replies],
            "slots": self.slots,
        }

    @classmethod
    def load(cls, stored: dict[str, Any]) -> StepResult:
        """From JSON."""
        replies = tuple(
            Reply(text, tuple(Choice(label, value) for label, value in choices))
            for text, choices in stored["replies"]
        )
        return cls(replies, stored["slots"])


def perform(services: Services, action: str, call: StepCall) -> StepResult:
    """Run `action` for the message, or give its earlier result back.

    Understanding the text takes tens of milliseconds, so it is done before the transaction opens:
    SQLite has one writer at a time. Raises `UnknownMessage`, or `KeyError` for an unknown action.
    """
    step = STEPS[action]
    _read_ahead(services, call)
    with services.database.write() as session:
        # PostgreSQL: a repeated call waits here until the first one has committed its result.
        session.get(Inbound, call.inbound_id, with_for_update=True)
        earlier = session.get(ActionResult, (call.inbound_id, action))
        if earlier is not None:
            return StepResult.load(earlier.result)
        turn = _open(session, services, call)
        step(turn)
        result = StepResult(tuple(turn.replies), turn.slots)
        turn.contact.dialogue = turn.dialogue.dump()
        session.add(
            ActionResult(inbound_id=call.inbound_id, action=action, result=result.dump(), at=turn.now)
        )
    erasure.delete_files(services.settings.attachments_dir, turn.files_to_delete)
    return result


def _open(session: Session, services: Services, call: StepCall) -> Turn:
    inbound = session.get(Inbound, call.inbound_id)
    if inbound is None or inbound.contact_id is None:
        raise UnknownMessage(call.inbound_id)
    contact = session.get_one(Contact, inbound.contact_id)
    return Turn(
        session=session,
        services=services,
        call=call,
        inbound=inbound,
        contact=contact,
        citizen=session.get_one(Citizen, contact.citizen_id),
        dialogue=Dialogue.load(contact.dialogue),
        now=services.now(),
    )


def _read_ahead(services: Services, call: StepCall) -> None:
    """Have the reader understand the texts that the step may need; it remembers recent ones."""
    with services.database.read() as session:
        inbound = session.get(Inbound, call.inbound_id)
        if inbound is None or inbound.contact_id is None or not _needs_reading(call):
            return
        contact = session.get_one(Contact, inbound.contact_id)
        draft = session.scalar(
            select(Concern.text).where(Concern.contact_id == contact.id, Concern.state == ConcernState.DRAFT)
        )
        held_ids = Dialogue.load(contact.dialogue).held
        held = [session.get_one(Inbound, held_id).text or "" for held_id in held_ids]
    new_words = inbound.text if call.choice is None and call.intent not in ("affirm", "deny") else None
    texts: list[str] = [new_words or ""]
    if draft is not None:
        texts += [draft, f"{draft}\n{new_words}" if new_words else ""]
    if held:
        texts += [*held, "\n".join(held)]
    for text in {t for t in texts if t}:
        services.reader.read(text)
        for part in services.reader.split(text):
            services.reader.read(part)


def _needs_reading(call: StepCall) -> bool:
    return call.intent not in ("ask_status", "ask_sessions", "ask_help", "thank", "goodbye", "greet")
