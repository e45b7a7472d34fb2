"""A leaderboard for a terminal, a README, a spreadsheet and a program."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from rapport_bench.common.escape import csv_text, markdown_text, one_line
from rapport_bench.judging import published as reported
from rapport_bench.judging.compare import arm_json, difference_json
from rapport_bench.judging.composite import Composite
from rapport_bench.judging.field import Figure, Measure
from rapport_bench.judging.leaderboard import Board, Row
from rapport_bench.judging.published import Published
from rapport_bench.results.human_result import HumanResult
from rapport_bench.results.metrics import BY_NAME, CONFIRMATORY, METRICS, Metric
from rapport_bench.terminal import console
from rapport_bench.terminal.layout import print_table
from rapport_bench.words import formatting
from rapport_bench.words.studies import study_table
from rapport_bench.words.studies import to_json as study_json
from rapport_bench.words.tables import markdown_lines

_NO_FIGURE = Figure(None)


def show(
    board: Board, published: Published | None = None, studies: Sequence[HumanResult] = ()
) -> None:
    """Print the board as a table, below it what people said, and what was published if asked for."""
    out = console.output()
    out.print(headline(board), markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in _header(board):
        table.add_column(Text(name), justify="left" if name == "arm" else "right", overflow="fold")
    tier = None
    for row in board.rows:
        if tier is not None and row.tier is not None and row.tier != tier:
            table.add_section()
        tier = row.tier or tier
        style = "dim" if row.rank is None else ""
        table.add_row(*(Text(cell) for cell in _cells(board, row, "\n")), style=style)
    out.print(table)
    for line in legend(board):
        out.print(line, style="dim", markup=False)
    for line in _apart(board):
        out.print(line, style="yellow", markup=False)
    for study in studies:
        print_table(out, study_table(study))
    if published is not None:
        out.print()
        for line in reported.lines(published):
            out.print(line, markup=False)


def to_markdown(
    board: Board, published: Published | None = None, studies: Sequence[HumanResult] = ()
) -> str:
    """The board as a Markdown table with its legend; studies and published figures below it."""
    below = [*_study_lines(studies), *_published_lines(published)]
    return "\n".join([*_markdown_lines(board), *below]) + "\n"


def _study_lines(studies: Sequence[HumanResult]) -> Iterator[str]:
    for study in map(study_table, studies):
        yield from ("", f"**{markdown_text(study.title)}**", "", *markdown_lines(study))
        for note in study.notes:
            yield from ("", markdown_text(note))


def _markdown_lines(board: Board) -> Iterator[str]:
    header = _header(board)
    yield markdown_text(headline(board))
    yield ""
    yield f"| {' | '.join(header)} |"
    yield "|" + "".join(" --- |" if name == "arm" else " ---: |" for name in header)
    for row in board.rows:
        yield f"| {' | '.join(map(markdown_text, _cells(board, row, ' ')))} |"
    for line in (*legend(board), *_apart(board)):
        yield ""
        yield markdown_text(line)


def _published_lines(published: Published | None) -> Iterator[str]:
    if published is None:
        return
    yield ""
    yield f"**{reported.STATUS.capitalize()}**, by {markdown_text(published.source)}:"
    yield ""
    yield "| published as | nearest metric | base → adapter | flags |"
    yield "| --- | --- | ---: | --- |"
    for row in reported.rows(published):
        yield f"| {' | '.join(map(markdown_text, row))} |"
    yield ""
    yield markdown_text(f"Of all of them: {'; '.join(published.flags)}.")


def to_csv(board: Board, published: Published | None = None) -> str:
    """One row an arm: all its metrics with both ends of their 95 % intervals, unrounded.

    Empty cells are undefined. Names that a spreadsheet would take for formulas get an apostrophe.
    A published figure is a row that says so as its kind, has its text in the note and nothing in
    the columns of metrics.
    """
    shown: list[Measure] = [board.composite] if board.composite else []
    shown += [m for m in METRICS if any(m.name in row.figures for row in board.rows)]
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
            figure = row.figures.get(metric.name, _NO_FIGURE)
            cells += [figure.value, *(figure.ci or (None, None))]
            if metric.gold:
                cells += [figure.distance, *(figure.distance_ci or (None, None))]
        writer.writerow(cells)
    for name, nearest, text, flags in reported.rows(published) if published else ():
        note = f"base → adapter {text}; nearest: {nearest}; {flags}"
        cells = [None, None, csv_text(name), reported.STATUS, None, None, None, note]
        writer.writerow(cells + [None] * (len(fields) - len(cells)))
    return file.getvalue()


def to_json(
    board: Board, published: Published | None = None, studies: Sequence[HumanResult] = ()
) -> dict[str, Any]:
    """The board as `--json` prints it."""
    weights = board.composite.weights if board.composite else None
    return {
        "suite": board.suite.to_json(),
        "by": board.by.name,
        "direction": board.by.direction,
        "weights": None if weights is None else {m.name: weight for m, weight in weights},
        "pareto_metrics": list(board.front),
        "rows": [
            arm_json(row.result)
            | {
                "rank": row.rank,
                "tier": row.tier,
                "pareto": row.pareto,
                "note": row.note or None,
                "behind_first": difference_json(row.behind),
                "metrics": {n: _figure_json(BY_NAME.get(n), f) for n, f in row.figures.items()},
            }
            for row in board.rows
        ],
        "apart": [arm_json(result) | {"differs": why} for result, why in board.apart],
        "human": [study_json(study) for study in studies],
        "published": None if published is None else reported.to_json(published),
    }


def _figure_json(metric: Metric | None, figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {"value": figure.value, "ci": figure.ci}
    if metric is not None and metric.gold is not None:
        found |= {"distance": figure.distance, "distance_ci": figure.distance_ci}
    return found


def shown_metrics(board: Board) -> list[Measure]:
    """The metric of the board first, then the composite, then the confirmatory that an arm has."""
    others: list[Measure] = [board.composite] if board.composite else []
    others += [BY_NAME[n] for n in CONFIRMATORY]
    there = [m for m in others if any(m.name in row.figures for row in board.rows)]
    return [board.by, *(m for m in there if m.name != board.by.name)]


def _header(board: Board) -> list[str]:
    arrows = {"lower": " ↓", "higher": " ↑", "band": " to gold band ↓"}
    names = [m.label + arrows[m.direction] for m in shown_metrics(board)]
    return ["#", "tier", "arm", names[0], "behind first", *names[1:]]


def _cells(board: Board, row: Row, line: str) -> list[str]:
    mark = " ◆" if row.pareto else ""
    kind = f"{line}[{row.note or row.result.kind}]"
    if row.note == "reference":
        kind = f"{line}[reference: {row.result.kind}]"
    figures = [
        _figure_cell(m, row.figures.get(m.name, _NO_FIGURE), line) for m in shown_metrics(board)
    ]
    behind = ""
    if row.behind is not None and row.behind.value is not None:
        ends = formatting.interval(row.behind.ci)
        behind = f"{formatting.signed(row.behind.value)}{line if ends else ''}{ends}"
        if row.behind.exactly_equal:
            behind = "equal"
    return [
        str(row.rank or ""),
        str(row.tier or ""),
        one_line(row.result.name) + mark + kind,
        figures[0],
        behind,
        *figures[1:],
    ]


def _figure_cell(metric: Measure, figure: Figure, line: str) -> str:
    value, ends = figure.value, figure.ci
    if metric.gold is not None:
        value, ends = figure.distance, figure.distance_ci
    return f"{formatting.number(value)}{line if ends else ''}{formatting.interval(ends)}"


def headline(board: Board) -> str:
    """Suite, metric, arms and tiers in a line."""
    what = (
        "distance to the gold band" if board.by.gold is not None else f"{board.by.direction} first"
    )
    ranked = [row for row in board.rows if row.rank is not None]
    tiers = len({row.tier for row in ranked})
    return one_line(
        f"Suite {board.suite.name} · {board.suite.dialogues} dialogues · "
        f"suite {board.suite.suite_id[:8]} · by {board.by.label} ({what}) · "
        f"{_count(len(ranked), 'arm')} in {_count(tiers, 'tier')}"
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def legend(board: Board) -> Iterator[str]:
    """What tier and mark mean, a sentence each."""
    front = ", ".join(BY_NAME[name].label for name in board.front)
    yield (
        "Tier: an arm joins the first tier from whose leader its paired difference is not "
        "significant (Holm-adjusted p < .05 for each leader); the order within a tier is not told "
        "apart by the data. Values with 95 % intervals clustered by dialogue."
    )
    if board.composite:
        yield _composite_line(board.composite)
    if front:
        yield f"◆ no other arm is at least as good on all of {front} and better on one."


def _composite_line(composite: Composite) -> str:
    terms = []
    for metric, weight in composite.weights:
        what = {"band": "distance of ", "higher": "−", "lower": ""}[metric.direction]
        terms.append(f"{weight:.3g} × {what}{metric.label} / {metric.margin:g}")
    return (
        f"Composite = {' + '.join(terms)}: lower is better, counted in margins (the smallest "
        "changes that matter), so it does not depend on the other arms; only differences mean "
        "something. An arm without one of the metrics has none. Percentile intervals of paired "
        "bootstrap draws over dialogues."
    )


def _apart(board: Board) -> Iterator[str]:
    if board.apart:
        yield f"Not on this board, scored on another suite ({len(board.apart)}):"
    for result, why in board.apart:
        yield one_line(f"  {result.result_id[:8]} {result.name}: {why}")
