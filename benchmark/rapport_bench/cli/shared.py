"""Options that several commands share, and what `--json` prints: one object, the same everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from rapport_bench.common.standard_streams import is_unicode

SCHEMA_VERSION = "1.0"
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
RESULTS_OPTION = click.option(
    "--results",
    default="results",
    show_default=True,
    metavar="DIR",
    help="Folder of result files.",
)
STORE_OPTION = click.option(
    "--store", metavar="FILE", help="Response store [default: in the user's cache folder]."
)
ENCODER_OPTION = click.option(
    "--encoder", default="embedded", show_default=True, metavar="MODEL", help="Sentence encoder."
)


def emit(command: str, data: Any, *, warnings: Sequence[str] = (), exit_code: int = 0) -> None:
    """Print what a command found."""
    click.echo(
        json_line(
            {
                "command": command,
                "schema_version": SCHEMA_VERSION,
                "ok": exit_code == 0,
                "exit_code": exit_code,
                "data": data,
                "warnings": list(warnings),
            }
        )
    )


def warn(warnings: Sequence[str]) -> None:
    """Say what limits the output, beside it."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


def json_line(value: Mapping[str, Any]) -> str:
    """An object on one line; escaped to ASCII where standard output has no place for every character."""
    return json.dumps(value, ensure_ascii=not is_unicode(), sort_keys=True, allow_nan=False)
