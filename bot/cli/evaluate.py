"""`nghedan evaluate …`: each measurement is a module of its own, mounted when its part is there."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True)
