"""The HTTP side of the fake OA: OAuth v4, OpenAPI v3 and v2, template by phone, uploads, media.

One server stands for oauth.zaloapp.com, openapi.zalo.me, business.openapi.zalo.me and the media hosts.
Errors are bodies of HTTP 200. Articles, tags and groups are not here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bot.rehearsal.fakes.asgi import (
    Answer,
    BodyUnreadable,
    Call,
    FakeApp,
    UploadedFile,
    json_answer,
)
from bot.rehearsal.fakes.faults import Lane
from bot.rehearsal.fakes.world import Shown
from bot.rehearsal.fakes.zalo_oa_messages import Draft, ZaloError, read_message
from bot.rehearsal.fakes.zalo_oa_tokens import TokenState

if TYPE_CHECKING:
    from bot.rehearsal.fakes.zalo_oa import Template, ZaloOAFake
    from bot.rehearsal.fakes.zalo_oa_phone import ZaloOAPhone

Body = dict[str, Any]

_ASSET_LIFE_S = 7 * 24 * 3600.0
_UPLOADS = {
    "image": (1_000_000, ("image/jpeg", "image/png")),
    "gif": (5_000_000, ("image/gif",)),
    "file": (
        5_000_000,
        (
            "application/pdf",
            "application/msword",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "text/csv",
        ),
    ),
}
_ZBS_PATH = "/message/template"


class ZaloOAApp(FakeApp):
    """ASGI application of one `ZaloOAFake`."""

    def __init__(self, fake: ZaloOAFake) -> None:
        self._fake = fake
        self._routes: dict[tuple[str, str], tuple[Lane, Callable[[Body], Any]]] = {
            ("POST", "/v3.0/oa/message/cs"): (Lane.SEND, self._send_cs),
            ("POST", "/v2.0/oa/message"): (Lane.SEND, self._send_v2),
            ("POST", "/v3.0/oa/message/template"): (Lane.SEND, self._send_template),
            ("POST", _ZBS_PATH): (Lane.SEND, self._send_by_phone),
            ("POST", "/v3.0/oa/quota/message"): (Lane.CALL, self._quota),
            ("GET", "/v2.0/oa/getoa"): (Lane.CALL, self._get_oa),
            ("GET", "/v3.0/oa/user/detail"): (Lane.CALL, self._user_detail),
            ("GET", "/v3.0/oa/user/getlist"): (Lane.CALL, self._user_list),
        }

    async def answer(self, call: Call) -> Answer:
        """Answer one request."""
        route = self._routes.get((call.method, call.path))
        if route is None:
            return await self._other_path(call)
        lane, handler = route
        try:
            body = call.json() if call.method == "POST" else _query_data(call)
        except BodyUnreadable:
            body = {"unreadable": True}
        return self._open_api(call, lane, _addressee(body), lambda: handler(body))

    def _open_api(self, call: Call, lane: Lane, chat_id: str, work: Callable[[], Any]) -> Answer:
        """Check token and rate, do the work, and wrap its result or error."""

        def handle() -> Answer:
            try:
                self._check_token(call)
                self._check_rate()
                answer = json_answer({"data": work(), "error": 0, "message": "Success"})
            except ZaloError as error:
                if error.limit:
                    self._fake.violate(error.limit, chat_id)
                answer = self._fake.refusal(error.code, str(error))
            answer.headers += self._rate_headers()
            return answer

        return self._fake.exchange(lane, call.path, chat_id=chat_id, handle=handle)

    async def _other_path(self, call: Call) -> Answer:
        path = call.path
        if path == "/v4/oa/access_token" and call.method == "POST":
            form, secret = call.form(), call.header(b"secret_key")
            return self._fake.exchange(
                Lane.OAUTH,
                path,
                chat_id="",
                handle=lambda: self._fake.tokens.exchange(form, secret_key=secret),
            )
        if path == "/v4/oa/permission" and call.method == "GET":
            return self._fake.tokens.permission(call.query())
        if path.startswith("/media/"):
            return self._fake.download(path, life_s=self._fake.rules.media_life_s)
        kind = path.removeprefix("/v2.0/oa/upload/")
        if call.method == "POST" and kind in _UPLOADS:
            return await self._upload(call, kind)
        return json_answer({"error": 404, "message": "Empty api"}, status=404, code=404)

    # What every call must have.

    def _check_token(self, call: Call) -> None:
        token = call.header(b"access_token")
        state = self._fake.tokens.judge(token)
        if state is not TokenState.GOOD:
            if call.path == _ZBS_PATH:
                raise ZaloError(-124, "Access token is invalid")
            if state is TokenState.DEAD:
                raise ZaloError(-220, "Access token is expired or removed")
            raise ZaloError(-216, "Access token is invalid")
        if self._fake.rules.require_appsecret_proof:
            proof = hmac.new(self._fake.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
            if call.header(b"appsecret_proof") != proof:
                code = -1241 if call.path == _ZBS_PATH else -242
                raise ZaloError(code, "appsecret_proof is invalid")

    def _check_rate(self) -> None:
        now_s = self._fake.now_s()
        plan, app = self._fake.plan_window, self._fake.app_window
        for window, limit in ((plan, "rate_plan"), (app, "rate_app")):
            if window.wait_s(now_s) > 0:
                raise ZaloError(-32, "Your application reached the maximum call rate", limit=limit)
        plan.take(now_s)
        app.take(now_s)

    def _rate_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        window = self._fake.plan_window
        left = window.left(self._fake.now_s())
        return (
            (b"x-ratelimit-limit", str(window.limit).encode()),
            (b"x-ratelimit-remain", str(left).encode()),
        )

    # Sending.

    def _send_cs(self, body: Body) -> Body:
        if self._fake.rules.v3_refused:
            raise ZaloError(-235, "API does not support this type of OA")
        message = _dict(body, "message")
        if self._fake.rules.buttons_refused and _has_buttons(message):
            raise ZaloError(-233, "message type is not supported")
        return self._consult(body, message)

    def _send_v2(self, body: Body) -> Body:
        if "sender_action" in body:
            return self._react(body)
        if "target" in _dict(body, "recipient"):
            raise ZaloError(-233, "message type is not supported")
        if not self._fake.rules.v3_refused:
            raise ZaloError(-240, "API v2 has been shut down, use API v3")
        return self._consult(body, _dict(body, "message"))

    def _consult(self, body: Body, message: Body) -> Body:
        phone = self._addressed(body)
        draft = read_message(message, asset=self._asset_url)
        if draft.quoted and draft.quoted not in phone.known_ids:
            raise ZaloError(-201, "quote_message_id is invalid")
        quota = self._fake.window_quota(phone)
        message_id = self._fake.deliver(phone, draft)
        data: Body = {
            "message_id": message_id,
            "user_id": phone.chat_id,
            "sent_time": str(int(self._fake.now_s() * 1000)),
        }
        if quota is not None:
            data["quota"] = quota
        return data

    def _addressed(self, body: Body) -> ZaloOAPhone:
        user_id = _dict(body, "recipient").get("user_id", body.get("user_id"))
        if not isinstance(user_id, str):
            raise ZaloError(-201, "user_id is invalid")
        phone = self._fake.phones.get(user_id)
        if phone is None:
            raise ZaloError(-201, "user_id is invalid")
        if phone.deactivated:
            raise ZaloError(-227, "user is banned or idle for more than 45 days")
        if phone.left:
            raise ZaloError(-213, "user does not follow the OA")
        if phone.blocked:
            raise ZaloError(-244, "user restricted this type of message")
        return phone

    def _react(self, body: Body) -> Body:
        action = _dict(body, "sender_action")
        phone = self._addressed(body)
        message_id = str(action.get("react_message_id", ""))
        if message_id not in phone.known_ids:
            raise ZaloError(-201, "react_message_id is invalid")
        message = {"msg_id": message_id, "react_icon": str(action.get("react_icon", ""))}
        content = {
            "user_id_by_app": phone.user_id_by_app,
            "sender": {"id": self._fake.oa_id},
            "recipient": {"id": phone.chat_id},
            "message": message,
        }
        self._fake.announce("oa_reacted_message", content, conversation=phone.chat_id)
        return {"message_id": message_id, "user_id": phone.chat_id}

    # Templates.

    def _send_template(self, body: Body) -> Body:
        phone = self._addressed(body)
        template = self._fake.templates.get(str(body.get("template_id", "")))
        if template is None:
            raise ZaloError(-201, "template_id is invalid")
        if not template.by_user_id:
            raise ZaloError(-249, "template can not be sent by user id")
        if phone.last_interaction_s is None:
            raise ZaloError(-232, "user has not interacted with the OA", limit="window_closed")
        text = _filled(template, body, code=-201)
        if template.kind == "promotion" and self._is_night():
            raise ZaloError(-234, "promotion is not allowed at night", limit="night")
        self._fake.pay(self._fake.rules.template_price_vnd, no_account=-320, no_money=-321)
        message_id = self._fake.deliver(phone, Draft("template", text, ""))
        return {
            "message_id": message_id,
            "user_id": phone.chat_id,
            "sent_time": str(int(self._fake.now_s() * 1000)),
        }

    def _send_by_phone(self, body: Body) -> Body:
        number = str(body.get("phone", ""))
        if not re.fullmatch(r"84\d{9}", number):
            raise ZaloError(-108, "Phone number is invalid")
        template = self._fake.templates.get(str(body.get("template_id", "")))
        if template is None:
            raise ZaloError(-109, "Template is invalid")
        tracking_id = str(body.get("tracking_id", ""))
        if not 1 <= len(tracking_id) <= 48:
            raise ZaloError(-131, "tracking_id must have 1 to 48 characters")
        text = _filled(template, body, code=-131)
        phone = self._phone_of(number, body)
        if template.kind == "promotion" and self._is_night():
            raise ZaloError(-133, "Not allowed at night", limit="night")
        remaining = self._take_daily_template()
        self._fake.pay(self._fake.rules.template_price_vnd, no_account=-136, no_money=-137)
        message_id = self._show_template(phone, text, tracking_id)
        quota = {"dailyQuota": str(self._fake.rules.templates_per_day), "remainingQuota": str(remaining)}
        return {"msg_id": message_id, "sent_time": str(int(self._fake.now_s() * 1000)), "quota": quota}

    def _phone_of(self, number: str, body: Body) -> ZaloOAPhone:
        phone = self._fake.by_number.get(number)
        if phone is None:
            raise ZaloError(-118, "Zalo account not existed")
        if phone.blocked:
            raise ZaloError(-141, "User refused to receive messages from the OA")
        if body.get("mode") == "development" and number not in self._fake.admin_numbers:
            raise ZaloError(-126, "Development mode reaches admins only")
        return phone

    def _take_daily_template(self) -> int:
        today = self._fake.local_time().date().isoformat()
        used = self._fake.counters.templates_in_day.get(today, 0)
        if used >= self._fake.rules.templates_per_day:
            raise ZaloError(-144, "Daily limit reached", limit="template_daily_limit")
        self._fake.counters.templates_in_day[today] = used + 1
        return self._fake.rules.templates_per_day - used - 1

    def _show_template(self, phone: ZaloOAPhone, text: str, tracking_id: str) -> str:
        """Show a template sent by number; its receipt comes from another server and names the number."""
        fake = self._fake
        message_id = fake.new_message_id()
        at = fake.world.clock()
        phone.show(
            Shown(
                fake.platform, phone.chat_id, message_id, at, text, kind="template", answered=fake.answering
            )
        )
        delivered = {
            "delivery_time": str(int(fake.now_s() * 1000)),
            "msg_id": message_id,
            "tracking_id": tracking_id,
        }
        content = {
            "sender": {"id": fake.oa_id},
            "recipient": {"id": phone.number},
            "message": delivered,
        }
        fake.announce(
            "user_received_message",
            content,
            conversation=phone.chat_id,
            headers={"X-ZEvent-Server": "ZNS"},
        )
        return message_id

    def _is_night(self) -> bool:
        return not 6 <= self._fake.local_time().hour < 22

    # Facts about the OA and its people.

    def _quota(self, body: Body) -> Body:
        phone = self._addressed(body)
        last_s = phone.last_interaction_s
        owner = {"owner_type": "OA", "owner_id": self._fake.oa_id}
        return {
            "last_interaction": str(int(last_s * 1000)) if last_s is not None else "",
            "cs_reply": {"quota_type": "reply", **owner},
            "promotion": {"quota_type": "promotion", **owner},
        }

    def _get_oa(self, body: Body) -> Body:
        return {
            "oa_id": self._fake.oa_id,
            "name": "Nghe Dân (diễn tập)",
            "description": "",
            "oa_type": self._fake.rules.oa_type,
            "is_verified": True,
            "num_follower": sum(phone.follows for phone in self._fake.phones.values()),
        }

    def _user_detail(self, body: Body) -> Body:
        phone = self._fake.phones.get(str(body.get("user_id", "")))
        if phone is None:
            raise ZaloError(-201, "user_id is invalid")
        if not phone.follows:
            raise ZaloError(-213, "user does not follow the OA")
        last = self._fake.local_time()
        if phone.last_interaction_s is not None:
            last = last.fromtimestamp(phone.last_interaction_s, last.tzinfo)
        return {
            "user_id": phone.chat_id,
            "user_id_by_app": phone.user_id_by_app,
            "user_external_id": "",
            "display_name": phone.name,
            "user_alias": phone.name,
            "is_sensitive": False,
            "user_last_interaction_date": last.strftime("%d/%m/%Y"),
            "user_is_follower": True,
            "avatar": "",
            "avatars": {"120": "", "240": ""},
            "tags_and_notes_info": {"tag_names": [], "notes": []},
            "shared_info": {"name": "", "phone": "", "address": "", "city": "", "district": ""},
        }

    def _user_list(self, body: Body) -> Body:
        offset, count = body.get("offset", 0), body.get("count", 50)
        if not isinstance(offset, int) or not 0 <= offset <= 9951:
            raise ZaloError(-201, "offset must be from 0 to 9951")
        if not isinstance(count, int) or not 1 <= count <= 50:
            raise ZaloError(-201, "count must be from 1 to 50")
        wanted = body.get("is_follower")
        ids = [
            i
            for i, p in self._fake.phones.items()
            if wanted is None or p.follows == (wanted in (True, "true"))
        ]
        page = ids[offset : offset + count]
        users = [{"user_id": user_id} for user_id in page]
        return {"total": len(ids), "count": len(page), "offset": offset, "users": users}

    # Files.

    async def _upload(self, call: Call, kind: str) -> Answer:
        try:
            _, files = await call.multipart()
        except BodyUnreadable:
            files = {}
        return self._open_api(call, Lane.CALL, "", lambda: self._keep(kind, files.get("file")))

    def _keep(self, kind: str, file: UploadedFile | None) -> Body:
        if file is None or not file.content:
            raise ZaloError(-201, "file is required")
        limit_bytes, mime_types = _UPLOADS[kind]
        if file.mime_type not in mime_types:
            raise ZaloError(-201, "file type is not supported")
        if len(file.content) > limit_bytes:
            raise ZaloError(-210, f"file is larger than {limit_bytes} bytes", limit="upload_too_large")
        month = self._fake.local_time().strftime("%Y-%m")
        used = self._fake.counters.uploads_in_month.get(month, 0)
        if used >= self._fake.rules.uploads_per_month:
            raise ZaloError(-211, "out of upload quota", limit="upload_quota")
        self._fake.counters.uploads_in_month[month] = used + 1
        return self._fake.keep_upload(kind, file)

    def _asset_url(self, kind: str, asset_id: str) -> str:
        asset = self._fake.assets.get(asset_id)
        if asset is None or asset.kind != kind:
            raise ZaloError(-201, "attachment_id or token is invalid")
        if self._fake.now_s() - asset.stored_at_s > _ASSET_LIFE_S:
            raise ZaloError(-100, "attachment is expired")
        return asset.url


def _dict(body: Body, field: str) -> Body:
    value = body.get(field, {})
    if not isinstance(value, dict):
        raise ZaloError(-201, f"{field} is invalid")
    return value


def _addressee(body: Body) -> str:
    """The user id that a request is about, for the record and for scripted trouble."""
    recipient = body.get("recipient")
    inner = recipient.get("user_id") if isinstance(recipient, dict) else None
    return str(inner or body.get("user_id") or "")


def _has_buttons(message: Body) -> bool:
    attachment = message.get("attachment")
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    return isinstance(payload, dict) and bool(payload.get("buttons"))


def _filled(template: Template, body: Body, *, code: int) -> str:
    data = body.get("template_data")
    if not isinstance(data, dict) or template.parameters - data.keys():
        raise ZaloError(code, "template_data is invalid")
    return template.filled(data)


def _query_data(call: Call) -> Body:
    """GET parameters travel as one JSON text in `data`."""
    data = call.query().get("data", "{}")
    try:
        parsed = json.loads(data)
    except ValueError as error:
        raise BodyUnreadable(str(error)) from error
    if not isinstance(parsed, dict):
        raise BodyUnreadable("an object is expected")
    return parsed
