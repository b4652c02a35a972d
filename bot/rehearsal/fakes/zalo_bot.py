"""The fake Zalo Bot Platform: people, the monthly quota, updates without acknowledgement, and its HTTP side.

Facts: docs.zaloplatforms.com BOT/…, read 2026-08 to 2026-10. Not documented and therefore ours: the waits
between webhook repetitions, that 403 meets people who never wrote or blocked the bot, and that polling
while a webhook is set is a 400.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.rehearsal.fakes.asgi import (
    Answer,
    BodyUnreadable,
    Call,
    FakeApp,
    Fate,
    as_json,
    json_answer,
)
from bot.rehearsal.fakes.faults import FaultPlan, Lane
from bot.rehearsal.fakes.platform import FakePlatform
from bot.rehearsal.fakes.postman import Parcel, Postman, RetryRule, Target
from bot.rehearsal.fakes.telegram_text import EntitiesUnreadable, visible_text
from bot.rehearsal.fakes.world import Happening, Platform, Shown, World
from bot.rehearsal.fakes.zalo_bot_phone import ZaloBotPhone

MAX_TEXT = 2000
_VIET_NAM = ZoneInfo("Asia/Ho_Chi_Minh")
_DEFAULT_POLL_S = 30
_ENVELOPE = b'{"ok":true,"result":'
_SENDS = frozenset({"sendMessage", "sendPhoto", "sendSticker", "sendVoice"})


@dataclass(frozen=True, slots=True)
class ZaloBotRules:
    """Package and manners of the fake bot.

    `errors_in_200` answers refused requests with HTTP 200 and `ok:false`, as the platform may; without it
    the status is the code. `refuse_private_addresses` makes setWebhook strict about public HTTPS.
    `retry_delays_s` are the waits before webhook repetitions. `bare_updates` posts the inner object alone,
    as some receivers saw.
    """

    messages_per_month: int = 3000
    errors_in_200: bool = True
    refuse_private_addresses: bool = False
    webhook_timeout_s: float = 5.0
    retry_delays_s: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0, 600.0)
    bare_updates: bool = False
    media_life_s: float = 24 * 3600.0


class ZaloBotFake(FakePlatform):
    """One bot on a fake Zalo Bot Platform. 429 means a used-up month here, so `flaky` makes none."""

    platform = Platform.ZALO_BOT

    def __init__(
        self,
        world: World,
        *,
        token: str = "",
        name: str = "Bot Nghe Dân (diễn tập)",
        rules: ZaloBotRules | None = None,
        faults: FaultPlan | None = None,
        latency_s: float = 0.0,
    ) -> None:
        super().__init__(world, faults=faults, latency_s=latency_s)
        self.faults.rates = replace(self.faults.rates, rate_limited=0.0)
        self.rules = rules or ZaloBotRules()
        self.token = token or f"{world.digits(19)}:rehearsal{world.hex(24)}"
        self.account = {
            "id": self.token.partition(":")[0],
            "account_name": name,
            "account_type": "BASIC",
            "can_join_groups": False,
        }
        self.phones: dict[str, ZaloBotPhone] = {}
        self.webhook: dict[str, Any] | None = None
        self.sent_in_month: Counter[str] = Counter()
        self._secret = ""
        self._waiting: deque[Parcel] = deque()
        self._pollers: deque[asyncio.Future[None]] = deque()
        self.postman = Postman(
            world.record,
            self.platform,
            targeting=self._target,
            rule=RetryRule(self._retry_delay_s, blocks_conversation=False),
            faults=self.faults,
            timeout_s=self.rules.webhook_timeout_s,
            parallel=50,
        )
        self.app = ZaloBotApp(self)

    @property
    def people(self) -> dict[str, ZaloBotPhone]:
        """Everybody by chat id."""
        return self.phones

    def add_person(self, name: str, *, chat_id: str = "") -> ZaloBotPhone:
        """Give a new person a phone; the bot cannot write before they do."""
        phone = ZaloBotPhone(self, chat_id=chat_id or self.world.hex(16), name=name)
        self.phones[phone.chat_id] = phone
        return phone

    def month(self) -> str:
        """The month that messages count in now."""
        return self.world.clock().astimezone(_VIET_NAM).strftime("%Y-%m")

    # Updates.

    def publish(self, event: str, message: dict[str, Any], *, chat_id: str) -> None:
        """Send one update on its way, or keep it for the next poll."""
        self.world.record.add(self.platform, Happening.EVENT, chat_id=chat_id, what=event)
        update = {"event_name": event, "message": message}
        parcel = Parcel(chat_id, event, as_json(update))
        if self.webhook is not None:
            self._post(parcel)
            return
        self._waiting.append(parcel)
        self._wake_poller()

    def _post(self, parcel: Parcel) -> None:
        if not self.rules.bare_updates:
            parcel = replace(parcel, body=_ENVELOPE + parcel.body + b"}")
        self.postman.put(parcel)

    def _wake_poller(self) -> None:
        while self._pollers:
            poller = self._pollers.popleft()
            if not poller.done():
                poller.set_result(None)
                return

    async def next_update(self, timeout_s: float, gone: asyncio.Future[None]) -> Parcel | None:
        """Take the oldest update, waiting for one; None after the time-out or when the caller has left.

        There is no acknowledgement: what is taken is gone.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while not self._waiting and not gone.done() and (left_s := until - loop.time()) > 0:
            poller = loop.create_future()
            self._pollers.append(poller)
            await asyncio.wait((poller, gone), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            poller.cancel()
        if not self._waiting or gone.done():
            self._wake_poller()
            return None
        parcel = self._waiting.popleft()
        self.world.record.add(self.platform, Happening.HANDED_OUT, chat_id=parcel.conversation, what="1")
        return parcel

    # Webhook.

    async def set_webhook(self, url: str, secret_token: str) -> dict[str, Any]:
        """Store the address, check that it can be reached, and post what is waiting there.

        The address is stored even when the check fails.
        """
        self._secret = secret_token
        reached, hint = await _reach(url)
        self.webhook = {
            "url": url,
            "updated_at": int(self.now_s() * 1000),
            "verification": {"ok": reached, "hint": hint},
        }
        while self._waiting:
            self._post(self._waiting.popleft())
        self.postman.nudge()
        return self.webhook

    def delete_webhook(self) -> None:
        """Back to polling; what was not taken yet waits for a poll."""
        self.webhook = None
        for parcel in self.postman.drop_all():
            inner = parcel.body.removeprefix(_ENVELOPE)
            body = parcel.body if inner == parcel.body else inner[:-1]
            self._waiting.append(replace(parcel, body=body, repeated=0))
        self._wake_poller()

    def _target(self, parcel: Parcel) -> Target | None:
        if self.webhook is None:
            return None
        headers = {"content-type": "application/json", "X-Bot-Api-Secret-Token": self._secret}
        return Target(self.webhook["url"], headers)

    def _retry_delay_s(self, repetition: int) -> float | None:
        delays_s = self.rules.retry_delays_s
        return delays_s[repetition - 1] if repetition <= len(delays_s) else None

    def too_many(self, retry_after_s: int) -> Answer:
        """429: the package is used up; no waiting time is named."""
        return self.refusal(429, "Quota exceeded")

    def refusal(self, code: int, text: str) -> Answer:
        """`ok:false` with this code."""
        in_200 = self.rules.errors_in_200 and code in (400, 403, 429)
        payload = {"ok": False, "description": text, "error_code": code}
        return json_answer(payload, status=200 if in_200 else code, code=code)

    @property
    def idle(self) -> bool:
        """True when no update waits to be posted, repeated or polled."""
        return self.postman.idle and not self._waiting


async def _reach(url: str) -> tuple[bool, str]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, TimeoutError) as error:
        return False, f"Webhook is not reachable: {type(error).__name__}"
    writer.close()
    return True, ""


class _Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class ZaloBotApp(FakeApp):
    """ASGI application of one `ZaloBotFake`: `/bot<token>/<method>` and the media addresses."""

    def __init__(self, fake: ZaloBotFake) -> None:
        self._fake = fake
        self._prefix = f"/bot{fake.token}/"
        self._methods: dict[str, Callable[[dict[str, Any]], Any]] = {
            "getMe": lambda params: fake.account,
            "sendMessage": self._send_message,
            "sendPhoto": self._send_photo,
            "sendSticker": self._send_sticker,
            "sendVoice": self._send_voice,
            "sendChatAction": self._send_chat_action,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
        }

    async def answer(self, call: Call) -> Answer:
        """Answer one request."""
        if not call.path.startswith(self._prefix):
            return self._other_path(call)
        name = call.path[len(self._prefix) :]
        try:
            params = call.json() if call.body else dict(call.query())
        except BodyUnreadable as error:
            return self._fake.refusal(400, f"Bad Request: {error}")
        if name == "getUpdates":
            return await self._get_updates(call, params)
        if name == "setWebhook":
            return await self._set_webhook(params)
        method = self._methods.get(name)
        if method is None:
            return self._fake.refusal(404, "Not Found: unknown method")
        lane = Lane.SEND if name in _SENDS else Lane.CALL
        chat_id = str(params.get("chat_id", ""))

        def handle() -> Answer:
            try:
                return json_answer({"ok": True, "result": method(params)})
            except _Refused as refused:
                return self._fake.refusal(refused.code, str(refused))

        return self._fake.exchange(lane, name, chat_id=chat_id, handle=handle)

    def _other_path(self, call: Call) -> Answer:
        if call.path.startswith("/media/"):
            return self._fake.download(call.path, life_s=self._fake.rules.media_life_s)
        if re.match(r"/bot[^/]+/", call.path):
            return self._fake.refusal(401, "Unauthorized")
        return self._fake.refusal(404, "Not Found")

    # Sending.

    def _send_message(self, params: dict[str, Any]) -> dict[str, Any]:
        text = self._text(params, "text")
        if not text.strip():
            raise _Refused(400, "Bad Request: text is empty")
        return self._deliver(params, text=text, kind="text", media="")

    def _send_photo(self, params: dict[str, Any]) -> dict[str, Any]:
        caption = self._text(params, "caption")
        return self._deliver(params, text=caption, kind="photo", media=_address(params, "photo"))

    def _send_sticker(self, params: dict[str, Any]) -> dict[str, Any]:
        sticker = params.get("sticker")
        if not isinstance(sticker, str) or not sticker:
            raise _Refused(400, "Bad Request: sticker is required")
        return self._deliver(params, text="", kind="sticker", media=sticker)

    def _send_voice(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._deliver(params, text="", kind="voice", media=_address(params, "voice_url"))

    def _text(self, params: dict[str, Any], field: str) -> str:
        text = params.get(field, "")
        if not isinstance(text, str):
            raise _Refused(400, f"Bad Request: {field} must be a string")
        if len(unicodedata.normalize("NFC", text)) > MAX_TEXT:
            self._fake.violate("text_too_long", str(params.get("chat_id", "")))
            raise _Refused(400, f"Bad Request: {field} is longer than {MAX_TEXT} characters")
        parse_mode = params.get("parse_mode", "")
        if parse_mode not in ("", "markdown", "html"):
            raise _Refused(400, "Bad Request: parse_mode is invalid")
        try:
            return visible_text(text, parse_mode) if parse_mode else text
        except EntitiesUnreadable as error:
            raise _Refused(400, f"Bad Request: can't parse {field}: {error}") from error

    def _deliver(self, params: dict[str, Any], *, text: str, kind: str, media: str) -> dict[str, Any]:
        phone = self._recipient(params)
        fake = self._fake
        month = fake.month()
        if fake.sent_in_month[month] >= fake.rules.messages_per_month:
            fake.violate("monthly_quota", phone.chat_id)
            raise _Refused(429, "Quota exceeded")
        fake.sent_in_month[month] += 1
        message_id = fake.world.hex(16)
        at = fake.world.clock()
        phone.show(
            Shown(
                fake.platform,
                phone.chat_id,
                message_id,
                at,
                text,
                kind=kind,
                media=media,
                answered=fake.answering,
            )
        )
        return {"message_id": message_id, "date": int(at.timestamp() * 1000)}

    def _recipient(self, params: dict[str, Any]) -> ZaloBotPhone:
        chat_id = params.get("chat_id")
        phone = self._fake.phones.get(chat_id) if isinstance(chat_id, str) else None
        if phone is None:
            raise _Refused(400, "Bad Request: chat_id is invalid")
        if phone.blocked or phone.deactivated or not phone.wrote:
            raise _Refused(403, "Forbidden: the bot may not write to this chat")
        return phone

    def _send_chat_action(self, params: dict[str, Any]) -> bool:
        self._recipient(params)
        if params.get("action") != "typing":
            raise _Refused(400, "Bad Request: action is invalid")
        return True

    # Updates.

    async def _get_updates(self, call: Call, params: dict[str, Any]) -> Answer:
        fake = self._fake
        trouble = fake.exchange(Lane.POLL, "getUpdates", chat_id="", handle=lambda: _NOTHING)
        if trouble.body != _NOTHING.body or trouble.fate is not Fate.SENT:
            return trouble
        if fake.webhook is not None:
            return fake.refusal(400, "Bad Request: getUpdates can not be used while a webhook is set")
        try:
            timeout_s = float(params.get("timeout", _DEFAULT_POLL_S))
        except (TypeError, ValueError):
            return fake.refusal(400, "Bad Request: timeout is invalid")
        gone = asyncio.ensure_future(call.until_gone())
        try:
            parcel = await fake.next_update(timeout_s, gone)
        finally:
            gone.cancel()
        if parcel is None:
            return fake.refusal(408, "Request timeout")
        return Answer(200, _ENVELOPE + parcel.body + b"}")

    async def _set_webhook(self, params: dict[str, Any]) -> Answer:
        url, secret = params.get("url"), params.get("secret_token")
        if not isinstance(url, str) or not re.match(r"https?://[^/]+", url):
            return self._fake.refusal(400, "Bad Request: url is invalid")
        if self._fake.rules.refuse_private_addresses and not _is_public(url):
            return self._fake.refusal(400, "Bad Request: url must be a public HTTPS address")
        if not isinstance(secret, str) or not 8 <= len(secret) <= 256:
            return self._fake.refusal(400, "Bad Request: secret_token must have 8 to 256 characters")
        stored = await self._fake.set_webhook(url, secret)
        return self._fake.exchange(
            Lane.CALL, "setWebhook", chat_id="", handle=lambda: json_answer({"ok": True, "result": stored})
        )

    def _delete_webhook(self, params: dict[str, Any]) -> bool:
        self._fake.delete_webhook()
        return True

    def _get_webhook_info(self, params: dict[str, Any]) -> dict[str, Any]:
        if self._fake.webhook is None:
            raise _Refused(404, "Not Found: no webhook is set")
        return self._fake.webhook


_NOTHING = json_answer({"ok": True})


def _address(params: dict[str, Any], field: str) -> str:
    url = params.get(field)
    if not isinstance(url, str) or not re.match(r"https?://[^/]+", url):
        raise _Refused(400, f"Bad Request: {field} must be a public address")
    return url


def _is_public(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or host == "localhost":
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host
