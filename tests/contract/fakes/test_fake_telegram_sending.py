"""What the fake Telegram takes and refuses, by plain HTTP and by python-telegram-bot's own client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter

from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from bot.rehearsal.fakes.telegram import TelegramFake, TelegramRules
from bot.rehearsal.fakes.telegram_phone import TelegramPhone
from bot.rehearsal.fakes.world import ManualClock, NothingShown, Platform, World


def _url(fakes: RunningFakes, method: str) -> str:
    return f"{fakes.urls[Platform.TELEGRAM]}/bot{fakes.telegram.token}/{method}"


async def _call(client: httpx.AsyncClient, fakes: RunningFakes, method: str, **params: Any) -> httpx.Response:
    return await client.post(_url(fakes, method), json=params)


@pytest.fixture
def lan(fakes: RunningFakes) -> TelegramPhone:
    """A person who has started the bot."""
    phone = fakes.telegram.add_person("Lan")
    phone.follow()
    return phone


@pytest.fixture
async def bot(fakes: RunningFakes) -> AsyncIterator[Bot]:
    base = fakes.urls[Platform.TELEGRAM]
    async with Bot(fakes.telegram.token, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot") as ptb:
        yield ptb


async def test_a_message_sent_by_ptb_is_on_the_phone_with_its_buttons(bot: Bot, lan: TelegramPhone) -> None:
    keyboard = InlineKeyboardMarkup(
        [
            [InlineKeyboardButton("Đồng ý", callback_data="v1:yes")],
            [InlineKeyboardButton("Luật", url="https://x.vn")],
        ]
    )
    sent = await bot.send_message(int(lan.chat_id), "Kính chào bà Lan 👋", reply_markup=keyboard)
    shown = await lan.next_message(timeout_s=1)
    assert (shown.message_id, shown.text) == (str(sent.message_id), "Kính chào bà Lan 👋")
    assert [(b.label, b.value, b.kind) for b in shown.buttons] == [
        ("Đồng ý", "v1:yes", "callback"),
        ("Luật", "https://x.vn", "url"),
    ]
    assert sent.message_id == 2  # the person's /start was the first message of this chat


async def test_ptb_uploads_photo_and_document(bot: Bot, lan: TelegramPhone, fakes: RunningFakes) -> None:
    photo = await bot.send_photo(int(lan.chat_id), b"jpeg bytes", caption="Ảnh chương trình")
    document = await bot.send_document(int(lan.chat_id), b"%PDF", filename="chuong_trinh.pdf")
    kinds = [(shown.kind, shown.text) for shown in lan.take_unread()]
    assert kinds == [("photo", "Ảnh chương trình"), ("document", "")]
    assert photo.photo[-1].file_size == 10
    assert document.document is not None
    assert document.document.file_name == "chuong_trinh.pdf"
    assert fakes.telegram.media[document.document.file_id].content == b"%PDF"


async def test_a_file_id_can_be_sent_again_and_a_made_up_one_cannot(bot: Bot, lan: TelegramPhone) -> None:
    first = await bot.send_photo(int(lan.chat_id), b"jpeg bytes")
    await bot.send_photo(int(lan.chat_id), first.photo[-1].file_id)
    with pytest.raises(BadRequest, match=r"[Ww]rong file identifier"):
        await bot.send_photo(int(lan.chat_id), "AgACmadeup")
    assert len(lan.screen) == 2


REFUSED_MESSAGES: list[tuple[dict[str, Any], int, str, dict[str, int]]] = [
    ({"text": "a" * 4097}, 400, "message is too long", {"text_too_long": 1}),
    ({"text": ""}, 400, "message text is empty", {}),
    ({"text": " \n "}, 400, "message text is empty", {}),
    ({"chat_id": ""}, 400, "chat_id is empty", {}),
    ({"chat_id": "424242"}, 400, "chat not found", {}),
    ({"chat_id": "@somebody"}, 400, "chat not found", {}),
    ({"text": "<x>a</x>", "parse_mode": "HTML"}, 400, "can't parse entities", {}),
    ({"text": "<b>a", "parse_mode": "HTML"}, 400, "can't parse entities", {}),
    ({"text": "3 < 4", "parse_mode": "HTML"}, 400, "can't parse entities", {}),
    ({"text": "Xin chào.", "parse_mode": "MarkdownV2"}, 400, "Character '.' is reserved", {}),
    ({"text": "*đậm", "parse_mode": "MarkdownV2"}, 400, "can't parse entities", {}),
    ({"text": "a", "parse_mode": "bbcode"}, 400, "can't parse entities", {}),
    ({"reply_markup": "{"}, 400, "can't parse reply_markup", {}),
    ({"reply_parameters": {"message_id": 99}}, 400, "message to be replied not found", {}),
    ({"reply_markup": {"inline_keyboard": [[{"text": "A"}]]}}, 400, "Text buttons are unallowed", {}),
    (
        {"reply_markup": {"inline_keyboard": [[{"text": " ", "callback_data": "a"}]]}},
        400,
        "Button text must be non-empty",
        {},
    ),
    (
        # 33 letters, 66 bytes: the limit is in bytes.
        {"reply_markup": {"inline_keyboard": [[{"text": "A", "callback_data": "đ" * 33}]]}},
        400,
        "BUTTON_DATA_INVALID",
        {"callback_data_too_long": 1},
    ),
]


@pytest.mark.parametrize(("params", "code", "words", "violations"), REFUSED_MESSAGES)
async def test_send_message_refuses(
    client: httpx.AsyncClient,
    fakes: RunningFakes,
    lan: TelegramPhone,
    params: dict[str, Any],
    code: int,
    words: str,
    violations: dict[str, int],
) -> None:
    answer = await _call(client, fakes, "sendMessage", **{"chat_id": lan.chat_id, "text": "a", **params})
    assert (answer.status_code, answer.json()["error_code"]) == (code, code)
    assert words in answer.json()["description"]
    assert lan.screen == []
    assert fakes.telegram.violations() == violations


@pytest.mark.parametrize(
    ("text", "parse_mode", "seen"),
    [
        ("ế" * 4096, "", "ế" * 4096),
        ("  giữa  ", "", "giữa"),
        ("<b>" + "a" * 4096 + "</b>", "HTML", "a" * 4096),
        ("A &lt; B <i>và</i> <a href='https://x.vn'>C</a>", "HTML", "A < B và C"),
        ("*Kính* gửi\\.", "MarkdownV2", "Kính gửi."),
        ("[Luật](https://x.vn/a.b) `x.y`", "MarkdownV2", "Luật x.y"),
        ("*đậm* 1.5", "Markdown", "đậm 1.5"),
    ],
)
async def test_text_is_taken_up_to_4096_characters_after_entity_parsing(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: TelegramPhone, text: str, parse_mode: str, seen: str
) -> None:
    answer = await _call(client, fakes, "sendMessage", chat_id=lan.chat_id, text=text, parse_mode=parse_mode)
    assert answer.status_code == 200
    assert answer.json()["result"]["text"] == seen
    assert [shown.text for shown in lan.screen] == [seen]


async def test_people_who_cannot_be_reached_are_403(
    bot: Bot, fakes: RunningFakes, lan: TelegramPhone
) -> None:
    stranger = fakes.telegram.add_person("Người lạ")
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await bot.send_message(int(stranger.chat_id), "a")
    lan.block()
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.send_message(int(lan.chat_id), "a")
    lan.unblock()
    await bot.send_message(int(lan.chat_id), "b")
    lan.deactivate()
    with pytest.raises(Forbidden, match="user is deactivated"):
        await bot.send_message(int(lan.chat_id), "c")
    assert [shown.text for shown in lan.screen] == ["b"]


async def test_unknown_token_and_unknown_method(client: httpx.AsyncClient, fakes: RunningFakes) -> None:
    base = fakes.urls[Platform.TELEGRAM]
    assert (await client.post(f"{base}/bot123:wrong/getMe")).status_code == 401
    assert (await client.post(f"{base}/nothing")).status_code == 404
    assert (await _call(client, fakes, "sendMesage")).json()["error_code"] == 404
    async with Bot(fakes.telegram.token, base_url=f"{base}/bot") as good:
        assert good.username == fakes.telegram.user["username"]
    with pytest.raises(InvalidToken):
        await Bot("123:wrong", base_url=f"{base}/bot").initialize()


async def test_form_query_and_any_case_reach_the_same_method(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: TelegramPhone
) -> None:
    await client.post(_url(fakes, "sendmessage"), data={"chat_id": lan.chat_id, "text": "mẫu đơn"})
    await client.get(_url(fakes, "SENDMESSAGE"), params={"chat_id": lan.chat_id, "text": "địa chỉ"})
    assert [shown.text for shown in lan.screen] == ["mẫu đơn", "địa chỉ"]


# Rates.


async def test_thirty_messages_a_second_and_not_one_more(
    client: httpx.AsyncClient, fakes: RunningFakes, clock: ManualClock
) -> None:
    people = [fakes.telegram.add_person(f"Người {number}") for number in range(31)]
    for person in people:
        person.follow()
    answers = [await _call(client, fakes, "sendMessage", chat_id=p.chat_id, text="a") for p in people]
    assert [a.status_code for a in answers] == [200] * 30 + [429]
    assert answers[30].json()["parameters"] == {"retry_after": 1}
    clock.advance(seconds=0.5)
    early = await _call(client, fakes, "sendMessage", chat_id=people[30].chat_id, text="a")
    assert early.status_code == 429
    clock.advance(seconds=0.5)
    late = await _call(client, fakes, "sendMessage", chat_id=people[30].chat_id, text="a")
    assert late.status_code == 200
    assert fakes.telegram.violations() == {"rate_bot": 1, "during_retry_after": 1}


async def test_one_chat_gets_a_short_burst_then_one_a_second(
    bot: Bot, fakes: RunningFakes, lan: TelegramPhone, clock: ManualClock
) -> None:
    other = fakes.telegram.add_person("Minh")
    other.follow()
    for _ in range(3):
        await bot.send_message(int(lan.chat_id), "a")
    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(int(lan.chat_id), "a")
    assert int(refused.value.retry_after) == 1  # type: ignore[arg-type]
    await bot.send_message(int(other.chat_id), "another chat goes on")
    clock.advance(seconds=1)
    await bot.send_message(int(lan.chat_id), "a")
    with pytest.raises(RetryAfter):
        await bot.send_message(int(lan.chat_id), "a")
    assert fakes.telegram.violations() == {"rate_chat": 2}


async def test_edits_count_for_the_chat_and_callback_answers_do_not(bot: Bot, lan: TelegramPhone) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Có", callback_data="1")]])
    sent = await bot.send_message(int(lan.chat_id), "một", reply_markup=keyboard)
    await bot.edit_message_text("hai", int(lan.chat_id), sent.message_id, reply_markup=keyboard)
    await bot.edit_message_text("ba", int(lan.chat_id), sent.message_id, reply_markup=keyboard)
    with pytest.raises(RetryAfter):
        await bot.edit_message_text("bốn", int(lan.chat_id), sent.message_id)
    assert await bot.answer_callback_query(lan.tap("Có"))
    assert [shown.text for shown in lan.screen] == ["ba"]


async def _broadcast(client: httpx.AsyncClient, fakes: RunningFakes, number: int) -> int:
    people = [fakes.telegram.add_person(f"Người {n}") for n in range(number)]
    for person in people:
        person.follow()
    answers = await asyncio.gather(
        *(
            _call(client, fakes, "sendMessage", chat_id=p.chat_id, text="a", allow_paid_broadcast=True)
            for p in people
        )
    )
    return sum(answer.status_code == 200 for answer in answers)


async def test_paid_broadcast_needs_stars_and_users(client: httpx.AsyncClient, fakes: RunningFakes) -> None:
    assert await _broadcast(client, fakes, 40) == 30
    assert fakes.telegram.stars_spent == 0


async def test_paid_broadcast_lifts_the_ceiling_and_charges_what_is_above_thirty(
    client: httpx.AsyncClient, world: World
) -> None:
    rules = TelegramRules(star_balance=20_000, monthly_users=20_000, paid_rate_per_s=45)
    async with running_fakes(world=world, telegram=TelegramFake(world, rules=rules)) as fakes:
        assert await _broadcast(client, fakes, 50) == 45
        assert fakes.telegram.stars_spent == pytest.approx(1.5)


# Buttons, edits, files, commands.


async def test_a_tapped_button_spins_until_it_is_answered_once(
    bot: Bot, lan: TelegramPhone, fakes: RunningFakes
) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Có", callback_data="1")]])
    await bot.send_message(int(lan.chat_id), "Gửi?", reply_markup=keyboard)
    query_id = lan.tap("Có")
    assert lan.spinning == 1
    with pytest.raises(BadRequest, match=r"MESSAGE_TOO_LONG|[Mm]essage_too_long"):
        await bot.answer_callback_query(query_id, text="x" * 201)
    await bot.answer_callback_query(query_id, text="Đã nhận")
    assert (lan.spinning, lan.toasts) == (0, ["Đã nhận"])
    with pytest.raises(BadRequest, match=r"(?i)query is too old"):
        await bot.answer_callback_query(query_id)


async def test_edit_and_delete_change_the_screen_silently(bot: Bot, lan: TelegramPhone) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Có", callback_data="1")]])
    sent = await bot.send_message(int(lan.chat_id), "Gửi?", reply_markup=keyboard)
    assert (await lan.next_message(timeout_s=1)).buttons
    await bot.edit_message_reply_markup(int(lan.chat_id), sent.message_id)
    assert lan.screen[0].buttons == ()
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_reply_markup(int(lan.chat_id), sent.message_id)
    with pytest.raises(BadRequest, match="to edit not found"):
        await bot.edit_message_text("x", int(lan.chat_id), 999)
    await bot.delete_message(int(lan.chat_id), sent.message_id)
    assert lan.screen == []
    with pytest.raises(NothingShown):
        await lan.next_message(timeout_s=0.01)


async def test_reply_keyboard_buttons_are_shown_and_tapping_types_them(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: TelegramPhone
) -> None:
    markup = {"keyboard": [["Đồng ý", {"text": "Không"}]]}
    await _call(client, fakes, "sendMessage", chat_id=lan.chat_id, text="Chọn", reply_markup=markup)
    lan.tap("Không")
    update = json.loads(fakes.telegram.oldest(9)[-1])
    assert update["message"]["text"] == "Không"


async def test_files_of_people_download_for_an_hour_up_to_twenty_megabytes(
    bot: Bot, client: httpx.AsyncClient, lan: TelegramPhone, fakes: RunningFakes, clock: ManualClock
) -> None:
    lan.send_file(b"noi dung", name="don.pdf")
    document = json.loads(fakes.telegram.oldest(9)[-1])["message"]["document"]
    file = await bot.get_file(document["file_id"])
    assert bytes(await file.download_as_bytearray()) == b"noi dung"
    clock.advance(hours=1, seconds=1)
    assert file.file_path is not None
    assert (await client.get(file.file_path)).status_code == 404
    lan.send_file(bytes(20_000_001), name="to.pdf")
    big = json.loads(fakes.telegram.oldest(9)[-1])["message"]["document"]
    with pytest.raises(BadRequest, match=r"(?i)file is too big"):
        await bot.get_file(big["file_id"])


async def test_a_photo_over_ten_megabytes_is_413(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: TelegramPhone
) -> None:
    answer = await client.post(
        _url(fakes, "sendPhoto"), data={"chat_id": lan.chat_id}, files={"photo": ("a.jpg", bytes(10_000_001))}
    )
    assert answer.status_code == 413
    assert fakes.telegram.violations() == {"upload_too_large": 1}


async def test_commands_are_kept_per_language_and_checked(bot: Bot) -> None:
    await bot.set_my_commands([BotCommand("trogiup", "Trợ giúp")], language_code="vi")
    assert [c.command for c in await bot.get_my_commands(language_code="vi")] == ["trogiup"]
    assert await bot.get_my_commands() == ()
    with pytest.raises(BadRequest, match=r"(?i)BOT_COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand("Trợ giúp", "x")])


async def test_typing_needs_an_open_chat(bot: Bot, lan: TelegramPhone) -> None:
    assert await bot.send_chat_action(int(lan.chat_id), "typing")
    lan.block()
    with pytest.raises(Forbidden):
        await bot.send_chat_action(int(lan.chat_id), "typing")
