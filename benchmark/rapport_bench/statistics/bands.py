"""Distance to the gold band: for figures whose best value is the human one, not the lowest.

The band is the gold replies' own rate in the same dialogues, give or take a half-width. Distance
is 0 inside and the gap to the nearer edge outside; smaller is better. It has a kink at each edge,
where the delta method fails, so its uncertainty is a cluster bootstrap. The gold rate is an
estimate and is recomputed in each draw; the half-width is a tolerance, set once.

``scale`` puts rates in other units (10: per 10 opportunities); floors, bands, distances are in
these units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

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

Sums = tuple[npt.ArrayLike, npt.ArrayLike]
"""Numerator and denominator, one entry a dialogue."""

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


class BandArms:
    """Any number of arms before one band, on one set of bootstrap draws.

    Arms and gold are resampled together, so any two arms are paired and a pair costs a subtraction:
    a leaderboard needs pairs by the hundred.

    Args:
        arms: (numerator, denominator) per dialogue of every arm.
        gold: Those of the gold replies.
        floor: Smallest half-width of the band.
        scale: Factor on rates.
        rng: The only source of randomness; used when the first interval is asked for.
        draws: Number of resamples.
    """

    def __init__(
        self,
        arms: Sequence[Sums],
        gold: Sums,
        *,
        floor: float,
        scale: float = 1.0,
        rng: np.random.Generator,
        draws: int = DRAWS,
    ) -> None:
        self.band = gold_band(*gold, floor=floor, scale=scale)
        self._columns = checked_sums(*(side for pair in (*arms, gold) for side in pair))
        self._scale, self._rng, self._draws = scale, rng, draws

    @cached_property
    def _distances(self) -> Floats:
        """(arms,) distances on the dialogues themselves, NaN where undefined."""
        return self._distances_of(self._columns.sum(axis=0))

    @cached_property
    def _sampled(self) -> Floats:
        """(draws, arms), NaN where a draw has a denominator of 0; gold's leaves none defined."""
        return self._distances_of(bootstrap_sums(self._columns, draws=self._draws, rng=self._rng))

    def _distances_of(self, sums: Floats) -> Floats:
        """(..., 2 * (arms + gold)) sums to (..., arms); gold's are the last two columns."""
        half_width = np.nan if self.band is None else self.band.half_width
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = self._scale * sums[..., 0::2] / sums[..., 1::2]
        return np.maximum(np.abs(rates[..., :-1] - rates[..., -1:]) - half_width, 0.0)

    def distance(self, arm: int) -> float | None:
        """An arm's distance; `None` without a band or a denominator above 0."""
        value = float(self._distances[arm])
        return None if np.isnan(value) else value

    def estimate(self, arm: int) -> Estimate:
        """An arm's distance with a 95 % percentile interval.

        Undefined: the value as `distance`; se and interval with fewer than `MIN_CLUSTERS` dialogues
        or when over 5 % of the draws lack a denominator.
        """
        clusters = int(np.count_nonzero(self._columns[:, 2 * arm + 1]))
        value = self.distance(arm)
        if value is None:
            reason = _NO_BAND if self.band is None else "no dialogue has a denominator above 0"
            return Estimate(None, clusters=clusters, reason=reason)
        if clusters < MIN_CLUSTERS:
            return Estimate(value, clusters=clusters, reason=_TOO_FEW)
        sampled = defined_draws(self._sampled[:, arm])
        if sampled is None:
            return Estimate(value, clusters=clusters, reason=_SPARSE)
        se, ci = float(sampled.std(ddof=1)), percentile_interval(sampled, level=0.95)
        return Estimate(value, se, ci, clusters)

    def difference(self, candidate: int, baseline: int) -> Difference:
        """Candidate's distance minus the baseline's; positive = candidate is further off.

        Percentile intervals, p-value by `tail_p_value`. ``se`` is the draws' standard deviation.
        ``mde`` follows from it and holds only while the arms stay on their side of the band's edges.

        Undefined: everything without a band or with an arm without a denominator above 0; all but the
        value as in `estimate`; ``mde`` when no draw differs.
        """
        ours, theirs = (self._columns[:, 2 * arm : 2 * arm + 2] for arm in (candidate, baseline))
        clusters = int(np.count_nonzero(ours[:, 1] + theirs[:, 1]))
        if self.band is None:
            return Difference(None, clusters=clusters, reason=_NO_BAND)
        distances = self.distance(candidate), self.distance(baseline)
        if distances[0] is None or distances[1] is None:
            arm = "candidate" if distances[0] is None else "baseline"
            reason = f"no dialogue has a denominator above 0 in the {arm}"
            return Difference(None, clusters=clusters, reason=reason)
        if np.array_equal(ours, theirs):
            return exactly_equal_difference(clusters)
        value = distances[0] - distances[1]
        if clusters < MIN_CLUSTERS:
            return Difference(value, clusters=clusters, reason=_TOO_FEW)
        sampled = defined_draws(self._sampled[:, [candidate, baseline]])
        if sampled is None:
            return Difference(value, clusters=clusters, reason=_SPARSE)
        if value == 0 and not sampled.any():
            inside = "both arms lie inside the band in every draw"
            return replace(exactly_equal_difference(clusters), exactly_equal=False, reason=inside)
        differences = sampled[:, 0] - sampled[:, 1]
        se, noise = float(differences.std(ddof=1)), ROUNDING * self._scale
        if se <= noise:
            return difference_without_variance(value, clusters=clusters, noise=noise)
        return Difference(
            value=value,
            se=se,
            ci=percentile_interval(differences, level=0.95),
            ci90=percentile_interval(differences, level=0.9),
            p_value=tail_p_value(differences),
            mde=minimum_detectable_effect(se, df=clusters - 1),
            clusters=clusters,
        )
