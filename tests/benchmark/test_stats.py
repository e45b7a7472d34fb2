"""Estimates of one arm, on numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.estimates import Estimate, ratio_of_sums, share

T_2DF = 4.302652729749464  # t(.975) with 2 degrees of freedom, from tables
NAN = float("nan")

Estimator = Callable[[Floats, Floats], Estimate]


class TestRatioOfSums:
    def test_by_hand(self) -> None:
        # R = 6/10; residuals 1 - 1.2, 2 - 1.8, 3 - 3 over 10: -.02, .02, 0.
        estimate = ratio_of_sums([1, 2, 3], [2, 3, 5])
        se = math.sqrt(3 / 2 * (0.02**2 + 0.02**2))
        assert estimate.value == pytest.approx(0.6)
        assert estimate.se == pytest.approx(se)
        assert estimate.ci == pytest.approx((0.6 - T_2DF * se, 0.6 + T_2DF * se))
        assert estimate.clusters == 3
        assert estimate.reason is None

    def test_equal_denominators_give_the_t_interval_of_a_mean(self) -> None:
        values = np.random.default_rng(1).normal(2.2, 0.4, 30)
        estimate = ratio_of_sums(values * 7, np.full(30, 7.0))
        expected = scipy_stats.ttest_1samp(values, 0).confidence_interval()
        assert estimate.ci == pytest.approx((expected.low, expected.high))

    def test_it_is_not_a_mean_of_ratios(self) -> None:
        assert ratio_of_sums([1, 0], [1, 9]).value == pytest.approx(0.1)

    def test_dialogues_without_denominator_change_nothing(self) -> None:
        assert ratio_of_sums([1, 0, 2, 3], [2, 0, 3, 5]) == ratio_of_sums([1, 2, 3], [2, 3, 5])

    @pytest.mark.parametrize(
        ("numerator", "denominator", "expected"),
        [
            ([], [], Estimate(None, reason="no dialogue has a denominator above 0")),
            ([0, 0], [0, 0], Estimate(None, reason="no dialogue has a denominator above 0")),
            (
                [3],
                [4],
                Estimate(0.75, clusters=1, reason="one dialogue: no spread between dialogues"),
            ),
            (
                [0.3, 0.6, 0.9],
                [1, 2, 3],
                Estimate(0.3, 0.0, None, 3, "every dialogue has the same ratio: no spread"),
            ),
        ],
    )
    def test_undefined_has_a_reason(
        self, numerator: list[float], denominator: list[float], expected: Estimate
    ) -> None:
        estimate = ratio_of_sums(numerator, denominator)
        assert estimate.value == pytest.approx(expected.value)
        assert (estimate.se, estimate.ci) == (expected.se, expected.ci)
        assert (estimate.clusters, estimate.reason) == (expected.clusters, expected.reason)


class TestShare:
    def test_by_hand(self) -> None:
        # R = .6, se = .03464; logit .4055, se / (.6 * .4) = .1443.
        estimate = share([1, 2, 3], [2, 3, 5])
        reach = T_2DF * math.sqrt(3 / 2 * 0.0008) / 0.24
        logit = math.log(1.5)
        assert estimate.se == pytest.approx(math.sqrt(3 / 2 * 0.0008))
        assert estimate.ci == pytest.approx(
            (1 / (1 + math.exp(reach - logit)), 1 / (1 + math.exp(-reach - logit)))
        )

    @pytest.mark.parametrize("clusters", [1, 2, 26])
    def test_clopper_pearson_at_the_ends(self, clusters: int) -> None:
        trials = np.full(clusters, 5.0)
        none, all_ = share(np.zeros(clusters), trials), share(trials, trials)
        exact = scipy_stats.binomtest(0, clusters).proportion_ci(0.95, method="exact")
        assert none.ci == pytest.approx((exact.low, exact.high))
        assert all_.ci == pytest.approx((1 - exact.high, 1 - exact.low))
        assert none.se is None
        assert all_.se is None
        assert "Clopper-Pearson" in str(none.reason)

    def test_no_spread_between_the_ends(self) -> None:
        estimate = share([1, 2, 3], [2, 4, 6])
        assert (estimate.value, estimate.se, estimate.ci) == (0.5, 0.0, None)

    @pytest.mark.parametrize("hits", [[-1, 2], [1, 5]])
    def test_no_share(self, hits: list[float]) -> None:
        with pytest.raises(ValueError, match="0 <= numerator <= denominator"):
            share(hits, [2, 4])

    @given(st.integers(2, 60), st.integers(0, 10_000))
    @settings(max_examples=50, deadline=None)
    def test_interval_lies_in_0_1_around_the_value(self, clusters: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        trials = rng.integers(1, 12, clusters)
        hits = rng.binomial(trials, rng.beta(2, 3, clusters))
        estimate = share(hits, trials)
        if estimate.ci is not None:
            low, high = estimate.ci
            assert estimate.value is not None
            assert 0 <= low <= estimate.value <= high <= 1


class TestBadInput:
    @pytest.mark.parametrize(
        ("numerator", "denominator", "message"),
        [
            ([1, 2], [1, 2, 3], r"arrays of \[2, 3\] dialogues"),
            ([[1, 2]], [[1, 2]], "one entry per dialogue"),
            ([1, NAN], [1, 2], "must be finite"),
            ([1, 2], [1, math.inf], "must be finite"),
            ([1, 0], [1, -2], "denominator is negative"),
            ([1, 2], [1, 0], "denominator of 0"),
        ],
    )
    @pytest.mark.parametrize("estimator", [ratio_of_sums, share])
    def test_refused(
        self, estimator: Estimator, numerator: Floats, denominator: Floats, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            estimator(numerator, denominator)
