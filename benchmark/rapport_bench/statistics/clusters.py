"""Sums per dialogue: checked input, linearisation, and the t statistics that rest on it.

The dialogue is the cluster of all statistics. Arrays hold one entry per dialogue, aligned across
arguments: what was counted (numerator) and how much there was to count (denominator). A dialogue
whose denominators are all zero leaves every sum as it is and is not counted as a cluster.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]

ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""Deviations below this share of their terms are rounding, not variation between dialogues."""


def checked_vectors(*values: npt.ArrayLike) -> list[Floats]:
    """The arguments as one-dimensional float arrays of equal length.

    Raises:
        ValueError: an argument is not one-dimensional, or lengths differ.
    """
    vectors = [np.asarray(entry, dtype=np.float64) for entry in values]
    shapes = [vector.shape for vector in vectors]
    if any(len(shape) != 1 for shape in shapes):
        raise ValueError(f"arrays of shape {shapes}; expected one entry per dialogue")
    if len(set(shapes)) > 1:
        lengths = [shape[0] for shape in shapes]
        raise ValueError(f"arrays of {lengths} dialogues; align them by dialogue first")
    return vectors


def checked_sums(*sums: npt.ArrayLike) -> Floats:
    """Stack numerator, denominator, numerator, denominator, ... to (dialogues, columns).

    Dialogues whose denominators are all zero are left out.

    Raises:
        ValueError: as `checked_vectors`; NaN or infinity; a negative denominator; a numerator
            other than 0 on a denominator of 0.
    """
    columns = np.column_stack(checked_vectors(*sums))
    numerators, denominators = columns[:, 0::2], columns[:, 1::2]
    if not np.isfinite(columns).all():
        raise ValueError("sums must be finite; an unscored dialogue has 0 above and below")
    if (denominators < 0).any():
        raise ValueError("a denominator is negative")
    if numerators[denominators == 0].any():
        raise ValueError("a numerator other than 0 stands on a denominator of 0")
    kept: Floats = columns[denominators.any(axis=1)]
    return kept


def linearise(numerator: Floats, denominator: Floats) -> tuple[float, Floats, float]:
    """Ratio of sums ``R``, each dialogue's influence on it, and the rounding in an influence.

    ``R = sum(y) / sum(x)``, ``e_i = (y_i - R x_i) / sum(x)``: to first order, what dialogue i moves
    R by (Taylor linearisation). Influences sum to 0. ``sum(x)`` must be above 0.
    """
    total = float(denominator.sum())
    value = float(numerator.sum()) / total
    influence = (numerator - value * denominator) / total
    largest_term = float((np.abs(numerator) + abs(value) * denominator).max())
    return value, influence, ROUNDING * largest_term / total


def is_constant(deviations: Floats, noise: float) -> bool:
    """Whether deviations from the mean (or ratio) are rounding alone."""
    return float(np.abs(deviations).max()) <= noise


def cluster_se(influence: Floats) -> float:
    """Standard error of a linearised figure: ``sqrt(n / (n - 1) * sum(e_i ** 2))``, n >= 2."""
    clusters = len(influence)
    return math.sqrt(clusters / (clusters - 1) * float(np.square(influence).sum()))


def t_quantile(probability: float, df: float) -> float:
    """Quantile of Student's t."""
    return float(stdtrit(df, probability))


def t_interval(value: float, se: float, *, df: float, level: float) -> Interval:
    """``value ± t se``, two-sided at ``level``."""
    reach = t_quantile(0.5 + level / 2, df) * se
    return value - reach, value + reach


def t_two_sided(statistic: float, df: float) -> float:
    """Two-sided p-value of a t statistic."""
    return 2 * float(stdtr(df, -abs(statistic)))


def minimum_detectable_effect(se: float, *, df: float) -> float:
    """Smallest true difference that a two-sided test at .05 finds with power .8.

    ``(t(.975) + t(.8)) * se``, in the units of ``se``, above 0. It describes the design (so many
    dialogues, so noisy), not the outcome.

    Source: Bloom (1995), Evaluation Review 19, 547-556.

    Example:
        >>> round(minimum_detectable_effect(1.0, df=10_000), 3)  # 1.960 + 0.842
        2.802
    """
    return (t_quantile(0.975, df) + t_quantile(0.8, df)) * se
