"""What every page shares: database, clock, templates, who is asking, and what may be answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Path as PathParameter
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData, UploadFile

from console.words import WORDS, say
from core.clock import utc_now
from core.fields.catalogue import field_label, fields
from core.people.roles import May, Scope
from core.settings import Settings
from core.text.normal import clean
from core.wording import day, day_and_time, local
from storage.database import Database

BASE = "/console"
# The parts that the navigation leads to.
PAGES = ("/", "/concerns", "/sessions", "/announcements", "/dashboard", "/staff")
_HERE = Path(__file__).parent

# Larger numbers overflow the columns of both databases.
RowId = Annotated[int, PathParameter(ge=1, le=2**31 - 1)]


class Refused(Exception):
    """The request is answered with a page that says why not; `status` is its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class NeedsLogin(Exception):
    """Nobody is signed in; the login page comes first and leads back."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in member of staff in one request. `token` is the cookie's value, `csrf` what forms carry."""

    scope: Scope
    name: str
    token: str
    csrf: str
    must_change_password: bool
    has_second_factor: bool

    def may(self, what: str) -> bool:
        """For templates: whether the role allows it."""
        return self.scope.may(May(what))


class Desk:
    """The long-lived objects of the console."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.database = Database(settings.resolved_database_url)
        self.now = now
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            t=say,
            base=BASE,
            fields=fields(),
            field_label=field_label,
            agency=settings.agency_name,
            event_name=_event_name,
        )
        self._templates.filters.update(
            day=_short_day, when=lambda at: day_and_time(at), stamp=_stamp, number=_number, long_day=day
        )
        self._templates.filters["shorten"] = _shorten

    def page(
        self,
        request: Request,
        template: str,
        visitor: Visitor | None,
        /,
        *,
        status: int = 200,
        **values: Any,
    ) -> Response:
        """A page of the console; `done=…` in the address is a message of what was just done."""
        content = self._templates.get_template(template).render(
            visitor=visitor, pages=PAGES, notice=_notice(request), path=request.url.path, **values
        )
        return HTMLResponse(content, status_code=status)


def _notice(request: Request) -> str:
    """Only texts of the catalogue and a number can be said through an address."""
    key = f"done.{request.query_params.get('done', '')}"
    if key not in WORDS:
        return ""
    count = request.query_params.get("n", "0")
    return say(key, n=int(count) if count.isascii() and count.isdigit() and len(count) < 10 else 0)


def _short_day(value: datetime) -> str:
    return f"{local(value):%d/%m/%Y}"


def _stamp(value: datetime) -> str:
    return f"{local(value):%H:%M %d/%m/%Y}"


def _shorten(text: str, most: int) -> str:
    """One line of at most so many letters, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most].rsplit(" ", 1)[0] + "…"


def _event_name(kind: str) -> str:
    """What happened to a concern; a kind that a newer version writes is shown as a change."""
    key = f"concern_event.{kind}"
    return say(key if key in WORDS else "concern_event.other")


def _number(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def go(path: str, *, done: str = "", n: int | None = None) -> RedirectResponse:
    """Redirect after a form within the console."""
    extra = f"{'&' if '?' in path else '?'}done={done}" if done else ""
    count = f"&n={n}" if n is not None else ""
    return RedirectResponse(f"{BASE}{path}{extra}{count}", status_code=303)


def text_of(form: FormData | Mapping[str, Any], name: str, *, most: int = 4_000) -> str:
    """A field of a form, without characters that no database takes; too long is cut."""
    value = form.get(name, "")
    return "" if isinstance(value, UploadFile) else clean(str(value))[:most]


def secret_of(form: FormData, name: str) -> str:
    """A password as it was typed: spaces inside count."""
    value = form.get(name, "")
    return "" if isinstance(value, UploadFile) else str(value)[:400].strip()


def ids_of(form: FormData, name: str, *, most: int = 500) -> list[int]:
    """The row numbers of ticked boxes."""
    values = [str(v) for v in form.getlist(name)[:most]]
    return [int(v) for v in values if v.isascii() and v.isdigit() and len(v) < 10]
