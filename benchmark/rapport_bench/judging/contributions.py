"""Which dialogues make a difference between two arms: shares of it that add up."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapport_bench.judging.compare import sums
from rapport_bench.results.columns import total
from rapport_bench.results.metrics import Metric
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


def worst_dialogues(
    candidate: Result, baseline: Result, metric: Metric, *, coverage: bool = False, most: int = 3
) -> list[tuple[str, float]]:
    """The dialogues that speak most against a candidate, by id, worst first.

    Args:
        candidate: Of the same suite as `baseline`.
        baseline: What it is set against.
        metric: With a direction. For ``band``, bad is away from the gold replies' rate, on the side
            on which the candidate's rate lies.
        coverage: Look at what was left unscored instead.
        most: How many at most; none that does not make the candidate worse.

    Returns:
        Id and share of the difference in the metric's units (of coverage: a fraction), signed as
        the difference is: candidate - baseline.
    """
    if coverage:
        columns = [
            total(arm.columns, (name,))
            for arm in (candidate, baseline)
            for name in (metric.count, metric.scorable)
        ]
        scale, bad = 1.0, -1.0
    else:
        columns = [*sums(metric, candidate), *sums(metric, baseline)]
        scale, bad = metric.scale, -1.0 if metric.direction == "higher" else 1.0
    if not columns[1].sum() or not columns[3].sum():
        return []
    if not coverage and metric.direction == "band" and metric.gold is not None:
        gold = [total(baseline.columns, names).sum() for names in metric.gold]
        below = columns[0].sum() * gold[1] < gold[0] * columns[1].sum()
        bad = -1.0 if below else 1.0
    shares = shares_of_difference(*columns) * scale
    order = np.argsort(-bad * shares, kind="stable")[:most]
    ids = baseline.dialogue_ids
    return [(ids[i], float(shares[i])) for i in order if bad * shares[i] > 0]
