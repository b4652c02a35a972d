"""People and their concerns made through the real steps, without the dialogue engine: an intent is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import select

from core.intake import receive, turns
from core.intake.perform import StepResult, perform
from core.intake.turn import Services, StepCall
from core.intake.turns import ClaimedTurn, Conversation
from core.outbox.port import ChannelName, Incoming, IncomingAttachment, IncomingKind
from core.people import units
from core.people.units import UnitFacts
from core.sessions import lifecycle
from core.settings import Settings
from storage.database import Database
from storage.models import Contact, Outbound
from tests.factories.plain_reader import BAC_HA, BAT_XAT, PlainReader

_NUMBERS = count(1)


@dataclass
class Clock:
    """A clock that only moves when told."""

    at: datetime = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **time: float) -> datetime:
        """Let time pass."""
        self.at += timedelta(**time)
        return self.at


@dataclass
class Commune:
    """A province with two communes on one database, and the clock that everybody reads."""

    database: Database
    folder: Path
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.settings = Settings(data_dir=self.folder, _env_file=None)  # type: ignore[call-arg]
        self.services = Services(self.database, self.settings, PlainReader(), self.clock)
        with self.database.write() as session:
            units.seed(
                session,
                [
                    *(UnitFacts(u.code, u.name, "Xã", "15") for u in (BAT_XAT, BAC_HA)),
                    UnitFacts("15", "Tỉnh Lào Cai", "tinh", None),
                ],
            )

    def collecting(self, *, unit_code: str = "15", title: str = "Đối thoại quý IV") -> int:
        """A session that is open for collecting; returns its id."""
        with self.database.write() as session:
            made = lifecycle.create(
                session,
                unit_code=unit_code,
                title=title,
                held_at=self.clock.at + timedelta(days=20),
                collects_until=self.clock.at + timedelta(days=10),
                place="Hội trường tỉnh",
                chair="Đồng chí Chủ tịch UBND tỉnh",
                now=self.clock.at,
            )
            lifecycle.open_for_collecting(session, made.id)
            return made.id

    def newcomer(self, *, channel: ChannelName = ChannelName.SIMULATOR) -> Person:
        """Somebody who has not written yet."""
        return Person(self, f"người-{next(_NUMBERS)}", channel)

    def person(
        self, *, unit_code: str = BAT_XAT.code, channel: ChannelName = ChannelName.SIMULATOR
    ) -> Person:
        """Somebody who has consented and told the commune."""
        made = self.newcomer(channel=channel)
        made.step("action_ask_registration_form_consent", "xin chào", intent="greet")
        made.step("validate_registration_form", "1", intent="choose", choice="consent:yes")
        made.step("validate_registration_form", unit_code, intent="choose", choice=f"commune:{unit_code}")
        made.step("action_registered", "ok", intent="choose", choice=f"commune:{unit_code}")
        return made


@dataclass
class Person:
    """One citizen on one channel."""

    commune: Commune
    external_id: str
    channel: ChannelName = ChannelName.SIMULATOR

    @property
    def conversation(self) -> Conversation:
        """Key of the conversation."""
        return Conversation(self.channel, "test", self.external_id)

    def write(
        self,
        text: str | None,
        *,
        kind: IncomingKind = IncomingKind.TEXT,
        attachments: tuple[IncomingAttachment, ...] = (),
        refers_to: tuple[str, ...] = (),
        external_id: str | None = None,
    ) -> Incoming:
        """Have a message stored; returns it as the platform told it."""
        event = Incoming(
            channel=self.channel,
            account_id="test",
            external_id=external_id or f"tin-{next(_NUMBERS)}",
            kind=kind,
            sender_id=self.external_id,
            occurred_at=self.commune.clock.at,
            text=text,
            attachments=attachments,
            refers_to=refers_to,
        )
        with self.commune.database.write() as session:
            receive.store(session, [event], now=self.commune.clock.at)
        return event

    def claim(self, *, holder: str = "test") -> ClaimedTurn | None:
        """Take the oldest message."""
        with self.commune.database.write() as session:
            return turns.claim(session, self.conversation, holder=holder, now=self.commune.clock.at)

    def step(
        self,
        action: str | Sequence[str],
        text: str | None,
        *,
        intent: str = "raise_concern",
        choice: str | None = None,
        kind: IncomingKind = IncomingKind.TEXT,
        attachments: tuple[IncomingAttachment, ...] = (),
        refers_to: tuple[str, ...] = (),
    ) -> StepResult:
        """Write a message and run one or several steps for it; returns the last result."""
        self.write(text, kind=kind, attachments=attachments, refers_to=refers_to)
        turn = self.claim()
        assert turn is not None
        result = StepResult((), {})
        replies = []
        for name in [action] if isinstance(action, str) else action:
            result = perform(self.commune.services, name, StepCall(turn.inbound_id, intent, choice))
            replies += result.replies
        with self.commune.database.write() as session:
            turns.finish(session, turn, replies, intent=intent, now=self.commune.clock.at)
        return result

    def choose(self, value: str) -> StepResult:
        """Tap a button."""
        return self.step("action_choose", value, intent="choose", choice=value, kind=IncomingKind.CHOICE)

    def tell(self, text: str) -> None:
        """Tell a concern up to its confirmation."""
        self.step(("validate_concern_form", "action_ask_concern_form_confirmation"), text)

    def confirm(self) -> str:
        """Confirm what was told; returns what is said, with the code."""
        return self.step("action_submit_concern", "đúng", intent="affirm").replies[0].text

    def raise_concern(self, text: str) -> str:
        """Tell a concern and confirm it; returns its receipt code."""
        self.tell(text)
        return self.confirm().split("mã ")[1].split(".")[0]

    def heard(self) -> list[Outbound]:
        """Everything that was written to this person, oldest first."""
        with self.commune.database.read() as session:
            return list(
                session.scalars(
                    select(Outbound)
                    .join(Contact, Contact.id == Outbound.contact_id)
                    .where(Contact.external_id == self.external_id)
                    .order_by(Outbound.id)
                )
            )

    @property
    def contact_id(self) -> int:
        """Row of the contact."""
        with self.commune.database.read() as session:
            query = select(Contact.id).where(Contact.external_id == self.external_id)
            return session.scalars(query).one()
