"""A leaderboard in words: cells of its table, its headline and its legend, for every medium."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapport_bench.common.escape import one_line
from rapport_bench.judging.field import Standing
from rapport_bench.judging.leaderboard import Leaderboard, Row
from rapport_bench.results.metrics import BY_NAME, CONFIRMATORY, Metric
from rapport_bench.words import formatting

UNKNOWN = Standing(None)


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
        ranked: Whether it has a rank.
        rank: From 1, or empty.
        tier: Likewise.
        cells: The figures.
    """

    arm: Cell
    pareto: bool
    reference: bool
    new_tier: bool
    ranked: bool
    rank: Cell
    tier: Cell
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class BoardTable:
    """The table with its words.

    Attributes:
        headline: Suite, metric, arms and tiers.
        columns: (label, the same with an arrow to where it is better, which that is in words) of the
            figures.
        rows: Best first.
        legend: Sentences below.
        apart: Lines on results of other suites.
    """

    headline: str
    columns: tuple[tuple[str, str, str], ...]
    rows: tuple[BoardRow, ...]
    legend: tuple[str, ...]
    apart: tuple[str, ...]


def board_table(
    board: Leaderboard, labels: Mapping[str, str] | None = None, *, beside: Sequence[str] = ()
) -> BoardTable:
    """Lay a board out: the metric that it is sorted by, the difference to the first, the others.

    Args:
        board: Sorted.
        labels: Names to show, by result id [default: the arms' own].
        beside: Metrics after the confirmatory ones, where an arm has them.
    """
    metrics = [board.by]
    for name in (*CONFIRMATORY, *beside):
        if name != board.by.name and any(name in row.standings for row in board.rows):
            metrics.append(BY_NAME[name])
    columns = [_column(metric) for metric in metrics]
    columns.insert(1, ("behind first", "behind first", "difference to the first arm"))
    rows = []
    tier = None
    for row in board.rows:
        opens = tier is not None and row.tier is not None and row.tier != tier
        tier = row.tier or tier
        name = one_line(row.result.name) if labels is None else labels[row.result.result_id]
        rows.append(_row(row, metrics, name, opens=opens))
    return BoardTable(
        _headline(board), tuple(columns), tuple(rows), tuple(_legend(board)), tuple(_apart(board))
    )


def _column(metric: Metric) -> tuple[str, str, str]:
    if metric.gold is not None:
        return metric.label, f"{metric.label} to gold band ↓", "distance to gold band"
    return metric.label, formatting.metric_label(metric), formatting.BETTER[metric.direction]


def _row(row: Row, metrics: Sequence[Metric], label: str, *, opens: bool) -> BoardRow:
    reference = row.note == "reference"
    kind = f"reference: {row.result.kind}" if reference else row.note or row.result.kind
    cells = [_standing(metric, row.standings.get(metric.name, UNKNOWN)) for metric in metrics]
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
        ranked=row.rank is not None,
        rank=Cell(str(row.rank or ""), sort=row.rank),
        tier=Cell(str(row.tier or ""), sort=row.tier),
        cells=tuple(cells),
    )


def _standing(metric: Metric, found: Standing) -> Cell:
    value, ends = found.value, found.ci
    if metric.gold is not None:
        value, ends = found.distance, found.distance_ci
    return Cell(formatting.number(value), formatting.interval(ends), value)


def _headline(board: Leaderboard) -> str:
    what = (
        "distance to the gold band" if board.by.gold is not None else f"{board.by.direction} first"
    )
    ranked = [row for row in board.rows if row.rank is not None]
    tiers = len({row.tier for row in ranked})
    return one_line(
        f"Suite {board.suite.name} · {board.suite.dialogues} dialogues · "
        f"suite {board.suite.suite_id[:8]} · by {board.by.label} ({what}) · "
        f"{formatting.count(len(ranked), 'arm')} in {formatting.count(tiers, 'tier')}"
    )


def _legend(board: Leaderboard) -> Iterator[str]:
    """What tier and mark mean, a sentence each."""
    front = ", ".join(BY_NAME[name].label for name in board.front)
    yield (
        "Tier: an arm joins the first tier from whose leader its paired difference is not "
        "significant (Holm-adjusted p < .05 for each leader); the order within a tier is not told "
        "apart by the data. Values with 95 % intervals clustered by dialogue."
    )
    if front:
        yield f"◆ no other arm is at least as good on all of {front} and better on one."


def _apart(board: Leaderboard) -> Iterator[str]:
    if board.apart:
        yield f"Not on this board, scored on another suite ({len(board.apart)}):"
    for result, why in board.apart:
        yield one_line(f"  {result.result_id[:8]} {result.name}: {why}")
