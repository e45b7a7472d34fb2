"""Distance to the gold band: for figures whose best value is the human one, not the lowest.

The band is the gold replies' own rate in the same dialogues, give or take a half-width. Distance
is 0 inside and the gap to the nearer edge outside; smaller is better. It has a kink at each edge,
where the delta method fails, so its uncertainty is a cluster bootstrap. The gold rate is an
estimate and is recomputed in each draw; the half-width is a tolerance, set once.

``scale`` puts rates in other units (10: per 10 opportunities); floors, bands, distances are in
these units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rapport_bench.statistics.bootstrap import (
    DRAWS,
    MIN_CLUSTERS,
    bootstrap_sums,
    defined_draws,
    percentile_interval,
    tail_p_value,
)
from rapport_bench.statistics.clusters import (
    ROUNDING,
    Floats,
    checked_sums,
    minimum_detectable_effect,
)
from rapport_bench.statistics.estimates import Estimate, share
from rapport_bench.statistics.paired import (
    Difference,
    difference_without_variance,
    exactly_equal_difference,
)

_NO_BAND = "the gold replies give no band"
_TOO_FEW = f"fewer than {MIN_CLUSTERS} dialogues: no bootstrap interval"
_SPARSE = "over 5 % of bootstrap draws have a denominator of 0"


@dataclass(frozen=True, slots=True)
class GoldBand:
    """Where the gold replies lie: ``rate ± half_width``."""

    low: float
    """May lie below what a share can be; an arm cannot be there, and the distance stays right."""
    high: float
    rate: float
    half_width: float


def gold_band(
    gold_num: npt.ArrayLike, gold_den: npt.ArrayLike, *, floor: float, scale: float = 1.0
) -> GoldBand | None:
    """The band of the gold replies: their share ± ``max(floor, half of its 95 % interval)``.

    The interval is that of `stats.share`; without spread between dialogues its width counts as 0.
    Undefined (``None``) when fewer than two dialogues have a gold denominator above 0.

    Example:
        >>> band = gold_band([3, 1, 2, 2] * 25, [4, 4, 4, 4] * 25, floor=0.05)
        >>> round(band.low, 3), band.rate, round(band.high, 3)  # the floor: the interval is ± .035
        (0.45, 0.5, 0.55)
    """
    gold = share(gold_num, gold_den)
    if gold.value is None or gold.clusters < 2:
        return None
    low, high = gold.ci or (gold.value, gold.value)
    half_width = max(floor, scale * (high - low) / 2)
    rate = scale * gold.value
    return GoldBand(rate - half_width, rate + half_width, rate, half_width)


def band_distance(rate: float, band: GoldBand) -> float:
    """How far a rate lies outside the band: 0 inside, else the gap to the nearer edge.

    Example:
        >>> band = GoldBand(low=0.3, high=0.5, rate=0.4, half_width=0.1)
        >>> band_distance(0.45, band), round(band_distance(0.1, band), 9)
        (0.0, 0.2)
    """
    return max(band.low - rate, rate - band.high, 0.0)


def band_distance_estimate(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    gold_num: npt.ArrayLike,
    gold_den: npt.ArrayLike,
    *,
    floor: float,
    scale: float = 1.0,
    draws: int = DRAWS,
    rng: np.random.Generator,
) -> Estimate:
    """One arm's distance to the band, with a 95 % percentile interval.

    Undefined: the value without a band or a denominator above 0; se and interval with fewer than
    `MIN_CLUSTERS` dialogues or when over 5 % of the draws lack a denominator.
    """
    columns = checked_sums(numerator, denominator, gold_num, gold_den)
    band = gold_band(gold_num, gold_den, floor=floor, scale=scale)
    clusters = int(np.count_nonzero(columns[:, 1]))
    if band is None:
        return Estimate(None, clusters=clusters, reason=_NO_BAND)
    if clusters == 0:
        return Estimate(None, reason="no dialogue has a denominator above 0")
    value = float(_distances(columns.sum(axis=0), band.half_width, scale)[0])
    if clusters < MIN_CLUSTERS:
        return Estimate(value, clusters=clusters, reason=_TOO_FEW)
    sampled = defined_draws(
        sampled_distances(columns, band.half_width, scale, draws=draws, rng=rng)
    )
    if sampled is None:
        return Estimate(value, clusters=clusters, reason=_SPARSE)
    se, ci = float(sampled[:, 0].std(ddof=1)), percentile_interval(sampled[:, 0], level=0.95)
    return Estimate(value, se, ci, clusters)


def paired_band_difference(
    candidate_num: npt.ArrayLike,
    candidate_den: npt.ArrayLike,
    baseline_num: npt.ArrayLike,
    baseline_den: npt.ArrayLike,
    gold_num: npt.ArrayLike,
    gold_den: npt.ArrayLike,
    *,
    floor: float,
    scale: float = 1.0,
    draws: int = DRAWS,
    alpha: float = 0.05,
    rng: np.random.Generator,
) -> Difference:
    """Candidate's distance to the band minus the baseline's; positive = candidate is further off.

    Cluster bootstrap with both arms and gold resampled together: percentile intervals, p-value by
    `tail_p_value`. ``se`` is the draws' standard deviation. ``mde`` follows from it and holds only
    while the arms stay on their side of the band's edges.

    Undefined: everything without a band or with an arm without a denominator above 0; all but the
    value as in `band_distance_estimate`; ``mde`` when no draw differs.
    """
    columns = checked_sums(
        candidate_num, candidate_den, baseline_num, baseline_den, gold_num, gold_den
    )
    band = gold_band(gold_num, gold_den, floor=floor, scale=scale)
    clusters = int(np.count_nonzero(columns[:, 1] + columns[:, 3]))
    if band is None:
        return Difference(None, clusters=clusters, reason=_NO_BAND)
    for arm, denominators in (("candidate", columns[:, 1]), ("baseline", columns[:, 3])):
        if not denominators.any():
            reason = f"no dialogue has a denominator above 0 in the {arm}"
            return Difference(None, clusters=clusters, reason=reason)
    if np.array_equal(columns[:, :2], columns[:, 2:4]):
        return exactly_equal_difference(clusters)
    candidate, baseline = _distances(columns.sum(axis=0), band.half_width, scale)
    value = float(candidate - baseline)
    if clusters < MIN_CLUSTERS:
        return Difference(value, clusters=clusters, reason=_TOO_FEW)
    sampled = defined_draws(
        sampled_distances(columns, band.half_width, scale, draws=draws, rng=rng)
    )
    if sampled is None:
        return Difference(value, clusters=clusters, reason=_SPARSE)
    return difference_of_draws(value, sampled, clusters=clusters, scale=scale, alpha=alpha)


def difference_of_draws(
    value: float, sampled: Floats, *, clusters: int, scale: float = 1.0, alpha: float = 0.05
) -> Difference:
    """The difference of two distances from their bootstrap draws, (draws, 2): candidate, baseline.

    `paired_band_difference` says how; `value` is the difference on the dialogues themselves.
    """
    if value == 0 and not sampled.any():
        inside = "both arms lie inside the band in every draw"
        return Difference(
            0.0, 0.0, (0.0, 0.0), (0.0, 0.0), p_value=1.0, clusters=clusters, reason=inside
        )
    differences = sampled[:, 0] - sampled[:, 1]
    se, noise = float(differences.std(ddof=1)), ROUNDING * scale
    if se <= noise:
        return difference_without_variance(value, clusters=clusters, noise=noise, alpha=alpha)
    return Difference(
        value=value,
        se=se,
        ci=percentile_interval(differences, level=1 - alpha),
        ci90=percentile_interval(differences, level=0.9),
        p_value=tail_p_value(differences),
        mde=minimum_detectable_effect(se, df=clusters - 1),
        clusters=clusters,
    )


def sampled_distances(
    columns: Floats, half_width: float, scale: float, *, draws: int, rng: np.random.Generator
) -> Floats:
    """(draws, arms) distances; NaN where a draw has a denominator of 0, gold's for any arm."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _distances(bootstrap_sums(columns, draws=draws, rng=rng), half_width, scale)


def _distances(sums: Floats, half_width: float, scale: float) -> Floats:
    """(..., 2 * (arms + gold)) sums to (..., arms) distances; gold's are the last two columns."""
    rates = scale * sums[..., 0::2] / sums[..., 1::2]
    gaps: Floats = np.abs(rates[..., :-1] - rates[..., -1:]) - half_width
    return np.maximum(gaps, 0.0)
