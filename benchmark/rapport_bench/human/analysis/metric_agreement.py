"""Whether an automatic metric ranks replies as people do: Spearman correlations with their ratings.

Per dialogue, in two ways that must not be confused: *within an arm* (on which dialogues is it good?) and
*between two arms* (on which dialogues is one better than the other? what a comparison rests on); and over
the arms' means, where two or three arms say next to nothing. People rated one turn of a dialogue, a
metric's columns are of the whole dialogue: a correlation of 1 is out of reach, and a low one is no proof
against the metric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from rapport_bench.human.analysis.agreement import resampled
from rapport_bench.human.analysis.contrast import DECIMALS
from rapport_bench.results.columns import has, sums
from rapport_bench.results.metrics import METRICS, Metric
from rapport_bench.results.result import Result
from rapport_bench.statistics.bootstrap import multinomial_weights
from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.figure import Figure

MIN_DIALOGUES = 10
"""Dialogues with both a metric and a rating, under which nothing is said."""
MIN_ARMS = 3
"""With two arms any metric correlates perfectly with anything."""
DRAWS = 1000


@dataclass(frozen=True, slots=True)
class MetricAgreement:
    """One metric beside one scale.

    Attributes:
        metric: Its name.
        scale: Its name.
        within: Mean over arms of the correlation over dialogues within the arm.
        between: Correlation over dialogues of the difference between two arms, mean over pairs.
        arms: Correlation over the arms' values.
    """

    metric: str
    scale: str
    within: Figure
    between: Figure
    arms: Figure


def metric_agreement(
    means: Mapping[str, Floats], results: Sequence[Result], dialogues: Sequence[str]
) -> list[MetricAgreement]:
    """Correlate every metric that all arms have with every scale.

    Intervals are percentiles of 1,000 draws of dialogues, one set for the whole table. A metric
    that is undefined for a dialogue (no advice and no empathy in it) leaves that dialogue out; an
    arm in which it does not vary, as a bot's replies do in some respects, leaves the mean over arms.

    Args:
        means: Scale -> (arms, items) means over raters, NaN where nobody rated.
        results: Of the arms, in that order; of one suite.
        dialogues: Of the items. Items of one dialogue are averaged.
    """
    names = sorted(set(dialogues))
    of_item = np.array([names.index(name) for name in dialogues])
    rated = {scale: _by_dialogue(cells, of_item, len(names)) for scale, cells in means.items()}
    weights = multinomial_weights(len(names), draws=DRAWS)
    ratings = {scale: [_Ranked(row, weights) for row in rows] for scale, rows in rated.items()}
    found = []
    for metric in METRICS:
        if all(has(result.columns, metric) for result in results):
            sums = [_sums(metric, result, names) for result in results]
            for scale, rows in rated.items():
                found.append(_one(metric, scale, sums, rows, ratings[scale], weights))
    return [
        agreement
        for agreement in found
        if any(f.value is not None for f in (agreement.within, agreement.between, agreement.arms))
    ]


def _by_dialogue(cells: Floats, of_item: Any, dialogues: int) -> Floats:
    """(arms, dialogues) means of the items of each dialogue."""
    there = ~np.isnan(cells)
    found = np.full((len(cells), dialogues), np.nan)
    for arm, (row, known) in enumerate(zip(cells, there, strict=True)):
        counts = np.bincount(of_item[known], minlength=dialogues)
        sums = np.bincount(of_item[known], row[known], minlength=dialogues)
        found[arm, counts > 0] = sums[counts > 0] / counts[counts > 0]
    return found


def _sums(metric: Metric, result: Result, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Numerator and denominator of the dialogues that were rated."""
    place = {identity: at for at, identity in enumerate(result.dialogue_ids)}
    rows = [place[name] for name in names]
    above, below = sums(result.columns, metric)
    return above[rows] * metric.scale, below[rows]


class _Ranked:
    """Ranks of one value a dialogue in every draw, centred; computed once and used often."""

    def __init__(self, values: Floats, weights: Floats) -> None:
        # Once and here: a difference of rounded values would not tie with its equals.
        self.values = np.round(values, DECIMALS)
        self._weights = weights
        self._whole: Floats | None = None

    def ranks(self, kept: Any) -> Floats:
        """(draws, kept) mid-ranks among the kept dialogues, each counted as often as drawn."""
        if not kept.all():
            return _centred_ranks(self.values[kept], self._weights[:, kept])
        if self._whole is None:
            self._whole = _centred_ranks(self.values, self._weights)
        return self._whole


def _centred_ranks(values: Floats, weights: Floats) -> Floats:
    below = (values < values[:, None]) + 0.5 * (values == values[:, None])
    centred: Floats = weights @ below.T - weights.sum(axis=1, keepdims=True) / 2
    return centred


def _spearman(one: _Ranked, other: _Ranked, weights: Floats) -> Floats:
    """Correlation in every draw; NaN where one side does not vary."""
    kept = ~np.isnan(one.values) & ~np.isnan(other.values)
    if kept.sum() < MIN_DIALOGUES:
        return np.full(len(weights), np.nan)
    left, right, weight = one.ranks(kept), other.ranks(kept), weights[:, kept]
    product = (weight * left * right).sum(axis=1)
    sizes = (weight * left * left).sum(axis=1) * (weight * right * right).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(sizes > 1e-9, product / np.sqrt(sizes), np.nan)
    return found


def _one(
    metric: Metric,
    scale: str,
    sums: Sequence[tuple[Floats, Floats]],
    rated: Floats,
    ratings: Sequence[_Ranked],
    weights: Floats,
) -> MetricAgreement:
    with np.errstate(invalid="ignore", divide="ignore"):
        values = [np.where(below > 0, above / below, np.nan) for above, below in sums]
    arms = range(len(sums))
    metrics = [_Ranked(row, weights) for row in values]
    within = _over_defined([_spearman(metrics[a], ratings[a], weights) for a in arms])
    gaps = [
        _spearman(
            _Ranked(values[b] - values[a], weights),
            _Ranked(rated[b] - rated[a], weights),
            weights,
        )
        for a, b in combinations(arms, 2)
    ]
    dialogues = weights.shape[1]
    return MetricAgreement(
        metric.name,
        scale,
        resampled(within, dialogues, "too few dialogues, or no variation in an arm"),
        resampled(
            _over_defined(gaps), dialogues, "too few dialogues, or no variation between arms"
        ),
        _over_arms(sums, rated, weights),
    )


def _over_defined(of_each: Sequence[Floats]) -> Floats:
    """The mean over those that are defined on the data themselves, the first entry."""
    defined = [draws for draws in of_each if not np.isnan(draws[0])]
    return np.mean(defined, axis=0) if defined else of_each[0]


def _over_arms(sums: Sequence[tuple[Floats, Floats]], rated: Floats, weights: Floats) -> Figure:
    if len(sums) < MIN_ARMS:
        return Figure(None, None, len(sums), f"fewer than {MIN_ARMS} arms")
    there = ~np.isnan(rated)
    filled = np.where(there, rated, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.stack([(weights @ above) / (weights @ below) for above, below in sums])
        means = np.stack(
            [(weights @ row) / (weights @ known) for row, known in zip(filled, there, strict=True)]
        )
    found = np.full(len(weights), np.nan)
    for draw in range(len(weights)):
        columns = np.round(values[:, draw], DECIMALS), np.round(means[:, draw], DECIMALS)
        if np.isfinite(columns).all() and all(np.ptp(column) > 0 for column in columns):
            ones = np.ones((1, len(sums)))
            left, right = (_centred_ranks(column, ones)[0] for column in columns)
            found[draw] = left @ right / np.sqrt((left @ left) * (right @ right))
    return resampled(found, len(sums), "an arm without a value, or all arms alike")
