"""Accounts: add, give a one-time password, switch off and on; only within the administrator's units."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from console.access import Form, TheDesk, needs
from console.desk import Desk, Refused, RowId, Visitor, go, text_of
from core.people import signin, staff
from core.people.roles import May, Scope
from core.people.staff import StaffError
from core.wording import STAFF
from storage.models import StaffMember, StaffRole, Unit

router = APIRouter(prefix="/staff")


@router.get("")
def listing(request: Request, desk: TheDesk, visitor: Visitor = needs(May.STAFF)) -> Response:
    """Every account of the unit and below."""
    return _listing(request, desk, visitor)


def _listing(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    *,
    problem: str = "",
    password: str = "",
    login: str = "",
    status: int = 200,
) -> Response:
    with desk.database.read() as session:
        rows = session.execute(
            select(StaffMember, Unit.name)
            .join(Unit, Unit.code == StaffMember.unit_code)
            .where(visitor.scope.staff())
            .order_by(StaffMember.active.desc(), StaffMember.login)
        ).all()
        units = units_of(session, visitor.scope)
    return desk.page(
        request,
        "staff.html",
        visitor,
        rows=rows,
        units=units,
        roles=list(StaffRole),
        problem=problem,
        password=password,
        login=login,
        status=status,
    )


def units_of(session: Session, scope: Scope) -> list[tuple[str, str]]:
    """Code and name of the units that this person may choose, the own one first."""
    rows = session.execute(
        select(Unit.code, Unit.name)
        .where(or_(Unit.code == scope.unit_code, Unit.parent_code == scope.unit_code))
        .order_by(Unit.code != scope.unit_code, Unit.name)
    )
    return [(code, name) for code, name in rows]


@router.post("")
def add(request: Request, desk: TheDesk, form: Form, visitor: Visitor = needs(May.STAFF)) -> Response:
    """Make an account; its one-time password is shown in this answer and nowhere else."""
    unit_code, role = text_of(form, "unit", most=5), text_of(form, "role", most=20)
    if role not in list(StaffRole):
        raise Refused(400)
    login = text_of(form, "login", most=90)
    try:
        with desk.database.write() as session:
            if unit_code not in {code for code, _ in units_of(session, visitor.scope)}:
                raise Refused(403)
            member = staff.add(
                session,
                login=login,
                name=text_of(form, "name", most=130),
                role=StaffRole(role),
                unit_code=unit_code,
                password=None,
                now=desk.now(),
            )
            password = staff.set_one_time_password(session, member)
    except StaffError as error:
        return _listing(request, desk, visitor, problem=STAFF.say(error.code, **error.values), status=422)
    return _listing(request, desk, visitor, password=password, login=login)


@router.post("/{staff_id}/password")
def reset_password(
    request: Request, desk: TheDesk, staff_id: RowId, _form: Form, visitor: Visitor = needs(May.STAFF)
) -> Response:
    """A new one-time password for somebody who lost theirs; all their browsers are logged out."""
    with desk.database.write() as session:
        member = _managed(session, visitor, staff_id)
        password = staff.set_one_time_password(session, member)
        signin.close_all(session, member.id)
        login = member.login
    return _listing(request, desk, visitor, password=password, login=login)


@router.post("/{staff_id}/active")
def set_active(desk: TheDesk, staff_id: RowId, form: Form, visitor: Visitor = needs(May.STAFF)) -> Response:
    """Switch an account off or on."""
    with desk.database.write() as session:
        member = _managed(session, visitor, staff_id)
        member.active = text_of(form, "active", most=3) == "yes"
        signin.close_all(session, member.id)
    return go("/staff", done="saved")


def _managed(session: Session, visitor: Visitor, staff_id: int) -> StaffMember:
    """An account below this administrator; never the own one, so that nobody locks the last door."""
    member = session.scalar(select(StaffMember).where(StaffMember.id == staff_id, visitor.scope.staff()))
    if member is None or member.id == visitor.scope.staff_id:
        raise Refused(404)
    return member
