"""Measures of agreement with labels, as functions of item weights, ready for resampling."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.resampling import Statistic

STRATUM_WIDTH = 1.25
"""Texts are of like length when their characters differ by no more than about this factor."""


def auc(
    scores: npt.ArrayLike, positive: npt.ArrayLike, strata: npt.ArrayLike | None = None
) -> Statistic:
    """Chance that a positive item scores above a negative one, ties half.

    ``sum over pairs of w_i w_j ([s_i > s_j] + [s_i = s_j] / 2) / sum over pairs of w_i w_j`` over
    pairs (i positive, j negative) of the same stratum; the area under the ROC curve, equal to the
    Mann-Whitney statistic. In [0, 1], .5 is chance; undefined without a pair.

    With strata it is the covariate-adjusted AUC of Janes & Pepe (2009), Biometrika 96, 371-382,
    each stratum weighing as many pairs as it has.

    Example:
        >>> auc([0.9, 0.4, 0.4, 0.1], [True, True, False, False])(np.ones(4))  # 3.5 of 4 pairs
        0.875
        >>> auc([0.9, 0.4, 0.4, 0.1], [True, True, False, False], [1, 2, 2, 1])(np.ones(4))
        0.75
    """
    values = np.asarray(scores, dtype=np.float64)
    wanted = np.asarray(positive, dtype=np.float64)
    rows = np.zeros(len(values)) if strata is None else np.asarray(strata, dtype=np.float64)
    keys, inverse = np.unique(np.column_stack([rows, values]), axis=0, return_inverse=True)
    group = inverse.reshape(-1)
    size = len(keys)
    first = np.searchsorted(keys[:, 0], keys[:, 0], side="left")
    last = np.searchsorted(keys[:, 0], keys[:, 0], side="right") - 1

    def statistic(weights: Floats) -> float | None:
        above = np.bincount(group, weights * wanted, minlength=size)
        below = np.bincount(group, weights * (1 - wanted), minlength=size)
        up_to = np.cumsum(below)
        before = up_to - below
        pairs = float(above @ (up_to[last] - before[first]))
        if pairs == 0:
            return None
        return float(above @ (before - before[first] + below / 2)) / pairs

    return statistic


def length_strata(lengths: Sequence[int]) -> list[int]:
    """Stratum of each text: ``floor(log(characters) / log(1.25))``.

    The strata are 25 % wide on any data, so that within one of them length tells next to nothing;
    how little, the baseline that reads only length shows.

    >>> length_strata([10, 11, 12, 15, 40])
    [10, 10, 11, 12, 16]
    """
    return [int(np.log(length) / np.log(STRATUM_WIDTH)) for length in lengths]


def macro_f1(labels: Sequence[str], predicted: Sequence[str]) -> Statistic:
    """Mean over the labels that occur of ``F1 = 2 hits / (labelled + predicted)``.

    In [0, 1]. A label that nobody gave is no class; predicting it is an error of the other classes.

    >>> macro_f1(["a", "a", "b"], ["a", "b", "b"])(np.ones(3))
    0.6666666666666666
    """
    names = sorted({*labels, *predicted})
    truth = np.array([names.index(label) for label in labels])
    guess = np.array([names.index(label) for label in predicted])

    def statistic(weights: Floats) -> float | None:
        labelled = np.bincount(truth, weights, minlength=len(names))
        found = np.bincount(guess, weights, minlength=len(names))
        hits = np.bincount(truth, weights * (truth == guess), minlength=len(names))
        present = labelled > 0
        if not present.any():
            return None
        return float(np.mean(2 * hits[present] / (labelled + found)[present]))

    return statistic


def count_correlation(
    predicted: Sequence[int], reference: Sequence[int], length: Sequence[int]
) -> Statistic:
    """Partial Spearman correlation of counts per dialogue, length held fixed.

    ``(r_pr - r_pl r_rl) / sqrt((1 - r_pl ** 2) (1 - r_rl ** 2))`` with r the correlations of ranks.
    In [-1, 1]; undefined if length decides one of them, or one is the same everywhere. Longer
    dialogues have more shifts, so without this a splitter that reads nothing correlates.

    Source: Kendall (1942), Biometrika 32, 277-283.

    Example:
        >>> round(count_correlation([1, 2, 4, 3], [1, 3, 4, 2], [4, 4, 6, 6])(np.ones(4)), 3)
        1.0
    """
    groups = [np.unique(row, return_inverse=True)[1] for row in (predicted, reference, length)]

    def statistic(weights: Floats) -> float | None:
        centred = np.stack([_centred_ranks(group, weights) for group in groups])
        sizes = np.sqrt((centred**2) @ weights)
        if (sizes[:2] < 1e-9).any():
            return None
        centred /= np.where(sizes < 1e-9, 1, sizes)[:, None]  # one length explains nothing
        products = (centred * weights) @ centred.T
        both, *with_length = products[np.triu_indices(3, 1)].tolist()
        left = math.prod(1 - r * r for r in with_length)
        return (both - math.prod(with_length)) / math.sqrt(left) if left > 1e-9 else None

    return statistic


def _centred_ranks(group: NDArray[np.intp], weights: Floats) -> Floats:
    """Mean ranks as if each item stood there as often as it weighs, minus their mean."""
    sizes = np.bincount(group, weights)
    ranks = (np.cumsum(sizes) - sizes / 2)[group]
    centred: Floats = ranks - weights @ ranks / weights.sum()
    return centred
