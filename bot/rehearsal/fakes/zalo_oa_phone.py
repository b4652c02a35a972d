"""A person with Zalo on their phone, writing to the Official Account."""

from __future__ import annotations

import hashlib
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
    from bot.rehearsal.fakes.zalo_oa import ZaloOAFake


class ZaloOAPhone(FakePhone):
    """Zalo's acts. `chat_id` is the `user_id` of this OA; `number` is the telephone number, 84… or empty.

    People may write without following; either opens the window for answers. `left` is true from
    unfollowing until the next follow or message; `blocked` means that the person restricted the OA's
    messages: the OA meets -244 and no event. A `deactivated` account is banned or idle (-227).
    """

    platform = Platform.ZALO_OA

    def __init__(
        self, fake: ZaloOAFake, *, chat_id: str, user_id_by_app: str, name: str, number: str
    ) -> None:
        super().__init__(fake.world, chat_id=chat_id, name=name)
        self._fake = fake
        self.user_id_by_app = user_id_by_app
        self.number = number
        self.follows = False
        self.left = False
        self.last_interaction_s: float | None = None
        self.known_ids: set[str] = set()
        self._looked_at = 0

    def follow(self, payload: str = "") -> str:
        """Press follow. OA links carry no payload, so `payload` must be empty."""
        if payload:
            raise NotOnThisPlatform("an OA link carries no payload to the follow event")
        self._refuse_if_gone()
        self.follows, self.left = True, False
        self._interact("follow")
        self._fake.announce_follow(self, "follow")
        return ""

    def unfollow(self) -> None:
        """Leave the OA; it gets `unfollow`."""
        self.follows, self.left = False, True
        self.noted("unfollow")
        self._fake.announce_follow(self, "unfollow")

    def write(self, text: str) -> str:
        """Send a text; the app cuts one beyond 2,000 characters into several. Returns the last id."""
        message_id = ""
        for piece in pieces(text, 2000):
            message_id = self._send("write", "user_send_text", text=piece)
        return message_id

    def send_photo(self, content: bytes = SAMPLE_PHOTO, *, caption: str = "") -> str:
        """Send a photo with an optional text under it."""
        url = self._fake.store(content, mime_type="image/jpeg", name="anh.jpg")
        payload = {"thumbnail": url, "url": url}
        return self._send("send_photo", "user_send_image", text=caption, attachment=("image", payload))

    def send_file(
        self, content: bytes = SAMPLE_FILE, *, name: str = "don.pdf", mime_type: str = "application/pdf"
    ) -> str:
        """Send a document; `size` and `checksum` (MD5) come with it."""
        payload = {
            "url": self._fake.store(content, mime_type=mime_type, name=name),
            "size": str(len(content)),
            "name": name,
            "checksum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "type": name.rpartition(".")[2],
        }
        return self._send("send_file", "user_send_file", attachment=("file", payload))

    def send_voice(self, content: bytes = SAMPLE_VOICE, *, duration_s: int = 3) -> str:
        """Send a voice note, AMR; the platform tells no duration."""
        url = self._fake.store(content, mime_type="audio/amr", name="ghi_am.amr")
        return self._send("send_voice", "user_send_audio", attachment=("audio", {"url": url}))

    def send_video(self, content: bytes = b"\x00\x00\x00\x18ftypmp42") -> str:
        """Send a video."""
        url = self._fake.store(content, mime_type="video/mp4", name="quay.mp4")
        payload = {"url": url, "thumbnail": url, "description": ""}
        return self._send("send_video", "user_send_video", attachment=("video", payload))

    def send_location(self, latitude: float, longitude: float) -> str:
        """Send a place; the numbers are strings on this platform."""
        payload = {"coordinates": {"latitude": str(latitude), "longitude": str(longitude)}}
        return self._send("send_location", "user_send_location", attachment=("location", payload))

    def send_sticker(self) -> str:
        """Send a sticker."""
        url = self._fake.store(b"RIFF", mime_type="image/webp", name="sticker.webp")
        return self._send(
            "send_sticker", "user_send_sticker", attachment=("sticker", {"id": "21", "url": url})
        )

    def send_link(self, url: str, *, description: str = "") -> str:
        """Share a link."""
        payload = {"thumbnail": "", "url": url, "description": description}
        return self._send("send_link", "user_send_link", attachment=("link", payload))

    def send_unsupported(self) -> str:
        """Send a kind of message that a concern bot has no use for: a business card."""
        payload = {"thumbnail": "", "url": "", "description": '{"phone":""}'}
        return self._send("send_unsupported", "user_send_business_card", attachment=("link", payload))

    def edit(self, message_id: str, text: str) -> None:
        """Zalo tells an OA nothing of edits."""
        raise NotOnThisPlatform("an OA is not told of edited messages")

    def tap(self, label: str) -> str:
        """Tap the newest button with this label; `oa.query.*` comes as an ordinary text, a link as nothing.

        Any tap on a message button opens the window.
        """
        _, button = self.find_button(label)
        if button.kind.startswith("oa.query."):
            return self._send("tap", "user_send_text", text=button.value)
        self._interact("tap")
        return ""

    def read(self) -> None:
        """Look at the screen: one `user_seen_message` names all messages seen for the first time."""
        self.noted("read")
        new_ids = [shown.message_id for shown in self.screen[self._looked_at :]]
        self._looked_at = len(self.screen)
        if new_ids:
            self._fake.announce_receipt(self, "user_seen_message", {"msg_ids": new_ids})

    def react(self, message_id: str, icon: str = "/-heart") -> None:
        """React to a message; opens the window like any interaction."""
        self._interact("react")
        self._fake.announce_message(self, "user_reacted_message", {"msg_id": message_id, "react_icon": icon})

    def click_chat_now(self) -> None:
        """Open the chat for the first time from the OA's page."""
        self._interact("click_chat_now")
        self._fake.announce(
            "user_click_chatnow",
            {"oa_id": self._fake.oa_id, "user_id": self.chat_id, "user_id_by_app": self.user_id_by_app},
            conversation=self.chat_id,
        )

    def submit_info(self, *, name: str, phone: str, address: str = "") -> None:
        """Answer a request for details."""
        self._interact("submit_info")
        full_address = {"user_city": "", "user_ward": "", "user_address": address}
        info = {"name": name, "phone": phone, "user_dob": "", "gender": "", "full_address": full_address}
        self._fake.announce_message(self, "user_submit_info", None, info=info)

    def withdraw_data(self) -> None:
        """Use the right to erasure in the app: `user_withdraw`."""
        self.noted("withdraw_data")
        self._fake.announce_message(self, "user_withdraw", None)

    def _interact(self, act: str) -> None:
        self.last_interaction_s = self._fake.now_s()
        self.noted(act)

    def _send(
        self, act: str, event: str, *, text: str = "", attachment: tuple[str, dict[str, Any]] | None = None
    ) -> str:
        self._refuse_if_gone()
        self.left = False
        self._interact(act)
        message_id = self._fake.new_message_id()
        self.known_ids.add(message_id)
        message: dict[str, Any] = {"msg_id": message_id}
        if text or attachment is None:
            message["text"] = text
        if attachment is not None:
            message["attachments"] = [{"type": attachment[0], "payload": attachment[1]}]
        self._fake.announce_message(self, event, message)
        return message_id

    def _refuse_if_gone(self) -> None:
        if self.deactivated:
            raise PhoneRefuses("the account is gone")
