"""`nghedan evaluate …`: each measurement is a module of its own, mounted here."""

from __future__ import annotations

import typer

from bot.cli import (
    evaluate_doors,
    evaluate_fields,
    evaluate_groups,
    evaluate_intents,
    evaluate_places,
    evaluate_split,
)

app = typer.Typer(no_args_is_help=True)

for command in (
    evaluate_intents,
    evaluate_fields,
    evaluate_places,
    evaluate_doors,
    evaluate_split,
    evaluate_groups,
):
    command.register(app)
