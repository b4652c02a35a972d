"""What each role of the staff may do, and which rows a member of staff may see."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, false, or_, select

from storage.models import Concern, ConcernState, DialogueSession, StaffMember, StaffRole, Unit


class May(StrEnum):
    """One thing that a role allows."""

    READ = "read"  # concerns, sessions, agendas of the unit
    SORT = "sort"  # judge concerns: field, state, handler
    REPLY = "reply"  # write to a citizen
    QUARANTINE = "quarantine"  # read what stands behind a legal door
    PLAN = "plan"  # create, open and close sessions; order the agenda
    APPROVE = "approve"
    ANSWER = "answer"  # draft answers
    PUBLISH = "publish"  # publish answers, send announcements
    COMMENT = "comment"
    STAFF = "staff"  # accounts


_OFFICE = frozenset(
    {May.READ, May.SORT, May.REPLY, May.PLAN, May.ANSWER, May.PUBLISH, May.COMMENT, May.QUARANTINE}
)
_ALLOWED: dict[StaffRole, frozenset[May]] = {
    # Whoever runs the accounts need not read what people told in confidence.
    StaffRole.QUAN_TRI: (_OFFICE - {May.QUARANTINE}) | {May.STAFF},
    StaffRole.THAM_MUU: _OFFICE,
    StaffRole.VAN_PHONG: _OFFICE,
    StaffRole.CHU_TRI: frozenset({May.READ, May.APPROVE, May.COMMENT}),
    StaffRole.DON_VI_XU_LY: frozenset({May.READ, May.ANSWER}),
    StaffRole.GIAM_SAT: frozenset({May.READ, May.COMMENT}),
    StaffRole.NGUOI_HO_TRO: frozenset({May.READ}),
}
# Roles that follow single concerns and have no business with whole sessions.
_OWN_ITEMS_ONLY = frozenset({StaffRole.DON_VI_XU_LY, StaffRole.NGUOI_HO_TRO})


@dataclass(frozen=True, slots=True)
class Scope:
    """A member of staff as the rules see them: who, where, and what for."""

    staff_id: int
    login: str
    role: StaffRole
    unit_code: str

    @classmethod
    def of(cls, member: StaffMember) -> Scope:
        """The scope of an account."""
        return cls(member.id, member.login, StaffRole(member.role), member.unit_code)

    @property
    def actor(self) -> str:
        """How events name this person."""
        return f"staff:{self.staff_id}"

    def may(self, what: May) -> bool:
        """Whether the role allows it."""
        return what in _ALLOWED[self.role]

    @property
    def whole_sessions(self) -> bool:
        """Whether the role works with sessions and agendas, not only with its own items."""
        return self.role not in _OWN_ITEMS_ONLY

    def units(self) -> ScalarSelect[Any]:
        """Codes of the unit and those below it, as a subquery."""
        return (
            select(Unit.code)
            .where(or_(Unit.code == self.unit_code, Unit.parent_code == self.unit_code))
            .scalar_subquery()
        )

    def concerns(self) -> ColumnElement[bool]:
        """Condition of the concerns that this person may see; drafts are the citizen's own."""
        visible = Concern.state != ConcernState.DRAFT
        if not self.may(May.QUARANTINE):
            visible &= Concern.state != ConcernState.QUARANTINED
        match self.role:
            case StaffRole.DON_VI_XU_LY:
                return visible & (Concern.handler_code == self.unit_code)
            case StaffRole.NGUOI_HO_TRO:
                return visible & (Concern.entered_by == self.staff_id)
            case _:
                return visible & Concern.unit_code.in_(self.units())

    def sessions(self) -> ColumnElement[bool]:
        """Condition of the sessions that this person may see."""
        return DialogueSession.unit_code.in_(self.units()) if self.whole_sessions else false()

    def staff(self) -> ColumnElement[bool]:
        """Condition of the accounts that this person may manage."""
        return StaffMember.unit_code.in_(self.units()) if self.may(May.STAFF) else false()


def allowed(role: StaffRole) -> frozenset[May]:
    """Everything that a role may do."""
    return _ALLOWED[role]
