"""The tables at the end of a run: arms beside each other, as wide as the console and no wider.

Arms are columns while they fit into two tables; more arms than that become rows, with the confirmatory
metrics alone. Nothing is cut: what does not fit beside the rest stands in another table.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.table import Table
from rich.text import Text

from rapport_bench.judging.compare import Comparison, MetricComparison
from rapport_bench.results.metrics import (
    BESIDE_BOTS,
    BY_NAME,
    CONFIRMATORY,
    METRICS,
    NOT_ESTIMABLE_BELOW,
    Metric,
)
from rapport_bench.results.result import Result
from rapport_bench.terminal import console
from rapport_bench.terminal.layout import Column, folded, groups, table
from rapport_bench.words import formatting
from rapport_bench.words.formatting import interval, number, shown_name, signed
from rapport_bench.words.signs import VERDICTS

FAMILIES = ("confirmatory", "companion", "marker")
_BY_FAMILY = sorted(METRICS, key=lambda metric: FAMILIES.index(metric.family))
_TABLES = 2
_OVERVIEW = (
    "Under each value: ▲ improved, ▼ regressed, = equivalent or ? inconclusive against {base}, and the "
    "difference (of the distance, where the aim is gold). Intervals and the other metrics: rapport "
    "compare ARM {base}, or --all-metrics."
)
_BOT_METRICS = (*CONFIRMATORY, *BESIDE_BOTS)


def summary_tables(
    results: Sequence[Result],
    comparisons: dict[str, Comparison],
    *,
    width: int,
    everything: bool = False,
) -> list[Table]:
    """Arms as columns, metrics as rows: value, interval, difference to the baseline, verdict.

    Several tables where one is too wide, the baseline in each; arms as rows where two are not
    enough, unless `everything` is asked for.

    Args:
        results: The arms, the baseline first.
        comparisons: By the candidate's result id, against the one baseline.
        width: Of the console, in columns.
        everything: Whether markers that never occur get their row too, and every arm its column.
    """
    metrics = [metric for metric in _BY_FAMILY if _shown(metric, results, everything)]
    columns = [
        _arm_column(result, metrics, comparisons.get(result.result_id)) for result in results
    ]
    found = groups(columns[1:], width, repeated=columns[:1]) or [[]]
    if len(found) > _TABLES and not everything:
        return _overview(results, comparisons, width=width)
    labels = [
        Text(formatting.metric_label(m), style="bold" if m.family == "confirmatory" else "")
        for m in metrics
    ]
    ends = {i for i, (m, n) in enumerate(pairwise(metrics)) if m.family != n.family}
    first = Column(Text("metric"), tuple(labels))
    return [table(first, [*columns[:1], *group], width=width, ends=ends) for group in found]


def _arm_column(result: Result, metrics: Sequence[Metric], comparison: Comparison | None) -> Column:
    head = Text(folded(shown_name(result)))
    if not result.role.baseline:
        head.append(f"\n{result.kind}", style="dim")
    cells = []
    for metric in metrics:
        item = comparison.by_name(metric.name) if comparison else None
        cell = _arm_cell(result, metric)
        cells.append(cell + _difference_text(item) if item else cell)
    return Column(head, tuple(cells))


def _overview(
    results: Sequence[Result], comparisons: dict[str, Comparison], *, width: int
) -> list[Table]:
    """Arms as rows, confirmatory metrics as columns: value, and verdict with difference."""
    names = [n for n in CONFIRMATORY if any(n in r.metrics for r in results)]
    columns = []
    for name in names:
        cells = []
        for result in results:
            cell = Text(number(result.metric(name).value))
            comparison = comparisons.get(result.result_id)
            item = comparison.by_name(name) if comparison else None
            if item and item.verdict and item.difference:
                look = VERDICTS[item.verdict]
                told = "(coverage)" if "coverage" in item.verdict else signed(item.difference.value)
                cell.append(f"\n{look.sign} {told}", style=look.style)
            cells.append(cell)
        columns.append(Column(Text(formatting.metric_label(BY_NAME[name])), tuple(cells)))
    arms = Column(Text("arm"), tuple(_arm_name(r) for r in results))
    tables = [table(arms, group, width=width) for group in groups(columns, width)]
    tables[-1].caption = Text(_OVERVIEW.format(base=shown_name(results[0])), style="dim")
    tables[-1].caption_justify = "left"
    return tables


def _arm_name(result: Result) -> Text:
    name = Text(folded(shown_name(result), 18))
    return name if result.role.baseline else name.append(f" {result.kind}", style="dim")


def bots_tables(results: Sequence[Result], *, width: int) -> list[Table]:
    """Reference arms as rows beside gold: what it takes to fool each metric."""
    columns = []
    for name in _BOT_METRICS:
        if not any(name in r.metrics for r in results):
            continue
        cells = []
        for result in results:
            found = result.metric(name)
            cell = Text(number(found.value))
            coverage = found.coverage
            if name in CONFIRMATORY and coverage is not None and coverage < 1:
                cell.append(f" ({coverage:.0%})", style="dim")
            cells.append(cell)
        columns.append(Column(Text(BY_NAME[name].label), tuple(cells), wraps=True))
    first = Column(Text("reference arm"), tuple(Text(shown_name(r)) for r in results))
    return [table(first, group, width=width) for group in groups(columns, width)]


def _arm_cell(result: Result, metric: Metric) -> Text:
    found = result.metrics.get(metric.name)
    if found is None:
        return Text("–", style="dim")
    cell = Text(number(found.value))
    if metric.family == "confirmatory" and found.ci:
        cell.append(f"\n{interval(found.ci)}", style="dim")
    coverage = found.coverage
    if metric.family == "confirmatory" and coverage is not None and coverage < 1:
        style = "yellow" if coverage < NOT_ESTIMABLE_BELOW else "dim"
        cell.append(f"\ncoverage {coverage:.0%}", style=style)
    return cell


def _difference_text(item: MetricComparison) -> Text:
    """What is added to an arm's cell: difference and verdict, or stars for a companion."""
    if item.metric.family != "confirmatory":
        stars = formatting.stars(item.p_adjusted)
        return Text(f" {stars}" if stars else "", style="dim")
    if item.difference is None:
        return Text(f"\nnot compared:\n{item.note}", style="dim")
    what = "distance " if item.metric.direction == "band" else ""
    value = "equal" if item.difference.exactly_equal else signed(item.difference.value)
    text = Text(f"\n{what}{value}")
    if item.verdict is not None:
        text.append("\n").append(console.verdict_text(item.verdict))
    return text


def _shown(metric: Metric, results: Sequence[Result], everything: bool) -> bool:
    columns = [r for r in results if metric.name in r.metrics]
    if not columns:
        return False
    if metric.only_if_any or (metric.family == "marker" and not everything):
        return any(r.metrics[metric.name].value for r in columns)
    return True
