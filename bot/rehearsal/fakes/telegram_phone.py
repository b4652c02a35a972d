"""A person with Telegram on their phone, writing to the bot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.rehearsal.fakes.world import (
    SAMPLE_FILE,
    SAMPLE_PHOTO,
    SAMPLE_VOICE,
    FakePhone,
    PhoneRefuses,
    Platform,
    pieces,
)

if TYPE_CHECKING:
    from bot.rehearsal.fakes.telegram import TelegramFake

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")


class TelegramPhone(FakePhone):
    """Telegram's acts: `follow` presses START, `unfollow` is `block`, `read` tells nobody.

    `started`, `blocked` and `deactivated` are what the platform checks; `spinning` counts tapped
    buttons that the bot has not answered; `toasts` are the texts of answerCallbackQuery.
    """

    platform = Platform.TELEGRAM

    def __init__(self, fake: TelegramFake, *, chat_id: str, name: str) -> None:
        super().__init__(fake.world, chat_id=chat_id, name=name)
        self._fake = fake
        self.user: dict[str, Any] = {
            "id": int(chat_id),
            "is_bot": False,
            "first_name": name,
            "language_code": "vi",
        }
        self.chat: dict[str, Any] = {"id": int(chat_id), "first_name": name, "type": "private"}
        self.started = False
        self.spinning = 0
        self.toasts: list[str] = []
        self.last_message_id = 0
        self._sent: dict[int, dict[str, Any]] = {}

    def next_message_id(self) -> int:
        """The next id in this chat; both sides share the row."""
        self.last_message_id += 1
        return self.last_message_id

    def follow(self, payload: str = "") -> str:
        """Press START; a deep link's payload (≤ 64 of A-Za-z0-9_-) comes with it."""
        if payload and not _PAYLOAD.fullmatch(payload):
            raise PhoneRefuses("a link's payload has 1 to 64 of A-Z, a-z, 0-9, _ and -")
        if self.blocked:
            self.unblock()
        return self.write(f"/start {payload}".rstrip())

    def unfollow(self) -> None:
        """Telegram knows no unfollowing; people block."""
        self.block()

    def block(self) -> None:
        """Stop the bot; it gets `my_chat_member` with status kicked."""
        if not self.blocked:
            self.blocked = True
            self._change_membership("member", "kicked", "block")

    def unblock(self) -> None:
        """Let the bot write again; it gets `my_chat_member` with status member."""
        if self.blocked:
            self.blocked = False
            self._change_membership("kicked", "member", "unblock")

    def write(self, text: str) -> str:
        """Send a text of up to 4,096 characters; the app cuts longer ones into several messages.

        Returns the id of the last one.
        """
        message_id = ""
        for piece in pieces(text, 4096):
            content: dict[str, Any] = {"text": piece}
            if piece.startswith("/"):
                command = piece.split()[0]
                content["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command)}]
            message_id = self._send("write", content)
        return message_id

    def send_photo(self, content: bytes = SAMPLE_PHOTO, *, caption: str = "") -> str:
        """Send a photo in two sizes, the larger one last."""
        sizes = [
            self._file(content, "image/jpeg", "photos/nho.jpg", width=90, height=67),
            self._file(content, "image/jpeg", "photos/lon.jpg", width=1280, height=960),
        ]
        extra = {"caption": caption} if caption else {}
        return self._send("send_photo", {"photo": sizes, **extra})

    def send_file(
        self, content: bytes = SAMPLE_FILE, *, name: str = "don.pdf", mime_type: str = "application/pdf"
    ) -> str:
        """Send a document."""
        media = self._file(content, mime_type, f"documents/{name}", file_name=name, mime_type=mime_type)
        return self._send("send_file", {"document": media})

    def send_voice(self, content: bytes = SAMPLE_VOICE, *, duration_s: int = 3) -> str:
        """Send a voice note, OGG/OPUS."""
        media = self._file(
            content, "audio/ogg", "voice/ghi_am.oga", duration=duration_s, mime_type="audio/ogg"
        )
        return self._send("send_voice", {"voice": media})

    def send_video(self, content: bytes = b"\x00\x00\x00\x18ftypmp42") -> str:
        """Send a video."""
        shape = {"width": 640, "height": 360, "duration": 5, "mime_type": "video/mp4"}
        return self._send(
            "send_video", {"video": self._file(content, "video/mp4", "videos/quay.mp4", **shape)}
        )

    def send_location(self, latitude: float, longitude: float) -> str:
        """Send a place; the numbers are floats on this platform."""
        return self._send("send_location", {"location": {"latitude": latitude, "longitude": longitude}})

    def send_contact(self, phone_number: str, *, own: bool = True) -> str:
        """Share a telephone number; only one's own carries the own user id."""
        contact: dict[str, Any] = {"phone_number": phone_number, "first_name": self.name}
        if own:
            contact["user_id"] = self.user["id"]
        return self._send("send_contact", {"contact": contact})

    def send_sticker(self) -> str:
        """Send a sticker."""
        shape = {
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": "👍",
        }
        return self._send(
            "send_sticker", {"sticker": self._file(b"RIFF", "image/webp", "stickers/1.webp", **shape)}
        )

    def send_unsupported(self) -> str:
        """Send a kind of message that a concern bot has no use for: a thrown dice."""
        return self._send("send_unsupported", {"dice": {"emoji": "🎲", "value": 3}})

    def edit(self, message_id: str, text: str) -> None:
        """Change a text; the bot gets `edited_message` with the old id. Raises `KeyError`."""
        message = self._sent[int(message_id)]
        if "text" not in message:
            raise PhoneRefuses("only a text can be rewritten")
        message = {**message, "text": text, "edit_date": int(self._fake.now_s())}
        self._sent[int(message_id)] = message
        self.noted("edit")
        self._fake.publish("edited_message", message, chat_id=self.chat_id)

    def tap(self, label: str) -> str:
        """Tap the newest button with this label.

        An inline button gives a callback query (its id is returned), a reply keyboard's button sends
        its label, a link tells the bot nothing.
        """
        shown, button = self.find_button(label)
        if button.kind == "reply":
            return self.write(button.value)
        self.noted("tap")
        if button.kind != "callback":
            return ""
        self._refuse_if_blocked()
        query_id = self.world.digits(18)
        self._fake.callbacks[query_id] = self.chat_id
        self.spinning += 1
        message = {
            "message_id": int(shown.message_id),
            "from": self._fake.user,
            "chat": self.chat,
            "date": int(shown.at.timestamp()),
            "text": shown.text,
        }
        query = {
            "id": query_id,
            "from": self.user,
            "message": message,
            "chat_instance": f"-{self.user['id']}",
            "data": button.value,
        }
        self._fake.publish("callback_query", query, chat_id=self.chat_id)
        return query_id

    def read(self) -> None:
        """Look at the screen; bots get no read receipts here."""
        self.noted("read")

    def _send(self, act: str, content: dict[str, Any]) -> str:
        self._refuse_if_blocked()
        self.started = True
        message_id = self.next_message_id()
        head = {
            "message_id": message_id,
            "from": self.user,
            "chat": self.chat,
            "date": int(self._fake.now_s()),
        }
        message = {**head, **content}
        self._sent[message_id] = message
        self.noted(act)
        self._fake.publish("message", message, chat_id=self.chat_id)
        return str(message_id)

    def _refuse_if_blocked(self) -> None:
        if self.blocked:
            raise PhoneRefuses("the app offers only to restart the bot")
        if self.deactivated:
            raise PhoneRefuses("the account is gone")

    def _file(self, content: bytes, stored_type: str, path: str, **shape: Any) -> dict[str, Any]:
        file_id = self._fake.store(content, mime_type=stored_type, name=path)
        return {
            "file_id": file_id,
            "file_unique_id": f"AQAD{file_id[-12:]}",
            "file_size": len(content),
            **shape,
        }

    def _change_membership(self, old: str, new: str, act: str) -> None:
        self.noted(act)
        member: dict[str, Any] = {"user": self._fake.user, "status": new}
        if new == "kicked":
            member["until_date"] = 0
        change = {
            "chat": self.chat,
            "from": self.user,
            "date": int(self._fake.now_s()),
            "old_chat_member": {
                "user": self._fake.user,
                "status": old,
                **({"until_date": 0} if old == "kicked" else {}),
            },
            "new_chat_member": member,
        }
        self._fake.publish("my_chat_member", change, chat_id=self.chat_id)
