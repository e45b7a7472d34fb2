"""The figures of one saved result: its metrics as saved, and how far from the gold band they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rapport_bench.results.columns import has, total
from rapport_bench.results.metrics import METRICS, Direction, Family, Metric
from rapport_bench.results.result import Result
from rapport_bench.results.sections import SavedMetric
from rapport_bench.statistics.bands import band_distance_estimate
from rapport_bench.statistics.estimates import Estimate

_SEED = 20_240_101
_DERIVED: tuple[tuple[str, str, str, Direction], ...] = (
    ("nll_per_token", "perplexity", "perplexity", "lower"),
    ("aer_share", "aer_ratio", "AER ratio", "none"),
)
"""(metric, what `records.summarise` derives from it, its label, which way is better)"""


@dataclass(frozen=True, slots=True)
class NamedFigure:
    """One metric of one result.

    Attributes:
        name: As in the result file.
        label: As in tables.
        direction: Which way is better.
        family: As `metrics.Metric.family`.
        source: The metric whose columns give it: itself, unless it is derived.
        saved: As in the result.
        distance: To the gold band, with its interval, where the metric aims at one.
    """

    name: str
    label: str
    direction: Direction
    family: Family
    source: str
    saved: SavedMetric
    distance: Estimate | None = None


def figures(result: Result) -> Iterator[NamedFigure]:
    """Every saved metric of a result, in the order of `METRICS`."""
    for metric in METRICS:
        if metric.name in result.metrics:
            yield NamedFigure(
                metric.name,
                metric.label,
                metric.direction,
                metric.family,
                metric.name,
                result.metrics[metric.name],
                _distance(result, metric),
            )
        for source, name, label, direction in _DERIVED:
            if source == metric.name and name in result.metrics:
                yield NamedFigure(name, label, direction, "companion", source, result.metrics[name])


def _distance(result: Result, metric: Metric) -> Estimate | None:
    """From the result alone, so that it is the same whatever other results there are."""
    names = [name for group in metric.gold or () for name in group]
    if metric.gold is None or not has(result.columns, metric) or not {*names} <= {*result.columns}:
        return None
    sides = (metric.numerator, metric.denominator, *metric.gold)
    return band_distance_estimate(
        *(total(result.columns, side) for side in sides),
        floor=metric.floor,
        scale=metric.scale,
        rng=np.random.default_rng(_SEED),
    )


def direction_sign(direction: Direction) -> str:
    """An arrow the way that is better."""
    return {"lower": " ↓", "higher": " ↑", "band": " → gold", "none": ""}[direction]
