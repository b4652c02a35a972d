"""Log in and out, the second factor, and one's own password."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from console.access import (
    COOKIE,
    Form,
    Someone,
    TheDesk,
    csrf_of,
    drop_login_cookie,
    set_login_cookie,
    visit_token,
)
from console.desk import BASE, Desk, go, secret_of, text_of
from console.words import say
from core.people import signin, totp
from core.people.signin import Opened, SignInRefused
from core.people.staff import StaffError
from core.wording import STAFF
from storage.models import StaffMember

router = APIRouter()


@router.get("/login")
def login_page(request: Request, desk: TheDesk, next: str = "") -> Response:
    """The login form."""
    return _login_form(request, desk, back=_safe_next(next))


def _login_form(
    request: Request, desk: Desk, *, back: str, login: str = "", problem: str = "", status: int = 200
) -> Response:
    token, set_cookie = visit_token(request)
    response = desk.page(
        request,
        "login.html",
        None,
        csrf=csrf_of(token),
        back=back,
        login=login,
        problem=problem,
        status=status,
    )
    # An old login's cookie would be taken for the form's, and is worth nothing here.
    drop_login_cookie(response)
    set_cookie(response)
    return response


def _safe_next(path: str) -> str:
    """Only a path of ours: an address of another site must not follow a login."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and ":" not in path
    return path if plain and path.isprintable() and len(path) < 200 else ""


@router.post("/login")
def login(request: Request, desk: TheDesk, form: Form) -> Response:
    """Check name and password; the second factor follows where there is one."""
    name, back = text_of(form, "login", most=80), _safe_next(str(form.get("next", "")))
    address = request.client.host if request.client else ""
    opened = _try_login(desk, name=name, password=secret_of(form, "password"), address=address)
    if isinstance(opened, SignInRefused):
        problem = say(f"login.{opened.code}", wait=opened.wait_s)
        status = 429 if opened.wait_s else 401
        return _login_form(request, desk, back=back, login=name, problem=problem, status=status)
    response = go("/second-step" if opened.needs_code else back or "/")
    set_login_cookie(request, response, opened.token)
    return response


def _try_login(desk: Desk, *, name: str, password: str, address: str) -> Opened | SignInRefused:
    now = desk.now()
    with desk.database.read() as session:
        wait_s = signin.blocked_for_s(session, login=name, address=address, now=now)
        if wait_s:
            return SignInRefused("blocked", wait_s=wait_s)
        # Outside a writing transaction: hashing takes a while, and SQLite has one writer.
        member = signin.check_password(session, login=name, password=password)
    with desk.database.write() as session:
        if member is None:
            signin.record_failure(session, login=name, address=address, now=now)
            return SignInRefused("wrong")
        return signin.open_login(session, member, now=now)


@router.get("/second-step")
def second_step_page(request: Request, desk: TheDesk) -> Response:
    """Ask for the code of the authenticator app."""
    return _second_step(request, desk)


def _second_step(request: Request, desk: Desk, *, problem: str = "", status: int = 200) -> Response:
    token = request.cookies.get(COOKIE, "")
    with desk.database.read() as session:
        waiting = signin.pending_login(session, token, now=desk.now())
    if waiting is None:
        return go("/login")
    return desk.page(request, "second_step.html", None, csrf=csrf_of(token), problem=problem, status=status)


@router.post("/second-step")
def second_step(request: Request, desk: TheDesk, form: Form) -> Response:
    """Finish the login, or count a wrong code as a guess."""
    now, token = desk.now(), request.cookies.get(COOKIE, "")
    address = request.client.host if request.client else ""
    with desk.database.read() as session:
        name = signin.pending_login(session, token, now=now)
        wait_s = signin.blocked_for_s(session, login=name or "", address=address, now=now)
    if name is None:
        return go("/login")
    if wait_s:
        return _second_step(request, desk, problem=say("login.blocked", wait=wait_s), status=429)
    try:
        with desk.database.write() as session:
            fresh = signin.confirm_code(session, token=token, code=text_of(form, "code", most=20), now=now)
    except SignInRefused as refused:
        with desk.database.write() as session:
            signin.record_failure(session, login=name, address=address, now=now)
        return _second_step(request, desk, problem=say(f"login.{refused.code}", wait=0), status=401)
    response = go("/")
    set_login_cookie(request, response, fresh)
    return response


@router.post("/logout")
def logout(request: Request, desk: TheDesk, visitor: Someone, form: Form) -> Response:
    """Log this browser out, or every browser of this account."""
    with desk.database.write() as session:
        if form.get("everywhere"):
            signin.close_all(session, visitor.scope.staff_id)
        else:
            signin.close(session, visitor.token)
    response = RedirectResponse(f"{BASE}/login", status_code=303)
    drop_login_cookie(response)
    return response


@router.get("/password")
def password_page(request: Request, desk: TheDesk, visitor: Someone) -> Response:
    """One's own account: password and second factor."""
    return desk.page(request, "password.html", visitor, problem="")


@router.post("/password")
def change_password(request: Request, desk: TheDesk, visitor: Someone, form: Form) -> Response:
    """Set a new password; the old one is asked for again."""
    new = secret_of(form, "new")
    problem = ""
    with desk.database.read() as session:
        known = signin.check_password(session, login=visitor.scope.login, password=secret_of(form, "old"))
    if known is None:
        problem = say("password.wrong_old")
    elif new != secret_of(form, "again"):
        problem = say("password.not_equal")
    else:
        try:
            with desk.database.write() as session:
                member = session.get_one(StaffMember, visitor.scope.staff_id)
                signin.change_password(session, member, new=new, token=visitor.token)
        except StaffError as error:
            problem = STAFF.say(error.code, **error.values)
    if problem:
        return desk.page(request, "password.html", visitor, problem=problem, status=422)
    return go("/", done="password")


@router.get("/two-factor")
def two_factor_page(request: Request, desk: TheDesk, visitor: Someone) -> Response:
    """Set the second factor up, or see that it is on."""
    return _two_factor(request, desk, visitor, secret=totp.new_secret())


def _two_factor(
    request: Request, desk: Desk, visitor: Someone, *, secret: str, problem: str = "", status: int = 200
) -> Response:
    link = totp.address(secret, login=visitor.scope.login, issuer="Nghe Dân")
    return desk.page(
        request, "two_factor.html", visitor, secret=secret, link=link, problem=problem, status=status
    )


@router.post("/two-factor")
def set_two_factor(request: Request, desk: TheDesk, visitor: Someone, form: Form) -> Response:
    """Turn the second factor on with a first right code, or off with the password."""
    if form.get("off"):
        with desk.database.read() as session:
            known = signin.check_password(
                session, login=visitor.scope.login, password=secret_of(form, "password")
            )
        if known is None:
            problem = say("password.wrong_old")
            return _two_factor(request, desk, visitor, secret=totp.new_secret(), problem=problem, status=422)
        _keep_factor(desk, visitor.scope.staff_id, secret=None, step=None)
        return go("/password", done="factor_off")
    secret = text_of(form, "secret", most=32)
    if len(secret) != 32 or not set(secret) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        return _two_factor(request, desk, visitor, secret=totp.new_secret(), status=422)
    step = totp.matching_step(secret, text_of(form, "code", most=20), now=desk.now(), after=None)
    if step is None:
        problem = say("login.wrong_code")
        return _two_factor(request, desk, visitor, secret=secret, problem=problem, status=422)
    _keep_factor(desk, visitor.scope.staff_id, secret=secret, step=step)
    return go("/password", done="factor_on")


def _keep_factor(desk: Desk, staff_id: int, *, secret: str | None, step: int | None) -> None:
    with desk.database.write() as session:
        member = session.get_one(StaffMember, staff_id)
        member.totp_secret, member.totp_step = secret, step
