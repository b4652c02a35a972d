"""What waited for a person's next message goes in one: the newest first, each row keeping its own outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from core.wording import CITIZEN
from storage.models import PRIORITY, Outbound, OutboundKind, OutboundState, Route

_GAP = "\n\n"


@dataclass(slots=True)
class _Page:
    rows: list[Outbound] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def length(self) -> int:
        return sum(map(len, self.texts)) + len(_GAP) * len(self.texts)


def merge(session: Session, waiting: Sequence[Outbound], *, limit: int, now: datetime) -> list[Outbound]:
    """Replace `waiting` (newest first, one contact's) by pages of at most `limit` characters; returns what to queue.

    Offered choices would answer the wrong message, so they go with a page only when one of its messages has some.
    A message that fills a page by itself goes as it is.
    """
    head = CITIZEN.say("digest.head", n=len(waiting))
    pages = [_Page(texts=[head])]
    for row in waiting:
        text = _words(row)
        if pages[-1].length + len(text) > limit - _room_for_choices(row) and pages[-1].rows:
            pages.append(_Page())
        pages[-1].rows.append(row)
        pages[-1].texts.append(text)
    return [
        page.rows[0] if len(page.rows) == 1 and len(pages) > 1 else _page_row(session, page, now=now)
        for page in pages
    ]


def _words(row: Outbound) -> str:
    """The text without its numbered choices, which `_page_row` puts at the end."""
    return row.text.removesuffix("\n" + "\n".join(_numbered(row.choices))) if row.choices else row.text


def _numbered(choices: Sequence[Sequence[str]]) -> list[str]:
    return [f"{number}. {choice[0]}" for number, choice in enumerate(choices, start=1)]


def _room_for_choices(row: Outbound) -> int:
    return sum(len(line) + 1 for line in _numbered(row.choices))


def _page_row(session: Session, page: _Page, *, now: datetime) -> Outbound:
    newest = page.rows[0]
    offering = [row for row in page.rows if row.choices]
    choices = offering[0].choices if len(offering) == 1 else []
    row = Outbound(
        contact_id=newest.contact_id,
        channel=newest.channel,
        account_id=newest.account_id,
        kind=OutboundKind.DIGEST,
        dedupe_key=f"digest:{newest.id}:{newest.attempts}:{now.timestamp():.0f}",
        text="\n".join([_GAP.join(page.texts), *_numbered(choices)]),
        choices=choices,
        priority=PRIORITY[OutboundKind.DIGEST],
        state=OutboundState.QUEUED,
        due_at=now,
        created_at=now,
        route=Route.MESSAGE,
    )
    session.add(row)
    session.flush()
    for one in page.rows:
        one.state = OutboundState.MERGED
        one.merged_into = row.id
    return row


def follow(session: Session, digest_ids: Sequence[int]) -> None:
    """Give the rows inside digests the outcome that the digests have now; one statement."""
    if not digest_ids:
        return
    carrier = aliased(Outbound)

    def of_carrier(column: object) -> object:
        return select(column).where(carrier.id == Outbound.merged_into).scalar_subquery()  # type: ignore[call-overload]

    session.flush()
    session.execute(
        update(Outbound)
        .where(Outbound.merged_into.in_(digest_ids))
        .values(
            state=of_carrier(carrier.state),
            external_id=of_carrier(carrier.external_id),
            sent_at=of_carrier(carrier.sent_at),
            failure=of_carrier(carrier.failure),
        )
        .execution_options(synchronize_session=False)
    )


def undo_or_follow(session: Session, row: Outbound) -> None:
    """A digest was refused: its rows wait again when it would have to, and share its end when it has one."""
    if row.state == OutboundState.WAITING_FOR_CONTACT:
        session.execute(
            update(Outbound)
            .where(Outbound.merged_into == row.id)
            .values(state=OutboundState.WAITING_FOR_CONTACT, merged_into=None)
            .execution_options(synchronize_session=False)
        )
        row.state = OutboundState.CANCELLED
    elif OutboundState(row.state).final:
        follow(session, [row.id])
