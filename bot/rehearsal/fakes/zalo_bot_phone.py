"""A person with Zalo on their phone, writing to a bot of the Zalo Bot Platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.rehearsal.fakes.world import (
    SAMPLE_FILE,
    SAMPLE_PHOTO,
    SAMPLE_VOICE,
    FakePhone,
    NotOnThisPlatform,
    PhoneRefuses,
    Platform,
    pieces,
)

if TYPE_CHECKING:
    from bot.rehearsal.fakes.zalo_bot import ZaloBotFake


class ZaloBotPhone(FakePhone):
    """The acts that reach a Zalo bot: texts, photos, stickers and voices; all else comes without content.

    `private` means privacy protection: then every message comes as unsupported. There are no events of
    following, blocking (403 later) or reading. `wrote` is what lets the bot write.
    """

    platform = Platform.ZALO_BOT

    def __init__(self, fake: ZaloBotFake, *, chat_id: str, name: str) -> None:
        super().__init__(fake.world, chat_id=chat_id, name=name)
        self._fake = fake
        self.private = False
        self.wrote = False

    def follow(self, payload: str = "") -> str:
        """Open the chat; the bot learns nothing before the first message, and links carry no payload."""
        if payload:
            raise NotOnThisPlatform("links to a Zalo bot carry no payload")
        self.noted("follow")
        return ""

    def unfollow(self) -> None:
        """The same as blocking."""
        self.block()

    def write(self, text: str) -> str:
        """Send a text; the app cuts one beyond 2,000 characters into several. Returns the last id."""
        message_id = ""
        for piece in pieces(text, 2000):
            message_id = self._send("write", "message.text.received", text=piece)
        return message_id

    def send_photo(self, content: bytes = SAMPLE_PHOTO, *, caption: str = "") -> str:
        """Send a photo; it comes as an address in `photo` and `photo_url`."""
        url = self._fake.store(content, mime_type="image/jpeg", name="anh.jpg")
        return self._send("send_photo", "message.image.received", photo=url, photo_url=url, caption=caption)

    def send_file(
        self, content: bytes = SAMPLE_FILE, *, name: str = "don.pdf", mime_type: str = "application/pdf"
    ) -> str:
        """Send a document; bots get no content."""
        return self._send("send_file", "message.unsupported.received")

    def send_voice(self, content: bytes = SAMPLE_VOICE, *, duration_s: int = 3) -> str:
        """Send a voice note."""
        url = self._fake.store(content, mime_type="audio/aac", name="ghi_am.aac")
        return self._send("send_voice", "message.voice.received", voice_url=url)

    def send_video(self, content: bytes = b"\x00\x00\x00\x18ftypmp42") -> str:
        """Send a video; bots get no content."""
        return self._send("send_video", "message.unsupported.received")

    def send_location(self, latitude: float, longitude: float) -> str:
        """Send a place; bots get no content."""
        return self._send("send_location", "message.unsupported.received")

    def send_sticker(self) -> str:
        """Send a sticker."""
        url = self._fake.store(b"RIFF", mime_type="image/webp", name="sticker.webp")
        return self._send("send_sticker", "message.sticker.received", sticker="bd1f", url=url)

    def send_unsupported(self) -> str:
        """Send something that bots are not told the content of."""
        return self._send("send_unsupported", "message.unsupported.received")

    def edit(self, message_id: str, text: str) -> None:
        """Zalo tells a bot nothing of edits."""
        raise NotOnThisPlatform("a Zalo bot is not told of edited messages")

    def tap(self, label: str) -> str:
        """There are no buttons."""
        raise NotOnThisPlatform("a Zalo bot has no buttons")

    def read(self) -> None:
        """Look at the screen; the bot is not told."""
        self.noted("read")

    def _send(self, act: str, event: str, **content: Any) -> str:
        if self.blocked or self.deactivated:
            raise PhoneRefuses("the chat is closed")
        self.wrote = True
        message_id = self.world.hex(16)
        self.noted(act)
        if self.private:
            event, content = "message.unsupported.received", {}
        message = {
            "message_id": message_id,
            "date": int(self._fake.now_s() * 1000),
            "from": {"id": self.chat_id, "display_name": self.name, "is_bot": False},
            "chat": {"id": self.chat_id, "chat_type": "PRIVATE"},
            **{key: value for key, value in content.items() if value != ""},
        }
        self._fake.publish(event, message, chat_id=self.chat_id)
        return message_id
