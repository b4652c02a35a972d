"""What a unit calls the fields: its own name, else its province's, else the catalogue's. The codes never change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core.fields.catalogue import field_code, field_label
from core.text.normal import clean
from storage.models import Unit

_KEY = "field_names"
LONGEST = 60


class FieldNameError(ValueError):
    """A name that cannot be given; `code` for programs."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class FieldNames:
    """The names of one unit, read with one query."""

    def __init__(self, own: dict[str, str]) -> None:
        self._own = own

    def __call__(self, code: str | None) -> str | None:
        """What the unit's people read; None for no field or an unknown code."""
        return self._own.get(code or "") or field_label(code)

    def is_own(self, code: str) -> bool:
        """Whether the name differs from the catalogue's."""
        return code in self._own


def field_names(session: Session, unit_code: str | None) -> FieldNames:
    """The names in use at a unit; the catalogue's for no unit."""
    if unit_code is None:
        return FieldNames({})
    parent = aliased(Unit)
    found = session.execute(
        select(parent.profile, Unit.profile)
        .select_from(Unit)
        .outerjoin(parent, parent.code == Unit.parent_code)
        .where(Unit.code == unit_code)
    ).one_or_none()
    above, own = found if found else (None, None)
    return FieldNames(_names(above) | _names(own))


def rename_field(session: Session, *, unit_code: str, code: str, name: str) -> None:
    """Give a field a unit's own name; an empty one takes it back. Raises `FieldNameError`.

    A name that means another field here is refused: two fields of one name cannot be told apart on an agenda.
    """
    unit = session.get(Unit, unit_code)
    if unit is None:
        raise FieldNameError("unit_unknown")
    if field_label(code) is None:
        raise FieldNameError("field_unknown")
    name = " ".join(clean(name).split())
    if len(name) > LONGEST:
        raise FieldNameError("field_name_long")
    names = _names(unit.profile)
    others = {other: own for other, own in names.items() if other != code}
    meant = field_code(name)
    if name.casefold() in {own.casefold() for own in others.values()} or (
        meant not in (None, code) and meant not in others
    ):
        raise FieldNameError("field_name_taken")
    unit.profile = unit.profile | {_KEY: others | ({code: name} if name else {})}


def _names(profile: dict[str, Any] | None) -> dict[str, str]:
    return dict((profile or {}).get(_KEY, {}))
