"""House rules of bulk messages: quiet hours, how often one person is written to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from core.settings import Settings
from core.wording.dates import local

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A span of the local day, usually over midnight; equal ends mean none."""

    begin: time
    end: time

    @classmethod
    def parse(cls, words: str) -> QuietHours:
        """From `21:00-07:00`. Raises ValueError."""
        found = _HOURS.fullmatch(words)
        if found is None:
            raise ValueError("quiet hours look like 21:00-07:00")
        hours = [int(part) for part in found.groups()]
        return cls(time(hours[0], hours[1]), time(hours[2], hours[3]))

    def over_at(self, at: datetime) -> datetime:
        """`at` itself, or the end of the quiet hours that it is in."""
        here = local(at)
        if not self._quiet(here.time()):
            return at
        end = here.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)
        return (end if end > here else end + timedelta(days=1)).astimezone(at.tzinfo)

    def _quiet(self, at: time) -> bool:
        if self.begin <= self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


@dataclass(frozen=True, slots=True)
class Rules:
    """`per_week`: bulk messages that one person gets within seven days at most; 0: no cap."""

    quiet: QuietHours
    per_week: int


NO_QUIET = QuietHours(time(0), time(0))
NO_RULES = Rules(NO_QUIET, 0)


def rules_of(settings: Settings) -> Rules:
    """The installation's rules."""
    return Rules(QuietHours.parse(settings.quiet_hours), settings.announcements_per_week)
