"""Options that several commands share, and what `--json` prints: one object, the same everywhere."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

import click

from rapport_bench.standard_streams import is_unicode

SCHEMA_VERSION = "1.0"
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
RESULTS_OPTION = click.option(
    "--results",
    default="results",
    show_default=True,
    metavar="DIR",
    help="Folder of result files.",
)


def quiet_libraries() -> None:
    """Before anything imports these libraries: quiet, and no network that nobody asked for."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    # Where a processor has AVX512-BF16, bitsandbytes asks on import for a package with a kernel that
    # `rapport_training.loading.capabilities.keep_unpacked` leaves unused.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


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


def json_line(value: Mapping[str, Any]) -> str:
    """An object on one line; escaped to ASCII where standard output has no place for every character."""
    return json.dumps(value, ensure_ascii=not is_unicode(), sort_keys=True, allow_nan=False)
