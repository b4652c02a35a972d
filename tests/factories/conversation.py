"""Talk to the dialogue as a citizen would, through stored messages, the real engine and the real actions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from sqlalchemy import select

from bot.engine import RasaEngine
from core.clock import utc_now
from core.intake import receive, turns
from core.intake.turns import Conversation
from core.outbox.port import ChannelName, Incoming, IncomingAttachment, IncomingKind
from storage.database import Database
from storage.models import Contact, Outbound

_NUMBERS = count(1)


@dataclass
class Talk:
    """One person's conversation; `say` returns what the bot answered, newest last."""

    database: Database
    engine_url: str
    engine_token: str
    person: str
    heard: list[str] = field(default_factory=list)

    def say(self, text: str) -> str:
        """Send a text and return the answers joined."""
        return self.send(IncomingKind.TEXT, text)

    def tap(self, value: str) -> str:
        """Tap a button."""
        return self.send(IncomingKind.CHOICE, value)

    def send(
        self,
        kind: IncomingKind,
        text: str | None = None,
        *,
        attachments: tuple[IncomingAttachment, ...] = (),
        refers_to: tuple[str, ...] = (),
    ) -> str:
        """Send any kind of message."""
        now = utc_now()
        event = Incoming(
            channel=ChannelName.SIMULATOR,
            account_id="test",
            external_id=f"m{next(_NUMBERS)}",
            kind=kind,
            sender_id=self.person,
            occurred_at=now,
            text=text,
            attachments=attachments,
            refers_to=refers_to,
        )
        with self.database.write() as session:
            receive.store(session, [event], now=now)
        return self.answer(now)

    def answer(self, now: datetime) -> str:
        """Run the turns that are due and return what was newly said."""
        asyncio.run(self._run_turns())
        before = len(self.heard)
        with self.database.read() as session:
            rows = session.scalars(
                select(Outbound.text)
                .join(Contact, Contact.id == Outbound.contact_id)
                .where(Contact.external_id == self.person)
                .order_by(Outbound.id)
            )
            self.heard = list(rows)
        return "\n".join(self.heard[before:])

    async def _run_turns(self) -> None:
        engine = RasaEngine(self.engine_url, token=self.engine_token, timeout_s=15.0)
        try:
            while True:
                with self.database.write() as session:
                    turn = turns.claim(
                        session,
                        Conversation(ChannelName.SIMULATOR, "test", self.person),
                        holder="test",
                        now=utc_now(),
                    )
                if turn is None:
                    return
                answer = await engine.answer(turn)
                with self.database.write() as session:
                    turns.finish(session, turn, answer.replies, intent=answer.intent, now=utc_now())
        finally:
            await engine.close()
