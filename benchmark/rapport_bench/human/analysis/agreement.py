"""How far raters agree: with each other, with their average, and with themselves.

A unit is one reply (item and arm). Intervals draw items, with all their replies and raters, anew.

Krippendorff's alpha is computed here and not by the PyPI package of that name, which is GPL: counts per
item add up, so that a bootstrap is one matrix product. A test holds that package's values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri

from rapport_bench.results.human_sections import SavedSeverity, SelfAgreement
from rapport_bench.results.ratings import Ratings
from rapport_bench.statistics.bootstrap import (
    MIN_CLUSTERS,
    defined_draws,
    multinomial_weights,
    percentile_interval,
)
from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.figure import Figure
from rapport_bench.statistics.resampling import DRAWS

LOW_ALPHA = 0.4
"""Alpha under which a warning is printed."""
COMPLETE_SHARE = 2 / 3
"""ICC is computed on replies with every rater, if at least this share of them has."""


def ordinal_alpha(cells: Floats, *, points: int) -> Figure:
    """Krippendorff's alpha for ordinal values, with a percentile interval over items.

    ``alpha = 1 - D_observed / D_expected``: 1 is perfect agreement, 0 what chance gives, below 0
    systematic disagreement. A unit with m values adds each ordered pair of them with weight
    ``1 / (m - 1)``; units with one value add nothing. With n_g pairable values of category g, the
    distance of c < k is ``(sum of n_g from c to k - (n_c + n_k) / 2) ** 2``.

    Args:
        cells: (arms, items, raters), NaN where missing.
        points: Highest value; the lowest is 1.

    Undefined where no reply has two ratings, or all ratings are one value.

    Source: Krippendorff (2011), Computing Krippendorff's alpha-reliability.

    Example:
        >>> round(ordinal_alpha(np.array([[[1.0, 1.0], [2.0, 2.0], [3.0, 2.0]]]), points=3).value, 3)
        0.778
    """
    pairs = _pairs_by_item(cells, points)
    pairs = pairs[pairs.sum(axis=(1, 2)) > 0]
    items, enough = len(pairs), len(pairs) >= MIN_CLUSTERS
    weights = multinomial_weights(items, draws=DRAWS) if enough else np.ones((1, items))
    drawn = _alpha((weights @ pairs.reshape(items, points**2)).reshape(-1, points, points))
    reason = None if enough else f"fewer than {MIN_CLUSTERS} items"
    return resampled(drawn, items, "no two ratings of a reply that could differ", reason)


def resampled(found: Floats, clusters: int, undefined: str, reason: str | None = None) -> Figure:
    """A figure with its percentile interval.

    Args:
        found: The figure on the data as they are, then on each resample; NaN where undefined.
        clusters: How many were resampled.
        undefined: Why there is no value, if there is none.
        reason: Why there is no interval, if that is known.
    """
    if np.isnan(found[0]):
        return Figure(None, None, clusters, undefined)
    defined = defined_draws(found[1:])
    if reason is not None or defined is None:
        return Figure(float(found[0]), None, clusters, reason or "undefined in too many resamples")
    return Figure(float(found[0]), percentile_interval(defined, level=0.95), clusters)


def _pairs_by_item(cells: Floats, points: int) -> Floats:
    """(items, points, points) coincidences: each reply's ordered pairs over its ratings - 1."""
    counts = np.stack([(cells == value).sum(axis=2) for value in range(1, points + 1)], axis=-1)
    total = counts.sum(axis=-1)
    usable = np.where(total > 1, 1 / np.maximum(total - 1, 1), 0.0)[..., None, None]
    products = counts[..., :, None] * counts[..., None, :] - counts[..., None] * np.eye(points)
    summed: Floats = (products * usable).sum(axis=0)
    return summed


def _alpha(coincidences: Floats) -> Floats:
    """Alpha of each of (draws, points, points) coincidence tables; NaN where undefined."""
    sizes = coincidences.sum(axis=2)
    total = sizes.sum(axis=1)
    middle = np.cumsum(sizes, axis=1) - sizes / 2
    distance = np.square(middle[:, :, None] - middle[:, None, :])
    observed = (coincidences * distance).sum(axis=(1, 2))
    expected = (sizes[:, :, None] * sizes[:, None, :] * distance).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan)
    return found


@dataclass(frozen=True, slots=True)
class Intraclass:
    """Intraclass correlations of raters as a random sample, absolute agreement.

    Attributes:
        single: ICC(2,1), of one rater's value.
        average: ICC(2,k), of the mean of the k raters: what item means are worth.
        units: Replies with a rating by every rater.
        raters: k.
    """

    single: Figure
    average: Figure
    units: int
    raters: int


def intraclass(table: Floats) -> Intraclass:
    """ICC(2,1) and ICC(2,k) with 95 % intervals.

    From the mean squares of units (B), raters (J) and the rest (E) of n units by k raters:
    ``ICC(2,1) = (B - E) / (B + (k - 1) E + k (J - E) / n)``,
    ``ICC(2,k) = (B - E) / (B + (J - E) / n)``. The intervals are those of the source, for which
    replies are independent; replies to one item are not quite, so they are a little narrow.

    Args:
        table: (units, raters), NaN where missing. Units with a missing rating are left out; when
            more than a third would be, nothing is computed: which replies have every rater is
            then the design's choice, and alpha serves.

    Undefined also with one rater, one unit, all ratings alike, or a variance of the replies' means
    that is estimated at 0 or below, as happens where few replies are rated without agreement. Without
    an interval where the approximation gives none around the value.

    Source: Shrout & Fleiss (1979), Psychological Bulletin 86, 420-428; their table gives .29 and
    .62; McGraw & Wong (1996), Psychological Methods 1, 30-46, the interval of ICC(2,k).
    """
    complete = table[~np.isnan(table).any(axis=1)]
    units, raters = complete.shape
    rated = int((~np.isnan(table)).any(axis=1).sum())
    reason = None
    if raters < 2:
        reason = "one rater"
    elif units < COMPLETE_SHARE * rated:
        reason = f"only {units} of {rated} replies have a rating by every rater"
    elif units < 2:
        reason = "fewer than two replies"
    elif np.ptp(complete) == 0:
        reason = "all ratings are one value"
    if reason is not None:
        nothing = Figure(None, None, units, reason)
        return Intraclass(nothing, nothing, units, raters)
    mean = complete.mean()
    of_unit, of_rater = complete.mean(axis=1) - mean, complete.mean(axis=0) - mean
    rest = complete - mean - of_unit[:, None] - of_rater
    n, k = units, raters
    b = float(k * np.square(of_unit).sum() / (n - 1))
    j = float(n * np.square(of_rater).sum() / (k - 1))
    e = float(np.square(rest).sum() / ((n - 1) * (k - 1)))
    of_single, of_average = b + (k - 1) * e + k * (j - e) / n, b + (j - e) / n
    if of_single <= 0 or of_average <= 0:
        # The estimated variance of the replies' means is negative: nothing is left to be a share of.
        nothing = Figure(None, None, n, "raters agree less than chance would have them")
        return Intraclass(nothing, nothing, n, k)
    single, average = (b - e) / of_single, (b - e) / of_average
    ends = _intraclass_ends(n, k, (b, j, e), single)
    both = ends and tuple(k * end / (1 + (k - 1) * end) for end in ends if end > -1 / (k - 1))
    return Intraclass(
        _within(single, ends, n),
        _within(average, both if both and len(both) > 1 else None, n),
        n,
        k,
    )


def _within(value: float, ends: tuple[float, ...] | None, units: int) -> Figure:
    """A figure with its interval, where the F approximation gives one around it."""
    if ends is None or not ends[0] <= value <= ends[1]:
        return Figure(value, None, units, "too few replies, or no spread but the raters'")
    return Figure(value, (ends[0], ends[1]), units)


def _intraclass_ends(
    n: int, k: int, squares: tuple[float, float, float], single: float
) -> tuple[float, float] | None:
    """Ends of the 95 % interval of ICC(2,1)."""
    b, j, e = squares
    if e <= 0 or single >= 1:
        return None
    ratio = j / e
    part = k * single * ratio + n * (1 + (k - 1) * single) - k * single
    below = (n - 1) * k**2 * single**2 * ratio**2
    below += (n * (1 + (k - 1) * single) - k * single) ** 2
    df = (n - 1) * (k - 1) * part**2 / below
    upper_f, lower_f = float(fdtri(n - 1, df, 0.975)), float(fdtri(df, n - 1, 0.975))
    spread = k * j + (k * n - k - n) * e
    of_low, of_high = upper_f * spread + n * b, spread + n * lower_f * b
    if of_low <= 0 or of_high <= 0:
        return None
    return n * (b - upper_f * e) / of_low, n * (lower_f * b - e) / of_high


def severity(cells: Floats) -> list[SavedSeverity]:
    """Each rater's deviation from the raters' average, by least squares; 0 for a rater alone.

    ``value = reply + rater``, the raters' parts averaging 0: on a complete table the deviation from
    the replies' means, and comparable too where raters saw different items.

    Args:
        cells: (arms, items, raters), NaN where missing.
    """
    table = cells.reshape(-1, cells.shape[2])
    table = table[(~np.isnan(table)).sum(axis=1) > 1]
    there = ~np.isnan(table)
    counts = there.sum(axis=0)
    if not there.any():
        return [SavedSeverity(value=None, ratings=0)] * cells.shape[2]
    values = np.where(there, table, 0.0)
    # Normal equations of the raters' parts with the replies' parts eliminated.
    weights = there / there.sum(axis=1, keepdims=True)
    left = np.diag(counts.astype(np.float64)) - there.T.astype(np.float64) @ weights
    right = values.sum(axis=0) - weights.T @ values.sum(axis=1)
    parts = np.linalg.lstsq(left, right)[0]
    parts = parts - parts[counts > 0].mean()
    return [
        SavedSeverity(value=float(part) if count else None, ratings=int(count))
        for part, count in zip(parts, counts, strict=True)
    ]


def consistency(first: Floats, second: Floats, *, points: int) -> SelfAgreement:
    """What was rated twice, compared: kappa has quadratic weights and needs two values to tell apart.

    Args:
        first: Values, NaN where missing.
        second: Those of the second showing, in the same places.
        points: Highest value.

    Source: Cohen (1968), Psychological Bulletin 70, 213-220; `statsmodels.stats.inter_rater`.
    """
    both = ~np.isnan(first) & ~np.isnan(second)
    one, two = first[both].astype(int), second[both].astype(int)
    if not len(one):
        return SelfAgreement(pairs=0, exact=None, within_one=None, kappa=None)
    table = np.zeros((points, points))
    np.add.at(table, (one - 1, two - 1), 1)
    kappa = None
    if len({*one.tolist(), *two.tolist()}) > 1:
        from statsmodels.stats.inter_rater import cohens_kappa  # two seconds to import

        kappa = float(cohens_kappa(table, wt="quadratic", return_results=False))
    apart = np.abs(one - two)
    exact, within_one = (float((apart <= most).mean()) for most in (0, 1))
    return SelfAgreement(pairs=len(one), exact=exact, within_one=within_one, kappa=kappa)


def consistency_of(ratings: Ratings, rater: int | None = None) -> SelfAgreement:
    """Self-consistency over all scales, of one rater or of all, by the longest scale."""
    pairs = []
    for scale in range(len(ratings.scales)):
        cells = [ratings.cells(scale, again=again) for again in (False, True)]
        pairs.append([c if rater is None else c[..., rater] for c in cells])
    first, second = (np.concatenate([p[at].ravel() for p in pairs]) for at in (0, 1))
    return consistency(first, second, points=max(ratings.points))
