"""What every command shares: the database, JSON on stdout, messages for people on stderr, failure codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn

import typer
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError, ProgrammingError

from core.people.staff import StaffError
from core.sessions.lifecycle import SessionError
from core.settings import Settings
from core.wording import STAFF
from core.wording.dates import VIETNAM
from storage.database import Database


@contextmanager
def database() -> Iterator[Database]:
    """The configured database; a rule that refuses ends the command with its Vietnamese message."""
    opened = Database(load_settings().resolved_database_url)
    try:
        yield opened
    except (SessionError, StaffError) as error:
        fail(error.code, STAFF.say(error.code, **error.values))
    except (OperationalError, ProgrammingError):
        # No server, no file, or a schema of another version; the details would show the statement only.
        fail("error.database", STAFF.say("error.database"))
    finally:
        opened.dispose()


def load_settings() -> Settings:
    """The settings, or an end with everything that is wrong with them."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [
            STAFF.say(
                "check.settings_bad",
                name="NGHEDAN_" + str((item["loc"] or ["DATABASE_URL"])[0]).upper(),
                detail=item["msg"],
            )
            for item in error.errors()
        ]
        fail("settings_invalid", "\n".join(problems))


def _setting(location: tuple[int | str, ...]) -> str:
    # What is wrong between two settings has no place of its own; it is always about the database.
    return str(location[0] if location else "database_url").upper()


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


# Typer exports only this leaf of its error tree; what it derives from is raised for every wrong command line.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def say_usage(error: Exception) -> None:
    """Explain a wrong command line in Vietnamese, on stderr."""
    parameter = getattr(error, "param", None)
    name = getattr(error, "option_name", None) or _name_of(parameter)
    match type(error).__name__:
        case "MissingParameter":
            text = STAFF.say("usage.missing", name=name)
        case "NoSuchOption":
            text = STAFF.say("usage.unknown_option", name=name)
        case "BadParameter" if name:
            text = STAFF.say("usage.bad_value", name=name)
        case _:
            text = STAFF.say("usage.wrong")
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "nghedan")
    typer.echo(f"{text}\n{STAFF.say('usage.see', command=command)}", err=True)


def _name_of(parameter: Any) -> str:
    if parameter is None:
        return ""
    options = [option for option in getattr(parameter, "opts", ()) if option.startswith("--")]
    return options[0] if options else str(getattr(parameter, "metavar", None) or parameter.name)
