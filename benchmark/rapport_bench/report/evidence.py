"""What stands behind a verdict: how far in margins, which dialogues, how many would decide."""

from __future__ import annotations

import math

import numpy as np

from rapport_bench.judging.compare import Comparison, MetricComparison
from rapport_bench.results.columns import total
from rapport_bench.results.metrics import Metric
from rapport_bench.statistics.verdicts import orient


def deciding_dialogues(item: MetricComparison) -> int | None:
    """Dialogues that bring the smallest detectable difference down to the margin."""
    difference, margin = item.difference, item.metric.margin
    if difference is None or difference.mde is None or not margin:
        return None
    return math.ceil(difference.clusters * (difference.mde / margin) ** 2)


def worst_dialogues(comparison: Comparison, metric: Metric, most: int = 3) -> list[int]:
    """Places of the dialogues that moved a metric's ratio most the way that it went.

    A dialogue's part is ``(a_i - R b_i) / sum b`` of the candidate less that of the baseline, R the
    baseline's ratio: the parts sum to the difference of the two ratios.
    """
    ours, theirs = (
        (total(r.columns, metric.numerator), total(r.columns, metric.denominator))
        for r in (comparison.candidate, comparison.baseline)
    )
    if not ours[1].any() or not theirs[1].any():
        return []
    ratio = theirs[0].sum() / theirs[1].sum()
    parts = [(above - ratio * below) / below.sum() for above, below in (ours, theirs)]
    moved = parts[0] - parts[1]
    moved = moved * np.sign(moved.sum())
    return [int(i) for i in np.argsort(-moved, kind="stable")[:most] if moved[i] > 0]


def silent_dialogues(comparison: Comparison, metric: Metric, most: int = 3) -> list[int]:
    """Places of the dialogues in which the candidate has fewest scored turns beside the baseline."""
    scored = [
        total(result.columns, (metric.count,)) - total(result.columns, (metric.scorable,))
        for result in (comparison.candidate, comparison.baseline)
    ]
    lost = scored[1] - scored[0]
    return [int(i) for i in np.argsort(-lost, kind="stable")[:most] if lost[i] > 0]


def worse(item: MetricComparison) -> tuple[float, tuple[float, float] | None] | None:
    """The difference in the bad direction, and its 95 % interval, in margins."""
    metric, difference = item.metric, item.difference
    if difference is None or difference.value is None or metric.direction == "none":
        return None
    turned = orient(difference, metric.direction)
    ci = turned.ci and (turned.ci[0] / metric.margin, turned.ci[1] / metric.margin)
    return (turned.value or 0.0) / metric.margin, ci
