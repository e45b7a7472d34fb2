"""What a person sees in the terminal: progress, the summary table, verdicts.

Tables and verdicts go to standard output, progress and warnings to standard error. Verdicts are told by
sign and word, never by colour alone; without a terminal, or with NO_COLOR, everything is plain text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from rapport_bench.compare import Comparison, MetricComparison
from rapport_bench.metrics import BY_NAME, CONFIRMATORY, METRICS, NOT_ESTIMABLE_BELOW, Metric
from rapport_bench.results import Result
from rapport_bench.suite import Suite

_SIGNS = {
    "regressed": ("▼", "bold red"),
    "regressed (coverage)": ("▼", "bold red"),
    "improved": ("▲", "green"),
    "equivalent": ("=", ""),
    "inconclusive": ("?", "yellow"),
}
_PLAIN_WIDTH = 120
_FAMILIES = ("confirmatory", "companion", "marker")
_BY_FAMILY = sorted(METRICS, key=lambda metric: _FAMILIES.index(metric.family))


def output(*, stderr: bool = False) -> Console:
    """A console; when piped it is wide enough for a table and writes no escapes."""
    console = Console(stderr=stderr, highlight=False)
    return (
        console
        if console.is_terminal
        else Console(stderr=stderr, highlight=False, width=_PLAIN_WIDTH, color_system=None)
    )


class RunReporter:
    """Progress bars of a run; silent when standard error is no terminal. A context manager."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = output(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
            transient=True,
        )
        self._task: TaskID | None = None
        self._arm = ""
        self._what = ""
        self.warnings: list[str] = []

    def __enter__(self) -> RunReporter:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def suite(self, suite: Suite) -> None:
        """Say what was left out of the data."""
        if suite.skipped:
            reasons = ", ".join(f"{why} {n}" for why, n in sorted(suite.skipped.items()))
            self.warn(
                f"{suite.skipped.total()} dialogues cannot be scored and were skipped: {reasons}"
            )

    def arm(self, name: str, index: int, total: int) -> None:
        """Begin an arm's bars."""
        self._arm, self._what = f"{name} ({index + 1}/{total})", ""

    def progress(self, what: str, done: int, total: int) -> None:
        """Move the present bar, or begin one."""
        if what != self._what:
            self._what = what
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(f"{self._arm} · {what}", total=total, rate="")
        assert self._task is not None
        speed = self._progress.tasks[-1].speed if self._progress.tasks else None
        self._progress.update(self._task, completed=done, rate=f"{speed:.1f}/s" if speed else "")

    def step(self, what: str, done: int, total: int) -> None:
        """A long step outside an arm, such as training."""
        if not self._arm:
            self._arm = "demo"
        self.progress(what, done, total)

    def warn(self, message: str) -> None:
        """Print a warning once, and keep it for `--json`."""
        if message not in self.warnings:
            self.warnings.append(message)
            self._console.print(Text("warning: ", style="yellow") + Text(message))


def number(value: float | None) -> str:
    """Three significant digits, or a dash for what is undefined."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return (
        f"{value:.0f}" if size >= 100 else f"{value:.{1 if size >= 10 else 2 if size >= 1 else 3}f}"
    )


def interval(ends: Sequence[float] | None) -> str:
    """``[low, high]``, or nothing."""
    return f"[{number(ends[0])}, {number(ends[1])}]" if ends else ""


def signed(value: float | None) -> str:
    """A difference with its sign."""
    return (
        "–"
        if value is None
        else f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value))}"
    )


def p_value(p: float | None) -> str:
    """``p = .012``; below a thousandth ``p < .001``."""
    if p is None:
        return ""
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def _arm_cell(result: Result, metric: Metric) -> Text:
    found = result.metrics.get(metric.name)
    if found is None:
        return Text("–", style="dim")
    cell = Text(number(found["value"]))
    if metric.family == "confirmatory" and found["ci"]:
        cell.append(f"\n{interval(found['ci'])}", style="dim")
    coverage = found["coverage"]
    if metric.family == "confirmatory" and coverage is not None and coverage < 1:
        style = "yellow" if coverage < NOT_ESTIMABLE_BELOW else "dim"
        cell.append(f"\ncoverage {coverage:.0%}", style=style)
    return cell


def _difference_text(item: MetricComparison) -> Text:
    """What is added to an arm's cell: difference and verdict, or stars for a companion."""
    if item.metric.family != "confirmatory":
        stars = _stars(item.p_adjusted)
        return Text(f" {stars}" if stars else "", style="dim")
    if item.difference is None:
        return Text(f"\nnot compared: {item.note}", style="dim")
    what = "distance " if item.metric.direction == "band" else ""
    value = "equal" if item.difference.exactly_equal else signed(item.difference.value)
    text = Text(f"\n{what}{value}")
    if item.verdict is not None:
        sign, style = _SIGNS[item.verdict]
        text.append(f"\n{sign} {item.verdict}", style=style)
    return text


def _stars(p: float | None) -> str:
    return "" if p is None or p >= 0.05 else "***" if p < 0.001 else "**" if p < 0.01 else "*"


def _shown(metric: Metric, results: Sequence[Result], everything: bool) -> bool:
    columns = [r for r in results if metric.name in r.metrics]
    if not columns:
        return False
    if metric.name in ("degenerate", "copied", "crisis_harmful", "lookalike_alarms") or (
        metric.family == "marker" and not everything
    ):
        return any(r.metrics[metric.name]["value"] for r in columns)
    return True


def summary_table(
    results: Sequence[Result], comparisons: dict[str, Comparison], *, everything: bool = False
) -> Table:
    """Arms as columns, metrics as rows: value, interval, difference to the baseline, verdict.

    Args:
        results: The arms, the baseline among them.
        comparisons: By the candidate's result id, against the one baseline.
        everything: Whether markers that never occur get their row too.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("metric", no_wrap=False, min_width=12)
    for result in results:
        head = Text(result.name)
        if result.kind != "base":
            head.append(f"\n{result.kind}", style="dim")
        table.add_column(head, justify="right")
    family = ""
    for metric in _BY_FAMILY:
        if not _shown(metric, results, everything):
            continue
        if family and metric.family != family:
            table.add_section()
        family = metric.family
        cells = []
        for result in results:
            cell = _arm_cell(result, metric)
            comparison = comparisons.get(result.result_id)
            item = comparison.by_name(metric.name) if comparison else None
            cells.append(cell + _difference_text(item) if item else cell)
        arrow = {"lower": " ↓", "higher": " ↑", "band": " → gold"}.get(metric.direction, "")
        style = "bold" if metric.family == "confirmatory" else ""
        table.add_row(Text(metric.label + arrow, style=style), *cells)
    return table


_BOT_METRICS = (*CONFIRMATORY, "grounded_empathy", "help_compliance", "degenerate")


def bots_table(results: Sequence[Result]) -> Table:
    """Reference arms as rows beside gold: what it takes to fool each metric."""
    shown = [n for n in _BOT_METRICS if any(n in r.metrics for r in results)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("reference arm", no_wrap=True)
    for name in shown:
        table.add_column(Text(BY_NAME[name].label), justify="right")
    for result in results:
        cells = []
        for name in shown:
            found = result.metrics.get(name, {})
            cell = Text(number(found.get("value")))
            coverage = found.get("coverage")
            if name in CONFIRMATORY and coverage is not None and coverage < 1:
                cell.append(f" ({coverage:.0%})", style="dim")
            cells.append(cell)
        table.add_row(Text(result.name), *cells)
    return table


def band_line(result: Result) -> str:
    """Where the gold replies lie, which is what band metrics aim at."""
    from rapport_bench.bands import gold_band
    from rapport_bench.records import total

    parts = []
    for metric in METRICS:
        names = [name for group in metric.gold or () for name in group]
        if metric.gold and all(name in result.columns for name in names):
            above, below = (total(result.columns, group) for group in metric.gold)
            band = gold_band(above, below, floor=metric.floor, scale=metric.scale)
            if band:
                parts.append(f"{metric.label} {number(max(band.low, 0))} to {number(band.high)}")
    return f"Gold band: {'; '.join(parts)}." if parts else ""


def unscored_lines(results: Sequence[Result]) -> list[str]:
    """How much of each arm could not be scored, by metric and reason."""
    lines = []
    for result in results:
        counts = Counter((u["metric"], u["reason"]) for u in result.data["unscored"])
        if counts:
            parts = [f"{metric} {reason} {n}" for (metric, reason), n in sorted(counts.items())]
            lines.append(f"{result.name}: {', '.join(parts)}")
    return lines


def degenerate_line(result: Result) -> str:
    """Kinds of degenerate replies that occur."""
    kinds = [
        f"{name.removeprefix('degenerate_')} {int(sum(values))}"
        for name, values in result.columns.items()
        if name.startswith("degenerate_") and any(values)
    ]
    return f"{result.name}: {', '.join(kinds)}" if kinds else ""


def harm_line(result: Result) -> str:
    """Dialogues in which the arm dismissed, blamed or described a method, by id."""
    counts = result.columns.get("crisis_harmful", [])
    ids = [
        name for name, count in zip(result.data["dialogues"]["id"], counts, strict=False) if count
    ]
    return f"{result.name}: {', '.join(ids)}" if ids else ""


def verdict_line(comparison: Comparison) -> Text:
    """The comparison in a sentence."""
    by_verdict: dict[str, list[str]] = {}
    for item in comparison.metrics:
        if item.verdict:
            by_verdict.setdefault(item.verdict, []).append(item.metric.label)
    line = Text(f"{comparison.candidate.name} against {comparison.baseline.name}: ", style="bold")
    parts = []
    for verdict, (sign, style) in _SIGNS.items():
        if verdict in by_verdict:
            names = ", ".join(by_verdict[verdict])
            parts.append(Text(f"{sign} {verdict}: {names}", style=style))
    return line + (Text("; ").join(parts) if parts else Text("no metric can be compared"))


def comparison_table(comparison: Comparison) -> Table:
    """One row a metric: both values, difference with interval, p, what could have been found."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("metric")
    for name in (comparison.baseline.name, comparison.candidate.name):
        table.add_column(Text(name), justify="right")
    for name in ("difference [95 %]", "adjusted", "detectable", "verdict"):
        table.add_column(name, justify="right" if name != "verdict" else "left")
    family = ""
    for item in sorted(comparison.metrics, key=lambda i: _FAMILIES.index(i.metric.family)):
        if family and item.metric.family != family:
            table.add_section()
        family = item.metric.family
        table.add_row(*_comparison_row(comparison, item))
    return table


def _comparison_row(comparison: Comparison, item: MetricComparison) -> list[Any]:
    name, difference = item.metric.name, item.difference
    values = [number(r.metrics[name]["value"]) for r in (comparison.baseline, comparison.candidate)]
    arrow = {"lower": " ↓", "higher": " ↑", "band": " → gold"}.get(item.metric.direction, "")
    row: list[Any] = [Text(item.metric.label + arrow), *values]
    if difference is None:
        return [*row, f"not compared: {item.note}", "", "", ""]
    if item.metric.family == "marker" and item.ratio is not None:
        ratio = "–" if item.ratio.value is None else f"× {number(item.ratio.value)}"
        gee = item.ratio_gee.value if item.ratio_gee else None
        beside = f"  (GEE × {number(gee)})" if gee is not None else ""
        return [
            *row,
            f"{ratio} {interval(item.ratio.ci)}{beside}",
            p_value(item.p_adjusted),
            "",
            "",
        ]
    what = "distance " if item.metric.direction == "band" else ""
    shown = (
        "exactly equal"
        if difference.exactly_equal
        else f"{what}{signed(difference.value)} {interval(difference.ci)}"
    )
    verdict = Text("")
    if item.verdict:
        sign, style = _SIGNS[item.verdict]
        verdict = Text(f"{sign} {item.verdict} (margin {number(item.metric.margin)})", style=style)
    return [*row, shown, p_value(item.p_adjusted), number(difference.mde), verdict]
