"""What every command shares: the database, JSON on stdout, messages for people on stderr, failure codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn

import typer

from core.people.staff import StaffError
from core.sessions.lifecycle import SessionError
from core.settings import Settings
from core.wording import STAFF
from core.wording.dates import VIETNAM
from storage.database import Database


@contextmanager
def database() -> Iterator[Database]:
    """The configured database; a rule that refuses ends the command with its Vietnamese message."""
    opened = Database(Settings().resolved_database_url)
    try:
        yield opened
    except SessionError as error:
        fail(error.code, STAFF.say(error.code, **error.values))
    except StaffError as error:
        fail(error.code, STAFF.get(error.code, error.code))
    finally:
        opened.dispose()


def fail(code: str, message: str) -> NoReturn:
    """End with exit code 1; the code is for programs, the message for people, both on stderr."""
    typer.echo(f"{message} [{code}]", err=True)
    raise typer.Exit(1)


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on stdout and nothing else."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def note(message: str) -> None:
    """Progress or a result for people when JSON was asked for too: stderr."""
    typer.echo(message, err=True)


def local_time(value: str) -> datetime:
    """Parse `2026-12-05T07:30` as Vietnamese time; an explicit offset is obeyed."""
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        fail("error.bad_date", STAFF.say("error.bad_date", value=value))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=VIETNAM)
