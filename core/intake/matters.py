"""Several matters in one message: counted for the confirmation, separated when it is given, and those behind
a legal door set apart so that the others can go on.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from core.intake import concerns
from core.intake.reading import NORMAL_DOOR
from core.intake.turn import Turn
from storage.models import Concern, ConcernPart, ConcernState

# More are hardly ever meant; a list that long is read by a clerk as it stands.
MOST_MATTERS = 8


def matters_of(turn: Turn, draft: Concern) -> Sequence[str]:
    """The matters that a draft would be sent as: one or several pieces of its words."""
    if turn.dialogue.whole == draft.id:
        return (draft.text,)
    parts = turn.services.reader.split(draft.text)
    return parts if 1 < len(parts) <= MOST_MATTERS else (draft.text,)


def separate(turn: Turn, draft: Concern, texts: Sequence[str]) -> list[Concern]:
    """Give each matter a record of its own: the draft keeps the first, the others become new concerns.

    All are returned in order, ready to be numbered. Attachments stay with the first.
    """
    if len(texts) < 2:
        return [draft]
    told = _told(turn, draft)
    made = [draft]
    for text in texts[1:]:
        made.append(_record(turn, draft, text, told, state=ConcernState.RECEIVED))
    _keep_only(turn, draft, told, texts[0])
    return made


def set_apart(turn: Turn, draft: Concern) -> Concern | None:
    """Quarantine the matters of a mixed message that belong behind a legal door; None when all or none do.

    The draft keeps the safe ones. What was set apart is one record, in the words of the message.
    """
    parts = turn.services.reader.split(draft.text)
    if draft.door == NORMAL_DOOR or len(parts) < 2:
        return None
    doors = [turn.services.reader.read(part).door for part in parts]
    safe = [part for part, door in zip(parts, doors, strict=True) if door == NORMAL_DOOR]
    unsafe = [part for part, door in zip(parts, doors, strict=True) if door != NORMAL_DOOR]
    if not safe or not unsafe:
        return None
    told = _told(turn, draft)
    apart = _record(turn, draft, "\n".join(unsafe), told, state=ConcernState.QUARANTINED)
    if apart.door == NORMAL_DOOR:
        apart.door = next(door for door in doors if door != NORMAL_DOOR)
    concerns.quarantine(turn, apart)
    _keep_only(turn, draft, told, "\n".join(safe))
    return apart


def _told(turn: Turn, draft: Concern) -> list[ConcernPart]:
    query = select(ConcernPart).where(ConcernPart.concern_id == draft.id).order_by(ConcernPart.id)
    return list(turn.session.scalars(query))


def _record(
    turn: Turn, draft: Concern, text: str, told: Sequence[ConcernPart], *, state: ConcernState
) -> Concern:
    concern = Concern(
        citizen_id=draft.citizen_id,
        contact_id=draft.contact_id,
        unit_code=draft.unit_code,
        state=state,
        text="",
        text_key="",
        created_at=turn.now,
    )
    turn.session.add(concern)
    concerns.understand(turn, concern, text)
    source = next((part for part in told if text in part.text), told[0])
    turn.session.add(
        ConcernPart(concern_id=concern.id, inbound_id=source.inbound_id, text=text, at=source.at)
    )
    return concern


def _keep_only(turn: Turn, draft: Concern, told: Sequence[ConcernPart], text: str) -> None:
    source = next((part for part in told if text in part.text), told[0])
    for part in told:
        if part is not source:
            turn.session.delete(part)
    source.text = text
    concerns.understand(turn, draft, text)
