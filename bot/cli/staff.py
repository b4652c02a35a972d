"""`nghedan staff add`."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.console import database, load_settings, note, print_json
from core.clock import utc_now
from core.people import staff
from core.wording import STAFF
from storage.models import StaffRole

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Tài khoản cán bộ."""


@app.command("add")
def add(
    login: Annotated[str, typer.Argument(help="Tên đăng nhập.")],
    name: Annotated[str, typer.Option(help="Họ tên.")],
    role: Annotated[StaffRole, typer.Option(help="Vai trò.")],
    unit: Annotated[str, typer.Option(help="Mã đơn vị; để trống là cả tỉnh.")] = "",
    password_stdin: Annotated[bool, typer.Option(help="Đọc mật khẩu từ đầu vào chuẩn.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Thêm cán bộ."""
    password = typer.get_text_stream("stdin").readline().strip() if password_stdin else None
    with database() as opened, opened.write() as session:
        member = staff.add(
            session,
            login=login,
            name=name,
            role=role,
            unit_code=unit or load_settings().province_code,
            password=password,
            now=utc_now(),
        )
    note(STAFF.say("staff.added", login=login, name=name, role=role, unit=member.unit_code))
    if as_json:
        print_json({"id": member.id, "login": login, "role": role, "unit": member.unit_code})
