"""The office's commands from a planned session to published answers; JSON is alone on stdout."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from storage.models import DialogueSession, Outbound, StaffMember
from tests.factories.records import Commune
from tests.integration.cli.conftest import Nghedan

ROAD = "Đường liên thôn hỏng nặng, xe máy không đi được"


def _plan(nghedan: Nghedan) -> int:
    made = nghedan(
        "session", "create", "--title", "Đối thoại quý IV", "--held-at", "2026-12-05T07:30",
        "--collects-until", "2026-12-01T17:00", "--place", "Hội trường", "--json",
    )  # fmt: skip
    assert made.code == 0
    return int(made.json["id"])


def test_the_chain_of_a_session(nghedan: Nghedan, commune: Commune, tmp_path: Path) -> None:
    number = str(_plan(nghedan))
    assert nghedan("session", "open", number, "--json").json["state"] == "collecting"
    person = commune.person()
    person.step("action_subscribe", "đăng ký", intent="subscribe")
    code = person.raise_concern(ROAD)

    looked = nghedan("announce", "--session", number, "--json").json
    assert (looked["recipients"], looked["sent"]) == (1, False)
    sent = nghedan("announce", "--session", number, "--send", "--json").json
    assert (sent["rows"], sent["sent"]) == (1, True)

    assert nghedan("session", "close", number, "--json").json["concerns"] == 1
    built = nghedan("agenda", "build", "--session", number, "--json").json
    assert (built["version"], built["concerns"], built["people"]) == (1, 1, 1)
    table = tmp_path / "a.xlsx"
    for kind in ("docx", "csv", "json", "xlsx"):
        out = nghedan(
            "agenda", "export", "--session", number, "--format", kind, "--out", f"a.{kind}", "--json"
        )
        assert out.json["path"] == f"a.{kind}"
        assert (tmp_path / f"a.{kind}").stat().st_size > 100
    book = load_workbook(table)
    book.worksheets[0].cell(2, 8).value = "Sẽ sửa."
    book.save(table)
    assert nghedan("answer", "import", "a.xlsx", "--session", number, "--json").json == {
        "answers": 1, "concerns": 1,
    }  # fmt: skip
    assert nghedan("answer", "publish", "--session", number, "--json").json["rows"] == 1
    assert nghedan("answer", "publish", "--session", number, "--json").json["rows"] == 0
    heard = [row for row in person.heard() if row.kind == "answer"]
    assert len(heard) == 1
    assert code in heard[0].text


def test_times_are_vietnamese(nghedan: Nghedan, commune: Commune) -> None:
    _plan(nghedan)
    with commune.database.read() as session:
        held_at = session.scalars(select(DialogueSession.held_at)).one()
    assert held_at.isoformat() == "2026-12-05T00:30:00+00:00"
    listed = nghedan("session", "list", "--json").json["sessions"]
    assert [item["title"] for item in listed] == ["Đối thoại quý IV"]
    assert "7 giờ 30 ngày 05/12/2026" in nghedan("session", "list").stdout
    assert nghedan("session", "list", "--unit", "02683").stdout == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("session", "create", "--title", "x", "--held-at", "mai", "--collects-until", "2026-12-01"), "mai"),
        (("session", "create", "--title", "x", "--held-at", "2026-12-01", "--collects-until", "2026-12-05"), "Hạn"),
        (
            ("session", "create", "--title", "", "--held-at", "2026-12-05", "--collects-until", "2026-12-01"),
            "Tên phiên",
        ),
        (
            ("session", "create", "--unit", "99999", "--title", "x", "--held-at", "2026-12-05",
             "--collects-until", "2026-12-01"),
            "Không có đơn vị mã 99999",
        ),
        (("session", "open", "12345"), "Không có phiên số 12345"),
        (("session", "close", "12345"), "Không có phiên số 12345"),
        (("announce", "--session", "12345"), "Không có phiên số 12345"),
        (("agenda", "build", "--session", "12345"), "Không có phiên số 12345"),
        (("agenda", "export", "--session", "12345"), "Không có phiên số 12345"),
        (("agenda", "export", "--session", "12345", "--format", "pdf"), "Không có định dạng pdf"),
        (("answer", "publish", "--session", "12345"), "Không có phiên số 12345"),
        (("answer", "import", "none.xlsx", "--session", "1"), "không mở được tệp"),
        (("citizen", "show", "LC-26-99999", "--by", "a", "--reason", "b"), "Không có ý kiến mã LC-26-99999"),
        (("staff", "add", "x" * 81, "--name", "A", "--role", "van_phong"), "Tên đăng nhập dài"),
        (("staff", "add", "x", "--name", "A", "--role", "van_phong", "--unit", "99"), "Không có đơn vị mã 99"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_vietnamese(
    nghedan: Nghedan, commune: Commune, words: tuple[str, ...], told: str
) -> None:
    for more in ((), ("--json",)):
        ran = nghedan(*words, *more)
        assert ran.code == 1
        assert ran.stdout == ""
        assert told in ran.stderr
        assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("session", "create"), "Thiếu --title"),
        (("session", "open", "một"), "ID không đúng"),
        (("session", "list", "--tất-cả"), "Không có tùy chọn --tất-cả"),
        (("phiên",), "Không có lệnh đó"),
        (("staff", "add", "x", "--name", "A", "--role", "sếp"), "--role không đúng"),
        (("citizen", "erase", "LC-26-00001"), "Thiếu --by"),
    ],
)
def test_a_wrong_command_line_is_explained_in_vietnamese(
    nghedan: Nghedan, words: tuple[str, ...], told: str
) -> None:
    ran = nghedan(*words)
    assert ran.code == 2
    assert ran.stdout == ""
    assert told in ran.stderr
    assert "--help" in ran.stderr


def test_wrong_rows_of_a_sheet_are_told_by_number(nghedan: Nghedan, commune: Commune, tmp_path: Path) -> None:
    session_id = commune.collecting()
    book = load_workbook(_sheet(tmp_path))
    book.active.append(["LC-26-99999", "Trả lời"])  # type: ignore[union-attr]
    book.save(tmp_path / "b.xlsx")
    ran = nghedan("answer", "import", "b.xlsx", "--session", str(session_id), "--json")
    assert ran.code == 1
    assert ran.stdout == ""
    assert "Dòng 2: không có ý kiến LC-26-99999" in ran.stderr
    assert "chưa nhập gì" in ran.stderr


def _sheet(folder: Path) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Mã ý kiến", "Trả lời"])  # type: ignore[union-attr]
    book.save(folder / "head.xlsx")
    return folder / "head.xlsx"


def test_staff_passwords_come_from_stdin_and_are_hashed(
    nghedan: Nghedan, commune: Commune, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("staff", "add", "lan", "--name", "Chị Lan", "--role", "van_phong")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("mật khẩu dài\n".encode()), "utf-8"))
    ran = nghedan(*words, "--password-stdin", "--json")
    assert ran.json["login"] == "lan"
    assert "mật khẩu" not in ran.stdout + ran.stderr
    with commune.database.read() as session:
        member = session.scalars(select(StaffMember)).one()
    assert member.password_hash is not None
    assert member.password_hash.startswith("$argon2id$")
    again = nghedan(*words)
    assert again.code == 1
    assert "Tên đăng nhập lan đã có" in again.stderr


def test_without_a_schema_the_way_out_is_named(
    nghedan: Nghedan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGHEDAN_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    ran = nghedan("session", "list", "--json")
    assert (ran.code, ran.stdout) == (1, "")
    assert "nghedan check" in ran.stderr


def test_wrong_settings_are_all_named_without_their_values(
    nghedan: Nghedan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGHEDAN_HTTP_PORT", "nhiều")
    monkeypatch.setenv("NGHEDAN_CODE_PREFIX", "sai")
    ran = nghedan("session", "list")
    assert ran.code == 1
    assert "NGHEDAN_HTTP_PORT" in ran.stderr
    assert "NGHEDAN_CODE_PREFIX" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_announcement_is_only_looked_at_without_send(nghedan: Nghedan, commune: Commune) -> None:
    session_id = commune.collecting()
    person = commune.person()
    person.step("action_subscribe", "đăng ký", intent="subscribe")
    ran = nghedan("announce", "--session", str(session_id), "--text", "Mời bà con", "--json")
    assert "NGỪNG" in ran.json["text"]
    with commune.database.read() as session:
        assert "announcement" not in set(session.scalars(select(Outbound.kind)))
