"""A leaderboard for a terminal and for a README."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from rapport_bench.common.escape import markdown_text
from rapport_bench.judging.leaderboard import Leaderboard
from rapport_bench.results.human_result import HumanResult
from rapport_bench.terminal import console
from rapport_bench.terminal.layout import print_table, simple_table
from rapport_bench.words.board import BoardRow, BoardTable, board_table
from rapport_bench.words.studies import study_table
from rapport_bench.words.tables import TextTable, markdown_lines


def show(board: Leaderboard, studies: Sequence[HumanResult] = ()) -> None:
    """Print the board as a table, and below it what people said."""
    out = console.output()
    shown = board_table(board)
    out.print(shown.headline, markup=False)
    table = simple_table(_header(shown), left=("arm",))
    for row in shown.rows:
        if row.new_tier:
            table.add_section()
        table.add_row(*map(Text, _cells(row, "\n")), style="" if row.ranked else "dim")
    out.print(table)
    for line in shown.legend:
        out.print(line, style="dim", markup=False)
    for line in shown.apart:
        out.print(line, style="yellow", markup=False)
    for study in studies:
        print_table(out, study_table(study))


def to_markdown(board: Leaderboard, studies: Sequence[HumanResult] = ()) -> str:
    """The board as a Markdown table with its legend; studies below it."""
    return "\n".join(_markdown_lines(board, studies)) + "\n"


def _markdown_lines(board: Leaderboard, studies: Sequence[HumanResult]) -> Iterator[str]:
    shown = board_table(board)
    yield markdown_text(shown.headline)
    yield ""
    rows = tuple(tuple(_cells(row, " ")) for row in shown.rows)
    yield from markdown_lines(TextTable("", _header(shown), rows, left=("arm",)))
    for line in (*shown.legend, *shown.apart):
        yield from ("", markdown_text(line))
    for study in map(study_table, studies):
        yield from ("", f"**{markdown_text(study.title)}**", "", *markdown_lines(study))
        for note in study.notes:
            yield from ("", markdown_text(note))


def _header(table: BoardTable) -> tuple[str, ...]:
    return ("#", "tier", "arm", *(label for _, label, _ in table.columns))


def _cells(row: BoardRow, line: str) -> list[str]:
    """Rank, tier, arm and figures; what is small stands after a line break or a blank."""
    figures = [f"{cell.text}{line if cell.small else ''}{cell.small}" for cell in row.cells]
    arm = f"{row.arm.text}{' ◆' if row.pareto else ''}{line}[{row.arm.small}]"
    return [row.rank.text, row.tier.text, arm, *figures]
