"""`nghedan topics …`: what was put together and why, and staff's corrections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, NoReturn

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cli.console import database, fail, load_settings, note, print_json
from core.clock import utc_now
from core.text.embedding import load_embedder
from core.topics import board, edits, themes
from core.topics.edits import EditError
from core.wording import STAFF
from storage.models import Concern, TopicEdit

topics_app = typer.Typer(no_args_is_help=True)

_Session = Annotated[int, typer.Option("--session", help="Số của phiên.")]
_Topic = Annotated[int, typer.Option("--topic", help="Số của nội dung.")]
_By = Annotated[str, typer.Option(help="Người thực hiện.")]
_Why = Annotated[str, typer.Option("--why", help="Lý do.")]
_Codes = Annotated[list[str], typer.Argument(help="Mã ý kiến.")]
_Json = Annotated[bool, typer.Option("--json")]


@topics_app.command("list")
def list_topics(session_id: _Session, as_json: _Json = False) -> None:
    """Các nội dung theo thứ tự đề xuất, kèm từng phần điểm."""
    with database() as opened, opened.read() as session:
        found = board.topics(session, session_id=session_id)
    if as_json:
        print_json({"topics": [asdict(one) for one in found]})
        return
    for one in found:
        facts = one.facts
        parts = ", ".join(
            f"{STAFF.say(f'topics.part_{name}')} {part:g}"
            for name, part in facts.get("parts", {}).items()
            if part
        )
        flags = "".join(f" [{STAFF.say(f'topics.flag_{flag}')}]" for flag in facts.get("flags", ()))
        typer.echo(f"{one.topic_id}\t{facts.get('people', 0)}\t{one.label}{flags}\t{parts}")


@topics_app.command("why")
def why(session_id: _Session, topic: _Topic, as_json: _Json = False) -> None:
    """Vì sao các ý kiến ở chung một nội dung; ý kiến còn ngờ đứng trước."""
    settings = load_settings()
    whitener = themes.whitening(settings.models_dir, load_embedder(settings.embedder))
    with database() as opened, opened.read() as session:
        try:
            found = board.members(session, session_id=session_id, topic_id=topic, whitener=whitener)
        except EditError as error:
            _refuse(error)
    if as_json:
        print_json({"members": [asdict(one) for one in found]})
        return
    for one in found:
        mark = STAFF.say("topics.doubtful") if one.doubtful else ""
        typer.echo(
            f"{one.code}\t{one.nearest_code or ''} {one.why.alike:g}\t{' '.join(one.why.words)}\t{mark}"
        )


@topics_app.command("merge")
def merge(
    session_id: _Session,
    into: Annotated[int, typer.Option(help="Nội dung giữ lại.")],
    others: Annotated[list[int], typer.Argument(help="Các nội dung gộp vào.")],
    by: _By = "cli",
    why_: _Why = "",
) -> None:
    """Gộp các nội dung làm một."""
    _edit(
        lambda session: edits.merge(
            session, session_id=session_id, into=into, others=others, by=by, why=why_, now=utc_now()
        )
    )


@topics_app.command("split")
def split(
    session_id: _Session,
    topic: _Topic,
    codes: _Codes,
    label: Annotated[str, typer.Option(help="Tên nội dung mới.")] = "",
    by: _By = "cli",
    why_: _Why = "",
) -> None:
    """Tách các ý kiến ra một nội dung mới."""
    _edit(
        lambda session: edits.split(
            session, session_id=session_id, topic_id=topic, concerns=_ids(session, codes), label=label, by=by,
            why=why_, now=utc_now(),
        )
    )  # fmt: skip


@topics_app.command("move")
def move(
    session_id: _Session,
    to: Annotated[int, typer.Option(help="Nội dung nhận.")],
    codes: _Codes,
    by: _By = "cli",
    why_: _Why = "",
) -> None:
    """Chuyển các ý kiến sang một nội dung khác."""
    _edit(
        lambda session: edits.move(
            session,
            session_id=session_id,
            concerns=_ids(session, codes),
            to=to,
            by=by,
            why=why_,
            now=utc_now(),
        )
    )


@topics_app.command("rename")
def rename(
    session_id: _Session,
    topic: _Topic,
    label: Annotated[str, typer.Argument(help="Tên mới.")],
    by: _By = "cli",
) -> None:
    """Đặt tên cho một nội dung."""
    _edit(
        lambda session: edits.rename(
            session, session_id=session_id, topic_id=topic, label=label, by=by, now=utc_now()
        )
    )


@topics_app.command("lock")
def lock(
    session_id: _Session,
    topic: _Topic,
    by: _By = "cli",
    open_again: Annotated[bool, typer.Option("--open", help="Mở lại.")] = False,
) -> None:
    """Khóa một nội dung: không ai vào, không ai ra."""
    _edit(
        lambda session: edits.lock(
            session, session_id=session_id, topic_id=topic, locked=not open_again, by=by, now=utc_now()
        )
    )


@topics_app.command("undo")
def undo(session_id: _Session) -> None:
    """Bỏ lần sửa gần nhất."""
    _edit(lambda session: edits.undo(session, session_id=session_id, now=utc_now()), said="undone")


def _edit(change: Callable[[Session], TopicEdit], *, said: str = "edited") -> None:
    with database() as opened, opened.write() as session:
        try:
            edit = change(session)
        except EditError as error:
            session.rollback()
            _refuse(error)
        note(
            STAFF.say(
                f"topics.{said}", kind=STAFF.say(f"topics.kind_{edit.kind}"), made=edit.before.get("made", "")
            )
        )


def _ids(session: Session, codes: list[str]) -> list[int]:
    found = dict(
        session.execute(select(Concern.code, Concern.id).where(Concern.code.in_([c.upper() for c in codes])))
        .tuples()
        .all()
    )
    if len(found) != len({c.upper() for c in codes}):
        raise EditError("concern_unknown")
    return sorted(found.values())


def _refuse(error: EditError) -> NoReturn:
    fail(error.code, STAFF.say(f"topics.{error.code}"))
