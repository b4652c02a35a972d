"""Answers: imported whole or not at all, and heard once by everyone who asked or joined."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from core.agenda.build import save
from core.agenda.document import AgendaDocument
from core.answers import answer_file
from core.answers.answer_file import AnswerRow, Problem
from core.answers.publish import Imported, Published, import_answers, publish
from core.documents import export
from core.outbox.port import ChannelName
from core.topics.store import regroup
from storage.models import Answer, AnswerConcern, Concern, ConcernEvent, Contact, Outbound, TopicMember
from tests.factories.many import many_concerns
from tests.factories.queries import counted
from tests.factories.records import Commune, Person

ROAD = "Đường liên thôn hỏng nặng, xe máy không đi được"
WATER = "Nước sinh hoạt đục mấy tháng nay"


def _row(number: int, *codes: str, text: str = "Sẽ sửa trong tháng 12.", key: str = "") -> AnswerRow:
    return AnswerRow(number, key, codes, text, "Sở Xây dựng", "Kế hoạch 12/KH-UBND", date(2026, 12, 31))


def _import(commune: Commune, session_id: int, *rows: AnswerRow) -> Imported:
    with commune.database.write() as session:
        return import_answers(session, session_id=session_id, rows=rows, now=commune.clock.at)


def _publish(commune: Commune, session_id: int) -> Published:
    with commune.database.write() as session:
        return publish(session, session_id=session_id, by="t", now=commune.clock.at)


def _answers(person: Person) -> list[Outbound]:
    return [row for row in person.heard() if row.kind == "answer"]


def _problems(result: Imported) -> list[tuple[int, str, str]]:
    return [(p.row, p.code, p.value) for p in result.problems]


# Importing


def test_wrong_rows_are_told_by_number_and_nothing_is_kept(commune: Commune) -> None:
    session_id = commune.collecting()
    code = commune.person().raise_concern(ROAD)
    result = _import(
        commune, session_id, _row(2, code), _row(3, "LC-26-99999"), _row(4, key="T999"), _row(5, code)
    )
    assert _problems(result) == [
        (3, "unknown_code", "LC-26-99999"),
        (4, "unknown_topic", "T999"),
        (5, "twice", code),
    ]
    with commune.database.read() as session:
        assert session.scalars(select(Answer)).all() == []


def test_codes_of_another_session_are_unknown(commune: Commune) -> None:
    first = commune.collecting()
    code = commune.person().raise_concern(ROAD)
    second = commune.collecting(title="Khác")
    assert _problems(_import(commune, second, _row(2, code))) == [(2, "unknown_code", code)]
    assert _import(commune, first, _row(2, code)).problems == ()


def test_codes_win_over_a_key_that_nobody_knows(commune: Commune) -> None:
    session_id = commune.collecting()
    code = commune.person().raise_concern(ROAD)
    assert _import(commune, session_id, _row(2, code, key="T424242")).problems == ()


def test_importing_again_replaces_drafts_and_keeps_the_rest(commune: Commune) -> None:
    session_id = commune.collecting()
    codes = [commune.person().raise_concern(f"{ROAD}, đoạn {n}") for n in range(3)]
    _import(commune, session_id, _row(2, *codes, text="Chung"))
    _import(commune, session_id, _row(2, codes[0], text="Riêng"))
    with commune.database.read() as session:
        pairs = session.execute(
            select(Answer.text, Concern.code)
            .join(AnswerConcern, AnswerConcern.answer_id == Answer.id)
            .join(Concern, Concern.id == AnswerConcern.concern_id)
        ).all()
    assert {(text, code) for text, code in pairs} == {
        ("Riêng", codes[0]), ("Chung", codes[1]), ("Chung", codes[2]),
    }  # fmt: skip
    _import(commune, session_id, _row(2, *codes, text="Mới"))
    with commune.database.read() as session:
        assert session.scalars(select(Answer.text)).all() == ["Mới"]


def test_what_is_published_is_not_answered_again(commune: Commune) -> None:
    session_id = commune.collecting()
    code = commune.person().raise_concern(ROAD)
    _import(commune, session_id, _row(2, code))
    _publish(commune, session_id)
    assert _problems(_import(commune, session_id, _row(2, code))) == [(2, "already_published", code)]


# Publishing


def test_each_asker_hears_once_in_the_chat_they_used(commune: Commune) -> None:
    session_id = commune.collecting()
    people = {name: commune.person(channel=name) for name in ChannelName}
    codes = {name: person.raise_concern(f"{ROAD}, {name}") for name, person in people.items()}
    joiner = commune.person()
    with commune.database.read() as session:
        target = session.scalars(select(Concern.id).where(Concern.code == codes[ChannelName.ZALO_OA])).one()
    joiner.choose(f"join:{target}")
    stranger = commune.person()
    _import(commune, session_id, _row(2, *codes.values()))
    published = _publish(commune, session_id)
    assert (published.answers, published.people, published.rows) == (1, 5, 5)
    for name, person in people.items():
        (row,) = _answers(person)
        assert (row.channel, row.contact_id) == (name, person.contact_id)
        assert codes[name] in row.text
        assert not any(other in row.text for key, other in codes.items() if key != name)
        for words in ("Sẽ sửa trong tháng 12.", "Sở Xây dựng", "Kế hoạch 12/KH-UBND", "ngày 31/12/2026"):
            assert words in row.text
        assert [c[0] for c in row.choices] == ["Rõ", "Rõ một phần", "Chưa rõ"]
    assert codes[ChannelName.ZALO_OA] in _answers(joiner)[0].text
    assert _answers(stranger) == []


def test_one_person_with_two_concerns_in_one_answer_hears_it_once_with_both_codes(commune: Commune) -> None:
    session_id = commune.collecting()
    person = commune.person()
    codes = [person.raise_concern(ROAD), person.raise_concern(WATER)]
    _import(commune, session_id, _row(2, *codes))
    _publish(commune, session_id)
    (row,) = _answers(person)
    assert f"{codes[0]}, {codes[1]}" in row.text


def test_publishing_again_or_at_the_same_time_says_nothing_more(commune: Commune) -> None:
    session_id = commune.collecting()
    people = [commune.person() for _ in range(4)]
    codes = [person.raise_concern(f"{ROAD} {n}") for n, person in enumerate(people)]
    _import(commune, session_id, *(_row(n, code) for n, code in enumerate(codes)))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: _publish(commune, session_id), range(4)))
    assert sorted(r.rows for r in results) == [0, 0, 0, 4]
    assert _publish(commune, session_id) == Published(0, 0, 0)
    assert [len(_answers(person)) for person in people] == [1] * 4
    with commune.database.read() as session:
        assert Counter(session.scalars(select(ConcernEvent.kind)))["answered"] == 4


def test_what_was_withdrawn_meanwhile_stays_withdrawn_and_quiet(commune: Commune) -> None:
    session_id = commune.collecting()
    person, other = commune.person(), commune.person()
    codes = [person.raise_concern(ROAD), other.raise_concern(WATER)]
    _import(commune, session_id, _row(2, *codes))
    with commune.database.read() as session:
        mine = session.scalars(select(Concern.id).where(Concern.code == codes[0])).one()
    person.choose(f"withdraw:yes:{mine}")
    assert _publish(commune, session_id).people == 1
    assert _answers(person) == []
    with commune.database.read() as session:
        states = dict(session.execute(select(Concern.code, Concern.state)).tuples().all())
    assert states == {codes[0]: "withdrawn", codes[1]: "answered"}


def test_who_cannot_be_reached_gets_it_when_they_write_again(commune: Commune) -> None:
    session_id = commune.collecting()
    person = commune.person()
    code = person.raise_concern(ROAD)
    with commune.database.write() as session:
        session.scalars(select(Contact)).one().reachable = False
    _import(commune, session_id, _row(2, code))
    _publish(commune, session_id)
    assert [row.state for row in _answers(person)] == ["waiting_for_contact"]
    person.step("action_status", "trạng thái", intent="ask_status")
    assert [row.state for row in _answers(person)] == ["queued"]


def test_a_long_answer_arrives_whole_in_several_messages(commune: Commune) -> None:
    session_id = commune.collecting()
    person = commune.person()
    code = person.raise_concern(ROAD)
    words = [f"câu{n}" for n in range(900)]
    _import(commune, session_id, _row(2, code, text=" ".join(words)))
    _publish(commune, session_id)
    rows = _answers(person)
    assert len(rows) > 2
    assert all(len(row.text) <= 2000 for row in rows)
    whole = " ".join(" ".join(row.text for row in rows).split())
    assert all(word in whole.split() for word in words)


def test_feedback_is_kept_and_an_unclear_answer_goes_to_staff(commune: Commune) -> None:
    session_id = commune.collecting()
    person = commune.person()
    code = person.raise_concern(ROAD)
    _import(commune, session_id, _row(2, code))
    _publish(commune, session_id)
    value = _answers(person)[0].choices[2][1]
    assert "cán bộ khác xem lại" in person.choose(value).replies[0].text
    with commune.database.read() as session:
        event = session.scalars(select(ConcernEvent).where(ConcernEvent.kind == "feedback")).one()
        assert event.detail == {"verdict": "unclear"}


def test_publishing_asks_the_same_number_of_questions_whatever_the_size(commune: Commune) -> None:
    asked = []
    for more in (10, 200):
        session_id = commune.collecting(title=f"{more}")
        many_concerns(commune, more, session_id=session_id)
        with commune.database.read() as session:
            codes = session.scalars(select(Concern.code).where(Concern.session_id == session_id)).all()
        with counted(commune.database) as importing:
            _import(commune, session_id, *(_row(n, str(code)) for n, code in enumerate(codes)))
        with counted(commune.database) as publishing:
            assert _publish(commune, session_id).answers == more
        asked.append((len(importing), len(publishing)))
    assert asked[0] == asked[1]


# The whole way through a sheet


def test_the_exported_table_filled_in_reaches_everyone(commune: Commune, tmp_path: Path) -> None:
    session_id = commune.collecting()
    many_concerns(commune, 30, session_id=session_id)
    with commune.database.write() as session:
        regroup(session, session_id=session_id, placed_by="t", now=commune.clock.at)
        agenda = save(session, session_id=session_id, created_by="t", now=commune.clock.at)
        document = AgendaDocument.load(agenda.body)
        # A person's id is the concern's id here.
        wanted = dict(session.execute(select(TopicMember.concern_id, TopicMember.topic_id)).tuples().all())
    path = export(document, "xlsx", tmp_path / "a.xlsx")
    book = load_workbook(path)
    sheet = book.worksheets[0]
    for number in range(2, sheet.max_row + 1):
        sheet.cell(number, 8).value = f"Trả lời nhóm {sheet.cell(number, 1).value}"
    book.save(path)
    rows, problems = answer_file.read(path)
    assert problems == []
    assert _import(commune, session_id, *rows).concerns == 30
    _publish(commune, session_id)
    with commune.database.read() as session:
        heard = session.execute(
            select(Outbound.contact_id, Answer.topic_id).join(Answer, Answer.id == Outbound.answer_id)
        ).all()
    assert set(wanted.items()) <= {tuple(pair) for pair in heard}
    assert max(Counter(map(tuple, heard)).values()) == 1


# Reading a file


def _sheet(path: Path, *rows: list[object]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(path)
    return path


def test_a_simple_list_with_a_title_above_is_read(tmp_path: Path) -> None:
    path = _sheet(
        tmp_path / "a.xlsx",
        ["BẢNG TRẢ LỜI"],
        [],
        ["Mã ý kiến", "Nội dung trả lời", "Đơn vị", "Căn cứ", "Hạn"],
        ["lc-26-00001, LC-26-00002; LC-26-00001", " Sẽ sửa. ", "Sở Xây dựng", "KH 12", "05/12/2026"],
        ["LC-26-00003", None, "", "", ""],
        ["LC-26-00004", "Đã sửa.", None, None, date(2026, 12, 6)],
    )
    rows, problems = answer_file.read(path)
    assert problems == []
    assert [(r.row, r.codes, r.text, r.due_on) for r in rows] == [
        (4, ("LC-26-00001", "LC-26-00002"), "Sẽ sửa.", date(2026, 12, 5)),
        (6, ("LC-26-00004",), "Đã sửa.", date(2026, 12, 6)),
    ]


def test_wrong_cells_are_told_by_row(tmp_path: Path) -> None:
    path = _sheet(
        tmp_path / "a.xlsx",
        ["MÃ Ý KIẾN", "TRẢ LỜI", "HẠN"],
        ["", "Không mã", ""],
        ["LC-26-00001", "Ngày sai", "31/02/2026"],
    )
    _, problems = answer_file.read(path)
    assert problems == [Problem(2, "no_code"), Problem(3, "bad_date", "31/02/2026")]


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0old xls"])
def test_a_file_that_is_no_sheet_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    assert answer_file.read(path) == ([], [Problem(0, "unreadable")])
    assert answer_file.read(tmp_path / "none.xlsx") == ([], [Problem(0, "unreadable")])


def test_a_sheet_without_the_right_header_is_refused(tmp_path: Path) -> None:
    path = _sheet(tmp_path / "a.xlsx", ["Họ tên", "Ghi chú"], ["LC-26-00001", "x"])
    assert answer_file.read(path) == ([], [Problem(0, "no_header")])
