"""The fake Telegram: its people, limits and updates; `telegram_api` is the HTTP side.

Facts: core.telegram.org/bots/api and /bots/faq as restated by python-telegram-bot 22.8, read 2026-11.
Not published and therefore ours: the burst of one chat, the waits between webhook repetitions, and that
everything within a `retry_after` is refused again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from bot.rehearsal.fakes.asgi import Answer, as_json, json_answer
from bot.rehearsal.fakes.faults import FaultPlan
from bot.rehearsal.fakes.limits import PacePerKey, SlidingWindow
from bot.rehearsal.fakes.platform import FakePlatform, Medium
from bot.rehearsal.fakes.postman import Parcel, Postman, RetryRule, Target
from bot.rehearsal.fakes.telegram_api import TelegramApp
from bot.rehearsal.fakes.telegram_phone import TelegramPhone
from bot.rehearsal.fakes.world import Happening, Platform, Shown, World

DEFAULT_UPDATES = frozenset({"message", "edited_message", "callback_query", "my_chat_member"})
_KEPT_S = 24 * 3600.0
_PAID_NEEDS = 10_000  # Stars and monthly users each, for paid broadcasts


@dataclass(frozen=True, slots=True)
class TelegramRules:
    """Limits and manners of the fake; the defaults are the published ones where there are any.

    `star_balance` and `monthly_users` must both reach 10,000 before `allow_paid_broadcast` lifts the rate.
    `retry_base_s` doubles per webhook repetition up to `retry_cap_s`. `require_https` also checks the port.
    """

    rate_per_s: int = 30
    paid_rate_per_s: int = 1000
    chat_interval_s: float = 1.0
    chat_burst: int = 3
    star_balance: float = 0.0
    monthly_users: int = 0
    retry_base_s: float = 1.0
    retry_cap_s: float = 60.0
    webhook_timeout_s: float = 10.0
    require_https: bool = False


@dataclass(slots=True)
class Webhook:
    """What setWebhook stored; an empty `url` means polling."""

    url: str = ""
    max_connections: int = 40
    allowed: frozenset[str] = DEFAULT_UPDATES
    headers: dict[str, str] = field(default_factory=dict)


class PendingUpdate(NamedTuple):
    """An update that the bot has not acknowledged; `body` is its JSON."""

    made_at_s: float
    chat_id: str
    what: str
    body: bytes


class TelegramFake(FakePlatform):
    """One bot on a fake Telegram. One event loop; nothing happens before `app` is served.

    `stars_spent` counts paid messages at 0.1 each. `user` is the bot's own User object.
    """

    platform = Platform.TELEGRAM

    def __init__(
        self,
        world: World,
        *,
        token: str = "",
        username: str = "nghedan_dien_tap_bot",
        rules: TelegramRules | None = None,
        faults: FaultPlan | None = None,
        latency_s: float = 0.0,
    ) -> None:
        super().__init__(world, faults=faults, latency_s=latency_s)
        self.rules = rules or TelegramRules()
        bot_id = token.partition(":")[0] or world.digits(10)
        self.token = token or f"{bot_id}:AA{world.hex(33)}"
        self.user = {"id": int(bot_id), "is_bot": True, "first_name": "Nghe Dân", "username": username}
        self.phones: dict[str, TelegramPhone] = {}
        self.webhook = Webhook()
        self.commands: dict[str, list[dict[str, str]]] = {}
        self.callbacks: dict[str, str] = {}  # open callback query id → chat id
        self.pending: OrderedDict[int, PendingUpdate] = OrderedDict()
        self.stars_spent = 0.0
        self._last_update_id = world.random.randrange(100_000_000, 900_000_000)
        self._poller: asyncio.Future[Answer | None] | None = None
        self._set_up_limits()
        self.postman = Postman(
            world.record,
            self.platform,
            targeting=self._target,
            rule=RetryRule(self._retry_delay_s, blocks_conversation=True),
            faults=self.faults,
            timeout_s=self.rules.webhook_timeout_s,
            parallel=self.webhook.max_connections,
        )
        self.app = TelegramApp(self)

    def _set_up_limits(self) -> None:
        rules = self.rules
        self._free = SlidingWindow(rules.rate_per_s, 1.0)
        self._all = SlidingWindow(rules.paid_rate_per_s, 1.0)
        self._chats = PacePerKey(rules.chat_interval_s, rules.chat_burst)
        self._stopped_until_s = 0.0
        self._chat_stopped_until_s: dict[str, float] = {}

    # People.

    @property
    def people(self) -> dict[str, TelegramPhone]:
        """Everybody on the platform by chat id (equal to the user id)."""
        return self.phones

    def add_person(self, name: str, *, user_id: int | None = None) -> TelegramPhone:
        """Give a new person a phone; they have not started the bot yet."""
        chat_id = str(user_id) if user_id is not None else self.world.digits(10)
        phone = TelegramPhone(self, chat_id=chat_id, name=name)
        self.phones[chat_id] = phone
        return phone

    def store(self, content: bytes, *, mime_type: str, name: str) -> str:
        """Keep a file and return its file_id."""
        file_id = f"AgACAgUAAxk{self.world.hex(40)}"
        self.media[file_id] = Medium(content, mime_type, name, self.world.clock())
        return file_id

    # Limits.

    def rate_refusal(self, chat_id: str, *, paid: bool) -> Answer | None:
        """The 429 for one more message to this chat now, or None after counting it."""
        now_s = self.now_s()
        if now_s < self._stopped_until_s:
            return self._flood("during_retry_after", self._stopped_until_s - now_s, chat_id)
        rules = self.rules
        paid = paid and min(rules.star_balance - self.stars_spent, rules.monthly_users) >= _PAID_NEEDS
        free_wait_s = self._free.wait_s(now_s)
        wait_s = self._all.wait_s(now_s) if paid else free_wait_s
        if wait_s > 0:
            self._stopped_until_s = now_s + _whole_seconds(wait_s)
            return self._flood("rate_bot", wait_s, chat_id)
        if (refused := self.chat_rate_refusal(chat_id)) is not None:
            return refused
        if free_wait_s > 0:
            self.stars_spent += 0.1
        else:
            self._free.take(now_s)
        self._all.take(now_s)
        return None

    def chat_rate_refusal(self, chat_id: str) -> Answer | None:
        """The 429 for one more message or edit in this chat now, or None after counting it."""
        now_s = self.now_s()
        stopped_until_s = self._chat_stopped_until_s.get(chat_id, 0.0)
        if now_s < stopped_until_s:
            return self._flood("during_retry_after", stopped_until_s - now_s, chat_id)
        wait_s = self._chats.wait_s(chat_id, now_s)
        if wait_s > 0:
            self._chat_stopped_until_s[chat_id] = now_s + _whole_seconds(wait_s)
            return self._flood("rate_chat", wait_s, chat_id)
        self._chats.take(chat_id, now_s)
        return None

    def _flood(self, which: str, wait_s: float, chat_id: str) -> Answer:
        self.violate(which, chat_id)
        return self.too_many(_whole_seconds(wait_s))

    def too_many(self, retry_after_s: int) -> Answer:
        """429 with `parameters.retry_after`."""
        text = f"Too Many Requests: retry after {retry_after_s}"
        payload = {
            "ok": False,
            "error_code": 429,
            "description": text,
            "parameters": {"retry_after": retry_after_s},
        }
        return json_answer(payload, status=429, code=429)

    def refusal(self, code: int, text: str) -> Answer:
        """An error answer; status and error_code are the same on Telegram."""
        return json_answer({"ok": False, "error_code": code, "description": text}, status=code, code=code)

    # Updates.

    def publish(self, what: str, content: dict[str, Any], *, chat_id: str) -> None:
        """Make an update of kind `what` and send it on its way, unless the bot did not ask for the kind."""
        self.world.record.add(self.platform, Happening.EVENT, chat_id=chat_id, what=what)
        if what not in self.webhook.allowed:
            return
        self._last_update_id += 1
        update_id = self._last_update_id
        body = as_json({"update_id": update_id, what: content})
        self.pending[update_id] = PendingUpdate(self.now_s(), chat_id, what, body)
        if self.webhook.url:
            self._post(update_id)
        else:
            self._wake_poller(None)

    def acknowledge(self, offset: int) -> None:
        """Forget updates before `offset`; a negative one keeps only that many of the newest."""
        if offset < 0:
            while len(self.pending) > -offset:
                self.pending.popitem(last=False)
            return
        while self.pending and next(iter(self.pending)) < offset:
            self.pending.popitem(last=False)

    def oldest(self, limit: int) -> list[bytes]:
        """JSON of up to `limit` updates, oldest first; those older than 24 h are lost."""
        while self.pending:
            update_id, update = next(iter(self.pending.items()))
            if self.now_s() - update.made_at_s <= _KEPT_S:
                break
            self._forget(update_id, why="older than 24 h")
        return [update.body for update in islice(self.pending.values(), limit)]

    def _forget(self, update_id: int, *, why: str) -> None:
        update = self.pending.pop(update_id)
        self.world.record.add(self.platform, Happening.LOST, chat_id=update.chat_id, what=why)

    def handed_out(self, number: int) -> None:
        """Record that a poll answer carries this many updates."""
        if number:
            self.world.record.add(self.platform, Happening.HANDED_OUT, chat_id="", what=str(number))

    def allow(self, kinds: frozenset[str]) -> None:
        """Make updates of these kinds only from now on; none named means the default set."""
        self.webhook.allowed = kinds or DEFAULT_UPDATES

    async def wait_for_update(self, timeout_s: float, gone: asyncio.Future[None]) -> Answer | None:
        """Wait as the one long poll for an update, the time-out, or `gone`; a conflict gives an answer."""
        self.end_poll(
            "terminated by other getUpdates request; make sure that only one bot instance is running"
        )
        poller: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._poller = poller
        try:
            waiting: Sequence[asyncio.Future[Any]] = (poller, gone)
            await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._poller is poller:
                self._poller = None
        return poller.result() if poller.done() else None

    def end_poll(self, why: str) -> None:
        """End a waiting long poll with 409, if there is one."""
        self._wake_poller(self.refusal(409, f"Conflict: {why}"))

    def _wake_poller(self, answer: Answer | None) -> None:
        if self._poller is not None and not self._poller.done():
            self._poller.set_result(answer)

    # Webhook.

    def set_webhook(
        self,
        *,
        url: str,
        secret_token: str = "",
        max_connections: int = 40,
        allowed: frozenset[str] | None = None,
        drop_pending: bool = False,
    ) -> None:
        """Post to this address from now on; an empty URL means polling. What is pending goes there too.

        `allowed` None keeps the earlier choice of update kinds.
        """
        changed = url != self.webhook.url
        if drop_pending or changed:
            self.postman.drop_all()
        if drop_pending:
            self.pending.clear()
        headers = {"content-type": "application/json"}
        if secret_token:
            headers["x-telegram-bot-api-secret-token"] = secret_token
        kinds = self.webhook.allowed if allowed is None else allowed or DEFAULT_UPDATES
        self.webhook = Webhook(url, max_connections, kinds, headers)
        self.postman.set_parallel(max_connections)
        if url and changed:
            self.end_poll("terminated by setWebhook request")
            for update_id in self.pending:
                self._post(update_id)
        self.postman.nudge()

    def webhook_info(self) -> dict[str, Any]:
        """The WebhookInfo object."""
        webhook = self.webhook
        info: dict[str, Any] = {
            "url": webhook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
            "max_connections": webhook.max_connections,
        }
        if webhook.allowed != DEFAULT_UPDATES:
            info["allowed_updates"] = sorted(webhook.allowed)
        if self.postman.last_error_at is not None:
            info["last_error_date"] = int(self.postman.last_error_at.timestamp())
            info["last_error_message"] = self.postman.last_error
        return info

    def _post(self, update_id: int) -> None:
        update = self.pending[update_id]

        def done(taken: bool) -> None:
            self.pending.pop(update_id, None)

        self.postman.put(Parcel(update.chat_id, update.what, update.body, done))

    def _target(self, parcel: Parcel) -> Target | None:
        return Target(self.webhook.url, self.webhook.headers) if self.webhook.url else None

    def _retry_delay_s(self, repetition: int) -> float | None:
        # Updates older than a day are given up; the doubling wait reaches its cap long before.
        oldest = next(iter(self.pending.values()), None)
        if oldest is not None and self.now_s() - oldest.made_at_s > _KEPT_S:
            return None
        return float(min(self.rules.retry_base_s * 2 ** min(repetition - 1, 30), self.rules.retry_cap_s))

    @property
    def idle(self) -> bool:
        """True when the bot has acknowledged every update."""
        return not self.pending

    def shown(self, phone: TelegramPhone, message_id: int, **content: Any) -> Shown:
        """A `Shown` for this phone, now."""
        return Shown(
            self.platform,
            phone.chat_id,
            str(message_id),
            self.world.clock(),
            answered=self.answering,
            **content,
        )


def _whole_seconds(wait_s: float) -> int:
    return max(1, -int(-wait_s // 1))
