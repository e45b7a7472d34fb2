"""A study's tables in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rapport_bench.results.human_result import HumanResult
from rapport_bench.terminal import console
from rapport_bench.words.study import StudyTable, agreement_warnings, headline, tables


def show(result: HumanResult) -> None:
    """Print everything that was found."""
    out = console.output()
    out.print()
    out.print(headline(result), markup=False, style="bold" if result.simulated else "")
    for table in tables(result):
        show_table(out, table)
    for warning in agreement_warnings(result):
        out.print(f"warning: {warning}", style="yellow", markup=False)


def show_table(out: Console, shown: StudyTable) -> None:
    """Print one table with its title and notes."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for place, name in enumerate(shown.header):
        table.add_column(Text(name), justify="right" if place else "left", overflow="fold")
    for row in shown.rows:
        table.add_row(*map(Text, row))
    out.print()
    out.print(shown.title, style="bold", markup=False)
    out.print(table)
    for note in shown.notes:
        out.print(note, style="dim", markup=False)
