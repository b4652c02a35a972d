"""The simulator keeps the channel port's promises."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

import pytest

from bot.simulator.channel import SimulatorChannel
from bot.simulator.files import MAX_AGE_S, FileGone, FileStore, reference
from bot.simulator.talks import Author, Talks
from core.clock import utc_now
from core.outbox.port import (
    Channel,
    ChannelName,
    Choice,
    IncomingAttachment,
    IncomingKind,
    NotDelivered,
    Outgoing,
    PollFailed,
    SendFailure,
    WebhookRefused,
)

PERSON = "a" * 32


def outgoing(text: str = "Kính chào bà con", *choices: Choice, person: str = PERSON) -> Outgoing:
    return Outgoing(7, person, text, choices)


async def test_sent_message_is_on_the_phone_with_its_choices_and_delivery() -> None:
    channel: Channel = SimulatorChannel()
    simulator = SimulatorChannel()
    assert channel.name is ChannelName.SIMULATOR
    external_id = await simulator.send(outgoing("Có đồng ý không ạ?", Choice("Có", "consent:yes")))
    (entry,) = simulator.talks.after(PERSON, None)
    assert entry.id == external_id
    assert entry.as_json() == {
        "id": external_id,
        "author": "bot",
        "kind": "text",
        "text": "Có đồng ý không ạ?",
        "at": entry.at.isoformat(),
        "choices": [{"label": "Có", "value": "consent:yes"}],
        "delivery_id": 7,
    }
    assert entry.at.utcoffset() is not None


async def test_delivery_that_is_sent_twice_shows_twice_as_on_a_real_phone() -> None:
    channel = SimulatorChannel()
    ids = {await channel.send(outgoing()), await channel.send(outgoing())}
    assert len(ids) == 2
    assert len(channel.talks.after(PERSON, None)) == 2


async def test_what_real_platforms_refuse_is_refused() -> None:
    channel = SimulatorChannel()
    refused = {
        "empty": outgoing("  \n"),
        "too_long": outgoing("ă" * 2_001),
        "choice_too_long": outgoing("Chọn ạ", Choice("Dài", "ă" * 33)),
    }
    for code, message in refused.items():
        with pytest.raises(NotDelivered) as caught:
            await channel.send(message)
        assert (caught.value.failure, caught.value.code) == (SendFailure.REJECTED, code)
    assert channel.talks.after(PERSON, None) == []


async def test_text_at_the_limit_and_value_of_64_bytes_are_taken() -> None:
    channel = SimulatorChannel()
    await channel.send(outgoing("ă" * 2_000, Choice("Dài", "x" * 64)))
    assert len(channel.talks.after(PERSON, None)) == 1


async def test_recipient_that_no_page_can_have_is_gone() -> None:
    with pytest.raises(NotDelivered) as caught:
        await SimulatorChannel().send(outgoing(person="84912345678\n"))
    assert caught.value.failure is SendFailure.RECIPIENT_GONE


async def test_webhook_is_refused_and_polling_asks_not_to_be_repeated() -> None:
    channel = SimulatorChannel()
    with pytest.raises(WebhookRefused) as refused:
        channel.read_webhook({}, b"{}")
    assert refused.value.authentic is False
    with pytest.raises(PollFailed) as failed:
        await channel.poll(cursor=None, timeout_s=1.0)
    assert failed.value.stop is True
    assert (await channel.check()).ok is True


async def test_fetch_gives_the_file_and_refuses_a_missing_or_too_large_one() -> None:
    channel = SimulatorChannel()
    ref = reference(PERSON, "message-1")
    channel.files.save(ref, b"\xff\xd8\xff1234567", now_s=time.time())
    photo = IncomingAttachment(IncomingKind.PHOTO, file_ref=ref, file_name="cầu.jpg", mime_type="image/jpeg")
    download = await channel.fetch(photo, max_bytes=10)
    assert (download.content, download.mime_type, download.file_name) == (
        b"\xff\xd8\xff1234567",
        "image/jpeg",
        "cầu.jpg",
    )
    for attachment, max_bytes, code in (
        (photo, 9, "file_too_large"),
        (IncomingAttachment(IncomingKind.PHOTO, file_ref="0" * 32), 10, "file_gone"),
        (IncomingAttachment(IncomingKind.PHOTO, file_ref=f"../{ref}"), 10, "file_gone"),
        (IncomingAttachment(IncomingKind.PHOTO), 10, "file_gone"),
    ):
        with pytest.raises(NotDelivered) as caught:
            await channel.fetch(attachment, max_bytes=max_bytes)
        assert caught.value.code == code
    await channel.close()
    with pytest.raises(NotDelivered):
        await channel.fetch(photo, max_bytes=10)


def test_files_outlive_a_restart_in_a_given_folder_but_not_their_day(tmp_path: Path) -> None:
    old, new = reference(PERSON, "old"), reference(PERSON, "new")
    FileStore(tmp_path).save(old, b"old", now_s=time.time())
    restarted = FileStore(tmp_path)
    assert restarted.read(old, max_bytes=10) == b"old"
    os.utime(tmp_path / old, (time.time() - MAX_AGE_S - 60,) * 2)
    restarted.save(new, b"new", now_s=time.time())
    assert restarted.read(new, max_bytes=10) == b"new"
    with pytest.raises(FileGone):
        restarted.read(old, max_bytes=10)
    restarted.close()
    assert (tmp_path / new).exists()


def test_oldest_files_go_when_the_store_is_full(tmp_path: Path) -> None:
    store = FileStore(tmp_path, max_total_bytes=10)
    refs = [reference(PERSON, str(number)) for number in range(3)]
    for number, ref in enumerate(refs):
        store.save(ref, b"12345", now_s=time.time())
        os.utime(tmp_path / ref, (time.time() - 100 + number,) * 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(refs[1:])


def add(talks: Talks, person: str, number: int) -> None:
    talks.append(person, f"id-{number}", author=Author.BOT, kind="text", text=str(number), at=utc_now())


def test_log_keeps_the_newest_entries_and_a_cursor_still_finds_its_place() -> None:
    talks = Talks(max_entries=3)
    for number in range(1, 6):
        add(talks, PERSON, number)
    kept = talks.after(PERSON, None)
    assert [entry.text for entry in kept] == ["3", "4", "5"]
    cursor = talks.cursor(kept[:2], None)
    assert [entry.text for entry in talks.after(PERSON, cursor)] == ["5"]
    assert talks.after(PERSON, talks.cursor(kept, None)) == []


@pytest.mark.parametrize("cursor", ["", "x", "-", "deadbeef-4", "deadbeef--1", "١"])
def test_cursor_of_another_start_gives_the_whole_log(cursor: str) -> None:
    talks = Talks()
    add(talks, PERSON, 1)
    assert len(talks.after(PERSON, cursor)) == 1


def test_phone_that_was_quiet_longest_is_forgotten_first_but_never_a_listening_one() -> None:
    talks = Talks(max_people=2)
    people = [secrets.token_hex(16) for _ in range(4)]
    add(talks, people[0], 1)
    add(talks, people[1], 1)
    with talks.listen(people[0]):
        add(talks, people[2], 1)
        add(talks, people[3], 1)
        assert talks.listening == 1
    assert [bool(talks.after(person, None)) for person in people] == [True, False, False, True]
    assert talks.listening == 0
