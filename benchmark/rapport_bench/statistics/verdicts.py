"""From differences to words: families of tests, verdicts per metric.

A verdict needs size and evidence. Size is the metric's margin: a change below it does not matter.
Evidence is the adjusted p-value for a change, and the 90 % interval for the absence of one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rapport_bench.statistics.paired import Difference

Direction = Literal["lower", "higher", "band"]
"""Which way is better: lower values, higher values, or a smaller distance to the gold band."""

Verdict = Literal["regressed", "regressed (coverage)", "improved", "equivalent", "inconclusive"]

COVERAGE_DROP = 0.05
"""A metric's coverage may fall by this much (5 points) before silence is held against an arm."""


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Holm-adjusted p-values: reject where ≤ alpha, and no false rejection with 1 - alpha.

    The i-th smallest of m is multiplied by ``m - i + 1``, kept monotone, capped at 1; valid under
    any dependence. ``None`` (no test) stays ``None`` and does not count in m.

    Raises:
        ValueError: a p-value outside [0, 1].

    Source: Holm (1979), Scand. J. Statist. 6, 65-70.

    Example:
        >>> holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": None})
        {'a': 0.03, 'b': 0.06, 'c': 0.06, 'd': None}
    """
    return _adjusted(p_values, "holm")


def benjamini_hochberg(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Benjamini-Hochberg-adjusted p-values: the share of false findings stays ≤ alpha on average.

    The i-th smallest of m is multiplied by ``m / i``, kept monotone, capped at 1; valid under
    independence and positive dependence. ``None`` as in `holm`.

    Raises:
        ValueError: a p-value outside [0, 1].

    Source: Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57, 289-300.

    Example:
        >>> benjamini_hochberg({"a": 0.01, "b": 0.04, "c": None})
        {'a': 0.02, 'b': 0.04, 'c': None}
    """
    return _adjusted(p_values, "fdr_bh")


def _adjusted(
    p_values: Mapping[str, float | None], method: Literal["holm", "fdr_bh"]
) -> dict[str, float | None]:
    """As `statsmodels.stats.multitest.multipletests`, without its import and garbage collection.

    That module takes two seconds to import and collects garbage in every call, half a second each
    with the results of 200 arms in memory.
    """
    tested = {name: p for name, p in p_values.items() if p is not None}
    for name, p in tested.items():
        if not 0 <= p <= 1:
            raise ValueError(f"{name} has p-value {p}; expected 0 to 1, or None without a test")
    order = sorted(tested, key=lambda name: tested[name])
    ordered, size = np.array([tested[name] for name in order]), len(order)
    if method == "holm":
        corrected = np.maximum.accumulate(ordered * np.arange(size, 0, -1))
    else:
        stepped = ordered / (np.arange(1, size + 1) / max(size, 1))
        corrected = np.minimum.accumulate(stepped[::-1])[::-1]
    adjusted = dict(zip(order, map(float, np.minimum(corrected, 1.0)), strict=True))
    return {name: adjusted.get(name) for name in p_values}


def orient(difference: Difference, direction: Direction) -> Difference:
    """The difference turned so that positive is worse.

    "lower" is better and "band" (a difference of distances to the band) are so already; "higher"
    flips sign and swaps the ends of both intervals.

    Raises:
        ValueError: another direction.
    """
    if direction in ("lower", "band"):
        return difference
    if direction != "higher":
        raise ValueError(f"direction {direction!r}; choose lower, higher or band")

    # 0 - x, where -x would print a negative zero.
    def flipped(interval: tuple[float, float] | None) -> tuple[float, float] | None:
        return None if interval is None else (0.0 - interval[1], 0.0 - interval[0])

    return replace(
        difference,
        value=None if difference.value is None else 0.0 - difference.value,
        ci=flipped(difference.ci),
        ci90=flipped(difference.ci90),
    )


def coverage_regressed(
    coverage: Difference, *, p_adjusted: float | None, alpha: float = 0.05
) -> bool:
    """Whether a candidate leaves too much unscored: silence must not pay.

    True when its coverage lies more than `COVERAGE_DROP` under the baseline's *and* that is
    significant. The test counts in the Holm family of the metrics.

    Args:
        coverage: candidate minus baseline of scored / scorable turns, `paired_ratio_difference`.
        p_adjusted: its p-value, adjusted in the family.
        alpha: level of the family.
    """
    if coverage.value is None or p_adjusted is None:
        return False
    return _exceeds(-coverage.value, COVERAGE_DROP) and p_adjusted < alpha


def verdict(
    *,
    worse: Difference,
    margin: float,
    p_adjusted: float | None,
    coverage_regressed: bool = False,
    alpha: float = 0.05,
) -> Verdict:
    """What the comparison says about one metric. The first line that holds decides.

    1. ``regressed (coverage)``: the coverage rule holds, whatever the scored part says.
    2. ``equivalent``: the arms are exactly equal.
    3. ``regressed``: worse by more than the margin, adjusted p < alpha.
    4. ``improved``: better by more than the margin, adjusted p < alpha.
    5. ``equivalent``: the 90 % interval lies inside ± margin, ends excluded (two one-sided tests
       at 5 %; Schuirmann 1987). Such a difference may be significant: real, but too small.
    6. ``inconclusive``: otherwise, and when the difference could not be computed.

    A difference at the margin up to rounding is not beyond it.

    Args:
        worse: the difference, positive = candidate worse (`orient`).
        margin: in the metric's units, at least 0.
        p_adjusted: the p-value of ``worse`` adjusted in the confirmatory family.
        coverage_regressed: outcome of `coverage_regressed` for this metric.
        alpha: level of the family.

    Raises:
        ValueError: a negative margin.

    Example:
        >>> worse = Difference(0.04, ci=(0.01, 0.07), ci90=(0.015, 0.065), p_value=0.01)
        >>> verdict(worse=worse, margin=0.03, p_adjusted=0.02)
        'regressed'
        >>> verdict(worse=worse, margin=0.05, p_adjusted=0.02)
        'inconclusive'
    """
    _check_margin(margin)
    if coverage_regressed:
        return "regressed (coverage)"
    if worse.exactly_equal:
        return "equivalent"
    if worse.value is None:
        return "inconclusive"
    significant = p_adjusted is not None and p_adjusted < alpha
    if significant and _exceeds(worse.value, margin):
        return "regressed"
    if significant and _exceeds(-worse.value, margin):
        return "improved"
    if worse.ci90 is not None and all(_exceeds(margin, abs(end)) for end in worse.ci90):
        return "equivalent"
    return "inconclusive"


def non_inferior(worse: Difference, *, margin: float) -> bool:
    """Whether the candidate is, with confidence .95, not worse by the margin.

    The one-sided 95 % upper bound of ``worse`` lies below the margin. Exactly equal arms are
    non-inferior at any margin; a difference without a bound is not.

    Raises:
        ValueError: a negative margin.
    """
    _check_margin(margin)
    if worse.exactly_equal:
        return True
    return worse.upper_bound_95 is not None and _exceeds(margin, worse.upper_bound_95)


@dataclass(frozen=True, slots=True)
class Deciding:
    """Dialogues with which a change as large as the margin would be told from none."""

    needed: int
    has: int
    """Dialogues that were compared."""

    @property
    def enough(self) -> bool:
        """Whether there are as many: an undecided difference then lies near the margin."""
        return self.needed <= self.has


def deciding(difference: Difference | None, *, margin: float | None) -> Deciding | None:
    """How many dialogues a difference of the margin's size needs.

    ``ceil(n * (mde / margin) ** 2)``: the standard error falls with the root of the dialogues n
    that were compared, so this many bring the minimum detectable effect (two-sided .05, power
    .8, before Holm's correction) down to the margin. `None` without a spread between dialogues
    or with a margin of 0, or one a million times smaller.

    Example:
        >>> deciding(Difference(0.01, mde=0.06, clusters=50), margin=0.02)
        Deciding(needed=450, has=50)
    """
    if difference is None or difference.mde is None or not margin:
        return None
    times = difference.mde / margin
    if times >= 1e6:
        return None
    return Deciding(math.ceil(difference.clusters * times**2), difference.clusters)


def _check_margin(margin: float) -> None:
    if not margin >= 0:
        raise ValueError(f"margin {margin}; expected 0 or more, in the metric's units")


def _exceeds(left: float, right: float) -> bool:
    """``left > right`` by more than rounding: .63 - .6 is no more than .03."""
    return left > right and not math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)
