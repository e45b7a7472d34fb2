"""Differences between two arms over the same dialogues: candidate minus baseline.

Decisions that a reader may want to check:

* Interval and p-value of a difference invert one statistic, so they never contradict each other.
* Every dialogue identical in both arms (a no-op adapter): ``exactly_equal``, difference 0, se 0,
  intervals (0, 0), p 1, and no minimum detectable effect: with no noise seen, its size is unknown.
* Every dialogue differing by the same non-zero amount: no variance, and t would be infinite. The
  exact sign test answers instead (`difference_without_variance`); p is never 0 by division.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from rapport_bench.statistics.clusters import (
    ROUNDING,
    Floats,
    Interval,
    checked_sums,
    checked_vectors,
    cluster_se,
    is_constant,
    linearise,
    minimum_detectable_effect,
    t_interval,
    t_quantile,
    t_two_sided,
)

Method = Literal["exact", "permutation", "normal"]
"""How the p-value of a signed-rank test was found."""
MAX_EXACT = 50
MAX_PERMUTED = 13
ONE_DIALOGUE = "one dialogue: no spread between dialogues"


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate minus baseline, paired by dialogue."""

    value: float | None
    se: float | None = None
    ci: Interval | None = None
    """95 %."""
    ci90: Interval | None = None
    """Always 90 %: two one-sided tests at 5 %. Its ends are the one-sided 95 % bounds."""
    p_value: float | None = None
    """Two-sided, of no difference, not adjusted for other tests."""
    mde: float | None = None
    """Smallest true difference found with power .8 at two-sided .05, from ``se``."""
    clusters: int = 0
    """Dialogues that contribute to either arm (ratios) or to both (means)."""
    exactly_equal: bool = False
    """Every dialogue has identical numbers in both arms; a value of 0 alone does not say so."""
    reason: str | None = None
    """Why a field is ``None``, or which exact method stood in."""

    @property
    def upper_bound_95(self) -> float | None:
        """One-sided 95 % bound: the true difference lies below it with confidence .95."""
        return None if self.ci90 is None else self.ci90[1]


def paired_ratio_difference(
    candidate_num: npt.ArrayLike,
    candidate_den: npt.ArrayLike,
    baseline_num: npt.ArrayLike,
    baseline_den: npt.ArrayLike,
) -> Difference:
    """Difference of two ratios of sums over the same dialogues, by the delta method.

    ``R_c - R_b``; a dialogue's influence is ``e_ci - e_bi``, the residuals of `ratio_of_sums`, so
    that what a dialogue does to both arms cancels; ``se**2 = n / (n-1) sum((e_ci - e_bi)**2)``; t
    with n - 1 degrees of freedom, n = dialogues with a denominator above 0 in either arm. With
    equal denominators throughout it is the paired t test on per-dialogue ratios.

    Undefined: everything when an arm has no denominator above 0; all but the value with one
    dialogue.

    Source: Cochran (1977), Sampling Techniques, 6.10; Woodruff (1971), JASA 66, 411-414.

    Example:
        >>> gap = paired_ratio_difference([3, 2, 4], [4, 4, 4], [2, 1, 2], [4, 4, 4])
        >>> round(gap.value, 4), round(gap.se, 4), round(gap.p_value, 4)  # t = 4, 2 df
        (0.3333, 0.0833, 0.0572)
    """
    columns = checked_sums(candidate_num, candidate_den, baseline_num, baseline_den)
    clusters = len(columns)
    for arm, denominators in (("candidate", columns[:, 1]), ("baseline", columns[:, 3])):
        if not denominators.any():
            reason = f"no dialogue has a denominator above 0 in the {arm}"
            return Difference(None, clusters=clusters, reason=reason)
    if np.array_equal(columns[:, :2], columns[:, 2:]):
        return exactly_equal_difference(clusters)
    candidate, candidate_influence, candidate_noise = linearise(columns[:, 0], columns[:, 1])
    baseline, baseline_influence, baseline_noise = linearise(columns[:, 2], columns[:, 3])
    value, influence = candidate - baseline, candidate_influence - baseline_influence
    noise = candidate_noise + baseline_noise
    if clusters == 1:
        return Difference(value, clusters=1, reason=ONE_DIALOGUE)
    if is_constant(influence, noise):
        return difference_without_variance(value, clusters=clusters, noise=clusters * noise)
    se, df = cluster_se(influence), clusters - 1
    return Difference(
        value=value,
        se=se,
        ci=t_interval(value, se, df=df, level=0.95),
        ci90=t_interval(value, se, df=df, level=0.9),
        p_value=t_two_sided(value / se, df),
        mde=minimum_detectable_effect(se, df=df),
        clusters=clusters,
    )


def paired_mean_difference(candidate: npt.ArrayLike, baseline: npt.ArrayLike) -> Difference:
    """Mean over dialogues of candidate minus baseline, by Hall's skewness-corrected t.

    With n differences of mean d, standard deviation s and skewness g, put ``w = (d - mu) / s``.
    ``H(w) = w + g w**2 / 3 + g**2 w**3 / 27 + g / (6n)`` takes the first-order effect of skewness
    out, and ``sqrt(n) H(w)`` is referred to t with n - 1 degrees of freedom. H is increasing: the
    interval is its inverse at two quantiles, the p-value its value at ``mu = 0``. Without skewness
    it is the paired t test; with it the interval is not symmetric about d, which is the point.

    NaN marks a dialogue unscored on that side: left out on both sides.
    Undefined: everything without a complete pair; all but the value with one.

    Raises:
        ValueError: as `checked_vectors`; infinite values.

    Source: Hall (1992), J. R. Stat. Soc. B 54, 221-228; t quantiles in place of normal ones.

    Example:
        >>> gap = paired_mean_difference([1, 2, 9, float("nan")], [0, 1, 1, 5])
        >>> round(gap.value, 3), gap.clusters
        (3.333, 3)
    """
    pairs = np.column_stack(checked_vectors(candidate, baseline))
    if np.isinf(pairs).any():
        raise ValueError("infinite value; mark a dialogue unscored with NaN")
    complete = pairs[~np.isnan(pairs).any(axis=1)]
    clusters = len(complete)
    if clusters == 0:
        return Difference(None, reason="no dialogue is scored in both arms")
    if np.array_equal(complete[:, 0], complete[:, 1]):
        return exactly_equal_difference(clusters)
    differences = complete[:, 0] - complete[:, 1]
    value, noise = float(differences.mean()), ROUNDING * float(np.abs(complete).max())
    if clusters == 1:
        return Difference(value, clusters=1, reason=ONE_DIALOGUE)
    if is_constant(differences - value, noise):
        return difference_without_variance(value, clusters=clusters, noise=noise)
    deviation, df, root = float(differences.std(ddof=1)), clusters - 1, math.sqrt(clusters)
    skewness = float(np.mean(((differences - value) / differences.std()) ** 3))

    def interval(level: float) -> Interval:
        reach = t_quantile(0.5 + level / 2, df) / root
        return (
            value - deviation * _hall_inverse(reach, skewness, clusters),
            value - deviation * _hall_inverse(-reach, skewness, clusters),
        )

    return Difference(
        value=value,
        se=deviation / root,
        ci=interval(0.95),
        ci90=interval(0.9),
        p_value=t_two_sided(root * _hall(value / deviation, skewness, clusters), df),
        mde=minimum_detectable_effect(deviation / root, df=df),
        clusters=clusters,
    )


def exactly_equal_difference(clusters: int) -> Difference:
    """The difference between two arms with identical numbers in every dialogue."""
    return Difference(
        value=0.0,
        se=0.0,
        ci=(0.0, 0.0),
        ci90=(0.0, 0.0),
        p_value=1.0,
        clusters=clusters,
        exactly_equal=True,
        reason="exactly equal in every dialogue",
    )


def difference_without_variance(value: float, *, clusters: int, noise: float) -> Difference:
    """The difference between arms that differ by one amount in every dialogue.

    No t exists; the exact sign test does. Of n differences with one sign ``p = 2 ** (1 - n)``, and
    the interval that inverts it, between two order statistics, is the point itself as soon as n
    supports the level: 6 dialogues for 95 %, 5 for 90 %. Below that it is ``None``. A silent bot's
    coverage of 0 against a baseline's 1 is such a difference, and must be significant.

    A value within ``noise`` is equality up to rounding: p 1, intervals (0, 0), but not
    ``exactly_equal``.

    Source: Thompson (1936), Ann. Math. Stat. 7, 122-128 (interval by order statistics).

    Example:
        >>> difference_without_variance(-1.0, clusters=6, noise=0.0).p_value
        0.03125
    """
    if abs(value) <= noise:
        equal = exactly_equal_difference(clusters)
        reason = "equal in every dialogue up to rounding"
        return replace(equal, exactly_equal=False, reason=reason)
    p_value = 2.0 ** (1 - clusters)
    return Difference(
        value=value,
        se=0.0,
        ci=(value, value) if p_value <= 0.05 else None,
        ci90=(value, value) if p_value <= 0.1 else None,
        p_value=p_value,
        clusters=clusters,
        reason="every dialogue differs by the same amount: no variance, exact sign test",
    )


@dataclass(frozen=True, slots=True)
class SignedRankTest:
    """Wilcoxon's signed-rank.

    Attributes:
        p_value: Two-sided; `None` where nothing differs.
        ranked: Dialogues with a difference; the others are left out of the ranks (Wilcoxon's own rule).
        zeros: Dialogues without a difference.
        method: ``exact`` for up to 50 ranked ones without ties; ``permutation``, every assignment
            of signs, for up to 13 with ties; otherwise ``normal``, the approximation with
            correction for ties and none for continuity.
    """

    p_value: float | None
    ranked: int
    zeros: int
    method: Method | None


def signed_rank_test(differences: Floats) -> SignedRankTest:
    """Wilcoxon's signed-rank test of differences, one a dialogue.

    It tests symmetry of the differences about 0, not their mean, and weighs all dialogues alike: it may
    disagree with a ratio of sums. NaN is left out.

    Source: Wilcoxon (1945), Biometrics Bulletin 1, 80-83; `scipy.stats.wilcoxon`.

    Example:
        >>> signed_rank_test(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 0.0]))  # all one way: 2 / 2**5
        SignedRankTest(p_value=0.0625, ranked=5, zeros=1, method='exact')
    """
    from scipy.stats import PermutationMethod  # two seconds to import
    from scipy.stats import wilcoxon as signed_rank

    kept = differences[~np.isnan(differences) & (differences != 0)]
    zeros = int((differences == 0).sum())
    if not len(kept):
        return SignedRankTest(None, 0, zeros, None)
    tied = len(np.unique(np.abs(kept))) < len(kept)
    # Said here and not left to scipy's "auto", whose rule changed between versions.
    if tied and len(kept) <= MAX_PERMUTED:
        every = PermutationMethod(n_resamples=2**MAX_PERMUTED)
        return SignedRankTest(
            float(signed_rank(kept, method=every).pvalue), len(kept), zeros, "permutation"
        )
    method: Literal["exact", "approx"] = "approx" if tied or len(kept) > MAX_EXACT else "exact"
    p_value = float(signed_rank(kept, method=method).pvalue)
    return SignedRankTest(p_value, len(kept), zeros, "exact" if method == "exact" else "normal")


def _hall(w: float, skewness: float, clusters: int) -> float:
    return w + skewness * w**2 / 3 + skewness**2 * w**3 / 27 + skewness / (6 * clusters)


def _hall_inverse(x: float, skewness: float, clusters: int) -> float:
    """The w of ``_hall(w) = x``.

    With ``y = x - g / (6n)`` and ``c = cbrt(1 + g y)`` that is ``3 (c - 1) / g``; the form below
    equals it (``c**3 - 1 = g y``) and holds at g = 0 too.
    """
    y = x - skewness / (6 * clusters)
    c = float(np.cbrt(1 + skewness * y))
    return 3 * y / (c * c + c + 1)
