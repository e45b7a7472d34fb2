"""Whether an automatic metric ranks replies as people do: Spearman correlations with their ratings.

Per dialogue, in two ways that must not be confused: *within an arm* (on which dialogues is it good?) and
*between two arms* (on which dialogues is one better than the other? what a comparison rests on); and over
the arms' means, where two or three arms say next to nothing. People rated one turn of a dialogue, a
metric's columns are of the whole dialogue: a correlation of 1 is out of reach, and a low one is no proof
against the metric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from rapport_bench.human.analysis.agreement import resampled
from rapport_bench.human.analysis.contrast import DECIMALS
from rapport_bench.results.columns import has, sums
from rapport_bench.results.human_sections import MetricOnScale, Quantity
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


def metric_agreement(
    means: Mapping[str, Floats], results: Sequence[Result], dialogues: Sequence[str]
) -> list[MetricOnScale]:
    """Correlate every metric that all arms have with every scale.

    Intervals are percentiles of 1,000 draws of dialogues, one set for the whole table. A metric
    that is undefined for a dialogue (no advice and no empathy in it) leaves that dialogue out; an
    arm in which it does not vary, as a bot's replies do in some respects, leaves the mean over arms.
    ``within`` is the mean over arms of the correlation within the arm, ``between`` the mean over pairs
    of that of differences, ``arms`` the correlation over the arms' values.

    Args:
        means: Scale -> (arms, items) means over raters, NaN where nobody rated.
        results: Of the arms, in that order; of one suite.
        dialogues: Of the items. Items of one dialogue are averaged.
    """
    names = sorted(set(dialogues))
    of_item = np.array([names.index(name) for name in dialogues])
    rated = {scale: _by_dialogue(cells, of_item, len(names)) for scale, cells in means.items()}
    weights = multinomial_weights(len(names), draws=DRAWS)
    found = []
    for metric in METRICS:
        if all(has(result.columns, metric) for result in results):
            sums = [_sums(metric, result, names) for result in results]
            for scale, rows in rated.items():
                found.append(_one(metric, scale, sums, rows, weights))
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


def _centred_ranks(values: Floats, weights: Floats) -> Floats:
    below = (values < values[:, None]) + 0.5 * (values == values[:, None])
    centred: Floats = weights @ below.T - weights.sum(axis=1, keepdims=True) / 2
    return centred


def _spearman(one: Floats, other: Floats, weights: Floats) -> Floats:
    """Correlation in every draw; NaN where one side does not vary."""
    kept = ~np.isnan(one) & ~np.isnan(other)
    if kept.sum() < MIN_DIALOGUES:
        return np.full(len(weights), np.nan)
    weight = weights[:, kept]
    # Rounded, so that what is equal but for its last bits ties.
    left, right = (_centred_ranks(np.round(x[kept], DECIMALS), weight) for x in (one, other))
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
    weights: Floats,
) -> MetricOnScale:
    with np.errstate(invalid="ignore", divide="ignore"):
        values = [np.where(below > 0, above / below, np.nan) for above, below in sums]
    arms = range(len(sums))
    within = _over_defined([_spearman(values[a], rated[a], weights) for a in arms])
    gaps = [
        _spearman(values[b] - values[a], rated[b] - rated[a], weights)
        for a, b in combinations(arms, 2)
    ]
    dialogues = weights.shape[1]
    few = "too few dialogues, or no variation"
    return MetricOnScale(
        metric=metric.name,
        scale=scale,
        within=Quantity.of(resampled(within, dialogues, f"{few} in an arm")),
        between=Quantity.of(resampled(_over_defined(gaps), dialogues, f"{few} between arms")),
        arms=Quantity.of(_over_arms(sums, rated, weights)),
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
