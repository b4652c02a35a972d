"""The fake Zalo Official Account: people, windows, quotas, events; `zalo_oa_api` is the HTTP side.

Facts: docs.zaloplatforms.com OA/…, read 2026-07 to 2026-10. Where sources conflict there is a rule to
choose with; the defaults follow the official page. What no page says is ours: receipts come at once, the
plan's limit is a sliding minute, and refused calls do not count.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.rehearsal.fakes.asgi import Answer, UploadedFile, as_json, json_answer
from bot.rehearsal.fakes.faults import FaultPlan
from bot.rehearsal.fakes.limits import SlidingWindow
from bot.rehearsal.fakes.platform import FakePlatform
from bot.rehearsal.fakes.postman import Parcel, Postman, RetryRule, Target
from bot.rehearsal.fakes.world import Happening, Platform, Shown, World
from bot.rehearsal.fakes.zalo_oa_api import ZaloOAApp
from bot.rehearsal.fakes.zalo_oa_messages import Draft, ZaloError
from bot.rehearsal.fakes.zalo_oa_phone import ZaloOAPhone
from bot.rehearsal.fakes.zalo_oa_tokens import TokenOffice

VIET_NAM = ZoneInfo("Asia/Ho_Chi_Minh")
FREE_WINDOW_S = 48 * 3600.0
PAID_WINDOW_S = 7 * 24 * 3600.0
RETRY_DELAYS_S = (30.0, 300.0, 900.0, 1800.0, 3600.0)
_USER_AGENT = "Java/1.8.0_192"


@dataclass(frozen=True, slots=True)
class ZaloOARules:
    """Plan, prices and manners of the fake OA.

    `calls_per_minute` is the plan's: 100 (Tăng trưởng) or 2,000 (Toàn diện). `wallet_vnd` None means that
    no cloud account is linked. `oa_type` 2 is a business, 4 a state agency; `v3_refused` makes `message/cs`
    answer -235 and v2 accept. `buttons_refused` makes v3 refuse text with buttons (-233). `time_factor`
    scales the waits of webhook repetitions. `retry_on_bad_status` repeats after any answer but 2xx too;
    officially only silence is repeated. `receipt_sender_is_oa` False turns sender and recipient of
    receipts round. `signature_prefix` is `mac=` or empty.
    """

    calls_per_minute: int = 100
    app_calls_per_minute: int = 4000
    included_paid_messages: int = 500
    message_price_vnd: int = 55
    template_price_vnd: int = 200
    wallet_vnd: int | None = 10_000_000
    templates_per_day: int = 500
    uploads_per_month: int = 5000
    oa_type: int = 2
    v3_refused: bool = False
    buttons_refused: bool = False
    require_appsecret_proof: bool = False
    media_life_s: float = 1800.0
    webhook_timeout_s: float = 2.0
    webhook_retry: bool = True
    retry_on_bad_status: bool = False
    time_factor: float = 1.0
    signature_prefix: str = "mac="
    receipts: bool = True
    receipt_sender_is_oa: bool = True


@dataclass(frozen=True, slots=True)
class Template:
    """An approved template; `{name}` in `text` stands for a value that `template_data` must give.

    `kind` is transaction or promotion; `by_user_id` says whether it may go without a telephone number.
    """

    template_id: str
    text: str
    kind: str = "transaction"
    by_user_id: bool = True

    @property
    def parameters(self) -> frozenset[str]:
        """Names of the values that the text needs."""
        return frozenset(re.findall(r"\{(\w+)\}", self.text))

    def filled(self, data: Mapping[str, Any]) -> str:
        """The text with its values; every parameter must be in `data`."""
        return re.sub(r"\{(\w+)\}", lambda match: str(data[match.group(1)]), self.text)


@dataclass(frozen=True, slots=True)
class Asset:
    """An uploaded file; `kind` is image, gif or file."""

    kind: str
    url: str
    stored_at_s: float


@dataclass(slots=True)
class Counters:
    """What was used up; each is counted per the period in its name, Viet Nam time."""

    paid_in_month: dict[str, int] = field(default_factory=dict)
    uploads_in_month: dict[str, int] = field(default_factory=dict)
    templates_in_day: dict[str, int] = field(default_factory=dict)


class ZaloOAFake(FakePlatform):
    """One OA and one app on a fake Zalo. `tokens` holds the OAuth state, `wallet_vnd` the money left."""

    platform = Platform.ZALO_OA

    def __init__(
        self,
        world: World,
        *,
        app_id: str = "",
        app_secret: str = "",
        oa_id: str = "",
        oa_secret_key: str = "",
        refresh_token: str = "",
        rules: ZaloOARules | None = None,
        faults: FaultPlan | None = None,
        latency_s: float = 0.0,
    ) -> None:
        super().__init__(world, faults=faults, latency_s=latency_s)
        self.rules = rules or ZaloOARules()
        self.app_id = app_id or world.digits(19)
        self.app_secret = app_secret or f"rehearsal-app-{world.hex(20)}"
        self.oa_id = oa_id or world.digits(19)
        self.oa_secret_key = oa_secret_key or f"rehearsal-oa-{world.hex(20)}"
        self.tokens = TokenOffice(
            world,
            app_id=self.app_id,
            app_secret=self.app_secret,
            oa_id=self.oa_id,
            refresh_token=refresh_token,
        )
        self.phones: dict[str, ZaloOAPhone] = {}
        self.by_number: dict[str, ZaloOAPhone] = {}
        self.admin_numbers: set[str] = set()
        self.templates: dict[str, Template] = {}
        self.assets: dict[str, Asset] = {}
        self.counters = Counters()
        self.wallet_vnd = self.rules.wallet_vnd
        self.plan_window = SlidingWindow(self.rules.calls_per_minute, 60.0)
        self.app_window = SlidingWindow(self.rules.app_calls_per_minute, 60.0)
        self.webhook_url = ""
        self.webhook_enabled = True
        self._last_timestamp_ms = 0
        self.postman = self._make_postman()
        self.app = ZaloOAApp(self)

    def _make_postman(self) -> Postman:
        rules = self.rules
        return Postman(
            self.world.record,
            self.platform,
            targeting=self._target,
            rule=RetryRule(
                self._retry_delay_s,
                blocks_conversation=False,
                on_bad_status=rules.retry_on_bad_status,
            ),
            faults=self.faults,
            timeout_s=rules.webhook_timeout_s,
            parallel=50,
        )

    # The console's side.

    def set_webhook(self, url: str) -> None:
        """Enter the webhook address in the console, and switch the webhook on; empty switches it off."""
        self.webhook_url = url
        self.webhook_enabled = True
        self.postman.nudge()

    def add_template(
        self, template_id: str, text: str, *, kind: str = "transaction", by_user_id: bool = True
    ) -> Template:
        """Have a template approved; see `Template`."""
        template = Template(template_id, text, kind, by_user_id)
        self.templates[template_id] = template
        return template

    def clerk_writes(self, phone: ZaloOAPhone, text: str, *, admin_id: str = "7001") -> str:
        """A human answers in the OA's web console; the echo carries `sender.admin_id`."""
        draft = Draft("text", text, "oa_send_text")
        return self._put_on_phone(phone, draft, sender={"id": self.oa_id, "admin_id": admin_id})

    # People.

    @property
    def people(self) -> dict[str, ZaloOAPhone]:
        """Everybody by `user_id`."""
        return self.phones

    def add_person(self, name: str, *, number: str = "", user_id: str = "") -> ZaloOAPhone:
        """Give a new person a phone; `number` (84…) makes them reachable by template."""
        phone = ZaloOAPhone(
            self,
            chat_id=user_id or self.world.digits(19),
            user_id_by_app=self.world.digits(19),
            name=name,
            number=number,
        )
        self.phones[phone.chat_id] = phone
        if number:
            self.by_number[number] = phone
        return phone

    def keep_upload(self, kind: str, file: UploadedFile) -> dict[str, str]:
        """Keep an upload of kind image, gif or file; returns what the answer says of it."""
        asset_id = self.world.hex(32)
        url = self.store(file.content, mime_type=file.mime_type, name=file.name or kind)
        self.assets[asset_id] = Asset(kind, url, self.now_s())
        return {"token" if kind == "file" else "attachment_id": asset_id}

    def new_message_id(self) -> str:
        """An opaque message id."""
        return self.world.hex(20)

    # Sending.

    def deliver(self, phone: ZaloOAPhone, draft: Draft) -> str:
        """Show a message that passed every check; returns its id."""
        return self._put_on_phone(phone, draft, sender={"id": self.oa_id})

    def _put_on_phone(self, phone: ZaloOAPhone, draft: Draft, *, sender: dict[str, str]) -> str:
        message_id = self.new_message_id()
        phone.known_ids.add(message_id)
        phone.show(
            Shown(
                self.platform,
                phone.chat_id,
                message_id,
                self.world.clock(),
                draft.text,
                draft.buttons,
                draft.kind,
                draft.media,
                self.answering,
            )
        )
        if draft.echo:
            self._announce_echo(phone, message_id, draft, sender)
        if self.rules.receipts:
            self.announce_receipt(phone, "user_received_message", {"msg_id": message_id})
        return message_id

    def window_quota(self, phone: ZaloOAPhone) -> dict[str, Any] | None:
        """Which quota a consultation message to this person uses now, after using it; None is billed.

        Raises `ZaloError` when the window is closed or nothing is left to pay with.
        """
        if phone.last_interaction_s is None:
            raise ZaloError(-232, "user has not interacted with the OA", limit="window_closed")
        age_s = self.now_s() - phone.last_interaction_s
        if age_s > PAID_WINDOW_S:
            raise ZaloError(-230, "user has not interacted in the last 7 days", limit="window_closed")
        owner = {"owner_type": "OA", "owner_id": self.oa_id}
        if age_s <= FREE_WINDOW_S:
            return {"quota_type": "reply", **owner}
        month = self.local_time().strftime("%Y-%m")
        used = self.counters.paid_in_month.get(month, 0)
        if used < self.rules.included_paid_messages:
            self.counters.paid_in_month[month] = used + 1
            return {"quota_type": "sub_quota", **owner}
        self.pay(self.rules.message_price_vnd, no_account=-320, no_money=-321)
        return None

    def pay(self, price_vnd: int, *, no_account: int, no_money: int) -> None:
        """Take money from the cloud account; raises `ZaloError` with one of the two codes."""
        if self.wallet_vnd is None:
            raise ZaloError(no_account, "no cloud account is linked")
        if self.wallet_vnd < price_vnd:
            raise ZaloError(no_money, "the cloud account is out of money")
        self.wallet_vnd -= price_vnd

    def local_time(self) -> datetime:
        """The world's time in Viet Nam."""
        return self.world.clock().astimezone(VIET_NAM)

    def too_many(self, retry_after_s: int) -> Answer:
        """-32 in an HTTP 200; Zalo names no waiting time."""
        return self.refusal(-32, "Your application reached the maximum call rate")

    def refusal(self, code: int, text: str) -> Answer:
        """An error in an HTTP 200."""
        return json_answer({"error": code, "message": text}, code=code)

    # Events.

    def announce_message(
        self, phone: ZaloOAPhone, event: str, message: dict[str, Any] | None, **more: Any
    ) -> None:
        """An event that the person caused in the chat."""
        content: dict[str, Any] = {
            "user_id_by_app": phone.user_id_by_app,
            "sender": {"id": phone.chat_id},
            "recipient": {"id": self.oa_id},
            **({"message": message} if message is not None else {}),
            **more,
        }
        self.announce(event, content, conversation=phone.chat_id)

    def announce_follow(self, phone: ZaloOAPhone, event: str) -> None:
        """`follow` or `unfollow`."""
        content: dict[str, Any] = {
            "oa_id": self.oa_id,
            "user_id_by_app": phone.user_id_by_app,
            "follower": {"id": phone.chat_id},
        }
        if event == "follow":
            content["source"] = "oa_profile"
        self.announce(event, content, conversation=phone.chat_id)

    def announce_receipt(self, phone: ZaloOAPhone, event: str, message: dict[str, Any]) -> None:
        """`user_received_message` or `user_seen_message`; projects saw the OA as their sender."""
        ends = [{"id": self.oa_id}, {"id": phone.chat_id}]
        sender, recipient = ends if self.rules.receipt_sender_is_oa else reversed(ends)
        content = {
            "user_id_by_app": phone.user_id_by_app,
            "sender": sender,
            "recipient": recipient,
            "message": message,
        }
        self.announce(event, content, conversation=phone.chat_id)

    def _announce_echo(
        self, phone: ZaloOAPhone, message_id: str, draft: Draft, sender: dict[str, str]
    ) -> None:
        message: dict[str, Any] = {"msg_id": message_id, "text": draft.text}
        if draft.media:
            kind = draft.echo.removeprefix("oa_send_")
            message["attachments"] = [{"type": kind, "payload": {"url": draft.media}}]
        content = {
            "user_id_by_app": phone.user_id_by_app,
            "sender": sender,
            "recipient": {"id": phone.chat_id},
            "message": message,
        }
        self.announce(draft.echo, content, conversation=phone.chat_id)

    def announce(
        self,
        event: str,
        content: dict[str, Any],
        *,
        conversation: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Sign one event and send it on its way. Without a webhook it is lost, as on the platform."""
        self.world.record.add(self.platform, Happening.EVENT, chat_id=conversation, what=event)
        if not self.webhook_url:
            self.world.record.add(self.platform, Happening.LOST, chat_id=conversation, what="no webhook")
            return
        timestamp = str(self._timestamp_ms())
        body = as_json({"app_id": self.app_id, "event_name": event, "timestamp": timestamp, **content})
        signed = {
            "content-type": "application/json",
            "user-agent": _USER_AGENT,
            "X-ZEvent-Signature": self.rules.signature_prefix + self.signature(body, timestamp),
            "X-ZEvent-Timestamp": timestamp,
            **(headers or {}),
        }
        self.postman.put(Parcel(conversation, event, body, headers=signed))

    def signature(self, body: bytes, timestamp: str) -> str:
        """Plain SHA-256 over app id, body, timestamp and OA secret key, in lower-case hexadecimal."""
        signed = self.app_id.encode() + body + timestamp.encode() + self.oa_secret_key.encode()
        return hashlib.sha256(signed).hexdigest()

    def _timestamp_ms(self) -> int:
        # Events without an id are told apart by their time, so no two may share one.
        self._last_timestamp_ms = max(int(self.now_s() * 1000), self._last_timestamp_ms + 1)
        return self._last_timestamp_ms

    def _target(self, parcel: Parcel) -> Target | None:
        if not self.webhook_url or not self.webhook_enabled:
            return None
        return Target(self.webhook_url, {"num_retry": str(parcel.repeated)} if parcel.repeated else {})

    def _retry_delay_s(self, repetition: int) -> float | None:
        if not self.rules.webhook_retry:
            return None
        if repetition > len(RETRY_DELAYS_S):
            self.webhook_enabled = False
            return None
        return RETRY_DELAYS_S[repetition - 1] * self.rules.time_factor
