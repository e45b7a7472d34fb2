"""Distances of many arms to one gold band, from one set of bootstrap draws.

`bands.paired_band_difference` draws anew for every pair; a leaderboard needs pairs by the hundred.
Here all arms and gold are resampled together once, so any two arms are paired and a pair costs a
subtraction. Figures agree with `bands` up to the draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rapport_bench.statistics.bands import (
    GoldBand,
    band_distance,
    difference_of_draws,
    gold_band,
    sampled_distances,
)
from rapport_bench.statistics.bootstrap import (
    DRAWS,
    MIN_CLUSTERS,
    defined_draws,
    percentile_interval,
)
from rapport_bench.statistics.clusters import Floats, Interval, checked_sums
from rapport_bench.statistics.paired import Difference, exactly_equal_difference


@dataclass(frozen=True, slots=True)
class BandArms:
    """Arms before one band.

    Attributes:
        band: Where gold lies; `None` if the gold replies give no band.
        columns: (dialogues, 2 x arms + 2) numerators and denominators, gold's last.
        sampled: (draws, arms) distances, NaN where a draw has no denominator; no draws with fewer
            than `MIN_CLUSTERS` dialogues or without a band.
        scale: Factor on rates.
    """

    band: GoldBand | None
    columns: Floats
    sampled: Floats
    scale: float

    def distance(self, arm: int) -> float | None:
        """An arm's distance; `None` without a band or a denominator above 0."""
        above, below = self.columns[:, 2 * arm : 2 * arm + 2].sum(axis=0)
        if self.band is None or below == 0:
            return None
        return band_distance(self.scale * float(above / below), self.band)

    def interval(self, arm: int) -> Interval | None:
        """Its 95 % percentile interval; `None` where `bands.band_distance_estimate` has none."""
        drawn = defined_draws(self.sampled[:, [arm]])
        return None if drawn is None else percentile_interval(drawn[:, 0], level=0.95)

    def difference(self, candidate: int, baseline: int) -> Difference:
        """Candidate's distance minus the baseline's, as `bands.paired_band_difference`."""
        pair = self.columns[:, [*_pair(candidate), *_pair(baseline)]]
        clusters = int(np.count_nonzero(pair[:, 1] + pair[:, 3]))
        distances = self.distance(candidate), self.distance(baseline)
        if distances[0] is None or distances[1] is None:
            return Difference(None, clusters=clusters, reason="no distance in one of the arms")
        if np.array_equal(pair[:, :2], pair[:, 2:]):
            return exactly_equal_difference(clusters)
        value = distances[0] - distances[1]
        drawn = defined_draws(self.sampled[:, [candidate, baseline]])
        if drawn is None or clusters < MIN_CLUSTERS:
            return Difference(value, clusters=clusters, reason="too few dialogues for an interval")
        return difference_of_draws(value, drawn, clusters=clusters, scale=self.scale)


def _pair(arm: int) -> tuple[int, int]:
    return 2 * arm, 2 * arm + 1


def band_arms(
    arms: Sequence[tuple[Floats, Floats]],
    gold: tuple[Floats, Floats],
    *,
    floor: float,
    scale: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> BandArms:
    """Resample the (numerator, denominator) per dialogue of every arm, and of gold, together."""
    columns = checked_sums(*(side for pair in (*arms, gold) for side in pair))
    band = gold_band(*gold, floor=floor, scale=scale)
    if band is None or len(columns) < MIN_CLUSTERS:
        return BandArms(band, columns, np.empty((0, len(arms))), scale)
    sampled = sampled_distances(columns, band.half_width, scale, draws=draws, rng=rng)
    return BandArms(band, columns, sampled, scale)
