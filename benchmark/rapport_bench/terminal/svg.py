"""The console as a picture: SVG with the same bytes every time, and fonts of the reader's own."""

from __future__ import annotations

import inspect
import io
import re
from pathlib import Path

from rich.console import Console

from rapport_bench.common.files import write_atomically
from rapport_bench.judging.compare import Comparison
from rapport_bench.terminal import comparison as comparison_view
from rapport_bench.words import next_steps

WIDTH = 120
"""Columns of a recorded console."""

_UNWANTED = re.compile(r"@font-face \{\{.*?\}\}\s*|<!--.*?-->\s*", re.DOTALL)
_FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def write_comparison(comparison: Comparison, folder: str, path: str | Path) -> None:
    """Draw what `rapport compare` prints.

    Args:
        comparison: What is shown.
        folder: Where its results lie, for the commands under the table.
        path: The SVG file.

    Raises:
        BadInput: The file cannot be written to.
    """
    out = Console(
        record=True,
        width=WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    comparison_view.show(comparison, folder, out)
    title = next_steps.compare_command(comparison.candidate, comparison.baseline, folder)
    svg = out.export_svg(title=title, code_format=_format(), unique_id="rapport")
    write_atomically(Path(path), svg)


def _format() -> str:
    """Rich's frame without its address and the fonts that it would fetch from the network."""
    usual = inspect.signature(Console.export_svg).parameters["code_format"].default
    return _UNWANTED.sub("", usual).replace("Fira Code, monospace", _FONTS)
