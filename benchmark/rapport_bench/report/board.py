"""The leaderboard as rows and cells of an HTML table that can be sorted."""

from __future__ import annotations

from dataclasses import dataclass

from rapport_bench.judging.field import Figure, Measure
from rapport_bench.judging.leaderboard import Board, Row
from rapport_bench.results.metrics import BESIDE_BOTS, BY_NAME
from rapport_bench.terminal.leaderboard import headline, legend, shown_metrics
from rapport_bench.words import formatting

_UNKNOWN = Figure(None)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: What is shown.
        small: Below it: interval, kind, note.
        sort: What the column is sorted by; `None` goes last in either direction.
    """

    text: str
    small: str = ""
    sort: float | str | None = None


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One arm.

    Attributes:
        arm: Its name and kind.
        pareto: Whether no other beats it.
        reference: Whether it is gold or a bot.
        new_tier: Whether a tier begins with it.
        cells: Rank and tier, then the figures.
    """

    arm: Cell
    pareto: bool
    reference: bool
    new_tier: bool
    rank: Cell
    tier: Cell
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class BoardTable:
    """The table with its words.

    Attributes:
        headline: Suite, metric, arms and tiers.
        columns: (label, better direction in words) of the figures.
        rows: Best first.
        legend: Sentences below.
    """

    headline: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[BoardRow, ...]
    legend: tuple[str, ...]


_BETTER = {
    "lower": "lower is better",
    "higher": "higher is better",
    "band": "distance to gold band",
}


def board_table(board: Board, labels: dict[str, str]) -> BoardTable:
    """Lay a board out.

    Args:
        board: Sorted.
        labels: Names to show, by result id.
    """
    metrics = shown_metrics(board)
    metrics += [
        BY_NAME[name]
        for name in BESIDE_BOTS
        if name not in {m.name for m in metrics} and any(name in row.figures for row in board.rows)
    ]
    columns = [(metric.label, _BETTER[metric.direction]) for metric in metrics]
    columns.insert(1, ("behind first", "difference to the first arm"))
    rows = []
    tier = None
    for row in board.rows:
        opens = tier is not None and row.tier is not None and row.tier != tier
        tier = row.tier or tier
        rows.append(_row(row, metrics, labels[row.result.result_id], opens=opens))
    return BoardTable(headline(board), tuple(columns), tuple(rows), tuple(legend(board)))


def _row(row: Row, metrics: list[Measure], label: str, *, opens: bool) -> BoardRow:
    reference = row.note == "reference"
    kind = f"reference: {row.result.kind}" if reference else row.note or row.result.kind
    cells = [_figure(metric, row.figures.get(metric.name, _UNKNOWN)) for metric in metrics]
    behind = Cell("")
    if row.behind is not None and row.behind.value is not None:
        ends = "" if row.behind.exactly_equal else formatting.interval(row.behind.ci)
        text = "equal" if row.behind.exactly_equal else formatting.signed(row.behind.value)
        behind = Cell(text, ends, row.behind.value)
    cells.insert(1, behind)
    return BoardRow(
        arm=Cell(label, kind, label.casefold()),
        pareto=row.pareto,
        reference=reference,
        new_tier=opens,
        rank=Cell(str(row.rank or ""), sort=row.rank),
        tier=Cell(str(row.tier or ""), sort=row.tier),
        cells=tuple(cells),
    )


def _figure(metric: Measure, figure: Figure) -> Cell:
    value, ends = figure.value, figure.ci
    if metric.gold is not None:
        value, ends = figure.distance, figure.distance_ci
    return Cell(formatting.number(value), formatting.interval(ends), value)
