"""Catalogues of Vietnamese text: TOML files with one key a message and `{name}` placeholders."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files


class Catalogue:
    """One TOML file of texts, read at first use. Keys are `section.key`."""

    def __init__(self, file_name: str, *, package: str = "core.wording") -> None:
        self._file_name = file_name
        self._package = package

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Every text by its full key."""
        raw = tomllib.loads(files(self._package).joinpath(self._file_name).read_text("utf-8"))
        flat: dict[str, str] = {}
        for section, entries in raw.items():
            for key, text in entries.items():
                flat[f"{section}.{key}"] = text.strip()
        return flat

    def say(self, key: str, **values: object) -> str:
        """The text of `key` with its placeholders filled; `KeyError` for an unknown key or value."""
        return self.texts[key].format_map(values)

    def get(self, key: str, default: str) -> str:
        """The text of `key` without filling, or `default` when there is none."""
        return self.texts.get(key, default)

    def __contains__(self, key: str) -> bool:
        return key in self.texts


CITIZEN = Catalogue("citizen_vi.toml")
STAFF = Catalogue("staff_vi.toml")
