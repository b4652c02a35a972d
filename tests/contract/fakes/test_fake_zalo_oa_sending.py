"""What the fake OA takes and refuses: forms, lengths, windows, rates, prices, templates, uploads."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import httpx
import pytest

from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from bot.rehearsal.fakes.world import ManualClock, Platform, World
from bot.rehearsal.fakes.zalo_oa import ZaloOAFake, ZaloOARules
from bot.rehearsal.fakes.zalo_oa_phone import ZaloOAPhone
from bot.rehearsal.fakes.zalo_oa_tokens import TokenState

CS = "/v3.0/oa/message/cs"


class OA:
    """A client that holds a good token, as the system under test would."""

    def __init__(self, http: httpx.AsyncClient, fakes: RunningFakes) -> None:
        self._http = http
        self._fakes = fakes
        self._token = ""
        self.last: httpx.Response | None = None

    async def post(self, path: str, body: Any) -> dict[str, Any]:
        return self._read(await self._http.post(self._url(path), json=body, headers=await self._headers()))

    async def get(self, path: str, data: Any) -> dict[str, Any]:
        params = {"data": json.dumps(data)}
        return self._read(await self._http.get(self._url(path), params=params, headers=await self._headers()))

    async def upload(self, kind: str, content: bytes, *, name: str, mime_type: str) -> dict[str, Any]:
        files = {"file": (name, content, mime_type)}
        url = self._url(f"/v2.0/oa/upload/{kind}")
        return self._read(await self._http.post(url, files=files, headers=await self._headers()))

    async def say(self, phone: ZaloOAPhone, text: str, **more: Any) -> dict[str, Any]:
        return await self.send(phone, {"text": text, **more})

    async def send(self, phone: ZaloOAPhone, message: Any, *, path: str = CS) -> dict[str, Any]:
        return await self.post(path, {"recipient": {"user_id": phone.chat_id}, "message": message})

    def _url(self, path: str) -> str:
        return self._fakes.urls[Platform.ZALO_OA] + path

    async def _headers(self) -> dict[str, str]:
        oa = self._fakes.zalo_oa
        if oa.tokens.judge(self._token) is not TokenState.GOOD:
            form = {
                "app_id": oa.app_id,
                "grant_type": "refresh_token",
                "refresh_token": oa.tokens.refresh_token,
            }
            url = self._url("/v4/oa/access_token")
            answer = await self._http.post(url, data=form, headers={"secret_key": oa.app_secret})
            self._token = answer.json()["access_token"]
        return {"access_token": self._token}

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        self.last = answer
        assert answer.status_code == 200
        result: dict[str, Any] = answer.json()
        return result


@pytest.fixture
def oa(client: httpx.AsyncClient, fakes: RunningFakes) -> OA:
    return OA(client, fakes)


@pytest.fixture
def lan(fakes: RunningFakes) -> ZaloOAPhone:
    """A person who follows the OA."""
    phone = fakes.zalo_oa.add_person("Lan", number="84912345678")
    phone.follow()
    return phone


def _buttons(*buttons: Any) -> dict[str, Any]:
    return {"text": "Chọn", "attachment": {"type": "template", "payload": {"buttons": list(buttons)}}}


def _media(**element: Any) -> dict[str, Any]:
    payload = {"template_type": "media", "elements": [element]}
    return {"attachment": {"type": "template", "payload": payload}}


async def test_a_text_within_48_hours_is_free_and_on_the_phone(
    oa: OA, lan: ZaloOAPhone, fakes: RunningFakes, clock: ManualClock
) -> None:
    clock.advance(hours=48)
    answer = await oa.say(lan, "Kính chào bà Lan")
    assert (answer["error"], answer["message"]) == (0, "Success")
    data = answer["data"]
    assert data["user_id"] == lan.chat_id
    assert data["sent_time"] == str(int(clock().timestamp() * 1000))
    assert data["quota"] == {"quota_type": "reply", "owner_type": "OA", "owner_id": fakes.zalo_oa.oa_id}
    shown = await lan.next_message(timeout_s=1)
    assert (shown.message_id, shown.text) == (data["message_id"], "Kính chào bà Lan")


async def test_two_thousand_characters_are_counted_after_nfc(oa: OA, lan: ZaloOAPhone) -> None:
    decomposed = unicodedata.normalize("NFD", "ế" * 2000)
    assert len(decomposed) == 6000
    assert (await oa.say(lan, decomposed))["error"] == 0
    assert (await oa.say(lan, "ế" * 2001))["error"] == -210


REFUSED: list[tuple[str, Any, int]] = [
    ("empty text", {"text": ""}, -201),
    ("blank text", {"text": "  \n"}, -201),
    ("no text", {}, -201),
    ("text is a number", {"text": 5}, -201),
    ("message is a list", [], -201),
    ("stale quote", {"text": "a", "quote_message_id": "0000"}, -201),
    ("six buttons", _buttons(*[{"title": "A", "type": "oa.query.show", "payload": "a"}] * 6), -210),
    ("long payload", _buttons({"title": "A", "type": "oa.query.hide", "payload": "a" * 1001}), -210),
    ("payload object", _buttons({"title": "A", "type": "oa.query.show", "payload": {"a": 1}}), -201),
    ("no title", _buttons({"title": "", "type": "oa.query.show", "payload": "a"}), -201),
    ("unknown button", _buttons({"title": "A", "type": "callback", "payload": "a"}), -201),
    ("no url", _buttons({"title": "A", "type": "oa.open.url", "payload": {}}), -201),
    ("unknown attachment", {"attachment": {"type": "video", "payload": {}}}, -233),
    ("unknown template", {"attachment": {"type": "template", "payload": {"template_type": "x"}}}, -233),
    ("no payload", {"attachment": {"type": "template"}}, -201),
    ("unknown file", {"attachment": {"type": "file", "payload": {"token": "x"}}}, -201),
    ("unknown image", _media(media_type="image", attachment_id="x"), -201),
    ("image without source", _media(media_type="image"), -201),
    ("gif without size", _media(media_type="gif", url="https://x.vn/a.gif"), -201),
]


@pytest.mark.parametrize(("message", "code"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
async def test_cs_refuses(oa: OA, lan: ZaloOAPhone, message: Any, code: int) -> None:
    assert (await oa.send(lan, message))["error"] == code
    assert lan.screen == []


@pytest.mark.parametrize("recipient", [{}, {"user_id": 123}, {"user_id": "123"}, {"phone": "84912345678"}])
async def test_cs_refuses_unknown_recipients(oa: OA, recipient: Any) -> None:
    assert (await oa.post(CS, {"recipient": recipient, "message": {"text": "a"}}))["error"] == -201


async def test_five_buttons_of_every_type_are_shown(oa: OA, lan: ZaloOAPhone) -> None:
    message = _buttons(
        {"title": "Có", "type": "oa.query.show", "payload": "co"},
        {"title": "Không", "type": "oa.query.hide", "payload": "a" * 1000},
        {"title": "Luật", "type": "oa.open.url", "payload": {"url": "https://x.vn"}},
        {"title": "Gọi", "type": "oa.open.phone", "payload": {"phone_code": "02143"}},
        {"title": "Nhắn", "type": "oa.open.sms", "payload": {"content": "a", "phone_code": "02143"}},
    )
    assert (await oa.send(lan, message))["error"] == 0
    assert [b.label for b in lan.screen[0].buttons] == ["Có", "Không", "Luật", "Gọi", "Nhắn"]


async def test_list_and_details_templates_are_shown_as_text(oa: OA, lan: ZaloOAPhone) -> None:
    payload = {"template_type": "list", "elements": [{"title": "Phiên 1", "subtitle": "Ngày 30"}]}
    assert (await oa.send(lan, {"attachment": {"type": "template", "payload": payload}}))["error"] == 0
    payload = {
        "template_type": "request_user_info",
        "elements": [{"title": "Thông tin", "subtitle": "Xin gửi"}],
    }
    assert (await oa.send(lan, {"attachment": {"type": "template", "payload": payload}}))["error"] == 0
    assert [shown.text for shown in lan.screen] == ["Phiên 1\nNgày 30", "Thông tin\nXin gửi"]


async def test_a_message_can_quote_what_was_said_in_this_chat(oa: OA, lan: ZaloOAPhone) -> None:
    message_id = lan.write("Bao giờ họp?")
    assert (await oa.say(lan, "Ngày 30", quote_message_id=message_id))["error"] == 0


async def test_people_who_cannot_be_reached(oa: OA, lan: ZaloOAPhone, fakes: RunningFakes) -> None:
    stranger = fakes.zalo_oa.add_person("Người lạ")
    assert (await oa.say(stranger, "a"))["error"] == -232
    lan.block()
    assert (await oa.say(lan, "a"))["error"] == -244
    lan.unblock()
    lan.unfollow()
    assert (await oa.say(lan, "a"))["error"] == -213
    lan.write("xin chào")
    assert (await oa.say(lan, "one may write without following"))["error"] == 0
    lan.deactivate()
    assert (await oa.say(lan, "a"))["error"] == -227


async def test_the_windows_are_48_hours_free_7_days_paid_then_closed(
    client: httpx.AsyncClient, world: World, clock: ManualClock
) -> None:
    rules = ZaloOARules(included_paid_messages=1, wallet_vnd=100)
    async with running_fakes(world=world, zalo_oa=ZaloOAFake(world, rules=rules)) as fakes:
        oa = OA(client, fakes)
        lan = fakes.zalo_oa.add_person("Lan")
        lan.write("a")
        clock.advance(hours=48, seconds=1)
        included = await oa.say(lan, "trong gói")
        assert included["data"]["quota"]["quota_type"] == "sub_quota"
        billed = await oa.say(lan, "tính tiền")
        assert "quota" not in billed["data"]
        assert fakes.zalo_oa.wallet_vnd == 45
        assert (await oa.say(lan, "hết tiền"))["error"] == -321
        fakes.zalo_oa.wallet_vnd = None
        assert (await oa.say(lan, "không có ví"))["error"] == -320
        fakes.zalo_oa.wallet_vnd = 1000
        clock.advance(days=4, hours=23, minutes=59)
        assert (await oa.say(lan, "gần bảy ngày"))["error"] == 0
        clock.advance(minutes=1)
        assert (await oa.say(lan, "quá bảy ngày"))["error"] == -230
        assert fakes.zalo_oa.violations() == {"window_closed": 1}
        lan.write("tôi đây")
        assert (await oa.say(lan, "mở lại"))["data"]["quota"]["quota_type"] == "reply"


@pytest.mark.parametrize("act", ["follow", "write", "tap_link", "send_sticker", "react", "click_chat_now"])
async def test_every_interaction_opens_the_window(
    oa: OA, lan: ZaloOAPhone, clock: ManualClock, act: str
) -> None:
    link = {"title": "Luật", "type": "oa.open.url", "payload": {"url": "https://x.vn"}}
    message_id = (await oa.send(lan, _buttons(link)))["data"]["message_id"]
    clock.advance(days=8)
    acts: dict[str, Any] = {
        "follow": lan.follow,
        "write": lambda: lan.write("a"),
        "tap_link": lambda: lan.tap("Luật"),
        "send_sticker": lan.send_sticker,
        "react": lambda: lan.react(message_id),
        "click_chat_now": lan.click_chat_now,
    }
    acts[act]()
    answer = await oa.say(lan, "a")
    assert answer["data"]["quota"]["quota_type"] == "reply"


async def test_reading_opens_no_window(oa: OA, lan: ZaloOAPhone, clock: ManualClock) -> None:
    await oa.say(lan, "a")
    clock.advance(days=8)
    lan.read()
    assert (await oa.say(lan, "a"))["error"] == -230


# Rates.


async def test_the_plan_rate_is_a_sliding_minute_over_all_calls(
    client: httpx.AsyncClient, world: World, clock: ManualClock
) -> None:
    async with running_fakes(
        world=world, zalo_oa=ZaloOAFake(world, rules=ZaloOARules(calls_per_minute=5))
    ) as fakes:
        oa = OA(client, fakes)
        lan = fakes.zalo_oa.add_person("Lan")
        lan.follow()
        codes = []
        for _ in range(3):
            codes.append((await oa.say(lan, "a"))["error"])
            clock.advance(seconds=10)
        codes += [(await oa.get("/v2.0/oa/getoa", {}))["error"] for _ in range(3)]
        assert codes == [0, 0, 0, 0, 0, -32]
        assert oa.last is not None
        assert oa.last.headers["x-ratelimit-limit"] == "5"
        assert oa.last.headers["x-ratelimit-remain"] == "0"
        clock.advance(seconds=30)
        assert (await oa.say(lan, "a"))["error"] == 0
        assert (await oa.say(lan, "a"))["error"] == -32
        assert fakes.zalo_oa.violations() == {"rate_plan": 2}
        assert len(lan.screen) == 4


async def test_the_app_rate_holds_as_well(client: httpx.AsyncClient, world: World) -> None:
    rules = ZaloOARules(calls_per_minute=100, app_calls_per_minute=1)
    async with running_fakes(world=world, zalo_oa=ZaloOAFake(world, rules=rules)) as fakes:
        oa = OA(client, fakes)
        assert (await oa.get("/v2.0/oa/getoa", {}))["error"] == 0
        assert (await oa.get("/v2.0/oa/getoa", {}))["error"] == -32
        assert fakes.zalo_oa.violations() == {"rate_app": 1}


# State agencies and version 2.


async def test_a_state_oa_is_refused_on_v3_and_served_on_v2(client: httpx.AsyncClient, world: World) -> None:
    state = ZaloOAFake(world, rules=ZaloOARules(oa_type=4, v3_refused=True))
    async with running_fakes(world=world, zalo_oa=state) as fakes:
        oa = OA(client, fakes)
        lan = state.add_person("Lan")
        lan.follow()
        assert (await oa.get("/v2.0/oa/getoa", {}))["data"]["oa_type"] == 4
        assert (await oa.say(lan, "a"))["error"] == -235
        assert (await oa.send(lan, {"text": "a"}, path="/v2.0/oa/message"))["error"] == 0
        assert [shown.text for shown in lan.screen] == ["a"]


async def test_v2_is_shut_for_a_business_oa_but_for_reactions(oa: OA, lan: ZaloOAPhone) -> None:
    assert (await oa.send(lan, {"text": "a"}, path="/v2.0/oa/message"))["error"] == -240
    message_id = lan.write("cảm ơn")
    action = {"react_icon": "/-heart", "react_message_id": message_id}
    body = {"recipient": {"user_id": lan.chat_id}, "sender_action": action}
    assert (await oa.post("/v2.0/oa/message", body))["error"] == 0
    action["react_message_id"] = "0"
    assert (await oa.post("/v2.0/oa/message", body))["error"] == -201


async def test_buttons_can_be_refused_altogether(client: httpx.AsyncClient, world: World) -> None:
    plain = ZaloOAFake(world, rules=ZaloOARules(buttons_refused=True))
    async with running_fakes(world=world, zalo_oa=plain) as fakes:
        oa = OA(client, fakes)
        lan = plain.add_person("Lan")
        lan.follow()
        button = {"title": "Có", "type": "oa.query.show", "payload": "co"}
        assert (await oa.send(lan, _buttons(button)))["error"] == -233
        assert (await oa.say(lan, "1. Có"))["error"] == 0


# Facts.


async def test_user_detail_needs_a_follower(oa: OA, lan: ZaloOAPhone, fakes: RunningFakes) -> None:
    data = (await oa.get("/v3.0/oa/user/detail", {"user_id": lan.chat_id}))["data"]
    assert (data["display_name"], data["user_is_follower"]) == ("Lan", True)
    assert data["user_last_interaction_date"] == "23/11/2026"
    writer = fakes.zalo_oa.add_person("Minh")
    writer.write("a")
    assert (await oa.get("/v3.0/oa/user/detail", {"user_id": writer.chat_id}))["error"] == -213
    assert (await oa.get("/v3.0/oa/user/detail", {"user_id": "1"}))["error"] == -201


async def test_user_list_is_paged_by_fifty(oa: OA, fakes: RunningFakes) -> None:
    for number in range(55):
        fakes.zalo_oa.add_person(f"Người {number}").follow()
    data = (await oa.get("/v3.0/oa/user/getlist", {"offset": 50, "count": 50}))["data"]
    assert (data["total"], data["count"]) == (55, 5)
    assert (await oa.get("/v3.0/oa/user/getlist", {"offset": 0, "count": 51}))["error"] == -201
    assert (await oa.get("/v3.0/oa/user/getlist", {"offset": 9952, "count": 1}))["error"] == -201


async def test_quota_tells_the_last_interaction(oa: OA, lan: ZaloOAPhone, clock: ManualClock) -> None:
    at_ms = str(int(clock().timestamp() * 1000))
    clock.advance(hours=5)
    data = (await oa.post("/v3.0/oa/quota/message", {"user_id": lan.chat_id}))["data"]
    assert data["last_interaction"] == at_ms
    assert {"cs_reply", "promotion"} < data.keys()


# Templates.


async def test_templates_by_user_id(
    oa: OA, lan: ZaloOAPhone, fakes: RunningFakes, clock: ManualClock
) -> None:
    fakes.zalo_oa.add_template("101", "Kính mời {ten} dự đối thoại")
    fakes.zalo_oa.add_template("102", "Ưu đãi", kind="promotion")
    fakes.zalo_oa.add_template("103", "Chỉ theo số", by_user_id=False)

    async def send(template_id: str, **data: str) -> Any:
        body = {"user_id": lan.chat_id, "template_id": template_id, "template_data": data}
        return (await oa.post("/v3.0/oa/message/template", body))["error"]

    assert await send("101", ten="bà Lan") == 0
    assert lan.screen[-1][4:7] == ("Kính mời bà Lan dự đối thoại", (), "template")
    assert fakes.zalo_oa.wallet_vnd == 10_000_000 - 200
    assert [await send("101"), await send("999"), await send("103")] == [-201, -201, -249]
    assert await send("102") == 0
    clock.advance(hours=13)  # 22:00 in Viet Nam
    assert await send("102") == -234
    assert await send("101", ten="ban đêm") == 0
    clock.advance(hours=8)  # 06:00
    assert await send("102") == 0
    assert fakes.zalo_oa.violations() == {"night": 1}


async def test_a_template_reaches_people_beyond_the_seven_days(
    oa: OA, fakes: RunningFakes, lan: ZaloOAPhone, clock: ManualClock
) -> None:
    fakes.zalo_oa.add_template("101", "Kính mời dự đối thoại")
    clock.advance(days=30)
    assert (await oa.say(lan, "a"))["error"] == -230
    body = {"user_id": lan.chat_id, "template_id": "101", "template_data": {}}
    assert (await oa.post("/v3.0/oa/message/template", body))["error"] == 0


async def test_templates_by_phone(
    oa: OA, client: httpx.AsyncClient, lan: ZaloOAPhone, fakes: RunningFakes, clock: ManualClock
) -> None:
    fakes.zalo_oa.add_template("201", "Mời {ten}", by_user_id=False)
    fakes.zalo_oa.add_template("202", "Ưu đãi", kind="promotion")
    good = {
        "phone": lan.number,
        "template_id": "201",
        "template_data": {"ten": "Lan"},
        "tracking_id": "t-1",
    }

    async def code(**changes: Any) -> Any:
        return (await oa.post("/message/template", {**good, **changes}))["error"]

    answer = await oa.post("/message/template", good)
    assert answer["data"]["quota"] == {"dailyQuota": "500", "remainingQuota": "499"}
    assert [shown.text for shown in lan.screen] == ["Mời Lan"]
    assert answer["data"]["msg_id"] == lan.screen[0].message_id
    assert await code(phone="0912345678") == -108
    assert await code(phone="84900000000") == -118
    assert await code(template_id="1") == -109
    assert await code(template_data={}) == -131
    assert await code(tracking_id="") == -131
    assert await code(tracking_id="x" * 49) == -131
    assert await code(mode="development") == -126
    fakes.zalo_oa.admin_numbers.add(lan.number)
    assert await code(mode="development") == 0
    clock.advance(hours=13)
    assert await code(template_id="202") == -133
    lan.block()
    assert await code() == -141
    lan.unblock()
    fakes.zalo_oa.wallet_vnd = 100
    assert await code() == -137
    fakes.zalo_oa.wallet_vnd = None
    assert await code() == -136
    url = f"{fakes.urls[Platform.ZALO_OA]}/message/template"
    assert (await client.post(url, json=good, headers={"access_token": "old"})).json()["error"] == -124


async def test_templates_by_phone_end_with_the_daily_quota(client: httpx.AsyncClient, world: World) -> None:
    small = ZaloOAFake(world, rules=ZaloOARules(templates_per_day=1))
    async with running_fakes(world=world, zalo_oa=small) as fakes:
        small.add_template("201", "Mời họp")
        small.add_person("Lan", number="84912345678")
        body = {"phone": "84912345678", "template_id": "201", "template_data": {}, "tracking_id": "1"}
        oa = OA(client, fakes)
        codes = [(await oa.post("/message/template", body))["error"] for _ in range(2)]
        assert codes == [0, -144]


# Uploads and media.


async def test_uploads_are_checked_used_and_expire(
    oa: OA, client: httpx.AsyncClient, lan: ZaloOAPhone, clock: ManualClock
) -> None:
    pdf = await oa.upload("file", b"%PDF", name="lich.pdf", mime_type="application/pdf")
    image = await oa.upload("image", b"\x89PNG", name="a.png", mime_type="image/png")
    too_big = await oa.upload("image", bytes(1_000_001), name="a.jpg", mime_type="image/jpeg")
    wrong = await oa.upload("file", b"MZ", name="a.exe", mime_type="application/x-msdownload")
    assert (too_big["error"], wrong["error"]) == (-210, -201)
    file_message = {"attachment": {"type": "file", "payload": {"token": pdf["data"]["token"]}}}
    image_message = _media(media_type="image", attachment_id=image["data"]["attachment_id"])
    assert (await oa.send(lan, file_message))["error"] == 0
    assert (await oa.send(lan, image_message))["error"] == 0
    assert [shown.kind for shown in lan.screen] == ["file", "image"]
    assert (await client.get(lan.screen[0].media)).content == b"%PDF"
    clock.advance(days=7, seconds=1)
    lan.write("còn đó không?")
    assert (await oa.send(lan, file_message))["error"] == -100


async def test_uploads_end_with_the_monthly_quota(client: httpx.AsyncClient, world: World) -> None:
    small = ZaloOAFake(world, rules=ZaloOARules(uploads_per_month=1))
    async with running_fakes(world=world, zalo_oa=small) as fakes:
        oa = OA(client, fakes)
        codes = [
            (await oa.upload("image", b"\xff\xd8", name="a.jpg", mime_type="image/jpeg"))["error"]
            for _ in range(2)
        ]
        assert codes == [0, -211]
