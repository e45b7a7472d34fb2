"""The cluster bootstrap: dialogues drawn with replacement, whole, all columns at once.

It serves figures that are not smooth (distances to a band) or that need no standard error (rate
ratios). Everything computed from one call of `bootstrap_sums` saw the same draws, so differences
between columns are paired.

Source: Davison & Hinkley (1997), Bootstrap Methods and their Application, 2.4 (sums of clusters),
5.3.1 (percentile interval), 4.2.3 (the +1 in a simulated p-value).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rapport_bench.statistics.clusters import Floats, Interval

DRAWS = 10_000
"""Draws unless told otherwise: the smallest two-sided p-value is then 2 / 10,001."""

SEED = 20_240_101
"""Of every comparison and board: one pair gets the same figures from whatever command."""

MIN_DEFINED = 0.95
"""Share of the draws in which a figure must be defined to get an interval."""

MIN_CLUSTERS = 6
"""Fewest dialogues that get a bootstrap interval.

Of n dialogues that all agree in sign, the draws agree too, however few they are: the bootstrap
would call two dialogues certain. No distribution-free test reaches .05 below 6
(``2 ** (1 - 6) = .031``, ``2 ** (1 - 5) = .063``), so fewer get no interval.
"""

_CHUNK = 2**14
"""Resampled dialogues held at a time, whatever the number of draws.

They fit the cache, and the product stays too small for BLAS to spread over threads, which on a
busy machine takes up to five times as long.
"""


def times_taken(clusters: int, *, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each cluster is taken: blocks of (some draws, clusters) counts, `draws` in all.

    Each draw takes as many clusters as there are, with replacement. How many draws a block has does
    not show in the numbers.

    Raises:
        ValueError: no clusters, or fewer than one draw.
    """
    if clusters == 0 or draws < 1:
        raise ValueError(f"{clusters} dialogues, {draws} draws; at least one of each is needed")
    step = max(1, _CHUNK // clusters)
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        taken = rng.integers(0, clusters, size=(rows, clusters))
        taken += clusters * np.arange(rows)[:, np.newaxis]
        counts = np.bincount(taken.ravel(), minlength=rows * clusters).reshape(rows, clusters)
        yield counts.astype(np.float64)


def multinomial_weights(clusters: int, *, draws: int, seed: int = 0) -> Floats:
    """(1 + draws, clusters): how often each cluster counts on the data as they are, then in each draw.

    The same draws in distribution as `times_taken`, from another stream of random numbers: figures
    of ratings are saved with intervals from this one.
    """
    equal = np.full(clusters, 1 / clusters)
    taken = np.random.default_rng(seed).multinomial(clusters, equal, size=draws)
    return np.vstack([np.ones(clusters), taken])


def bootstrap_sums(columns: Floats, *, draws: int, rng: np.random.Generator) -> Floats:
    """Column sums of resampled dialogues.

    ``counts @ columns`` gives every column's sum at once, without a copy of the data per draw. Rows
    are sorted first, so the order of dialogues does not matter.

    Args:
        columns: (dialogues, k) sums per dialogue.
        draws: number of resamples, at least 1.
        rng: the only source of randomness.

    Returns:
        (draws, k) sums.

    Raises:
        ValueError: as `times_taken`.

    Example:
        >>> bootstrap_sums(np.ones((5, 2)), draws=3, rng=np.random.default_rng(0)).tolist()
        [[5.0, 5.0], [5.0, 5.0], [5.0, 5.0]]
    """
    ordered = columns[np.lexsort(columns.T)]
    blocks = [counts @ ordered for counts in times_taken(len(columns), draws=draws, rng=rng)]
    return np.concatenate(blocks)


def defined_draws(sampled: Floats) -> Floats | None:
    """The draws in which nothing is NaN; `None` if under `MIN_DEFINED` of them are, or there are none.

    Args:
        sampled: (draws,) or (draws, figures).
    """
    if len(sampled) == 0:
        return None
    defined = ~np.isnan(sampled).reshape(len(sampled), -1).any(axis=1)
    if defined.mean() < MIN_DEFINED:
        return None
    kept: Floats = sampled[defined]
    return kept


def percentile_interval(values: Floats, *, level: float) -> Interval:
    """Two-sided percentile interval of bootstrapped values: quantiles ``(1 ± level) / 2``."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def tail_p_value(differences: Floats) -> float:
    """Two-sided p-value of no difference: twice the smaller tail share about 0.

    ``2 min(#{d <= 0} + 1, #{d >= 0} + 1) / (draws + 1)``, at most 1, never 0. Draws without any
    difference count in both tails. It falls below .05 about where `percentile_interval` leaves 0.

    Example:
        >>> tail_p_value(np.array([0.1, 0.2, 0.0, -0.1, 0.3, 0.2, 0.4, 0.1, 0.2]))
        0.6
    """
    smaller = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    return min(1.0, 2 * (int(smaller) + 1) / (len(differences) + 1))
