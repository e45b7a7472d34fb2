"""A study's outcome in the terminal."""

from __future__ import annotations

from rapport_bench.results.human_result import HumanResult
from rapport_bench.terminal import console
from rapport_bench.terminal.layout import print_table
from rapport_bench.words.study import agreement_warnings, headline
from rapport_bench.words.study_tables import tables


def show(result: HumanResult) -> None:
    """Print everything that was found."""
    out = console.output()
    out.print()
    out.print(headline(result), markup=False, style="bold" if result.simulated else "")
    for table in tables(result):
        print_table(out, table)
    for warning in agreement_warnings(result):
        out.print(f"warning: {warning}", style="yellow", markup=False)
