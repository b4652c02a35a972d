"""Erasure on request: identity and raw text leave every table; codes, states and published answers stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from core.agenda.document import AgendaDocument
from core.agenda.redaction import redacted
from core.people import consent, joined
from storage.models import (
    ActionResult,
    Agenda,
    Attachment,
    Citizen,
    Concern,
    ConcernEvent,
    ConcernPart,
    ConcernState,
    ConcernVector,
    ConsentState,
    Contact,
    Inbound,
    InboundState,
    Outbound,
    OutboundKind,
    OutboundState,
    StaffRequest,
    Support,
    Topic,
)

_CLOSED = (ConcernState.ANSWERED, ConcernState.WITHDRAWN)
_STOPPABLE = (
    OutboundState.QUEUED,
    OutboundState.WAITING_FOR_CONTACT,
    OutboundState.TEMPORARY_FAILURE,
    OutboundState.PAUSED,
    OutboundState.MERGED,
)
# Shorter than the shortest quote that we make, so this much of a text's beginning finds them all.
_QUOTE_STEM = 40


def erase(session: Session, citizen: Citizen, *, now: datetime, actor: str = "citizen") -> list[str]:
    """Remove raw text everywhere now; returns paths of attachment files to delete after commit.

    What was not answered yet is withdrawn, and those who joined it are told. Quotes of the person's words
    in other people's messages, topic labels and kept agendas are blanked too. The channel's id is needed
    once more to say that it is done; `consent.forget_identities` replaces it afterwards.
    """
    contact_ids = session.scalars(select(Contact.id).where(Contact.citizen_id == citizen.id)).all()
    concerns = session.scalars(select(Concern).where(Concern.citizen_id == citizen.id)).all()
    ids = [concern.id for concern in concerns]
    _blank_quotes(session, concerns, own_contacts=contact_ids)
    _blank_agendas(session, concerns)
    paths = _drop_attachments(session, contact_ids, ids)
    _close_unanswered(session, concerns, actor=actor, now=now)
    _blank_concerns(session, ids, now=now)
    session.execute(delete(Support).where(Support.citizen_id == citizen.id))
    _silence(session, contact_ids)
    consent.forget_messages(session, contact_ids, now=now)
    consent.record(session, citizen, purpose=consent.PURPOSE_ANSWER, granted=False, inbound_id=None, now=now)
    citizen.consent = ConsentState.UNSET
    citizen.wants_announcements = False
    citizen.unit_code = None
    citizen.erased_at = now
    session.flush()
    return paths


def _drop_attachments(session: Session, contact_ids: Sequence[int], concern_ids: Sequence[int]) -> list[str]:
    belongs = or_(Attachment.contact_id.in_(contact_ids), Attachment.concern_id.in_(concern_ids))
    paths = [path for path in session.scalars(select(Attachment.path).where(belongs)) if path]
    session.execute(delete(Attachment).where(belongs))
    return paths


def _close_unanswered(session: Session, concerns: Sequence[Concern], *, actor: str, now: datetime) -> None:
    """What was not answered yet is withdrawn with its words: nobody can be asked or told about it."""
    unanswered = [c for c in concerns if c.state not in _CLOSED and c.state != ConcernState.DRAFT]
    joined.tell_withdrawn(session, [c.id for c in unanswered], now=now)
    for concern in unanswered:
        concern.state = ConcernState.WITHDRAWN
    session.add_all(
        ConcernEvent(concern_id=c.id, kind="withdrawn", at=now, actor=actor[:60], detail={"why": "erased"})
        for c in unanswered
    )
    session.flush()


def _blank_concerns(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    session.execute(delete(ConcernVector).where(ConcernVector.concern_id.in_(ids)))
    session.execute(delete(ConcernPart).where(ConcernPart.concern_id.in_(ids)))
    session.execute(delete(Concern).where(Concern.id.in_(ids), Concern.state == ConcernState.DRAFT))
    # Details of events hold what stood before an edit; that something happened and when stays.
    session.execute(update(ConcernEvent).where(ConcernEvent.concern_id.in_(ids)).values(detail={}))
    session.execute(
        update(Concern)
        .where(Concern.id.in_(ids))
        .values(text="", text_key="", folded="", place_text=None, door_reasons=[], erased_at=now)
    )


def _silence(session: Session, contact_ids: Sequence[int]) -> None:
    """Nothing more goes out, and what went out keeps no words."""
    mine = Outbound.contact_id.in_(contact_ids)
    session.execute(
        update(Outbound).where(mine, Outbound.state.in_(_STOPPABLE)).values(state=OutboundState.CANCELLED)
    )
    session.execute(
        update(Outbound).where(mine).values(text="", choices=[]).execution_options(synchronize_session=False)
    )
    session.execute(
        update(StaffRequest).where(StaffRequest.contact_id.in_(contact_ids)).values(state="closed")
    )
    session.execute(update(Contact).where(Contact.id.in_(contact_ids)).values(dialogue={}))


def _blank_quotes(session: Session, concerns: Sequence[Concern], *, own_contacts: Sequence[int]) -> None:
    """Take the person's words out of replies that quoted them to others, and out of topic labels."""
    told = [concern for concern in concerns if concern.code and concern.text]
    if not told:
        return
    for topic in session.scalars(select(Topic).where(Topic.representative_id.in_([c.id for c in told]))):
        topic.label = _unless_quoted(topic.label, [" ".join(c.text.split()) for c in told])
    stems = [_stem(concern.text) for concern in told]
    quoting = session.scalars(
        select(Outbound).where(
            Outbound.contact_id.in_(_who_may_have_read(told, own_contacts)),
            Outbound.kind.in_((OutboundKind.REPLY, OutboundKind.DIGEST)),
            or_(*(Outbound.text.contains(stem, autoescape=True) for stem in stems)),
        )
    ).all()
    for message in quoting:
        message.text = _without_quotes(message.text, stems)
        message.choices = [[_without_quotes(label, stems), value] for label, value in message.choices]
    _blank_replays(session, [message.inbound_id for message in quoting if message.inbound_id is not None])
    readers = {message.contact_id for message in quoting}
    for contact in session.scalars(select(Contact).where(Contact.id.in_(readers))):
        offered = contact.dialogue.get("choices", [])
        blanked = [[_without_quotes(label, stems), value] for label, value in offered]
        contact.dialogue = {**contact.dialogue, "choices": blanked}


def _blank_replays(session: Session, inbound_ids: Sequence[int]) -> None:
    """Stored results of answered messages repeat what was said; nobody asks for them again."""
    done = select(Inbound.id).where(Inbound.id.in_(inbound_ids), Inbound.state == InboundState.DONE)
    session.execute(delete(ActionResult).where(ActionResult.inbound_id.in_(done.scalar_subquery())))


def _stem(text: str) -> str:
    """How every quote of a text begins: quotes are cut at a word, never before `_QUOTE_STEM` letters."""
    line = " ".join(text.split())
    if len(line) <= _QUOTE_STEM:
        return f"«{line}»"
    cut = line[:_QUOTE_STEM]
    return "«" + (cut.rsplit(" ", 1)[0] if " " in cut else cut)


def _who_may_have_read(concerns: Sequence[Concern], own_contacts: Sequence[int]) -> Any:
    """Contacts of the same communes, and those who joined: matters are quoted to nobody else."""
    neighbours = (
        select(Contact.id)
        .join(Citizen, Citizen.id == Contact.citizen_id)
        .where(Citizen.unit_code.in_({concern.unit_code for concern in concerns}))
    )
    supporters = select(Support.contact_id).where(Support.concern_id.in_([c.id for c in concerns]))
    return (
        select(Contact.id)
        .where(or_(Contact.id.in_(neighbours), Contact.id.in_(supporters)), Contact.id.not_in(own_contacts))
        .scalar_subquery()
    )


def _unless_quoted(label: str, texts: Sequence[str]) -> str:
    stem = label.rstrip("…").rstrip()
    return "" if any(stem and stem in text for text in texts) else label


def _without_quotes(text: str, stems: Iterable[str]) -> str:
    for stem in stems:
        start = text.find(stem)
        while start >= 0:
            text = f"{text[:start]}«…{text[_end_of_quote(text, start) :]}"
            start = text.find(stem, start + 1)
    return text


def _end_of_quote(text: str, start: int) -> int:
    """Quotes are on one line between « and »; words may hold a » too, so the line's last one ends it."""
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    closing = text.rfind("»", start, line_end)
    return closing if closing >= 0 else line_end


def _blank_agendas(session: Session, concerns: Sequence[Concern]) -> None:
    """Kept agendas lose the words, not the codes; their digest is that of what can be exported now."""
    texts = {concern.code: concern.text for concern in concerns if concern.code and concern.text}
    session_ids = {concern.session_id for concern in concerns if concern.code}
    if not texts:
        return
    for agenda in session.scalars(select(Agenda).where(Agenda.session_id.in_(session_ids))):
        document = redacted(AgendaDocument.load(agenda.body), texts)
        agenda.body, agenda.sha256 = document.dump(), document.digest()


def delete_files(folder: Path, paths: list[str]) -> None:
    """Delete attachment files; one that is gone already is fine."""
    for path in paths:
        (folder / path).unlink(missing_ok=True)


def delete_orphans(session: Session, folder: Path, *, older_than: datetime) -> int:
    """Delete attachment files whose row is gone (erased, or a crash in between); returns how many.

    Files are named `{attachment id}-…`; young ones are left alone, their row may not be written yet.
    """
    if not folder.is_dir():
        return 0
    old = [p for p in folder.iterdir() if p.is_file() and p.stat().st_mtime < older_than.timestamp()]
    known = set(session.scalars(select(Attachment.path).where(Attachment.path.is_not(None))))
    orphans = [path for path in old if path.name not in known]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)
