"""`nghedan citizen show|export|erase|opt-out`: a person's data rights, at the office's desk, by receipt code."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from sqlalchemy.orm import Session

from bot.cli.console import database, fail, load_settings, note, print_json
from core.clock import utc_now
from core.people import dossier, erasure
from core.people.dossier import DossierError, Request, Summary
from core.wording import CITIZEN, STAFF, day
from storage.models import ConsentState

citizen_app = typer.Typer(no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="MÃ", help="Mã một ý kiến của người đó, ví dụ LC-26-00123.")]
By = Annotated[str, typer.Option(help="Người thực hiện (được ghi lại).")]
Reason = Annotated[str, typer.Option(help="Lý do, ví dụ số phiếu yêu cầu (được ghi lại).")]
AsJson = Annotated[bool, typer.Option("--json", help="In một đối tượng JSON.")]


@citizen_app.command("show")
def show(code: Code, by: By, reason: Reason, as_json: AsJson = False) -> None:
    """Xem đang lưu gì của người gửi (không có nội dung, không có tài khoản)."""
    with database() as opened, opened.write() as session:
        found = _summary(session, Request(code, by, reason))
    if as_json:
        print_json(_facts(code, found))
        return
    consent = STAFF.say("citizen.consent_none")
    if found.consent == ConsentState.GRANTED and found.consent_at is not None:
        consent = STAFF.say(
            "citizen.consent_granted", day=day(found.consent_at), version=found.consent_version
        )
    typer.echo(
        STAFF.say(
            "citizen.head",
            code=code,
            unit=found.unit or STAFF.say("citizen.no_unit"),
            consent=consent,
            announcements=CITIZEN.say("rights.on" if found.wants_announcements else "rights.off"),
            channels=", ".join(found.channels),
        )
    )
    for receipt, state, at in found.concerns:
        line = STAFF.say("citizen.concern", code=receipt, state=CITIZEN.say(f"state.{state}"), day=day(at))
        typer.echo(line)


def _facts(code: str, found: Summary) -> dict[str, object]:
    return {
        "code": code,
        "unit": found.unit,
        "consent": found.consent,
        "consent_version": found.consent_version,
        "consent_at": found.consent_at.isoformat() if found.consent_at else None,
        "wants_announcements": found.wants_announcements,
        "channels": found.channels,
        "concerns": [{"code": c, "state": s, "submitted_at": at.isoformat()} for c, s, at in found.concerns],
        "messages": found.messages,
    }


def _summary(session: Session, request: Request) -> Summary:
    try:
        return dossier.show(session, request, now=utc_now())
    except DossierError as error:
        _refuse(error)


@citizen_app.command("export")
def export(
    code: Code,
    by: By,
    reason: Reason,
    out: Annotated[Path, typer.Option(help="Tệp đích (.json); chỉ chủ tệp đọc được.")],
    as_json: AsJson = False,
) -> None:
    """Xuất toàn bộ dữ liệu của người gửi để giao lại cho chính người đó."""
    with database() as opened, opened.write() as session:
        try:
            record = dossier.export(session, Request(code, by, reason), now=utc_now())
        except DossierError as error:
            _refuse(error)
    _write_private(out, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    note(STAFF.say("citizen.exported", code=code, path=out))
    if as_json:
        print_json({"code": code, "path": str(out), "concerns": len(record["concerns"])})


def _write_private(path: Path, text: str) -> None:
    """Readable by its owner only from the first byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


@citizen_app.command("erase")
def erase(
    code: Code,
    by: By,
    reason: Reason,
    yes: Annotated[
        bool, typer.Option("--yes", help="Xóa thật; không có thì chỉ cho biết sẽ xóa gì.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Xóa dữ liệu theo yêu cầu của người gửi, như khi người đó nhắn XÓA."""
    request = Request(code, by, reason)
    with database() as opened:
        with opened.write() as session:
            found = _summary(session, request)
        if not yes:
            count = len(found.concerns)
            note(STAFF.say("citizen.would_erase", code=code, concerns=count, messages=found.messages))
            if as_json:
                print_json({"code": code, "erased": False, "concerns": count, "messages": found.messages})
            return
        with opened.write() as session:
            count, paths = dossier.erase(session, request, now=utc_now())
        erasure.delete_files(load_settings().attachments_dir, paths)
    note(STAFF.say("citizen.was_erased", code=code, concerns=count, files=len(paths)))
    if as_json:
        print_json({"code": code, "erased": True, "concerns": count, "files": len(paths)})


@citizen_app.command("opt-out")
def opt_out(code: Code, by: By, reason: Reason, as_json: AsJson = False) -> None:
    """Thôi gửi thông báo cho người gửi, như khi người đó nhắn NGỪNG."""
    with database() as opened, opened.write() as session:
        try:
            changed = dossier.opt_out(session, Request(code, by, reason), now=utc_now())
        except DossierError as error:
            _refuse(error)
    note(STAFF.say("citizen.opted_out" if changed else "citizen.not_subscribed", code=code))
    if as_json:
        print_json({"code": code, "opted_out": changed})


def _refuse(error: DossierError) -> NoReturn:
    fail(error.code, STAFF.say(error.code, **error.values))
