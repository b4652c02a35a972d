"""The turn loop: takes conversations with unanswered messages and lets the engine answer them in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from bot.engine import EngineFailed, RasaEngine
from bot.signals import WakeUp
from core.clock import utc_now
from core.intake import turns
from core.intake.turn import Reply
from core.intake.turns import ClaimedTurn, Conversation
from storage.database import Database

log = structlog.get_logger("nghedan.turns")

# Messages that another process stored, and retries, are found by looking this often.
_SWEEP_S = 0.5
_BATCH = 200


class TurnLoop:
    """Answers messages: `workers` conversations at a time, one message of a conversation at a time.

    `grace_s`: leave messages this long to those who are told of them; the sweep then finds what was missed.
    `replying` runs in the transaction that writes replies.
    """

    def __init__(
        self,
        database: Database,
        engine: RasaEngine,
        *,
        holder: str,
        workers: int,
        replied: WakeUp,
        replying: Callable[[Session], None] = lambda _session: None,
        grace_s: float = 0.0,
        takeover: timedelta = turns.HUMAN_TAKEOVER,
    ) -> None:
        self._database = database
        self._engine = engine
        self._holder = holder
        self._free = asyncio.Semaphore(workers)
        self._replied = replied
        self._replying = replying
        self._grace = timedelta(seconds=grace_s)
        self._takeover = takeover
        self._busy: dict[Conversation, asyncio.Task[None]] = {}
        self.arrived = WakeUp()

    async def run(self) -> None:
        """Work until cancelled; what is in progress then is found again by the next start."""
        while True:
            for conversation in await asyncio.to_thread(self._backlog):
                if conversation not in self._busy:
                    await self._free.acquire()
                    self._start(conversation)
            await self.arrived.wait(max(_SWEEP_S, self._grace.total_seconds() / 2))

    async def converse(self, conversation: Conversation) -> None:
        """Answer one conversation now, after whatever of it is in progress here."""
        while (running := self._busy.get(conversation)) is not None:
            await asyncio.wait([running])
        await self._free.acquire()
        if conversation in self._busy:  # The sweep was faster while we waited for room.
            self._free.release()
            await self.converse(conversation)
            return
        await asyncio.wait([self._start(conversation)])

    def _backlog(self) -> list[Conversation]:
        with self._database.read() as session:
            return turns.backlog(session, now=utc_now() - self._grace, limit=_BATCH)

    def _start(self, conversation: Conversation) -> asyncio.Task[None]:
        task = self._busy[conversation] = asyncio.create_task(self._converse(conversation))
        task.add_done_callback(lambda done: self._ended(conversation, done))
        return task

    def _ended(self, conversation: Conversation, task: asyncio.Task[None]) -> None:
        del self._busy[conversation]
        self._free.release()
        if not task.cancelled() and task.exception() is not None:
            # The message stays unanswered in its row; the lease runs out and the sweep takes it again.
            log.error("turn crashed", channel=conversation.channel, exc_info=task.exception())

    async def _converse(self, conversation: Conversation) -> None:
        while True:
            turn = await asyncio.to_thread(self._claim, conversation)
            if turn is None:
                return
            await self._answer(turn)

    def _claim(self, conversation: Conversation) -> ClaimedTurn | None:
        with self._database.write() as session:
            return turns.claim(
                session, conversation, holder=self._holder, now=utc_now(), takeover=self._takeover
            )

    async def _answer(self, turn: ClaimedTurn) -> None:
        try:
            answer = await self._engine.answer(turn)
        except EngineFailed as error:
            log.warning("engine did not answer", inbound_id=turn.inbound_id, reason=str(error))
            await asyncio.to_thread(self._postpone, turn)
        else:
            await asyncio.to_thread(self._finish, turn, answer.replies, answer.intent)
        self._replied.ring()

    def _finish(self, turn: ClaimedTurn, replies: tuple[Reply, ...], intent: str | None) -> None:
        with self._database.write() as session:
            turns.finish(session, turn, replies, intent=intent, now=utc_now())
            self._replying(session)

    def _postpone(self, turn: ClaimedTurn) -> None:
        with self._database.write() as session:
            turns.postpone(session, turn, now=utc_now())
            self._replying(session)
