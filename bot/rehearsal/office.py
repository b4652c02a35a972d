"""The staff of a rehearsal: does with the same rules what the commands do, and fills in the answers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from openpyxl import load_workbook

from core.agenda.build import save
from core.agenda.document import AgendaDocument
from core.answers import answer_file
from core.answers.publish import Published, import_answers, publish
from core.broadcast import announce
from core.broadcast.plan import tariffs_of
from core.clock import utc_now
from core.documents import FORMATS, export
from core.sessions import lifecycle
from core.settings import Settings
from core.text.embedding import load_embedder
from core.topics import themes
from core.topics.store import regroup
from core.wording import STAFF
from storage.database import Database


class Office:
    """The office of the province, on the rehearsal's database."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.database = Database(settings.resolved_database_url)
        self.session_id = 0

    def open_session(self) -> None:
        """Plan a session and open it for collecting."""
        now = utc_now()
        with self.database.write() as session:
            made = lifecycle.create(
                session,
                unit_code=self._settings.province_code,
                title="Đối thoại trực tiếp với Nhân dân (diễn tập)",
                place="Hội trường tỉnh",
                chair="Đồng chí Chủ tịch UBND tỉnh",
                held_at=now + timedelta(days=15),
                collects_until=now + timedelta(days=10),
                now=now,
            )
            self.session_id = made.id
            lifecycle.open_for_collecting(session, made.id)

    def announce(self) -> tuple[int, int]:
        """Announce to the subscribers; returns the announcement's id and its number of rows."""
        with self.database.write() as session:
            found = lifecycle.get(session, self.session_id)
            made, rows = announce.start(
                session,
                unit_code=found.unit_code,
                session_id=found.id,
                text=announce.text_for(session, found),
                created_by="diễn tập",
                now=utc_now(),
                tariffs=tariffs_of(self._settings),
            )
            return made.id, rows

    def close_and_build(self) -> AgendaDocument:
        """Close the collection, group, and keep the agenda."""
        with self.database.write() as session:
            lifecycle.close(session, self.session_id)
        with self.database.write() as session:
            regroup(
                session,
                session_id=self.session_id,
                placed_by="diễn tập",
                now=utc_now(),
                whitener=themes.whitening(self._settings.models_dir, load_embedder(self._settings.embedder)),
            )
            agenda = save(session, session_id=self.session_id, created_by="diễn tập", now=utc_now())
            return AgendaDocument.load(agenda.body)

    def export_all(self, document: AgendaDocument, folder: Path) -> list[Path]:
        """Every format."""
        return [export(document, kind, folder / f"chuong-trinh.{kind}") for kind in FORMATS]

    def answer(self, table: Path, folder: Path) -> Published:
        """Fill the exported table in, import it and publish."""
        filled = folder / "tra-loi.xlsx"
        _fill_in(table, filled)
        rows, problems = answer_file.read(filled)
        with self.database.write() as session:
            result = import_answers(session, session_id=self.session_id, rows=rows, now=utc_now())
            if problems or result.problems:
                raise RuntimeError(f"answers refused: {[*problems, *result.problems]}")
        with self.database.write() as session:
            return publish(session, session_id=self.session_id, by="diễn tập", now=utc_now())

    def close(self) -> None:
        """Close the database."""
        self.database.dispose()


def _fill_in(source: Path, target: Path) -> None:
    book = load_workbook(source)
    sheet = book.worksheets[0]
    heads = {str(cell.value): int(cell.column or 0) for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        label = sheet.cell(row, heads[STAFF.say("column.topic")]).value
        sheet.cell(
            row, heads[STAFF.say("column.answer")]
        ).value = (
            f"Về việc «{label}»: chúng tôi đã tiếp nhận và giao cơ quan chuyên môn kiểm tra, trả lời cụ thể."
        )
        sheet.cell(row, heads[STAFF.say("column.answered_by")]).value = "Văn phòng UBND tỉnh"
    book.save(target)
