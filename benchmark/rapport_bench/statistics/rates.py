"""Rate ratios of markers: candidate events per exposure over the baseline's, by dialogue.

Markers are rare counts with many empty dialogues. Two methods are printed side by side: a cluster
bootstrap of the ratio of sums, and a Poisson GEE. A ratio with no baseline event is undefined, not
large.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rapport_bench.statistics.bootstrap import DRAWS, MIN_CLUSTERS, bootstrap_sums, tail_p_value
from rapport_bench.statistics.clusters import (
    Floats,
    Interval,
    checked_sums,
    t_quantile,
    t_two_sided,
)

_NO_SPREAD = 1e-6
"""A standard error of a log ratio below this is what iterating to convergence leaves of 0."""


@dataclass(frozen=True, slots=True)
class RateRatio:
    """Candidate rate / baseline rate; 1 is no difference."""

    value: float | None
    ci: Interval | None = None
    """95 %."""
    p_value: float | None = None
    """Two-sided, of equal rates, not adjusted for other tests."""
    clusters: int = 0
    """Dialogues with an exposure above 0 in either arm."""
    exactly_equal: bool = False
    """Every dialogue has identical counts and exposures in both arms."""
    reason: str | None = None
    """Why a field is ``None``."""


def rate_ratio(
    candidate_count: npt.ArrayLike,
    candidate_exposure: npt.ArrayLike,
    baseline_count: npt.ArrayLike,
    baseline_exposure: npt.ArrayLike,
    *,
    draws: int = DRAWS,
    rng: np.random.Generator,
) -> RateRatio:
    """Ratio of two rates of sums, with a percentile interval of the cluster bootstrap.

    ``(sum(y_c) / sum(x_c)) / (sum(y_b) / sum(x_b))``. The p-value is `tail_p_value` of the
    *difference* of the rates, which every draw has: ratio and difference lie on the same side of
    no change, so it agrees with the interval and exists where the ratio does not.

    Undefined: everything without exposure in an arm; the value when the baseline has no event;
    interval and p-value with fewer than `MIN_CLUSTERS` dialogues; the interval when the candidate
    has no event, or the baseline none in too many of the draws for an upper end.

    Example:
        >>> ratio = rate_ratio([1, 2] * 10, [500] * 20, [2, 4] * 10, [500] * 20,
        ...                    rng=np.random.default_rng(0))
        >>> ratio.value, ratio.ci  # half in every dialogue, so half in every draw
        (0.5, (0.5, 0.5))
    """
    columns = checked_sums(candidate_count, candidate_exposure, baseline_count, baseline_exposure)
    settled = _without_estimation(columns)
    if settled is not None:
        return settled
    clusters = len(columns)
    candidate, baseline = _rates(columns.sum(axis=0))
    value = float(candidate / baseline) if baseline > 0 else None
    if clusters < MIN_CLUSTERS:
        too_few = f"fewer than {MIN_CLUSTERS} dialogues: no bootstrap interval"
        return RateRatio(value, clusters=clusters, reason=too_few)
    sums = bootstrap_sums(columns, draws=draws, rng=rng)
    sampled = _rates(sums[sums[:, 1::2].all(axis=1)])
    p_value = tail_p_value(sampled[:, 0] - sampled[:, 1])
    reason = _missing_event(columns)
    if reason is not None:
        return RateRatio(value, p_value=p_value, clusters=clusters, reason=reason)
    with_event = sampled[sampled.any(axis=1)]
    with np.errstate(divide="ignore"):
        ratios = with_event[:, 0] / with_event[:, 1]  # infinite where the baseline has no event
    low = float(np.quantile(ratios, 0.025, method="lower"))
    high = float(np.quantile(ratios, 0.975, method="higher"))
    if math.isinf(high):
        reason = "too few baseline events: over 2.5 % of the draws have none"
        return RateRatio(value, p_value=p_value, clusters=clusters, reason=reason)
    return RateRatio(value, (low, high), p_value, clusters)


def poisson_gee_rate_ratio(
    candidate_count: npt.ArrayLike,
    candidate_exposure: npt.ArrayLike,
    baseline_count: npt.ArrayLike,
    baseline_exposure: npt.ArrayLike,
) -> RateRatio:
    """Rate ratio from a Poisson regression with the dialogue as cluster (GEE).

    ``log E[count] = log exposure + a + b * candidate``, one row per dialogue and arm; the ratio is
    ``exp(b)``. The sandwich variance is bias-reduced (clusters are few) and referred to t with
    clusters - 1 degrees of freedom; it needs neither Poisson variance nor the working correlation
    (exchangeable) to be right.

    Undefined: everything when an arm has no exposure or no event (b is then infinite), with fewer
    than two dialogues, or when the fit does not converge; interval and p-value when the ratio is
    the same in every dialogue.

    Source: Liang & Zeger (1986), Biometrika 73, 13-22; Mancl & DeRouen (2001), Biometrics 57,
    126-134; fitted by `statsmodels.genmod.generalized_estimating_equations.GEE`.
    """
    columns = checked_sums(candidate_count, candidate_exposure, baseline_count, baseline_exposure)
    settled = _without_estimation(columns)
    if settled is not None:
        return settled
    clusters = len(columns)
    reason = "one dialogue: no spread between dialogues" if clusters < 2 else None
    reason = reason or _missing_event(columns)
    if reason is not None:
        return RateRatio(None, clusters=clusters, reason=reason)

    if _proportional(columns):  # the fit's variance is zero but for rounding, which may be below it
        ratio = float(np.divide(*_rates(columns.sum(axis=0))))
        return RateRatio(ratio, clusters=clusters, reason="no spread between dialogues")

    # Two seconds to import.
    from statsmodels.genmod import cov_struct, families, generalized_estimating_equations
    from statsmodels.tools.sm_exceptions import ModelWarning

    counts, exposures = columns[:, 0::2].ravel(), columns[:, 1::2].ravel()
    dialogue = np.repeat(np.arange(clusters), 2)
    is_candidate = np.tile([1.0, 0.0], clusters)
    rows = exposures > 0
    model = generalized_estimating_equations.GEE(
        counts[rows],
        np.column_stack([np.ones(int(rows.sum())), is_candidate[rows]]),
        groups=dialogue[rows],
        family=families.Poisson(),
        offset=np.log(exposures[rows]),
        cov_struct=cov_struct.Exchangeable(),
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for failure in (ModelWarning, RuntimeWarning):  # no convergence, singular, overflow
                warnings.simplefilter("error", failure)
            fit = model.fit(cov_type="bias_reduced")
    except (ModelWarning, RuntimeWarning, ValueError, np.linalg.LinAlgError) as error:
        return RateRatio(None, clusters=clusters, reason=f"the Poisson GEE has no fit: {error}")
    log_ratio, se = float(fit.params[1]), float(fit.bse[1])
    if not (math.isfinite(log_ratio) and math.isfinite(se)):
        return RateRatio(None, clusters=clusters, reason="the Poisson GEE has no finite fit")
    if se < _NO_SPREAD:
        reason = "no spread between dialogues"
        return RateRatio(math.exp(log_ratio), clusters=clusters, reason=reason)
    reach = t_quantile(0.975, clusters - 1) * se
    return RateRatio(
        value=math.exp(log_ratio),
        ci=(math.exp(log_ratio - reach), math.exp(log_ratio + reach)),
        p_value=t_two_sided(log_ratio / se, clusters - 1),
        clusters=clusters,
    )


def _without_estimation(columns: Floats) -> RateRatio | None:
    """The result where there is nothing to estimate: an arm without exposure, or equal arms."""
    clusters = len(columns)
    for arm, exposure in (("candidate", columns[:, 1]), ("baseline", columns[:, 3])):
        if not exposure.any():
            return RateRatio(None, clusters=clusters, reason=f"the {arm} has no exposure")
    if not np.array_equal(columns[:, :2], columns[:, 2:]):
        return None
    if not columns[:, 0].any():
        reason = "exactly equal: neither arm has an event"
        return RateRatio(None, p_value=1.0, clusters=clusters, exactly_equal=True, reason=reason)
    reason = "exactly equal in every dialogue"
    return RateRatio(1.0, (1.0, 1.0), 1.0, clusters, exactly_equal=True, reason=reason)


def _proportional(columns: Floats) -> bool:
    """Whether one arm's counts and exposures are those of the other times two constants."""
    sums = columns.sum(axis=0)
    return all(
        np.array_equal(columns[:, at] * sums[at + 2], columns[:, at + 2] * sums[at])
        for at in (0, 1)
    )


def _missing_event(columns: Floats) -> str | None:
    """Why a ratio of the two has no logarithm; `None` if it has one."""
    arms = [arm for arm, at in (("candidate", 0), ("baseline", 2)) if not columns[:, at].any()]
    return f"no event in the {' or the '.join(arms)}" if arms else None


def _rates(sums: Floats) -> Floats:
    rates: Floats = sums[..., 0::2] / sums[..., 1::2]
    return rates
