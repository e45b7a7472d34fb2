"""Paired differences of ratios and means, on numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as scipy_stats

from rapport_bench.statistics.clusters import Floats, minimum_detectable_effect
from rapport_bench.statistics.estimates import ratio_of_sums, share
from rapport_bench.statistics.paired import (
    Difference,
    _hall,
    _hall_inverse,
    paired_mean_difference,
    paired_ratio_difference,
    signed_rank_test,
)

T_2DF = 4.302652729749464  # t(.975) with 2 degrees of freedom, from tables
T80_2DF = 1.0606601717798212  # t(.8)
NAN = float("nan")


def counts(clusters: int, seed: int = 0) -> tuple[Floats, Floats, Floats, Floats]:
    """Candidate and baseline hits and trials of unequal dialogues."""
    rng = np.random.default_rng(seed)
    trials = rng.integers(1, 12, size=(2, clusters))
    hits = rng.binomial(trials, rng.beta(2, 3, size=(2, clusters)))
    return (
        hits[0].astype(float),
        trials[0].astype(float),
        hits[1].astype(float),
        trials[1].astype(float),
    )


class TestPairedRatioDifference:
    def test_by_hand(self) -> None:
        # Candidate 6/10, influences -.02, .02, 0; baseline 4/8, influences 0, -.0625, .0625.
        difference = paired_ratio_difference([1, 2, 3], [2, 3, 5], [1, 1, 2], [2, 3, 3])
        influences = np.array([-0.02, 0.02 + 0.0625, -0.0625])
        se = math.sqrt(3 / 2 * np.square(influences).sum())
        assert difference.value == pytest.approx(0.1)
        assert difference.se == pytest.approx(se)
        assert difference.ci == pytest.approx((0.1 - T_2DF * se, 0.1 + T_2DF * se))
        assert difference.mde == pytest.approx((T_2DF + T80_2DF) * se)
        assert difference.clusters == 3
        assert not difference.exactly_equal

    def test_equal_denominators_give_the_paired_t_test(self) -> None:
        candidate, baseline = np.random.default_rng(2).normal(0.4, 0.1, (2, 25))
        ones = np.ones(25)
        difference = paired_ratio_difference(candidate, ones, baseline, ones)
        test = scipy_stats.ttest_rel(candidate, baseline)
        wide, narrow = test.confidence_interval(0.95), test.confidence_interval(0.9)
        assert difference.p_value == pytest.approx(test.pvalue)
        assert difference.ci == pytest.approx((wide.low, wide.high))
        assert difference.ci90 == pytest.approx((narrow.low, narrow.high))
        assert difference.upper_bound_95 == pytest.approx(narrow.high)

    def test_no_difference_is_covered(self) -> None:
        hits, trials, _, _ = counts(40)
        order = np.random.default_rng(3).permutation(40)
        difference = paired_ratio_difference(hits, trials, hits[order], trials[order])
        assert difference.value == pytest.approx(0)
        assert difference.ci is not None
        assert difference.ci[0] < 0 < difference.ci[1]
        assert difference.p_value == pytest.approx(1)

    def test_no_op_adapter_is_exactly_equal(self) -> None:
        hits, trials, _, _ = counts(40)
        difference = paired_ratio_difference(hits, trials, hits.copy(), trials.copy())
        assert difference == Difference(
            value=0.0,
            se=0.0,
            ci=(0.0, 0.0),
            ci90=(0.0, 0.0),
            p_value=1.0,
            mde=None,
            clusters=40,
            exactly_equal=True,
            reason="exactly equal in every dialogue",
        )

    def test_the_last_bit_is_not_exact_equality(self) -> None:
        nll, tokens = np.random.default_rng(4).uniform(50, 90, 30), np.full(30, 33.0)
        difference = paired_ratio_difference(nll, tokens, np.nextafter(nll, 100), tokens)
        assert not difference.exactly_equal
        assert difference.value == 0.0
        assert difference.p_value == 1.0
        assert difference.reason == "equal in every dialogue up to rounding"

    def test_silence_against_full_coverage_is_significant(self) -> None:
        replies = np.array([4.0, 3, 5, 4, 6, 2, 3, 4])
        difference = paired_ratio_difference(np.zeros(8), replies, replies, replies)
        assert difference.value == -1.0
        assert difference.se == 0.0
        assert difference.p_value == 2**-7
        assert difference.ci == (-1.0, -1.0)
        assert difference.mde is None
        assert "exact sign test" in str(difference.reason)

    @pytest.mark.parametrize(
        ("clusters", "ci", "ci90"),
        [(4, None, None), (5, None, (0.5, 0.5)), (6, (0.5, 0.5), (0.5, 0.5))],
    )
    def test_constant_difference_needs_dialogues(
        self,
        clusters: int,
        ci: tuple[float, float] | None,
        ci90: tuple[float, float] | None,
    ) -> None:
        trials = np.full(clusters, 4.0)
        difference = paired_ratio_difference(trials * 0.75, trials, trials * 0.25, trials)
        assert (difference.ci, difference.ci90) == (ci, ci90)
        assert difference.p_value == 2.0 ** (1 - clusters)

    def test_one_sided_dialogues_count(self) -> None:
        # The first dialogue speaks in the baseline alone, the last in neither.
        difference = paired_ratio_difference(
            [0, 2, 1, 3, 0], [0, 4, 4, 4, 0], [1, 1, 2, 1, 0], [4, 4, 4, 4, 0]
        )
        assert difference.clusters == 4
        assert difference.value == pytest.approx(6 / 12 - 5 / 16)

    @pytest.mark.parametrize(
        ("arrays", "value", "clusters", "reason"),
        [
            (([], [], [], []), None, 0, "no dialogue has a denominator above 0 in the candidate"),
            (
                ([0], [0], [1], [2]),
                None,
                1,
                "no dialogue has a denominator above 0 in the candidate",
            ),
            (
                ([1], [2], [0], [0]),
                None,
                1,
                "no dialogue has a denominator above 0 in the baseline",
            ),
            (([1], [2], [1], [4]), 0.25, 1, "one dialogue: no spread between dialogues"),
        ],
    )
    def test_undefined_has_a_reason(
        self,
        arrays: tuple[list[float], list[float], list[float], list[float]],
        value: float | None,
        clusters: int,
        reason: str,
    ) -> None:
        difference = paired_ratio_difference(*arrays)
        assert difference == Difference(value, clusters=clusters, reason=reason)
        assert difference.upper_bound_95 is None

    @given(st.integers(3, 40), st.integers(0, 10_000))
    @settings(max_examples=50, deadline=None)
    def test_interval_and_p_value_agree(self, clusters: int, seed: int) -> None:
        difference = paired_ratio_difference(*counts(clusters, seed))
        if difference.se:
            assert difference.ci is not None
            assert difference.p_value is not None
            excludes_0 = not difference.ci[0] <= 0 <= difference.ci[1]
            assert excludes_0 == (difference.p_value < 0.05)


class TestPairedMeanDifference:
    def test_by_hand(self) -> None:
        # d = 0, 0, 3: mean 1, s = sqrt(3), third moment 2, second 2: skewness 2 / 2**1.5.
        difference = paired_mean_difference([1, 2, 6], [1, 2, 3])
        g, w = 2 / 2**1.5, 1 / math.sqrt(3)
        statistic = math.sqrt(3) * (w + g * w**2 / 3 + g**2 * w**3 / 27 + g / 18)
        assert difference.value == pytest.approx(1)
        assert difference.se == pytest.approx(1)
        assert difference.p_value == pytest.approx(2 * scipy_stats.t.sf(statistic, 2))

    def test_without_skewness_it_is_the_paired_t_test(self) -> None:
        symmetric = np.array([-3.0, -1, 0, 1, 3]) + 0.8
        difference = paired_mean_difference(symmetric, np.zeros(5))
        test = scipy_stats.ttest_rel(symmetric, np.zeros(5))
        expected = test.confidence_interval()
        assert difference.p_value == pytest.approx(test.pvalue)
        assert difference.ci == pytest.approx((expected.low, expected.high))

    def test_skewness_moves_the_interval_towards_the_tail(self) -> None:
        skewed = np.exp(np.random.default_rng(5).standard_normal(50))
        difference = paired_mean_difference(skewed, np.zeros(50))
        assert difference.ci is not None
        assert difference.value is not None
        low, high = difference.ci
        assert high - difference.value > difference.value - low > 0

    @given(
        st.floats(-5, 5),
        st.floats(-7, 7),
        st.integers(3, 500),
    )
    def test_hall_inverts(self, w: float, skewness: float, clusters: int) -> None:
        x = _hall(w, skewness, clusters)
        assert _hall(_hall_inverse(x, skewness, clusters), skewness, clusters) == pytest.approx(
            x, abs=1e-7
        )

    @given(
        hnp.arrays(np.float64, st.integers(3, 30), elements=st.integers(-50, 50).map(float)),
        st.integers(-20, 20),
    )
    @settings(deadline=None)
    def test_interval_and_p_value_invert_each_other(self, values: Floats, shift: int) -> None:
        difference = paired_mean_difference(values + shift, np.zeros(len(values)))
        if difference.se:
            assert difference.ci is not None
            assert difference.p_value is not None
            tested = paired_mean_difference(values + shift, np.full(len(values), difference.ci[0]))
            assert tested.p_value == pytest.approx(0.05)
            excludes_0 = not difference.ci[0] <= 0 <= difference.ci[1]
            assert excludes_0 == (difference.p_value < 0.05)

    def test_swapping_arms_flips_everything(self) -> None:
        candidate, baseline = np.random.default_rng(6).gamma(1, 1, (2, 20))
        one = paired_mean_difference(candidate, baseline)
        other = paired_mean_difference(baseline, candidate)
        assert one.ci is not None
        assert other.ci is not None
        assert one.p_value == pytest.approx(other.p_value)
        assert one.ci == pytest.approx((-other.ci[1], -other.ci[0]))

    def test_dialogues_unscored_on_a_side_are_left_out(self) -> None:
        whole = paired_mean_difference([1, 2, 6], [1, 1, 3])
        holes = paired_mean_difference([1, NAN, 2, 6, 4], [1, 5, 1, 3, NAN])
        assert (holes.value, holes.ci, holes.p_value) == (whole.value, whole.ci, whole.p_value)
        assert holes.clusters == 3

    @pytest.mark.parametrize(
        ("candidate", "baseline", "expected"),
        [
            ([], [], Difference(None, reason="no dialogue is scored in both arms")),
            (
                [NAN, 1],
                [1, NAN],
                Difference(None, reason="no dialogue is scored in both arms"),
            ),
            (
                [2, NAN],
                [1, 1],
                Difference(1.0, clusters=1, reason="one dialogue: no spread between dialogues"),
            ),
        ],
    )
    def test_undefined_has_a_reason(
        self, candidate: list[float], baseline: list[float], expected: Difference
    ) -> None:
        assert paired_mean_difference(candidate, baseline) == expected

    def test_equal_and_constant(self) -> None:
        values = np.array([0.1, 0.2, NAN, 0.7, 0.3, 0.4, 0.9])
        equal = paired_mean_difference(values, values)
        assert (equal.exactly_equal, equal.p_value, equal.mde) == (True, 1.0, None)
        assert equal.clusters == 6
        constant = paired_mean_difference(values + 0.2, values)  # .2 up to rounding
        assert constant.value == pytest.approx(0.2)
        assert (constant.se, constant.p_value) == (0.0, 2**-5)

    def test_infinite(self) -> None:
        with pytest.raises(ValueError, match="NaN"):
            paired_mean_difference([1, math.inf], [1, 1])


class TestInvariance:
    """What must not matter: turns repeated within dialogues, and their order."""

    def test_doubling_the_turns_of_dialogues_narrows_nothing(self) -> None:
        columns = counts(26)
        doubled = tuple(2 * column for column in columns)
        assert ratio_of_sums(*doubled[:2]) == ratio_of_sums(*columns[:2])
        assert share(*doubled[:2]) == share(*columns[:2])
        assert paired_ratio_difference(*doubled) == paired_ratio_difference(*columns)

    def test_more_dialogues_narrow_the_interval(self) -> None:
        few, many = counts(26), tuple(np.tile(column, 4) for column in counts(26))
        narrow, wide = paired_ratio_difference(*many), paired_ratio_difference(*few)
        assert narrow.se is not None
        assert wide.se is not None
        assert narrow.se == pytest.approx(wide.se / 2, rel=0.02)

    @given(st.integers(3, 30), st.integers(0, 10_000))
    @settings(max_examples=30, deadline=None)
    def test_order_of_dialogues(self, clusters: int, seed: int) -> None:
        columns = counts(clusters, seed)
        order = np.random.default_rng(seed).permutation(clusters)
        shuffled = tuple(column[order] for column in columns)
        for one, other in (
            (paired_ratio_difference(*columns), paired_ratio_difference(*shuffled)),
            (
                paired_mean_difference(columns[0], columns[2]),
                paired_mean_difference(shuffled[0], shuffled[2]),
            ),
        ):
            assert one.value == pytest.approx(other.value, abs=1e-12)
            assert one.se == pytest.approx(other.se, abs=1e-12)
            assert one.ci == pytest.approx(other.ci, abs=1e-9)
            assert one.p_value == pytest.approx(other.p_value, abs=1e-9)


def test_minimum_detectable_effect_has_power_80() -> None:
    """A simulated check of the design figure: 30 dialogues, true difference = MDE."""
    rng, clusters = np.random.default_rng(7), 30
    effect = minimum_detectable_effect(1 / math.sqrt(clusters), df=clusters - 1)
    samples = effect + rng.standard_normal((4000, clusters))
    power = np.mean(scipy_stats.ttest_1samp(samples, 0, axis=1).pvalue < 0.05)
    assert power == pytest.approx(0.8, abs=0.02)


class TestWilcoxon:
    def test_exact_over_the_pairs_that_differ(self) -> None:
        candidate, baseline = np.random.default_rng(8).normal(0.2, 1, (2, 30))
        candidate[:3] = baseline[:3]
        candidate[3] = NAN
        exact = scipy_stats.wilcoxon(candidate[4:], baseline[4:], method="exact")
        found = signed_rank_test(candidate - baseline)
        assert found.p_value == pytest.approx(exact.pvalue)
        assert (found.ranked, found.zeros, found.method) == (26, 3, "exact")

    @pytest.mark.parametrize(
        ("candidate", "baseline"), [([1, 2], [1, 2]), ([NAN, 2], [1, NAN]), ([], [])]
    )
    def test_undefined(self, candidate: list[float], baseline: list[float]) -> None:
        assert signed_rank_test(np.subtract(candidate, baseline)).p_value is None
