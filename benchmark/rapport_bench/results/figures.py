"""The figures of one saved result: its metrics as saved, and how far from the gold band they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rapport_bench.results.columns import gold_sums, has, sums
from rapport_bench.results.metrics import METRICS, Direction, Family, Metric
from rapport_bench.results.result import Result
from rapport_bench.results.sections import SavedMetric
from rapport_bench.statistics.bands import BandArms
from rapport_bench.statistics.bootstrap import SEED
from rapport_bench.statistics.estimates import Estimate


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
        for derived in metric.derived:
            if derived.name in result.metrics:
                yield NamedFigure(
                    derived.name,
                    derived.label,
                    derived.direction,
                    "companion",
                    metric.name,
                    result.metrics[derived.name],
                )


def _distance(result: Result, metric: Metric) -> Estimate | None:
    """From the result alone, so that it is the same whatever other results there are."""
    gold = gold_sums(result.columns, metric)
    if gold is None or not has(result.columns, metric):
        return None
    rng = np.random.default_rng(SEED)
    arm = [sums(result.columns, metric)]
    return BandArms(arm, gold, floor=metric.floor, scale=metric.scale, rng=rng).estimate(0)
