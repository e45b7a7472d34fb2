"""A leaderboard for a terminal, a README, a spreadsheet and a program."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from rapport_bench.common.escape import csv_text, markdown_text
from rapport_bench.judging import published as reported
from rapport_bench.judging.leaderboard import Leaderboard
from rapport_bench.judging.published import Published
from rapport_bench.results.human_result import HumanResult
from rapport_bench.results.metrics import METRICS
from rapport_bench.terminal import console
from rapport_bench.terminal.layout import print_table, simple_table
from rapport_bench.words.board import UNKNOWN, BoardRow, BoardTable, board_table
from rapport_bench.words.studies import study_table
from rapport_bench.words.studies import to_json as study_json
from rapport_bench.words.tables import TextTable, markdown_lines


def show(
    board: Leaderboard, published: Published | None = None, studies: Sequence[HumanResult] = ()
) -> None:
    """Print the board as a table, below it what people said, and what was published if asked for."""
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
    if published is not None:
        out.print()
        for line in reported.lines(published):
            out.print(line, markup=False)


def to_markdown(
    board: Leaderboard, published: Published | None = None, studies: Sequence[HumanResult] = ()
) -> str:
    """The board as a Markdown table with its legend; studies and published figures below it."""
    return "\n".join(_markdown_lines(board, published, studies)) + "\n"


def _markdown_lines(
    board: Leaderboard, published: Published | None, studies: Sequence[HumanResult]
) -> Iterator[str]:
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
    if published is not None:
        by = f"**{reported.STATUS.capitalize()}**, by {markdown_text(published.source)}:"
        yield from ("", by, "", *markdown_lines(_published(published)), "")
        yield markdown_text(f"Of all of them: {'; '.join(published.flags)}.")


def _published(published: Published) -> TextTable:
    header = ("published as", "nearest metric", "base → adapter", "flags")
    left = (*header[:2], header[3])
    return TextTable("", header, tuple(reported.rows(published)), left=left)


def _header(table: BoardTable) -> tuple[str, ...]:
    return ("#", "tier", "arm", *(label for _, label, _ in table.columns))


def _cells(row: BoardRow, line: str) -> list[str]:
    """Rank, tier, arm and figures; what is small stands after a line break or a blank."""
    figures = [f"{cell.text}{line if cell.small else ''}{cell.small}" for cell in row.cells]
    arm = f"{row.arm.text}{' ◆' if row.pareto else ''}{line}[{row.arm.small}]"
    return [row.rank.text, row.tier.text, arm, *figures]


def to_csv(board: Leaderboard, published: Published | None = None) -> str:
    """One row an arm: all its metrics with both ends of their 95 % intervals, unrounded.

    Empty cells are undefined. Names that a spreadsheet would take for formulas get an apostrophe.
    A published figure is a row that says so as its kind, has its text in the note and nothing in
    the columns of metrics.
    """
    shown = [m for m in METRICS if any(m.name in row.standings for row in board.rows)]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    fields = ["rank", "tier", "arm", "kind", "base", "result_id", "pareto", "note"]
    fields += ["behind", "behind_ci_low", "behind_ci_high", "behind_p"]
    for metric in shown:
        ends = [metric.name] + ([f"{metric.name}_distance"] if metric.gold else [])
        fields += [f"{name}{end}" for name in ends for end in ("", "_ci_low", "_ci_high")]
    writer.writerow(fields)
    for row in board.rows:
        result, behind = row.result, row.behind
        base = result.arm.base
        cells: list[Any] = [row.rank, row.tier, csv_text(result.name), result.kind]
        cells += [csv_text(base.name) if base else None, result.result_id]
        cells += [int(row.pareto), row.note]
        cells += (
            [behind.value, *(behind.ci or (None, None)), behind.p_value] if behind else [""] * 4
        )
        for metric in shown:
            found = row.standings.get(metric.name, UNKNOWN)
            cells += [found.value, *(found.ci or (None, None))]
            if metric.gold:
                cells += [found.distance, *(found.distance_ci or (None, None))]
        writer.writerow(cells)
    for name, nearest, text, flags in reported.rows(published) if published else ():
        note = f"base → adapter {text}; nearest: {nearest}; {flags}"
        cells = [None, None, csv_text(name), reported.STATUS, None, None, None, note]
        writer.writerow(cells + [None] * (len(fields) - len(cells)))
    return file.getvalue()


def to_json(
    board: Leaderboard, published: Published | None = None, studies: Sequence[HumanResult] = ()
) -> dict[str, Any]:
    """The board as `--json` prints it."""
    return board.to_dict() | {
        "human": [study_json(study) for study in studies],
        "published": None if published is None else reported.to_json(published),
    }
