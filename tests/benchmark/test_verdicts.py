"""The truth table of verdicts, and adjusted p-values against hand examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_bench.statistics.paired import (
    Difference,
    exactly_equal_difference,
    paired_ratio_difference,
)
from rapport_bench.statistics.verdicts import (
    Deciding,
    Verdict,
    benjamini_hochberg,
    coverage_regressed,
    deciding,
    holm,
    non_inferior,
    orient,
    verdict,
)

M = 0.03  # the margin of every case below


def worse(value: float | None, ci90: tuple[float, float] | None = None) -> Difference:
    return Difference(value, ci90=ci90)


@pytest.mark.parametrize(
    ("value", "ci90", "p_adjusted", "expected"),
    [
        # Beyond the margin and significant.
        (0.05, (0.02, 0.08), 0.01, "regressed"),
        (-0.05, (-0.08, -0.02), 0.01, "improved"),
        # Beyond the margin, not significant; p at alpha is not below it.
        (0.05, (-0.01, 0.11), 0.06, "inconclusive"),
        (0.05, (0.01, 0.09), 0.05, "inconclusive"),
        (0.05, (0.01, 0.09), 0.0499, "regressed"),
        (-0.05, (-0.09, -0.01), 0.05, "inconclusive"),
        (-0.05, (-0.09, -0.01), 0.0499, "improved"),
        # At the margin, exactly and up to rounding, is not beyond it.
        (0.03, (0.01, 0.05), 0.001, "inconclusive"),
        (0.63 - 0.6, (0.01, 0.05), 0.001, "inconclusive"),
        (0.0301, (0.01, 0.05), 0.001, "regressed"),
        (-0.03, (-0.05, -0.01), 0.001, "inconclusive"),
        (-0.0301, (-0.05, -0.01), 0.001, "improved"),
        # The 90 % interval inside the margin, ends excluded.
        (0.00, (-0.02, 0.02), 1.0, "equivalent"),
        (0.00, (-0.0299, 0.0299), 1.0, "equivalent"),
        (0.00, (-0.03, 0.0299), 1.0, "inconclusive"),
        (0.00, (-0.0299, 0.03), 1.0, "inconclusive"),
        (0.00, (0.0, 0.0), 1.0, "equivalent"),
        # Significant but too small to matter.
        (0.02, (0.015, 0.025), 0.001, "equivalent"),
        (0.02, (0.005, 0.035), 0.001, "inconclusive"),
        # Not tested.
        (0.05, None, None, "inconclusive"),
        (0.00, None, None, "inconclusive"),
        (None, None, None, "inconclusive"),
    ],
)
def test_truth_table(
    value: float | None,
    ci90: tuple[float, float] | None,
    p_adjusted: float | None,
    expected: Verdict,
) -> None:
    assert verdict(worse=worse(value, ci90), margin=M, p_adjusted=p_adjusted) == expected


@pytest.mark.parametrize(
    "difference",
    [worse(-0.05, (-0.08, -0.02)), worse(None), worse(0.05, (0.02, 0.08))],
)
def test_coverage_comes_first(difference: Difference) -> None:
    said = verdict(worse=difference, margin=M, p_adjusted=0.001, coverage_regressed=True)
    assert said == "regressed (coverage)"


@pytest.mark.parametrize("margin", [0.0, 0.03])
def test_exactly_equal_is_equivalent_at_any_margin(margin: float) -> None:
    assert verdict(worse=exactly_equal_difference(9), margin=margin, p_adjusted=1) == "equivalent"


def test_without_a_margin_nothing_else_is_equivalent() -> None:
    assert verdict(worse=worse(0.0, (0.0, 0.0)), margin=0, p_adjusted=1.0) == "inconclusive"
    assert verdict(worse=worse(1e-3, (0.0, 1.0)), margin=0, p_adjusted=0.01) == "regressed"


def test_alpha() -> None:
    said = verdict(worse=worse(0.05, (0.02, 0.08)), margin=M, p_adjusted=0.03, alpha=0.01)
    assert said == "inconclusive"


@pytest.mark.parametrize("margin", [-0.01, float("nan")])
def test_bad_margin(margin: float) -> None:
    with pytest.raises(ValueError, match="expected 0 or more"):
        verdict(worse=worse(0.0), margin=margin, p_adjusted=None)
    with pytest.raises(ValueError, match="expected 0 or more"):
        non_inferior(worse(0.0), margin=margin)


class TestOrient:
    difference = Difference(
        0.1, se=0.05, ci=(0.0, 0.3), ci90=(0.01, 0.2), p_value=0.04, mde=0.1, clusters=9
    )

    @pytest.mark.parametrize("direction", ["lower", "band"])
    def test_positive_is_worse_already(self, direction: str) -> None:
        assert orient(self.difference, direction) is self.difference  # type: ignore[arg-type]

    def test_higher_is_better(self) -> None:
        flipped = orient(self.difference, "higher")
        assert flipped == Difference(
            -0.1, se=0.05, ci=(-0.3, 0.0), ci90=(-0.2, -0.01), p_value=0.04, mde=0.1, clusters=9
        )
        assert str(flipped.ci) == "(-0.3, 0.0)"  # no negative zero
        assert flipped.upper_bound_95 == -0.01

    def test_undefined_and_equal(self) -> None:
        assert orient(Difference(None, reason="r"), "higher") == Difference(None, reason="r")
        assert orient(exactly_equal_difference(9), "higher") == exactly_equal_difference(9)

    def test_unknown_direction(self) -> None:
        with pytest.raises(ValueError, match="choose lower, higher or band"):
            orient(self.difference, "up")  # type: ignore[arg-type]


class TestCoverage:
    @pytest.mark.parametrize(
        ("value", "p_adjusted", "expected"),
        [
            (-0.06, 0.01, True),
            (-0.06, 0.05, False),
            (-0.06, None, False),
            (-0.05, 0.01, False),
            (0.85 - 0.9, 0.01, False),  # 5 points up to rounding
            (-0.04, 0.001, False),
            (0.20, 0.001, False),
            (None, None, False),
        ],
    )
    def test_rule(self, value: float | None, p_adjusted: float | None, expected: bool) -> None:
        assert coverage_regressed(worse(value), p_adjusted=p_adjusted) is expected

    def test_a_silent_bot_is_caught(self) -> None:
        replies = np.array([3.0, 4, 5, 3, 4, 6, 3, 4, 5, 4])
        coverage = paired_ratio_difference(np.zeros(10), replies, replies, replies)
        adjusted = holm({"nll": 0.5, "continuity": None, "continuity coverage": coverage.p_value})
        assert coverage_regressed(coverage, p_adjusted=adjusted["continuity coverage"])


class TestAdjustment:
    def test_holm_by_hand(self) -> None:
        # .01 * 4; .02 * 3; then .03 * 2 and .05 * 1 are held up by .06.
        adjusted = holm({"d": 0.05, "a": 0.01, "c": 0.03, "untested": None, "b": 0.02})
        expected = {"d": 0.06, "a": 0.04, "c": 0.06, "untested": None, "b": 0.06}
        assert list(adjusted) == list(expected)
        assert adjusted == pytest.approx(expected)

    def test_benjamini_hochberg_by_hand(self) -> None:
        # .05; .04 * 4/3 held down by it; .03 * 4/2 too; .005 * 4.
        adjusted = benjamini_hochberg({"a": 0.005, "b": 0.03, "c": 0.04, "d": 0.05, "none": None})
        expected = {"a": 0.02, "b": 0.05, "c": 0.05, "d": 0.05, "none": None}
        assert adjusted == pytest.approx(expected)

    @pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
    def test_nothing_tested(self, adjust: object) -> None:
        assert callable(adjust)
        assert adjust({}) == {}
        assert adjust({"a": None}) == {"a": None}
        assert adjust({"a": 0.2, "b": None}) == {"a": 0.2, "b": None}

    @pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
    def test_no_p_value(self, p: float) -> None:
        with pytest.raises(ValueError, match="nll has p-value"):
            holm({"nll": p})

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
    @settings(max_examples=15, deadline=None)  # statsmodels collects garbage in each call
    def test_both_agree_with_statsmodels(self, p_values: list[float]) -> None:
        from statsmodels.stats.multitest import multipletests

        raw = {str(position): p for position, p in enumerate(p_values)}
        for adjust, method in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
            theirs = multipletests(p_values, method=method)[1]
            assert list(adjust(raw).values()) == pytest.approx(list(theirs), abs=1e-12)

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
    def test_adjusting_only_raises_and_keeps_the_order(self, p_values: list[float]) -> None:
        raw = {str(position): p for position, p in enumerate(p_values)}
        by_holm, by_bh = holm(raw), benjamini_hochberg(raw)
        ranked = sorted(raw, key=lambda name: raw[name])
        for name in raw:
            strict, mild = by_holm[name], by_bh[name]
            assert strict is not None
            assert mild is not None
            assert raw[name] <= mild + 1e-12
            assert mild <= strict + 1e-12
            assert strict <= 1
        adjusted = [by_holm[name] or 0.0 for name in ranked]
        assert adjusted == sorted(adjusted)


def test_non_inferior_at_the_boundary() -> None:
    assert non_inferior(worse(0.0, (-0.5, 0.0299)), margin=M)
    assert not non_inferior(worse(0.0, (-0.5, 0.03)), margin=M)
    assert not non_inferior(worse(None), margin=M)
    assert non_inferior(exactly_equal_difference(4), margin=0)


def test_dialogues_that_decide() -> None:
    found = deciding(Difference(0.01, mde=0.06, clusters=50), margin=0.02)
    assert found is not None
    assert (found.needed, found.has, found.enough) == (450, 50, False)
    assert Deciding(50, 50).enough
    for difference, margin in ((None, M), (Difference(0.0), M), (Difference(0.0, mde=1.0), 0.0)):
        assert deciding(difference, margin=margin) is None
    assert deciding(Difference(0.0, mde=1.0, clusters=2), margin=1e-7) is None  # beyond any study
