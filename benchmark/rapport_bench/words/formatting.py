"""Figures, names and verdicts as text, the same in every medium."""

from __future__ import annotations

from collections.abc import Sequence

from rapport_bench.common.escape import one_line
from rapport_bench.results.metrics import Direction, Metric
from rapport_bench.results.result import Result
from rapport_bench.statistics.paired import Difference

_ARROWS = {"lower": " ↓", "higher": " ↑", "band": " → gold", "none": ""}
BETTER = {
    "lower": "lower is better",
    "higher": "higher is better",
    "band": "nearer to the gold band is better",
}
"""Which way is better, in words."""

_LONGEST_NAME = 48


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


def interval(ends: Sequence[float | None] | None) -> str:
    """``[low, high]``, or nothing."""
    return f"[{number(ends[0])}, {number(ends[1])}]" if ends else ""


def signed(value: float | None) -> str:
    """A difference with its sign."""
    return (
        "–"
        if value is None
        else f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value))}"
    )


def difference(metric: Metric, found: Difference, *, join: str = " ") -> str:
    """A difference with its interval; of the distances to the gold band, where that is the aim."""
    if found.exactly_equal:
        return "exactly equal"
    what = "distance " if metric.direction == "band" else ""
    return f"{what}{signed(found.value)}{join}{interval(found.ci)}".rstrip()


def count(number: int, what: str) -> str:
    """``1 tier``, ``2 tiers``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def p_value(p: float | None) -> str:
    """``p = .012``; below a thousandth ``p < .001``."""
    if p is None:
        return ""
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def stars(p: float | None) -> str:
    """``*`` for p < .05, ``**`` < .01, ``***`` < .001."""
    return "" if p is None or p >= 0.05 else "***" if p < 0.001 else "**" if p < 0.01 else "*"


def shown_name(result: Result) -> str:
    """An arm's name on one line, without control characters; the middle of a long one left out."""
    name = one_line(result.name).strip() or "(no name)"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 16]}…{name[-15:]}"


def metric_label(metric: Metric) -> str:
    """A metric's label with an arrow to where it is better."""
    return labelled(metric.label, metric.direction)


def labelled(label: str, direction: Direction) -> str:
    """A label with an arrow to where it is better."""
    return label + _ARROWS[direction]
