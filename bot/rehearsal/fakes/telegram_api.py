"""The HTTP side of the fake Telegram: `/bot<token>/<method>` and `/file/bot<token>/<path>`.

Each method checks what the platform checks and answers in its words. Methods that a concern bot has
no use for are unknown here, and answer 404 as a misspelt method does on the platform.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bot.rehearsal.fakes.asgi import (
    Answer,
    BodyUnreadable,
    Call,
    FakeApp,
    Fate,
    UploadedFile,
    file_answer,
    json_answer,
)
from bot.rehearsal.fakes.faults import Lane
from bot.rehearsal.fakes.telegram_request import (
    Params,
    Refused,
    array_of,
    bad_request,
    flag_of,
    kinds_of,
    number_of,
    object_of,
    read_parameters,
    scope_key,
)
from bot.rehearsal.fakes.telegram_text import MAX_CAPTION, MAX_TEXT, EntitiesUnreadable, visible_text
from bot.rehearsal.fakes.world import Button, Shown

if TYPE_CHECKING:
    from bot.rehearsal.fakes.telegram import TelegramFake
    from bot.rehearsal.fakes.telegram_phone import TelegramPhone

_MAX_DOWNLOAD_BYTES = 20_000_000
_MAX_PHOTO_BYTES = 10_000_000
_MAX_UPLOAD_BYTES = 50_000_000
_MAX_CALLBACK_BYTES = 64
_LINK_LIFE_S = 3600.0
_WEBHOOK_PORTS = re.compile(r"https://[^/:]+(:(443|80|88|8443))?(/|$)")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SENDS = frozenset({"sendmessage", "sendphoto", "senddocument"})


class TelegramApp(FakeApp):
    """ASGI application of one `TelegramFake`."""

    def __init__(self, fake: TelegramFake) -> None:
        self._fake = fake
        self._prefix = f"/bot{fake.token}/"
        self._file_prefix = f"/file/bot{fake.token}/"
        self._files: dict[str, str] = {}  # path given out → file_id
        self._given_at_s: dict[str, float] = {}
        self._methods: dict[str, Callable[[Params, dict[str, UploadedFile]], Answer]] = {
            "getme": self._get_me,
            "sendmessage": self._send_message,
            "sendphoto": self._send_photo,
            "senddocument": self._send_document,
            "sendchataction": self._send_chat_action,
            "answercallbackquery": self._answer_callback_query,
            "editmessagetext": self._edit_message_text,
            "editmessagereplymarkup": self._edit_message_reply_markup,
            "deletemessage": self._delete_message,
            "getfile": self._get_file,
            "getchat": self._get_chat,
            "setmycommands": self._set_my_commands,
            "getmycommands": self._get_my_commands,
            "deletemycommands": self._delete_my_commands,
            "setmydescription": self._accept,
            "setmyshortdescription": self._accept,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
        }

    async def answer(self, call: Call) -> Answer:
        """Answer one request; see the Bot API for shapes."""
        path = call.path
        if not path.startswith(self._prefix):
            return self._other_path(call)
        name = path[len(self._prefix) :].lower()
        method = self._methods.get(name)
        if method is None and name != "getupdates":
            return self._fake.refusal(404, "Not Found: method not found")
        try:
            params, files = await read_parameters(call)
        except BodyUnreadable as error:
            return self._fake.refusal(400, f"Bad Request: {error}")
        if method is None:
            return await self._get_updates(call, params)
        lane = Lane.SEND if name in _SENDS else Lane.CALL
        chat_id = str(params.get("chat_id", ""))

        def handle() -> Answer:
            try:
                return method(params, files)
            except Refused as refused:
                return self._fake.refusal(refused.code, str(refused))

        return self._fake.exchange(lane, path[len(self._prefix) :], chat_id=chat_id, handle=handle)

    def _other_path(self, call: Call) -> Answer:
        if call.path.startswith(self._file_prefix):
            path = call.path[len(self._file_prefix) :]
            return self._fake.exchange(Lane.FILE, "file", chat_id="", handle=lambda: self._download(path))
        # A token that is not even shaped like one is an unknown address.
        if re.match(r"/(file/)?bot\d+:[\w-]+/", call.path):
            return self._fake.refusal(401, "Unauthorized")
        return self._fake.refusal(404, "Not Found")

    # Sending.

    def _send_message(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        phone = self._recipient(params)
        text = self._checked_text(params, "text", limit=MAX_TEXT, chat_id=phone.chat_id)
        if not text:
            raise bad_request("message text is empty")
        return self._deliver(phone, params, content={"text": text}, kind="text", media="")

    def _send_photo(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        return self._send_media(params, files, field="photo", limit_bytes=_MAX_PHOTO_BYTES)

    def _send_document(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        return self._send_media(params, files, field="document", limit_bytes=_MAX_UPLOAD_BYTES)

    def _send_media(
        self, params: Params, files: dict[str, UploadedFile], *, field: str, limit_bytes: int
    ) -> Answer:
        phone = self._recipient(params)
        caption = self._checked_text(params, "caption", limit=MAX_CAPTION, chat_id=phone.chat_id)
        file_id, size, name = self._given_file(params, files, field=field, limit_bytes=limit_bytes)
        media: dict[str, Any] = {
            "file_id": file_id,
            "file_unique_id": f"AQAD{file_id[-12:]}",
            "file_size": size,
        }
        if field == "photo":
            content: dict[str, Any] = {"photo": [{**media, "width": 1280, "height": 960}]}
        else:
            content = {"document": {**media, "file_name": name}}
        if caption:
            content["caption"] = caption
        return self._deliver(phone, params, content=content, kind=field, media=file_id)

    def _given_file(
        self, params: Params, files: dict[str, UploadedFile], *, field: str, limit_bytes: int
    ) -> tuple[str, int, str]:
        """The file_id, size and name of an uploaded, known or linked file."""
        given = str(params.get(field, ""))
        upload = files.get(given.removeprefix("attach://") or field) or files.get(field)
        if upload is not None:
            if len(upload.content) > limit_bytes:
                self._fake.violate("upload_too_large", str(params.get("chat_id", "")))
                raise Refused(413, "Request Entity Too Large")
            if not upload.content:
                raise bad_request("file must be non-empty")
            file_id = self._fake.store(
                upload.content, mime_type=upload.mime_type, name=f"{field}s/{upload.name}"
            )
            return file_id, len(upload.content), upload.name
        if given in self._fake.media:
            medium = self._fake.media[given]
            return given, len(medium.content), medium.name.rpartition("/")[2]
        if re.match(r"https?://[^/]+", given):
            # The platform would fetch the address; the fake leaves the network alone.
            name = given.rpartition("/")[2]
            return self._fake.store(b"", mime_type="text/uri-list", name=f"{field}s/{name}"), 0, name
        raise bad_request(
            "there is no " + field + " in the request" if not given else "wrong file identifier specified"
        )

    def _deliver(
        self, phone: TelegramPhone, params: Params, *, content: dict[str, Any], kind: str, media: str
    ) -> Answer:
        buttons, markup = self._markup(params, phone.chat_id)
        self._check_reply(params, phone)
        paid = flag_of(params, "allow_paid_broadcast")
        refused = self._fake.rate_refusal(phone.chat_id, paid=paid)
        if refused is not None:
            return refused
        message_id = phone.next_message_id()
        text = content.get("text", content.get("caption", ""))
        phone.show(self._fake.shown(phone, message_id, text=text, buttons=buttons, kind=kind, media=media))
        message = self._message_head(phone, message_id)
        message.update(content)
        if markup:
            message["reply_markup"] = markup
        return json_answer({"ok": True, "result": message})

    def _message_head(self, phone: TelegramPhone, message_id: int) -> dict[str, Any]:
        return {
            "message_id": message_id,
            "from": self._fake.user,
            "chat": phone.chat,
            "date": int(self._fake.now_s()),
        }

    def _recipient(self, params: Params) -> TelegramPhone:
        chat_id = str(params.get("chat_id", ""))
        if not chat_id:
            raise bad_request("chat_id is empty")
        phone = self._fake.phones.get(chat_id)
        if phone is None:
            raise bad_request("chat not found")
        if phone.deactivated:
            raise Refused(403, "Forbidden: user is deactivated")
        if phone.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if not phone.started:
            raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
        return phone

    def _checked_text(self, params: Params, field: str, *, limit: int, chat_id: str) -> str:
        try:
            text = visible_text(str(params.get(field, "")), str(params.get("parse_mode", "")))
        except EntitiesUnreadable as error:
            raise bad_request(f"can't parse entities: {error}") from error
        if len(text) > limit:
            self._fake.violate("text_too_long", chat_id)
            raise bad_request("message is too long" if field == "text" else "message caption is too long")
        return text

    def _markup(self, params: Params, chat_id: str) -> tuple[tuple[Button, ...], dict[str, Any]]:
        """The buttons to show, and the keyboard to repeat in the answer (inline keyboards only)."""
        markup = object_of(params, "reply_markup")
        if "inline_keyboard" in markup:
            rows = markup["inline_keyboard"]
            buttons = tuple(self._inline_button(one, chat_id) for row in rows for one in row)
            return buttons, {"inline_keyboard": rows}
        labels = [
            one if isinstance(one, str) else one["text"] for row in markup.get("keyboard", ()) for one in row
        ]
        return tuple(Button(label, label, "reply") for label in labels), {}

    def _inline_button(self, button: dict[str, Any], chat_id: str) -> Button:
        label = str(button.get("text", ""))
        if not label.strip():
            raise bad_request("can't parse inline keyboard button: Button text must be non-empty")
        if "url" in button:
            return Button(label, button["url"], "url")
        size = len(str(button.get("callback_data", "")).encode())
        if size > _MAX_CALLBACK_BYTES:
            self._fake.violate("callback_data_too_long", chat_id)
            raise bad_request("BUTTON_DATA_INVALID")
        if not size:
            raise bad_request(
                "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
            )
        return Button(label, button["callback_data"], "callback")

    def _check_reply(self, params: Params, phone: TelegramPhone) -> None:
        reply = object_of(params, "reply_parameters")
        target = number_of({**params, **reply}, "message_id" if reply else "reply_to_message_id", 0)
        lenient = reply.get("allow_sending_without_reply") or flag_of(params, "allow_sending_without_reply")
        if target and not lenient and not 1 <= target <= phone.last_message_id:
            raise bad_request("message to be replied not found")

    def _send_chat_action(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        self._recipient(params)
        if params.get("action") not in ("typing", "upload_photo", "upload_document", "record_voice"):
            raise bad_request("wrong parameter action in request")
        return _true()

    # Editing and buttons.

    def _edit_message_text(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        phone = self._recipient(params)
        shown = self._own_message(params, phone, missing="message to edit not found")
        text = self._checked_text(params, "text", limit=MAX_TEXT, chat_id=phone.chat_id)
        if not text:
            raise bad_request("message text is empty")
        buttons, markup = self._markup(params, phone.chat_id)
        return self._change(phone, shown._replace(text=text, buttons=buttons), markup=markup, old=shown)

    def _edit_message_reply_markup(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        phone = self._recipient(params)
        shown = self._own_message(params, phone, missing="message to edit not found")
        buttons, markup = self._markup(params, phone.chat_id)
        return self._change(phone, shown._replace(buttons=buttons), markup=markup, old=shown)

    def _change(self, phone: TelegramPhone, shown: Shown, *, markup: dict[str, Any], old: Shown) -> Answer:
        if shown == old:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same"
                " as a current content and reply markup of the message"
            )
        refused = self._fake.chat_rate_refusal(phone.chat_id)
        if refused is not None:
            return refused
        phone.change(shown.message_id, shown)
        message = self._message_head(phone, int(shown.message_id))
        message["edit_date"] = int(self._fake.now_s())
        message["text"] = shown.text
        if markup:
            message["reply_markup"] = markup
        return json_answer({"ok": True, "result": message})

    def _delete_message(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        phone = self._recipient(params)
        shown = self._own_message(params, phone, missing="message to delete not found")
        phone.change(shown.message_id, None)
        return _true()

    def _own_message(self, params: Params, phone: TelegramPhone, *, missing: str) -> Shown:
        shown = phone.seen_message(str(params.get("message_id", "")))
        if shown is None:
            raise bad_request(missing)
        return shown

    def _answer_callback_query(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        query_id = str(params.get("callback_query_id", ""))
        text = str(params.get("text", ""))
        if len(text) > 200:
            self._fake.violate("callback_answer_too_long", self._fake.callbacks.get(query_id, ""))
            raise bad_request("MESSAGE_TOO_LONG")
        chat_id = self._fake.callbacks.pop(query_id, None)
        if chat_id is None:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        phone = self._fake.phones[chat_id]
        phone.spinning -= 1
        if text:
            phone.toasts.append(text)
        return _true()

    # Files and facts.

    def _get_file(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        file_id = str(params.get("file_id", ""))
        medium = self._fake.media.get(file_id)
        if medium is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if len(medium.content) > _MAX_DOWNLOAD_BYTES:
            raise bad_request("file is too big")
        path = f"{medium.name.rpartition('/')[0] or 'documents'}/file_{len(self._files)}"
        suffix = medium.name.rpartition(".")[2]
        path = f"{path}.{suffix}" if suffix != medium.name else path
        self._files[path] = file_id
        self._given_at_s[path] = self._fake.now_s()
        result = {
            "file_id": file_id,
            "file_unique_id": f"AQAD{file_id[-12:]}",
            "file_size": len(medium.content),
            "file_path": path,
        }
        return json_answer({"ok": True, "result": result})

    def _download(self, path: str) -> Answer:
        file_id = self._files.get(path)
        if file_id is None or self._fake.now_s() - self._given_at_s[path] > _LINK_LIFE_S:
            return self._fake.refusal(404, "Not Found")
        medium = self._fake.media[file_id]
        return file_answer(medium.content, "application/octet-stream")

    def _get_me(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        abilities = {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }
        return json_answer({"ok": True, "result": {**self._fake.user, **abilities}})

    def _get_chat(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        phone = self._fake.phones.get(str(params.get("chat_id", "")))
        if phone is None or not phone.started:
            raise bad_request("chat not found")
        about = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}
        return json_answer({"ok": True, "result": {**phone.chat, **about}})

    def _set_my_commands(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        commands = array_of(params, "commands")
        if len(commands) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not _COMMAND.fullmatch(str(command.get("command", "")).lstrip("/")):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self._fake.commands[scope_key(params)] = commands
        return _true()

    def _get_my_commands(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        return json_answer({"ok": True, "result": self._fake.commands.get(scope_key(params), [])})

    def _delete_my_commands(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        self._fake.commands.pop(scope_key(params), None)
        return _true()

    def _accept(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        if (
            len(str(params.get("description", ""))) > 512
            or len(str(params.get("short_description", ""))) > 120
        ):
            raise bad_request("BOT_DESCRIPTION_TOO_LONG")
        return _true()

    # Updates.

    async def _get_updates(self, call: Call, params: Params) -> Answer:
        trouble = self._fake.exchange(Lane.POLL, "getUpdates", chat_id="", handle=_true)
        if trouble.code or trouble.fate is not Fate.SENT or trouble.body != _TRUE:
            return trouble
        if self._fake.webhook.url:
            return self._fake.refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete"
                " the webhook first",
            )
        try:
            offset, timeout_s = number_of(params, "offset", 0), number_of(params, "timeout", 0)
            limit = min(max(number_of(params, "limit", 100), 1), 100)
            allowed = kinds_of(params)
        except Refused as refused:
            return self._fake.refusal(refused.code, str(refused))
        if allowed is not None:
            self._fake.allow(allowed)
        if offset:
            self._fake.acknowledge(offset)
        updates = self._fake.oldest(limit)
        if not updates and timeout_s > 0:
            conflict = await self._wait(call, float(timeout_s))
            if conflict is not None:
                return conflict
            updates = self._fake.oldest(limit)
        self._fake.handed_out(len(updates))
        return Answer(200, b'{"ok":true,"result":[' + b",".join(updates) + b"]}")

    async def _wait(self, call: Call, timeout_s: float) -> Answer | None:
        gone = asyncio.ensure_future(call.until_gone())
        try:
            return await self._fake.wait_for_update(timeout_s, gone)
        finally:
            gone.cancel()

    def _set_webhook(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        url = str(params.get("url", ""))
        if not url:
            return self._delete_webhook(params, files)
        if self._fake.rules.require_https and not _WEBHOOK_PORTS.match(url):
            wrong = "An HTTPS URL must be provided for webhook"
            if url.startswith("https://"):
                wrong = "Webhook can be set up only on ports 80, 88, 443 or 8443"
            raise bad_request(f"bad webhook: {wrong}")
        secret = str(params.get("secret_token", ""))
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        connections = number_of(params, "max_connections", 40)
        if not 1 <= connections <= 100:
            raise bad_request("max_connections must be from 1 to 100")
        self._fake.set_webhook(
            url=url,
            secret_token=secret,
            max_connections=connections,
            allowed=kinds_of(params),
            drop_pending=flag_of(params, "drop_pending_updates"),
        )
        return json_answer({"ok": True, "result": True, "description": "Webhook was set"})

    def _delete_webhook(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        self._fake.set_webhook(url="", drop_pending=flag_of(params, "drop_pending_updates"))
        return json_answer({"ok": True, "result": True, "description": "Webhook was deleted"})

    def _get_webhook_info(self, params: Params, files: dict[str, UploadedFile]) -> Answer:
        return json_answer({"ok": True, "result": self._fake.webhook_info()})


_NO_GIFTS = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}


_TRUE = b'{"ok":true,"result":true}'


def _true() -> Answer:
    return Answer(200, _TRUE)
