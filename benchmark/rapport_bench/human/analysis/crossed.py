"""The difference between two arms for new raters *and* new dialogues: both are samples.

A cell holds one rater's difference between two arms on one dialogue, so whatever a rater or a
dialogue does to both arms (severity, difficulty) is gone. What is left is crossed:
``d = delta + item + rater + residual``, where the rater's part is a taste for one of the arms. With
five raters that part is hardly averaged out, and no number of dialogues helps.

Chosen by simulation among six (`docs/simulations.md`): the analysis that studies of
several readers and many cases use. Balanced, it is the random-effects ANOVA with the degrees of
freedom of Hillis.

Source: Dorfman, Berbaum & Metz (1992), Invest. Radiol. 27, 723-731 (the crossed analysis); Hillis
(2007), Stat. Med. 26, 596-619 (degrees of freedom); Henderson (1953), Biometrics 9, 226-252, method
I (components where cells are missing).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from rapport_bench.statistics.clusters import (
    ROUNDING,
    Floats,
    minimum_detectable_effect,
    t_interval,
    t_two_sided,
)
from rapport_bench.statistics.paired import (
    Difference,
    difference_without_variance,
    exactly_equal_difference,
)


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of a difference between two arms, in squared scale points.

    Unbiased, so that each may come out below 0 where its true value is small.
    """

    item: float | None
    """Between dialogues; `None` where every dialogue has one rater, and it is in ``residual``."""
    rater: float
    """Between raters: how much their preference for an arm differs."""
    residual: float


@dataclass(frozen=True, slots=True)
class Crossed:
    """A difference with both populations in its error.

    Attributes:
        difference: With interval and p-value; ``clusters`` are the raters.
        df: Of its t: raters - 1 or more, but at most dialogues - 1.
        components: `None` where they could not be told apart.
    """

    difference: Difference
    df: float | None = None
    components: Components | None = None


def crossed_difference(cells: Floats, *, alpha: float = 0.05) -> Crossed:
    """Mean difference over dialogues, with raters and dialogues both as random samples.

    ``D = mean over dialogues of the mean over their raters``, so every dialogue weighs the same
    however many raters it had: a cell of one of the n raters of one of I dialogues weighs
    ``w = 1 / (I n)``. With components from Henderson's method I,

        var = V_rater + max(s2_item, 0) sum_i w_i.**2,
        V_rater = max(s2_rater, 0) sum_r w_.r**2 + s2_residual sum w**2,

    and t has ``var**2 / (V_rater**2 / (R - 1))`` degrees of freedom, at most I - 1. With every cell
    there, ``V_rater = max(MS_rater, MS_rest) / (I R)``: Hillis's analysis with the raters' component
    kept from falling below 0, without which five raters who happen to agree err too often. Where
    raters agree about the arms, the degrees of freedom grow and less is lost against "these raters".

    Args:
        cells: (items, raters) differences, candidate minus baseline; NaN where a rater did not
            rate both arms.
        alpha: Of ``ci``.

    Undefined: everything without a cell; all but the value with one rater or one dialogue, or
    where the design cannot tell raters, dialogues and noise apart.

    Example:
        >>> found = crossed_difference(np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0], [2.0, 0.0]]))
        >>> found.difference.value, round(found.difference.se, 3), round(found.df, 2)
        (0.875, 0.375, 1.0)
    """
    there = ~np.isnan(cells)
    cells, there = cells[there.any(axis=1)], there[there.any(axis=1)]
    cells, there = cells[:, there.any(axis=0)], there[:, there.any(axis=0)]
    items, raters = there.shape
    if not there.any():
        return Crossed(Difference(None, reason="no rater rated both arms of a dialogue"))
    value = float(_mean(cells[np.newaxis], there)[0])
    largest = float(np.abs(cells[there]).max())
    noise = ROUNDING * largest
    if largest == 0:
        return Crossed(exactly_equal_difference(raters))
    if raters == 1 or items == 1:
        reason = f"one {'rater' if raters == 1 else 'dialogue'}: no spread to generalise from"
        return Crossed(Difference(value, clusters=raters, reason=reason))
    if float(np.ptp(cells[there])) <= noise:
        return Crossed(difference_without_variance(value, clusters=raters, noise=noise))
    parts = components(cells[np.newaxis], there)
    if parts is None:
        reason = "the design cannot tell raters, dialogues and noise apart"
        return Crossed(Difference(value, clusters=raters, reason=reason))
    item, rater, residual = parts[0].tolist()
    found = Components(None if (there.sum(axis=1) == 1).all() else item, rater, residual)
    variance, df = (float(figure[0]) for figure in error_of(parts, there))
    if not variance > noise**2:
        reason = "no spread between raters"
        return Crossed(Difference(value, clusters=raters, reason=reason), None, found)
    se = float(np.sqrt(variance))
    difference = Difference(
        value=value,
        se=se,
        ci=t_interval(value, se, df=df, level=1 - alpha),
        ci90=t_interval(value, se, df=df, level=0.9),
        p_value=t_two_sided(value / se, df),
        mde=minimum_detectable_effect(se, df=df),
        clusters=raters,
    )
    return Crossed(difference, df, found)


def crossed_p_values(cells: Floats) -> tuple[Floats, Floats]:
    """P-values of `crossed_difference` for many tables of one design, and their components.

    Args:
        cells: (tables, items, raters), NaN in the same places of every table; at least two of
            both, each with a cell.

    Returns:
        (tables,) p-values, 1 where nothing varies, and (tables, 3) components.

    Raises:
        ValueError: The design cannot tell raters, dialogues and noise apart.
    """
    there = ~np.isnan(cells[0])
    parts = components(cells, there)
    if parts is None:
        raise ValueError("the design cannot tell raters, dialogues and noise apart")
    variance, df = error_of(parts, there)
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = np.where(variance > 0, np.abs(_mean(cells, there)) / np.sqrt(variance), 0.0)
    p_values: Floats = 2 * stdtr(df, -statistic)
    return p_values, parts


def _weights(there: npt.NDArray[np.bool_]) -> Floats:
    weights: Floats = there / (len(there) * there.sum(axis=1, keepdims=True))
    return weights


def _mean(cells: Floats, there: npt.NDArray[np.bool_]) -> Floats:
    filled = np.where(there, cells, 0.0)
    mean: Floats = (filled * _weights(there)).sum(axis=(1, 2))
    return mean


def error_of(parts: Floats, there: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Variance of the mean difference and its degrees of freedom, from components.

    Args:
        parts: (tables, 3) from `components`.
        there: (items, raters): which cells the design has.
    """
    items, raters = there.shape
    weights = _weights(there)
    of_item, of_rater = (float(np.square(weights.sum(axis=axis)).sum()) for axis in (1, 0))
    item, rater, residual = np.maximum(parts, 0.0).T
    rater_part = rater * of_rater + residual * float(np.square(weights).sum())
    variance = rater_part + item * of_item
    with np.errstate(invalid="ignore", divide="ignore"):
        df = np.where(rater_part > 0, variance**2 / (rater_part**2 / (raters - 1)), np.inf)
    return variance, np.minimum(df, items - 1)


def components(cells: Floats, there: npt.NDArray[np.bool_]) -> Floats | None:
    """Variances between items, between raters and of the rest, of crossed tables of one design.

    Henderson's method I: the sums of squares of a two-way table, each set equal to its expectation,
    which for cells that are there once or not at all is a linear system in the three variances. In
    a complete table it is the ANOVA: ``(MS_item - MS_rest) / R``, ``(MS_rater - MS_rest) / I``,
    ``MS_rest``. Where every item has one rater, items and rest are one: the first is 0.

    Args:
        cells: (tables, items, raters).
        there: Which cells the design has: at least two items and raters, each with a cell.

    Returns:
        (tables, 3); `None` where the design cannot tell them apart.
    """
    per_item, per_rater = there.sum(axis=1), there.sum(axis=0)
    n, (items, raters) = float(there.sum()), there.shape
    values = np.where(there, cells, 0.0)
    centred = np.where(there, values - values.sum(axis=(1, 2), keepdims=True) / n, 0.0)
    sums = np.stack(
        [
            np.square(centred).sum(axis=(1, 2)),
            (np.square(centred.sum(axis=2)) / per_item).sum(axis=1),
            (np.square(centred.sum(axis=1)) / per_rater).sum(axis=1),
        ]
    )
    item_n, rater_n = (float(np.square(count).sum() / n) for count in (per_item, per_rater))
    # Columns: variance between items, between raters, residual.
    expected = np.array(
        [
            [n - item_n, n - rater_n, n - 1],
            [n - item_n, items - rater_n, items - 1],
            [raters - item_n, n - rater_n, raters - 1],
        ]
    )
    single = bool((per_item == 1).all())
    rows, columns = ([0, 2], [1, 2]) if single else ([0, 1, 2], [0, 1, 2])
    found = np.zeros((len(cells), 3))
    try:
        found[:, columns] = np.linalg.solve(expected[np.ix_(rows, columns)], sums[rows]).T
    except np.linalg.LinAlgError:
        return None
    return found
