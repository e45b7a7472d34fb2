"""Which dialogues make a difference between two arms: shares of it that add up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapport_bench.judging.compare import MetricComparison
from rapport_bench.results.columns import gold_sums, scored_sums, sums
from rapport_bench.results.result import Result


def shares_of_difference(
    candidate_num: ArrayLike,
    candidate_den: ArrayLike,
    baseline_num: ArrayLike,
    baseline_den: ArrayLike,
) -> NDArray[np.float64]:
    """What each dialogue adds to the difference of two ratios of sums, ``R_c - R_b``.

    ``(y_ci - R_b x_ci) / sum(x_c) - (y_bi - R_b x_bi) / sum(x_b)``: how far the candidate's count y
    exceeds what the baseline's ratio ``R_b`` would give for its x, less the same for the baseline. The
    shares add up to the difference exactly; with equal x they are ``(y_ci - y_bi) / sum(x)``.

    Raises:
        ValueError: An arm has nothing to count, so there is no difference.

    Example:
        >>> shares_of_difference([3, 2, 4], [4, 4, 4], [2, 2, 2], [4, 4, 4]).round(4).tolist()
        [0.0833, 0.0, 0.1667]
    """
    y_c, x_c, y_b, x_b = (
        np.asarray(column, dtype=np.float64)
        for column in (candidate_num, candidate_den, baseline_num, baseline_den)
    )
    if not x_c.sum() or not x_b.sum():
        raise ValueError("no dialogue has a denominator above 0 in one of the arms")
    ratio = y_b.sum() / x_b.sum()
    shares: NDArray[np.float64] = (y_c - ratio * x_c) / x_c.sum() - (y_b - ratio * x_b) / x_b.sum()
    return shares


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one dialogue adds to a difference.

    Attributes:
        place: Of the dialogue in the suite, from 0.
        dialogue: Its id.
        share: Of the difference, in the metric's units (of coverage: a fraction), signed as the
            difference is: candidate - baseline.
    """

    place: int
    dialogue: str
    share: float


def worst_dialogues(
    item: MetricComparison, candidate: Result, baseline: Result, *, most: int = 3
) -> list[Contribution]:
    """The dialogues that speak most against a candidate, worst first.

    Args:
        item: Of a metric with a direction. For ``band``, bad is away from the gold replies' rate, on
            the side on which the candidate's rate lies; where coverage regressed, what was left
            unscored.
        candidate: Of the same suite as `baseline`.
        baseline: What it is set against.
        most: How many at most; none that does not make the candidate worse.
    """
    metric, coverage = item.metric, item.verdict == "regressed (coverage)"
    sums_of = scored_sums if coverage else sums
    columns = [*sums_of(candidate.columns, metric), *sums_of(baseline.columns, metric)]
    if not columns[1].sum() or not columns[3].sum():
        return []
    bad = -1.0 if coverage or metric.direction == "higher" else 1.0
    gold = gold_sums(baseline.columns, metric)
    if gold is not None and not coverage:
        below = columns[0].sum() * gold[1].sum() < gold[0].sum() * columns[1].sum()
        bad = -1.0 if below else 1.0
    shares = shares_of_difference(*columns) * (1.0 if coverage else metric.scale)
    order = np.argsort(-bad * shares, kind="stable")[:most].tolist()
    ids = baseline.dialogue_ids
    return [Contribution(i, ids[i], float(shares[i])) for i in order if bad * shares[i] > 0]
