"""Trouble of a channel account that only a person can end: kept with the account until it is over."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.wording import STAFF
from storage.models import ChannelState

# Names in `ChannelState.facts`: the code of the trouble, and the one that staff's chat was told of.
ALARM_FACT, TOLD_FACT = "alarm", "alarm_told"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One account in trouble; `code` is a key of `alarm` in the staff catalogue."""

    channel: str
    account_id: str
    code: str

    @property
    def text(self) -> str:
        """What happened and the steps that end it."""
        channel = STAFF.say(f"channel.{self.channel}")
        return STAFF.say(f"alarm.{self.code}", channel=channel)


def open_alarms(session: Session) -> list[Alarm]:
    """Every account in trouble; one query over a handful of rows."""
    return [
        Alarm(state.channel, state.account_id, state.facts[ALARM_FACT])
        for state in session.scalars(select(ChannelState).order_by(ChannelState.channel))
        if state.facts.get(ALARM_FACT)
    ]


def anything_new(session: Session) -> bool:
    """Whether `news` would find something."""
    states = session.scalars(select(ChannelState))
    return any(state.facts.get(ALARM_FACT) != state.facts.get(TOLD_FACT) for state in states)


def news(session: Session) -> list[str]:
    """What began or ended since staff's chat was told; it counts as told when the caller commits."""
    texts = []
    for state in session.scalars(select(ChannelState).with_for_update()):
        code = state.facts.get(ALARM_FACT)
        if code == state.facts.get(TOLD_FACT):
            continue
        if code:
            texts.append(Alarm(state.channel, state.account_id, code).text)
        else:
            texts.append(STAFF.say("alarm.over", channel=STAFF.say(f"channel.{state.channel}")))
        state.facts = {**state.facts, TOLD_FACT: code}
    return texts
