"""One number from several metrics, for those who want one: how bad an arm is, counted in margins.

    composite = sum of weight x worse / margin, weights summing to 1

``worse`` is the distance to the gold band where a metric has one, the value where lower is better,
the value with its sign turned where higher is. Lower is better. Where the zero lies is arbitrary
unless every weighted metric has a band; differences are what counts: 1 is one margin on average.

Why margins: a metric's margin is the smallest change that matters, the one scale on which a nat
and a share weigh the same. Units taken from the arms at hand (ranks, z-scores) let a third arm
change the order of two; units taken from a baseline's standard error change with the number of
dialogues. So only metrics with a margin can be weighted.

An arm in which one weighted metric is undefined has no composite; nothing is filled in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rapport_bench.results.metrics import BY_NAME, METRICS, Direction, Metric
from rapport_bench.statistics.bands import difference_of_draws, gold_band
from rapport_bench.statistics.bootstrap import (
    DRAWS,
    MIN_CLUSTERS,
    bootstrap_sums,
    percentile_interval,
)
from rapport_bench.statistics.clusters import Floats, Interval, checked_sums
from rapport_bench.statistics.paired import Difference, exactly_equal_difference
from rapport_tasks.common.errors import BadInput, close_match

_BLOCK = 1000
"""Draws held at a time: 200 arms and four metrics are 1,604 columns."""
_MIN_DEFINED = 0.95

Sums = tuple[Floats, Floats]
"""Numerator and denominator of one metric, one entry a dialogue."""


@dataclass(frozen=True, slots=True)
class Composite:
    """Weights, and what a board needs to know of anything it sorts by.

    Attributes:
        weights: Metrics with their shares, above 0 and summing to 1, in the order of `METRICS`.
    """

    name: ClassVar[str] = "composite"
    label: ClassVar[str] = "composite"
    direction: ClassVar[Direction] = "lower"
    gold: ClassVar[None] = None

    weights: tuple[tuple[Metric, float], ...]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What it is made of."""
        return tuple(metric for metric, _ in self.weights)

    @property
    def same_tokenizer(self) -> bool:
        """Whether it is compared only between arms with one tokenizer and template."""
        return any(metric.same_tokenizer for metric in self.metrics)


def read_weights(text: str) -> Composite:
    """Read ``aer_share=2,continuity=1``; a weight of 0 leaves its metric out.

    Raises:
        BadInput: No weight at all, another form, an unknown metric, one without a better and a
            worse or without a margin, one named twice, a weight that is negative or no finite
            number, weights that sum to 0.

    Example:
        >>> [(m.name, w) for m, w in read_weights("continuity=1,aer_share=3").weights]
        [('aer_share', 0.75), ('continuity', 0.25)]
    """
    given: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise BadInput(
                f"--weights {text}: {part.strip()!r} is not of the form METRIC=WEIGHT",
                remedy="Like aer_share=1,continuity=1.",
            )
        _check_metric(name)
        if name in given:
            raise BadInput(f"--weights: {name} is given twice", remedy="Give it once.")
        given[name] = _weight(name, number)
    total = sum(given.values())
    if not 0 < total < math.inf:
        raise BadInput(f"--weights {text}: the weights sum to {total:g}", remedy="Like 1 and 1.")
    chosen = [metric for metric in METRICS if given.get(metric.name)]
    return Composite(tuple((metric, given[metric.name] / total) for metric in chosen))


def _check_metric(name: str) -> None:
    usable = [m.name for m in METRICS if m.direction != "none" and m.margin > 0]
    if name in usable:
        return
    problem = "is no metric"
    if name in BY_NAME:
        directed = BY_NAME[name].direction != "none"
        problem = "has no margin to count in" if directed else "says nothing about better or worse"
    raise BadInput(
        f"--weights: {name} {problem}",
        remedy=close_match(name, usable) + f"Choose from {', '.join(usable)}.",
    )


def _weight(name: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight) or weight < 0:
        raise BadInput(
            f"--weights: {name}={text}: a weight is a number of 0 or more",
            remedy="Like 1; direction is taken care of.",
        )
    return weight


@dataclass(frozen=True, slots=True)
class CompositeArms:
    """Arms on one composite, from one set of bootstrap draws, so that any two are paired.

    Attributes:
        columns: (dialogues, arms, 2 x metrics) numerators and denominators, by arm.
        values: (arms,), NaN where undefined.
        sampled: (draws, arms), NaN where a draw leaves a metric undefined; no draws with fewer
            than `MIN_CLUSTERS` dialogues.
    """

    columns: Floats
    values: Floats
    sampled: Floats

    def value(self, arm: int) -> float | None:
        """An arm's composite, in margins; `None` where a weighted metric is undefined."""
        found = float(self.values[arm])
        return None if math.isnan(found) else found

    def interval(self, arm: int) -> Interval | None:
        """Its 95 % percentile interval.

        `None` without a value, with fewer than `MIN_CLUSTERS` dialogues, or when over 5 % of the
        draws leave it undefined. With few dialogues it is a little too narrow, as percentile
        intervals of ratios are (`docs/simulations.md`).
        """
        drawn = self._drawn([arm])
        return None if drawn is None else percentile_interval(drawn[:, 0], level=0.95)

    def difference(self, candidate: int, baseline: int) -> Difference:
        """Candidate's composite minus the baseline's, paired: positive is worse, in margins."""
        pair = self.columns[:, [candidate, baseline]]
        clusters = int(np.count_nonzero(pair[:, :, 1::2].any(axis=(1, 2))))
        values = self.value(candidate), self.value(baseline)
        if values[0] is None or values[1] is None:
            return Difference(None, clusters=clusters, reason="no composite in one of the arms")
        if np.array_equal(pair[:, 0], pair[:, 1]):
            return exactly_equal_difference(clusters)
        value = values[0] - values[1]
        drawn = self._drawn([candidate, baseline])
        if drawn is None or clusters < MIN_CLUSTERS:
            return Difference(value, clusters=clusters, reason="too few dialogues for an interval")
        scale = max(1.0, abs(values[0]), abs(values[1]))
        return difference_of_draws(value, drawn, clusters=clusters, scale=scale)

    def _drawn(self, arms: list[int]) -> Floats | None:
        drawn = self.sampled[:, arms]
        defined = ~np.isnan(drawn).any(axis=1)
        if len(drawn) == 0 or defined.mean() < _MIN_DEFINED:
            return None
        kept: Floats = drawn[defined]
        return kept


def composite_arms(
    composite: Composite,
    arms: Sequence[Sequence[Sums]],
    gold: Sequence[Sums | None],
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> CompositeArms:
    """Resample all metrics of all arms, and the gold replies, together.

    Gold rates are recomputed in each draw, half-widths of bands are not (`rapport_bench.statistics.bands`).

    Args:
        composite: The weights.
        arms: For every arm (at least one) the sums of every weighted metric.
        gold: For every weighted metric those of the gold replies, where it has a band.
        rng: The only source of randomness.
        draws: Number of resamples.
    """
    halves: list[float] = []
    golds: list[Sums] = []
    for metric, sums in zip(composite.metrics, gold, strict=True):
        if sums is not None:
            band = gold_band(*sums, floor=metric.floor, scale=metric.scale)
            halves.append(math.nan if band is None else band.half_width)
            golds.append(sums)
    flat = [side for arm in arms for sums in arm for side in sums]
    columns = checked_sums(*flat, *(side for sums in golds for side in sums))
    values = _composites(columns.sum(axis=0)[np.newaxis], composite, halves)[0]
    shape = len(columns), len(arms), 2 * len(composite.weights)
    by_arm = columns[:, : len(flat)].reshape(shape)
    if len(columns) < MIN_CLUSTERS:
        return CompositeArms(by_arm, values, np.empty((0, len(arms))))
    blocks = [
        _composites(
            bootstrap_sums(columns, draws=min(_BLOCK, draws - start), rng=rng), composite, halves
        )
        for start in range(0, draws, _BLOCK)
    ]
    return CompositeArms(by_arm, values, np.concatenate(blocks))


def _composites(sums: Floats, composite: Composite, halves: Sequence[float]) -> Floats:
    """(draws, columns) sums to (draws, arms); the gold replies' are the last 2 x bands columns."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = sums[:, 0::2] / sums[:, 1::2]
    width, bands = len(composite.weights), list(halves)
    arms = rates[:, : rates.shape[1] - len(bands)].reshape(len(rates), -1, width)
    gold = list(rates[:, rates.shape[1] - len(bands) :].T)
    found: Floats = np.zeros(arms.shape[:2])
    for place, (metric, weight) in enumerate(composite.weights):
        worse = metric.scale * arms[:, :, place]
        if metric.direction == "higher":
            worse = -worse
        elif metric.direction == "band":
            target = metric.scale * gold.pop(0)[:, np.newaxis]
            worse = np.maximum(np.abs(worse - target) - bands.pop(0), 0.0)
        found += weight * worse / metric.margin
    return found
