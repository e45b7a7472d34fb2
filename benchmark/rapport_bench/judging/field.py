"""The arms of one suite side by side: figures of each, and paired differences of any two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapport_bench.judging.composite import Composite, CompositeArms, composite_arms
from rapport_bench.results.columns import has, total
from rapport_bench.results.metrics import Metric
from rapport_bench.results.result import Result
from rapport_bench.statistics.band_arms import BandArms, band_arms
from rapport_bench.statistics.paired import Difference, paired_ratio_difference

_SEED = 20_240_101

Measure = Metric | Composite
"""What a board can be sorted by."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one arm.

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


class Field:
    """The arms of one suite, and what was computed for all of them at once."""

    def __init__(self, arms: Sequence[Result]) -> None:
        self.arms = arms
        self._bands: dict[str, tuple[dict[int, int], BandArms]] = {}
        self._composites: dict[Composite, tuple[dict[int, int], CompositeArms | None]] = {}

    def figure(self, arm: int, metric: Measure) -> Figure:
        """One metric of one arm, as saved, and its distance to the band; or its composite."""
        if isinstance(metric, Composite):
            where, composites = self._composite(metric)
            if composites is None or arm not in where:
                return Figure(None)
            return Figure(composites.value(where[arm]), composites.interval(where[arm]))
        found = self.arms[arm].metric(metric.name)
        ci = (found.ci[0], found.ci[1]) if found.ci else None
        if metric.gold is None or found.value is None or not self._has(arm, metric):
            return Figure(found.value, ci)
        places, band = self._band(metric)
        return Figure(found.value, ci, band.distance(places[arm]), band.interval(places[arm]))

    def badness(self, arm: int, metric: Measure) -> float | None:
        """The metric turned so that less is better; a distance for a band."""
        if isinstance(metric, Composite):
            where, composites = self._composite(metric)
            return composites.value(where[arm]) if composites and arm in where else None
        if not self._has(arm, metric):
            return None
        if metric.gold is not None:
            places, band = self._band(metric)
            return band.distance(places[arm])
        value = self.arms[arm].metric(metric.name).value
        return -value if value is not None and metric.direction == "higher" else value

    def difference(self, metric: Measure, arm: int, other: int) -> Difference:
        """Paired by dialogue, in the metric's units. Both arms must have it."""
        if isinstance(metric, Composite):
            where, composites = self._composite(metric)
            assert composites is not None
            return composites.difference(where[arm], where[other])
        if metric.gold is not None:
            places, band = self._band(metric)
            return band.difference(places[arm], places[other])
        ours, theirs = (self._sums(one, metric) for one in (arm, other))
        scaled = (ours[0] * metric.scale, ours[1], theirs[0] * metric.scale, theirs[1])
        return paired_ratio_difference(*scaled)

    def why_undefined(self, arm: int, metric: Measure) -> str:
        """Why `badness` is `None`; empty where it is not."""
        if self.badness(arm, metric) is not None:
            return ""
        if isinstance(metric, Composite):
            lacking = [m.name for m in metric.metrics if self.badness(arm, m) is None]
            return f"no composite: {', '.join(lacking)}" if lacking else "different_tokenizer"
        return f"no {metric.name}"

    def one_tokenizer(self, arms: Sequence[int]) -> set[int]:
        """Those of the arms that share the commonest tokenizer and prompts."""
        keys = {
            arm: (str(self.arms[arm].arm.tokenizer_sha256), str(self.arms[arm].asked))
            for arm in arms
        }
        counts = Counter(keys.values())
        common = min(counts, key=lambda key: (-counts[key], key), default=None)
        return {arm for arm, key in keys.items() if key == common}

    def _has(self, arm: int, metric: Metric) -> bool:
        columns = self.arms[arm].columns
        gold = {name for group in metric.gold or () for name in group}
        return has(columns, metric) and gold <= columns.keys()

    def _sums(self, arm: int, metric: Metric) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        columns = self.arms[arm].columns
        above, below = total(columns, metric.numerator), total(columns, metric.denominator)
        return np.where(below == 0, 0.0, above), below

    def _band(self, metric: Metric) -> tuple[dict[int, int], BandArms]:
        if metric.name not in self._bands:
            assert metric.gold is not None
            having = [arm for arm in range(len(self.arms)) if self._has(arm, metric)]
            above, below = (total(self.arms[having[0]].columns, g) for g in metric.gold)
            self._bands[metric.name] = (
                {arm: place for place, arm in enumerate(having)},
                band_arms(
                    [self._sums(arm, metric) for arm in having],
                    (above, below),
                    floor=metric.floor,
                    scale=metric.scale,
                    rng=np.random.default_rng(_SEED),
                ),
            )
        return self._bands[metric.name]

    def _composite(self, measure: Composite) -> tuple[dict[int, int], CompositeArms | None]:
        """Those arms that have the composite and can be compared on it, with their places."""
        if measure not in self._composites:
            having = [
                arm
                for arm in range(len(self.arms))
                if all(self.badness(arm, metric) is not None for metric in measure.metrics)
            ]
            if measure.same_tokenizer:
                same = self.one_tokenizer(having)
                having = [arm for arm in having if arm in same]
            self._composites[measure] = (
                {arm: place for place, arm in enumerate(having)},
                self._composed(measure, having) if having else None,
            )
        return self._composites[measure]

    def _composed(self, measure: Composite, having: Sequence[int]) -> CompositeArms:
        columns = self.arms[having[0]].columns
        return composite_arms(
            measure,
            [[self._sums(arm, metric) for metric in measure.metrics] for arm in having],
            [
                (total(columns, m.gold[0]), total(columns, m.gold[1])) if m.gold else None
                for m in measure.metrics
            ],
            rng=np.random.default_rng(_SEED),
        )
