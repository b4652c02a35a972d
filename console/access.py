"""Who may call a route: the login behind the cookie, the role's rights, and forms that only we can have made."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from console.desk import BASE, Desk, NeedsLogin, Refused, Visitor
from core.people import signin
from core.people.roles import May, Scope

COOKIE = "nghedan_console"
# Marks a browser before the login, so that the login form has something to be bound to.
VISIT_COOKIE = "nghedan_console_visit"
CSRF_FIELD = "csrf"
# What a person without a changed one-time password may still open.
_BEFORE_CHANGE = frozenset({f"{BASE}/password", f"{BASE}/logout"})
_MOST_FIELDS = 2_000


def desk_of(request: Request) -> Desk:
    """The desk of the application that this request came to."""
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(desk_of)]


def csrf_of(token: str) -> str:
    """What a form must carry beside the cookie; the cookie's value cannot be had from it."""
    return hashlib.sha256(f"form:{token}".encode()).hexdigest()


async def form_of(request: Request) -> FormData:
    """The form of a POST, refused unless it comes from a page that this browser got from us."""
    if not _same_origin(request):
        raise Refused(403)
    try:
        form = await request.form(max_fields=_MOST_FIELDS, max_files=1)
    except HTTPException as error:  # Starlette's word for a form that cannot be read.
        raise Refused(400) from error
    token = request.cookies.get(COOKIE) or request.cookies.get(VISIT_COOKIE) or ""
    given = str(form.get(CSRF_FIELD, ""))
    if not token or not hmac.compare_digest(csrf_of(token).encode(), given.encode("utf-8", "replace")):
        raise Refused(403)
    return form


Form = Annotated[FormData, Depends(form_of)]


def _same_origin(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin in (None, "null") or urlsplit(origin or "").netloc == request.headers.get("host", "")


async def visitor_of(request: Request, desk: TheDesk) -> Visitor:
    """The member of staff behind the cookie; raises `NeedsLogin`, or `Refused` before a password is changed."""
    token = request.cookies.get(COOKIE, "")
    visitor = await run_in_threadpool(_look_up, desk, token) if token else None
    if visitor is None:
        raise NeedsLogin
    if visitor.must_change_password and request.url.path not in _BEFORE_CHANGE:
        raise Refused(428)
    return visitor


def _look_up(desk: Desk, token: str) -> Visitor | None:
    with desk.database.read() as session:
        found = signin.signed_in(session, token, now=desk.now())
    if found is None:
        return None
    member, touch_due = found
    if touch_due:
        with desk.database.write() as session:
            signin.touch(session, token, now=desk.now())
    return Visitor(
        scope=Scope.of(member),
        name=member.name,
        token=token,
        csrf=csrf_of(token),
        must_change_password=member.must_change_password,
        has_second_factor=member.totp_secret is not None,
    )


Someone = Annotated[Visitor, Depends(visitor_of)]


def needs(what: May, *, whole_sessions: bool = False) -> Any:
    """A dependency: the visitor, refused with 403 unless the role allows `what`.

    `whole_sessions`: not for roles that only follow single concerns.
    """

    async def check(visitor: Someone) -> Visitor:
        if not visitor.scope.may(what) or (whole_sessions and not visitor.scope.whole_sessions):
            raise Refused(403)
        return visitor

    return Depends(check)


def set_login_cookie(request: Request, response: Response, token: str) -> None:
    """Keep a login in the browser: out of reach of scripts and of other sites' forms."""
    _set_cookie(request, response, COOKIE, token, max_age_s=int(signin.LOGIN_LASTS.total_seconds()))


def drop_login_cookie(response: Response) -> None:
    """Forget the login in the browser."""
    response.delete_cookie(COOKIE, path=BASE)


def visit_token(request: Request) -> tuple[str, Callable[[Response], None]]:
    """The token that a form before the login is bound to, and what sets its cookie."""
    token = request.cookies.get(VISIT_COOKIE) or secrets.token_urlsafe(24)
    return token, lambda response: _set_cookie(request, response, VISIT_COOKIE, token, max_age_s=86_400)


def _set_cookie(request: Request, response: Response, name: str, value: str, *, max_age_s: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path=BASE,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
