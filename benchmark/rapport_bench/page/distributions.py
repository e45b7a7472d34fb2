"""Paired differences dialogue by dialogue: what stands behind a difference of the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapport_bench.judging.compare import Comparison
from rapport_bench.page.pictures import (
    INK,
    MARKERS,
    MUTED,
    SERIES,
    Names,
    Picture,
    drawing,
    finish,
    head,
    new_figure,
    rows,
)
from rapport_bench.page.subject import Subject
from rapport_bench.results.columns import sums
from rapport_bench.results.metrics import BY_NAME, CONFIRMATORY, Metric
from rapport_bench.results.result import Result
from rapport_bench.words import formatting

MOST_DRAWN = 6
"""Candidates that are drawn: as many as there are colours."""

_ROW, _PANEL = 0.42, 0.72


@dataclass(frozen=True, slots=True)
class Spread:
    """One candidate's differences on one metric.

    Attributes:
        metric: Which.
        candidate: Whose.
        differences: One a dialogue that both arms give a value; candidate - baseline.
    """

    metric: Metric
    candidate: Result
    differences: NDArray[np.float64]

    @property
    def below(self) -> int:
        """How many dialogues fell."""
        return int((self.differences < 0).sum())

    @property
    def above(self) -> int:
        """How many dialogues rose."""
        return int((self.differences > 0).sum())

    @property
    def median(self) -> float | None:
        """The middle difference."""
        return float(np.median(self.differences)) if len(self.differences) else None


def per_dialogue(result: Result, metric: Metric) -> NDArray[np.float64]:
    """The metric in every dialogue, NaN where it is undefined there."""
    above, below = sums(result.columns, metric)
    with np.errstate(invalid="ignore", divide="ignore"):
        values: NDArray[np.float64] = np.where(below == 0, np.nan, metric.scale * above / below)
    return values


def spreads(found: Subject) -> list[Spread]:
    """Metric by metric, candidate by candidate; where a metric is compared at all."""
    return [
        Spread(BY_NAME[name], comparison.candidate, _differences(comparison, BY_NAME[name]))
        for name in CONFIRMATORY
        for comparison in found.comparisons
        if (item := comparison.by_name(name)) and item.difference is not None
    ]


def _differences(comparison: Comparison, metric: Metric) -> NDArray[np.float64]:
    values = per_dialogue(comparison.candidate, metric) - per_dialogue(comparison.baseline, metric)
    kept: NDArray[np.float64] = values[np.isfinite(values)]
    return kept


def distributions(found: Subject) -> Picture | None:
    """A dot a dialogue, a row a candidate, a panel a metric; `None` without any."""
    drawn = [candidate.result_id for candidate in found.candidates[:MOST_DRAWN]]
    shown = [s for s in spreads(found) if s.candidate.result_id in drawn and len(s.differences)]
    metrics = list(dict.fromkeys(spread.metric.name for spread in shown))
    if not metrics:
        return None
    names = Names()
    panels = [[spread for spread in shown if spread.metric.name == name] for name in metrics]
    heights = [_PANEL + _ROW * len(panel) for panel in panels]
    with drawing():
        figure, axes = new_figure(*heights)
        for axis, panel in zip(axes, panels, strict=True):
            axis.axvline(0, color=MUTED, linewidth=0.8)
            for place, spread in enumerate(panel):
                look = drawn.index(spread.candidate.result_id)
                axis.plot(
                    spread.differences,
                    place + _scattered(len(spread.differences)),
                    marker=MARKERS[look],
                    color=SERIES[look],
                    markersize=3,
                    markeredgewidth=0,
                    alpha=0.6,
                    linestyle="none",
                )
                axis.plot(
                    [spread.median or 0.0] * 2, [place - 0.4, place + 0.4], color=INK, linewidth=1.6
                )
            labels = [names(found.label(spread.candidate)) for spread in panel]
            rows(axis, labels, above=0.5, below=0.5)
            head(axis, _title(panel[0].metric))
        figure.supxlabel(
            "candidate − baseline, a dot a dialogue; the bar is the median", fontsize=9
        )
        finish(figure)
    said = "; ".join(
        f"{found.label(s.candidate)}, {s.metric.label}: {s.below} dialogues lower, {s.above} higher, "
        f"median {formatting.signed(s.median)}"
        for s in shown
    )
    return Picture(
        "distributions",
        "The same differences, dialogue by dialogue",
        f"Strips of dots, one a dialogue. {said}.",
        figure,
        names.key,
    )


def _title(metric: Metric) -> str:
    better = {"lower": " (left is better)", "higher": " (right is better)"}
    return metric.label + better.get(metric.direction, " (neither side is better by itself)")


def _scattered(count: int) -> NDArray[np.float64]:
    """Heights in ± .3 that keep neighbours apart: the golden ratio's multiples, no chance."""
    golden = (np.sqrt(5) - 1) / 2
    heights: NDArray[np.float64] = 0.6 * ((np.arange(count) * golden) % 1) - 0.3
    return heights
