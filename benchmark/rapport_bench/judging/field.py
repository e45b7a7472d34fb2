"""The arms of one suite side by side: figures of each, and paired differences of any two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rapport_bench.judging.compare import ratio_difference
from rapport_bench.results.columns import gold_sums, has, has_gold, sums
from rapport_bench.results.comparable import likeness
from rapport_bench.results.metrics import Metric
from rapport_bench.results.result import Result
from rapport_bench.statistics.bands import BandArms
from rapport_bench.statistics.bootstrap import SEED
from rapport_bench.statistics.paired import Difference


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one arm stands on one metric.

    Attributes:
        value: In the metric's units; `None` where undefined.
        ci: 95 % interval.
        distance: To the gold band, where the metric aims at one.
        distance_ci: 95 % interval of the distance.
    """

    value: float | None
    ci: tuple[float, float] | None = None
    distance: float | None = None
    distance_ci: tuple[float, float] | None = None

    def to_json(self, metric: Metric) -> dict[str, Any]:
        """As ``--json`` prints it; the distance where the metric has a band."""
        found: dict[str, Any] = {"value": self.value, "ci": self.ci}
        if metric.gold is not None:
            found |= {"distance": self.distance, "distance_ci": self.distance_ci}
        return found


class Field:
    """The arms of one suite, and what was computed for all of them at once."""

    def __init__(self, arms: Sequence[Result]) -> None:
        self.arms = arms
        self._bands: dict[str, tuple[dict[int, int], BandArms]] = {}

    def standing(self, arm: int, metric: Metric) -> Standing:
        """One metric of one arm, as saved, and its distance to the band."""
        found = self.arms[arm].metric(metric.name)
        ci = (found.ci[0], found.ci[1]) if found.ci else None
        if metric.gold is None or found.value is None or not self._has(arm, metric):
            return Standing(found.value, ci)
        places, band = self._band(metric)
        distance = band.estimate(places[arm])
        return Standing(found.value, ci, distance.value, distance.ci)

    def badness(self, arm: int, metric: Metric) -> float | None:
        """The metric turned so that less is better; a distance for a band."""
        if not self._has(arm, metric):
            return None
        if metric.gold is not None:
            places, band = self._band(metric)
            return band.distance(places[arm])
        value = self.arms[arm].metric(metric.name).value
        return -value if value is not None and metric.direction == "higher" else value

    def difference(self, metric: Metric, arm: int, other: int) -> Difference:
        """Paired by dialogue, in the metric's units. Both arms must have it."""
        if metric.gold is None:
            return ratio_difference(metric, self.arms[arm], self.arms[other])
        places, band = self._band(metric)
        return band.difference(places[arm], places[other])

    def alike(self, metric: Metric, arms: Sequence[int]) -> set[int]:
        """The most of the arms that can be compared on a metric with each other."""
        keys = {arm: likeness(metric, self.arms[arm]) for arm in arms}
        counts = Counter(keys.values())
        common = min(counts, key=lambda key: (-counts[key], key), default=None)
        return {arm for arm, key in keys.items() if key == common}

    def _has(self, arm: int, metric: Metric) -> bool:
        columns = self.arms[arm].columns
        return has(columns, metric) and has_gold(columns, metric)

    def _band(self, metric: Metric) -> tuple[dict[int, int], BandArms]:
        if metric.name not in self._bands:
            having = [arm for arm in range(len(self.arms)) if self._has(arm, metric)]
            gold = gold_sums(self.arms[having[0]].columns, metric)
            assert gold is not None
            self._bands[metric.name] = (
                {arm: place for place, arm in enumerate(having)},
                BandArms(
                    [sums(self.arms[arm].columns, metric) for arm in having],
                    gold,
                    floor=metric.floor,
                    scale=metric.scale,
                    rng=np.random.default_rng(SEED),
                ),
            )
        return self._bands[metric.name]
