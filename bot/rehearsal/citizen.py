"""A synthetic citizen: has a phone and some concerns, and acts only on what the phone shows.

They read like people: numbered choices are found by their words, a request for the commune is answered
with its name, silence makes them say it again. They know nothing of the system but its messages.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field

from bot.rehearsal.concerns_file import FileConcern
from bot.rehearsal.fakes.world import FakePhone, NothingShown, Platform
from core.text.normal import fold

_CHOICE = re.compile(r"^(\d)\. (.+)$", re.MULTILINE)
_CODE = re.compile(r"\b[A-Z]{1,4}-\d{2}-\d{5,}\b")
# What this person wants, most wanted first; a choice with one of these words is taken.
_WANTED = (
    "toi dong y",
    "toi chi phan anh",
    "chi la mot viec",  # A row of the file is one concern, whatever it names.
    "dung, gui y kien",
    "gui tin vua roi",
    "gui lam y kien",
    "xin nhan",
    "khong biet",
)
_ASKS_COMMUNE = ("xa, phuong nao", "chua tim thay xa", "go ten xa")
_LATER = "se tra loi ngay khi"
_RECEIPTS = ("da nhan y kien", "da nhan roi", "them ong/ba vao viec chung")
_INVITES = ("moi ong/ba neu y kien", "khong co y kien nao dang cho")
_PATIENCE = 8
_DISAPPOINTED_AFTER = 12


@dataclass
class Told:
    """How telling one concern went: messages typed, and the receipt code, empty when none came."""

    concern: FileConcern
    messages: int = 0
    code: str = ""
    first_contact: bool = False


@dataclass
class Citizen:
    """One person. `wait_s` is how long they wait for an answer before they say it again."""

    phone: FakePhone
    commune: str
    concerns: list[FileConcern]
    wait_s: float
    told: list[Told] = field(default_factory=list)
    reply_ms: list[float] = field(default_factory=list)
    typed: int = 0
    registered: bool = False
    subscribed: bool = False
    _last: str = ""
    _written_at: float = 0.0

    async def subscribe(self) -> None:
        """Follow the channel and ask for announcements, with everything that is asked on the way."""
        await self._arrive()
        await self._talk("đăng ký nhận thông báo", until=("nhan ong/ba khi", "da dang ky"))
        self.registered = self.subscribed = True

    async def tell_all(self) -> None:
        """Tell every concern, one after the other, until each has its receipt."""
        for concern in self.concerns:
            told = Told(concern, first_contact=not self.registered)
            self.told.append(told)
            before = self.typed
            if not self.registered:
                await self._arrive()
            told.code = await self._talk(concern.text, until=_RECEIPTS)
            told.messages = self.typed - before
            self.registered = True

    async def _arrive(self) -> None:
        """On Telegram nobody can write before pressing START; on Zalo people just write."""
        if self.phone.platform is Platform.TELEGRAM and not self.phone.screen:
            self.phone.follow()
            await self._until_silent("toi dong y")

    async def _talk(self, goal: str, *, until: tuple[str, ...]) -> str:
        """Say `goal`, act on the answers until an `until` phrase is read; returns the code in it."""
        self._say(self._first_words(goal))
        said_goal = self._last == goal
        for _ in range(_DISAPPOINTED_AFTER * _PATIENCE):
            text = await self._read()
            if text is None:
                self._say(self._last)  # Nothing came: people say it again.
                continue
            folded = fold(text)
            if any(phrase in folded for phrase in until):
                found = _CODE.search(text)
                code = found.group() if found else ""
                if code in {told.code for told in self.told if told.code}:
                    continue  # A late answer about an earlier matter.
                return code
            answer = self._answer_to(text, folded)
            if answer is None and any(p in folded for p in _INVITES) and not said_goal:
                answer = goal
            if answer is not None:
                said_goal = said_goal or answer == goal
                self._say(answer)
            if self.typed > _DISAPPOINTED_AFTER * (len(self.told) + 2):
                return ""
        return ""

    def _first_words(self, goal: str) -> str:
        """After START the consent question is on the screen already: it is answered first."""
        if self.phone.screen and not self.registered and "tôi đồng ý" in self.phone.screen[-1].text.lower():
            return self._answer_to(self.phone.screen[-1].text, fold(self.phone.screen[-1].text)) or goal
        return goal

    def _answer_to(self, text: str, folded: str) -> str | None:
        choices = {fold(label): number for number, label in _CHOICE.findall(text)}
        for wanted in _WANTED:
            for label, number in choices.items():
                if wanted in label:
                    return str(number)
        home = fold(self.commune)
        for label, number in choices.items():
            if home in label:
                return str(number)
        if any(phrase in folded for phrase in _ASKS_COMMUNE):
            return self.commune
        return None

    def _say(self, text: str) -> None:
        self._last = text
        self.typed += 1
        self._written_at = time.monotonic()
        self.phone.write(text)

    async def _read(self) -> str | None:
        """The next message, or None after waiting in vain; the "later" notice keeps people waiting on."""
        for _ in range(_PATIENCE):
            try:
                shown = await self.phone.next_message(timeout_s=self.wait_s)
            except NothingShown:
                return None
            if self._written_at:
                self.reply_ms.append((time.monotonic() - self._written_at) * 1000)
                self._written_at = 0.0
            if _LATER not in fold(shown.text):
                return shown.text
        return None

    async def _until_silent(self, phrase: str) -> None:
        """Wait until a message with `phrase` is on the screen (it stays unread for `_talk`)."""
        end = time.monotonic() + self.wait_s * 3
        while time.monotonic() < end:
            if any(phrase in fold(shown.text) for shown in self.phone.screen):
                self.phone.take_unread()
                return
            await asyncio.sleep(0.02)
