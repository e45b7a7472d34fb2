"""Cluster bootstrap of any figure that can be computed from weighted items.

A draw takes as many clusters as there are, with replacement; an item's weight is how often its
cluster was taken. Two figures of one `Resampler` see the same draws, so that their difference is
paired. Clusters are drawn in the order of their names: the order of a file does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from rapport_bench.statistics.bootstrap import (
    MIN_CLUSTERS,
    defined_draws,
    percentile_interval,
    tail_p_value,
    times_taken,
)
from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.figure import Figure

DRAWS = 2000
SEED = 0

Statistic = Callable[[Floats], float | None]
"""Weights, one per item -> the figure; `None` where it is undefined."""


@dataclass(frozen=True)
class Sampled:
    """A figure and what it came to in every draw.

    Attributes:
        value: On the data as they are.
        draws: One per draw, NaN where undefined.
        clusters: How many were resampled.
    """

    value: float | None
    draws: NDArray[np.float64]
    clusters: int

    def figure(self) -> Figure:
        """With a percentile interval, where there is a spread to see."""
        reason, defined = None, defined_draws(self.draws)
        if self.value is None:
            reason = "not defined on these data"
        elif self.clusters < MIN_CLUSTERS:
            reason = f"fewer than {MIN_CLUSTERS} clusters"
        elif defined is None:
            reason = "undefined in too many resamples"
        elif float(np.ptp(defined)) < 1e-12:
            reason = "no spread between resamples"
        if reason is not None or defined is None:
            return Figure(self.value, None, self.clusters, reason)
        return Figure(self.value, percentile_interval(defined, level=0.95), self.clusters)

    def minus(self, other: Sampled) -> Figure:
        """The paired difference to another figure on the same draws, with a p-value."""
        if self.value is None or other.value is None:
            return Figure(None, None, self.clusters, "one of the two is undefined")
        difference = Sampled(self.value - other.value, self.draws - other.draws, self.clusters)
        figure, defined = difference.figure(), defined_draws(difference.draws)
        if figure.ci is None or defined is None:
            return figure
        return replace(figure, p=tail_p_value(defined))


class Resampler:
    """Draws clusters of items.

    Args:
        clusters: The cluster of each item.
        draws: How many resamples.
        seed: Decides them, with the number of clusters.
    """

    def __init__(self, clusters: Sequence[str], *, draws: int = DRAWS, seed: int = SEED) -> None:
        names, self._place = np.unique(np.array(clusters, dtype=object), return_inverse=True)
        self.clusters = len(names)
        self._draws = draws
        self._seed = seed

    def sample(self, statistic: Statistic) -> Sampled:
        """Compute a figure on the data and on every draw; undefined without an item."""
        if not self.clusters:
            return Sampled(None, np.zeros(0), 0)
        draws = [statistic(counts[self._place]) for counts in self._counts()]
        values = np.array([np.nan if value is None else value for value in draws])
        return Sampled(statistic(np.ones(len(self._place))), values, self.clusters)

    def mean(self, values: npt.ArrayLike) -> Sampled:
        """The mean of one value per item, NaN left out, on the data and on every draw."""
        if not self.clusters:
            return Sampled(None, np.zeros(0), 0)
        row = np.asarray(values, dtype=np.float64)
        defined = ~np.isnan(row)
        sums = np.bincount(self._place[defined], row[defined], minlength=self.clusters)
        sizes = np.bincount(self._place[defined], minlength=self.clusters)
        totals = np.array([(counts @ sums, counts @ sizes) for counts in self._counts()])
        totals[totals[:, 1] == 0] = np.nan
        value = float(row[defined].mean()) if defined.any() else None
        return Sampled(value, totals[:, 0] / totals[:, 1], self.clusters)

    def _counts(self) -> Iterator[Floats]:
        """How often each cluster is taken, draw by draw."""
        for row in _drawn(self.clusters, self._draws, self._seed):
            yield row.astype(np.float64)


@lru_cache(maxsize=2)
def _drawn(clusters: int, draws: int, seed: int) -> NDArray[np.uint16]:
    """(draws, clusters) counts; kept, because one report asks for the same ones many times."""
    rng = np.random.default_rng(seed)
    blocks = times_taken(clusters, draws=draws, rng=rng)
    return np.concatenate([block.astype(np.uint16) for block in blocks])
