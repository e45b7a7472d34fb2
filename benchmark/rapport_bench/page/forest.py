"""The forest plot: paired differences of every candidate, in units of each metric's margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapport_bench.judging.compare import Comparison, MetricComparison
from rapport_bench.page.pictures import (
    BAND,
    BLUE,
    GREEN,
    INK,
    MUTED,
    VERMILION,
    Names,
    Picture,
    drawing,
    finish,
    head,
    new_figure,
    rows,
)
from rapport_bench.page.subject import Subject
from rapport_bench.results.metrics import BY_NAME, CONFIRMATORY
from rapport_bench.words import formatting
from rapport_bench.words.signs import VERDICTS, Tone

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOOKS: dict[Tone, tuple[str, str]] = {
    "better": (GREEN, "^"),
    "worse": (VERMILION, "v"),
    "same": (BLUE, "s"),
    "open": (MUTED, "o"),
}
"""Colour and marker, so that neither alone carries the verdict."""

_ROW, _PANEL = 0.24, 0.72


def forest(found: Subject) -> Picture | None:
    """Differences with 95 % intervals, better to the right; `None` without any."""
    panels = [
        (BY_NAME[name], shown)
        for name in CONFIRMATORY
        if (shown := [(c, i) for c in found.comparisons if (i := c.by_name(name)) and i.in_margins])
    ]
    if not panels:
        return None
    names = Names()
    heights = [_PANEL + _ROW * len(shown) for _, shown in panels]
    with drawing():
        figure, axes = new_figure(*heights)
        for axis, (metric, shown) in zip(axes, panels, strict=True):
            axis.axvspan(-1, 1, color=BAND, linewidth=0)
            axis.axvline(0, color=MUTED, linewidth=0.8)
            reach = 1.3
            for place, (_, item) in enumerate(shown):
                low, high = _draw(axis, place, item)
                reach = max(reach, abs(low), abs(high))
                axis.text(
                    1.02,
                    place,
                    _figures(item),
                    transform=axis.get_yaxis_transform(),
                    va="center",
                    fontsize=8,
                )
            axis.set_xlim(-1.08 * reach, 1.08 * reach)
            labels = [names(found.label(comparison.candidate)) for comparison, _ in shown]
            rows(axis, labels, above=0.6, below=0.6)
            unit = ": distance to gold band" if metric.gold else ""
            head(axis, f"{metric.label}{unit}, margin {metric.margin:g}")
        figure.supxlabel("← worse  ·  in margins  ·  better →", color=INK, fontsize=9)
        finish(figure)
    said = [_sentence(found, c, i) for _, shown in panels for c, i in shown]
    return Picture(
        "forest",
        "How far each candidate is from the baseline",
        "Paired differences with 95 % intervals, a panel a metric: " + "; ".join(said) + ".",
        figure,
        names.key,
    )


def _draw(axis: Axes, place: int, item: MetricComparison) -> tuple[float, float]:
    """One row; returns the ends of what it covers."""
    turned = item.in_margins
    assert turned is not None
    value, ci = 0.0 - turned[0], turned[1]
    colour, marker = _LOOKS[VERDICTS[item.verdict].tone if item.verdict else "open"]
    low, high = (0.0 - ci[1], 0.0 - ci[0]) if ci else (value, value)
    axis.plot([low, high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
    axis.plot([value], [place], marker=marker, color=colour, markersize=6, linestyle="none")
    return low, high


def _figures(item: MetricComparison) -> str:
    difference = item.difference
    assert difference is not None
    if difference.exactly_equal:
        return "equal"
    ends = formatting.interval(difference.ci).replace("-", "−")
    silent = ", coverage" if item.verdict == "regressed (coverage)" else ""
    return f"{formatting.signed(difference.value)} {ends}{silent}"


def _sentence(found: Subject, comparison: Comparison, item: MetricComparison) -> str:
    name = found.label(comparison.candidate)
    return f"{name}, {item.metric.label}: {_figures(item)}, {item.verdict or 'no verdict'}"
