"""The fields of concerns: codes, labels and their order on the agenda."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from core.text.normal import clean


class Field(NamedTuple):
    """One field; `group` is the agenda group of the domain brief."""

    code: str
    label: str
    group: str


@cache
def fields() -> tuple[Field, ...]:
    """All fields in the order of the agenda."""
    raw = tomllib.loads(files("core.fields").joinpath("fields_vi.toml").read_text("utf-8"))
    return tuple(Field(**entry) for entry in raw["fields"])


@cache
def _by_code() -> dict[str, tuple[int, Field]]:
    return {field.code: (order, field) for order, field in enumerate(fields())}


def field_label(code: str | None) -> str | None:
    """What people read; None for no field or an unknown code."""
    found = _by_code().get(code or "")
    return found[1].label if found else None


def field_code(name: str) -> str | None:
    """The code of a field named by its code or its label, in any case; None when there is none."""
    wanted = clean(name).casefold()
    return next((f.code for f in fields() if wanted in (f.code, f.label.casefold())), None)


def field_order(code: str) -> int:
    """Place on the agenda; unknown codes come last."""
    found = _by_code().get(code)
    return found[0] if found else len(fields())
