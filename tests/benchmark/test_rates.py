"""Rate ratios of markers, by bootstrap and by Poisson GEE."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.rates import poisson_gee_rate_ratio, rate_ratio

DRAWS = 2000


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class TestRateRatio:
    def markers(self, clusters: int = 52) -> list[Floats]:
        rng = generator(9)
        exposure = rng.integers(200, 900, (2, clusters)).astype(float)
        frailty = rng.gamma(2, 0.5, clusters)
        counts = rng.poisson(exposure * frailty * [[0.003], [0.006]]).astype(float)
        return [counts[0], exposure[0], counts[1], exposure[1]]

    def test_by_hand(self) -> None:
        ratio = rate_ratio([1, 3] * 5, [500, 1500] * 5, [2, 0] * 5, [250, 750] * 5, rng=generator())
        assert ratio.value == pytest.approx((20 / 10_000) / (10 / 5_000))
        assert ratio.ci is not None
        assert ratio.ci[0] < 1 < ratio.ci[1]
        assert ratio.p_value is not None
        assert ratio.p_value > 0.5

    def test_the_two_methods_agree(self) -> None:
        columns = self.markers()
        drawn = rate_ratio(*columns, draws=DRAWS, rng=generator())
        gee = poisson_gee_rate_ratio(*columns)
        assert gee.value == pytest.approx(drawn.value, rel=0.1)
        assert gee.ci == pytest.approx(drawn.ci, rel=0.1)
        for ratio in (drawn, gee):
            assert ratio.p_value is not None
            assert ratio.p_value < 0.01
            assert ratio.clusters == 52

    def test_units_of_exposure_cancel(self) -> None:
        a, x, b, y = self.markers()
        one = rate_ratio(a, x, b, y, draws=DRAWS, rng=generator())
        other = rate_ratio(a, x / 1000, b, y / 1000, draws=DRAWS, rng=generator())
        assert one.ci == pytest.approx(other.ci)

    def test_exactly_equal(self) -> None:
        a, x, _, _ = self.markers()
        for ratio in (rate_ratio(a, x, a, x, rng=generator()), poisson_gee_rate_ratio(a, x, a, x)):
            assert (ratio.value, ratio.ci, ratio.p_value) == (1.0, (1.0, 1.0), 1.0)
            assert ratio.exactly_equal

    @pytest.mark.parametrize(
        ("columns", "value", "p_value", "reason"),
        [
            (([0] * 8, [9] * 8, [0] * 8, [9] * 8), None, 1.0, "neither arm has an event"),
            (([0] * 8, [9] * 8, [0] * 8, [7] * 8), None, 1.0, "candidate or the baseline"),
            (([0] * 8, [9] * 8, [1] * 8, [9] * 8), 0.0, 2 / 2001, "no event in the candidate"),
            (([1] * 8, [9] * 8, [0] * 8, [9] * 8), None, 2 / 2001, "no event in the baseline"),
            (([0] * 8, [0] * 8, [1] * 8, [9] * 8), None, None, "candidate has no exposure"),
            (([], [], [], []), None, None, "candidate has no exposure"),
            (([1] * 5, [9] * 5, [2] * 5, [9] * 5), 0.5, None, "fewer than 6 dialogues"),
        ],
    )
    def test_undefined_has_a_reason(
        self,
        columns: tuple[list[float], list[float], list[float], list[float]],
        value: float | None,
        p_value: float | None,
        reason: str,
    ) -> None:
        ratio = rate_ratio(*columns, draws=DRAWS, rng=generator())
        assert (ratio.value, ratio.ci) == (value, None)
        assert ratio.p_value == pytest.approx(p_value)
        assert reason in str(ratio.reason)

    def test_too_few_baseline_events(self) -> None:
        exposure = [100.0] * 20
        ratio = rate_ratio([1] * 20, exposure, [1] + [0] * 19, exposure, rng=generator())
        assert ratio.value == pytest.approx(20)
        assert ratio.ci is None
        assert "too few baseline events" in str(ratio.reason)

    @pytest.mark.parametrize(
        ("columns", "reason"),
        [
            (([0] * 8, [9] * 8, [1] * 8, [9] * 8), "no event in the candidate"),
            (([1], [9], [2], [9]), "one dialogue"),
            (([1] * 8, [9] * 8, [0] * 8, [0] * 8), "baseline has no exposure"),
        ],
    )
    def test_gee_undefined_has_a_reason(
        self, columns: tuple[list[float], list[float], list[float], list[float]], reason: str
    ) -> None:
        ratio = poisson_gee_rate_ratio(*columns)
        assert (ratio.value, ratio.ci, ratio.p_value) == (None, None, None)
        assert reason in str(ratio.reason)

    def test_gee_without_spread(self) -> None:
        ratio = poisson_gee_rate_ratio([1, 2] * 10, [500] * 20, [2, 4] * 10, [500] * 20)
        assert ratio.value == pytest.approx(0.5)
        assert (ratio.ci, ratio.p_value) == (None, None)
        assert "no spread" in str(ratio.reason)

    def test_gee_that_does_not_converge(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from statsmodels.genmod.generalized_estimating_equations import GEE

        def impossible(self: object, **options: object) -> object:
            return original(self, ctol=0.0, **options)

        original = GEE.fit
        monkeypatch.setattr(GEE, "fit", impossible)
        ratio = poisson_gee_rate_ratio(*self.markers())
        assert ratio.value is None
        assert "no fit: Iteration limit" in str(ratio.reason)

    @given(st.integers(6, 20), st.integers(0, 10_000))
    @settings(max_examples=25, deadline=None)
    def test_interval_and_p_value_agree(self, clusters: int, seed: int) -> None:
        rng = generator(seed)
        counts = rng.poisson(2, (2, clusters)).astype(float)
        exposure = rng.integers(50, 100, (2, clusters)).astype(float)
        ratio = rate_ratio(counts[0], exposure[0], counts[1], exposure[1], draws=999, rng=rng)
        if ratio.ci is not None and ratio.p_value is not None:
            assert ratio.ci[0] <= ratio.ci[1]
            if ratio.p_value < 0.05:
                assert not ratio.ci[0] < 1 < ratio.ci[1]
