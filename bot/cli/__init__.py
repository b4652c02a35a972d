"""The `nghedan` command: one module a group of commands, mounted here."""

from __future__ import annotations

import sys

import typer

from bot.cli import bench, check, digest, evaluate, rehearse, session, staff, up
from bot.cli.agenda import agenda_app
from bot.cli.announce import announce_app
from bot.cli.answer import answer_app
from bot.cli.citizen import citizen_app
from bot.cli.console import UsageError, say_usage
from bot.cli.fields import fields_app
from bot.cli.report import report_app
from bot.cli.topics import topics_app
from bot.cli.voice import voice_app

app = typer.Typer(
    name="nghedan",
    help="Nghe Dân: nhận ý kiến của người dân trước phiên đối thoại và trả lời lại từng người.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # Locals are what people wrote.
)
app.add_typer(session.app, name="session", help="Phiên đối thoại: tạo, xem, mở, đóng nhận ý kiến.")
app.add_typer(agenda_app, name="agenda", help="Chương trình: tổng hợp và xuất văn bản.")
app.add_typer(answer_app, name="answer", help="Trả lời: nhập từ tệp, công bố tới người hỏi.")
app.add_typer(
    citizen_app, name="citizen", help="Quyền dữ liệu của người gửi: xem, xuất, xóa, thôi nhận thông báo."
)
app.add_typer(staff.app, name="staff", help="Tài khoản cán bộ.")
app.add_typer(voice_app, name="voice", help="Tin thoại: xem, ghi lại bằng chữ.")
app.add_typer(fields_app, name="fields", help="Lĩnh vực: học từ những gì cán bộ đã sửa.")
app.add_typer(
    topics_app, name="topics", help="Nội dung: xem vì sao ở chung, gộp, tách, chuyển, đặt tên, khóa."
)
app.add_typer(evaluate.app, name="evaluate", help="Đo chất lượng hiểu và gộp ý kiến.")
app.add_typer(bench.app, name="bench", help="Đo tốc độ, kèm mốc so sánh trong cùng lần chạy.")
app.add_typer(
    announce_app, name="announce", help="Thông báo phiên đối thoại: xem trước, kế hoạch, gửi, dừng."
)
app.add_typer(report_app, name="report", help="Báo cáo về việc gửi tin.")
check.register(app)
digest.register(agenda_app)
rehearse.register(app)
up.register(app)


def main() -> None:
    """Entry point of the `nghedan` command; a wrong command line is explained in Vietnamese."""
    try:
        code = app(standalone_mode=False)
    except UsageError as error:
        say_usage(error)
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
