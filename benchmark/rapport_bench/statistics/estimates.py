"""The figure of one arm with its 95 % interval.

Every corpus figure is a *ratio of sums* over dialogues, ``R = sum(y) / sum(x)``, never a mean of
per-dialogue ratios. Its uncertainty is the spread *between* dialogues: the turns of one dialogue
are no independent evidence.

What cannot be computed is ``None`` with a reason, never 0 or NaN. Bad input is a `ValueError`
(`rapport_bench.statistics.clusters.checked_sums` says which). Paired differences are in `paired`, distances
to the gold band in `bands`, rate ratios of markers in `rates`, verdicts in `verdicts`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rapport_bench.statistics.clusters import (
    Interval,
    checked_sums,
    cluster_se,
    is_constant,
    linearise,
    t_interval,
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of one arm with its 95 % interval."""

    value: float | None
    se: float | None = None
    """Cluster standard error in the units of ``value``; ``None`` if the interval needs none."""
    ci: Interval | None = None
    clusters: int = 0
    """Dialogues that contribute: denominator above 0."""
    reason: str | None = None
    """Why a field is ``None``, or which exact method stood in."""


def ratio_of_sums(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Estimate:
    """Ratio of two sums over dialogues, with a linearised cluster standard error.

    ``R = sum(y) / sum(x)``; ``e_i = (y_i - R x_i) / sum(x)``; ``se**2 = n / (n-1) sum(e_i**2)``;
    interval ``R ± t(.975, n - 1) se`` with n = dialogues of ``x > 0``. In the units of y per unit
    of x, unbounded: for shares in [0, 1] use `share`.

    Undefined: the value without any ``x > 0``; se and interval with one dialogue; the interval
    when all dialogues have the same ratio (se is then 0, which says nothing about the next one).

    Source: Cochran (1977), Sampling Techniques, 3rd ed., 6.3-6.4; for clusters, Binder (1983),
    Int. Stat. Rev. 51, 279-292.

    Example:
        >>> estimate = ratio_of_sums([2, 1, 3], [4, 4, 4])
        >>> estimate.value, round(estimate.se, 4)  # the sd of .5, .25, .75 is .25; / sqrt(3)
        (0.5, 0.1443)
        >>> [round(bound, 3) for bound in estimate.ci]  # ± 4.303 * .1443
        [-0.121, 1.121]
    """
    columns = checked_sums(numerator, denominator)
    clusters = len(columns)
    if clusters == 0:
        return Estimate(None, reason="no dialogue has a denominator above 0")
    value, influence, noise = linearise(columns[:, 0], columns[:, 1])
    if clusters == 1:
        return Estimate(value, clusters=1, reason="one dialogue: no spread between dialogues")
    if is_constant(influence, noise):
        return Estimate(
            value, 0.0, clusters=clusters, reason="every dialogue has the same ratio: no spread"
        )
    se = cluster_se(influence)
    return Estimate(value, se, t_interval(value, se, df=clusters - 1, level=0.95), clusters)


def share(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Estimate:
    """Share in [0, 1]: a ratio of sums whose interval cannot leave [0, 1].

    The t interval is taken on the logit scale, ``logit R ± t(.975, n - 1) se / (R (1 - R))``, and
    mapped back; ``se``, as in `ratio_of_sums`, stays on the scale of the share. At a share of 0 or
    1 no spread can be seen: the interval is Clopper-Pearson with n = dialogues of ``x > 0``, as if
    each were a single trial (the worst case, full dependence within dialogues), and ``se`` is
    ``None``. Undefined otherwise as in `ratio_of_sums`.

    Raises:
        ValueError: also when a numerator lies outside 0 to its denominator.

    Source: Korn & Graubard (1998), Survey Methodology 24, 193-201 (logit interval); Clopper &
    Pearson (1934), Biometrika 26, 404-413.

    Example:
        >>> [round(bound, 3) for bound in share([2, 1, 3], [4, 4, 4]).ci]
        [0.077, 0.923]
        >>> [round(bound, 3) for bound in share([0] * 20, [3] * 20).ci]  # 1 - .025 ** (1 / 20)
        [0.0, 0.168]
    """
    columns = checked_sums(numerator, denominator)
    hits, trials = columns[:, 0], columns[:, 1]
    if (hits < 0).any() or (hits > trials).any():
        raise ValueError("a share needs 0 <= numerator <= denominator in every dialogue")
    estimate = ratio_of_sums(hits, trials)
    value, clusters = estimate.value, estimate.clusters
    if value is None:
        return estimate
    if not hits.any() or np.array_equal(hits, trials):
        reach = 1 - 0.025 ** (1 / clusters)
        ci = (1 - reach, 1.0) if hits.any() else (0.0, reach)
        reason = f"no spread at a share of {value:g}: Clopper-Pearson interval"
        return Estimate(value, ci=ci, clusters=clusters, reason=reason)
    if estimate.se is None or estimate.ci is None:
        return estimate
    logit_se = estimate.se / (value * (1 - value))
    low, high = t_interval(math.log(value / (1 - value)), logit_se, df=clusters - 1, level=0.95)
    return Estimate(value, estimate.se, (_expit(low), _expit(high)), clusters)


def _expit(x: float) -> float:
    return 0.5 * (1 + math.tanh(x / 2))
