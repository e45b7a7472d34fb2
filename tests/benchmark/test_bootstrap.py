"""The cluster bootstrap, and distances to the gold band that stand on it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from rapport_bench.statistics.bands import BandArms, GoldBand, band_distance, gold_band
from rapport_bench.statistics.bootstrap import (
    bootstrap_sums,
    defined_draws,
    multinomial_weights,
    percentile_interval,
    tail_p_value,
    times_taken,
)
from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.estimates import Estimate, share
from rapport_bench.statistics.paired import Difference

DRAWS = 2000


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def arms(clusters: int, means: tuple[float, ...], seed: int = 0) -> list[Floats]:
    """Hits and trials of arms (and gold) with the given mean shares."""
    rng = generator(seed)
    columns: list[Floats] = []
    for mean in means:
        trials = rng.integers(1, 12, clusters)
        hits = rng.binomial(trials, rng.beta(4 * mean, 4 * (1 - mean), clusters))
        columns += [hits.astype(float), trials.astype(float)]
    return columns


def band_distance_estimate(
    *columns: npt.ArrayLike, floor: float, rng: np.random.Generator, draws: int = 10_000
) -> Estimate:
    """One arm and gold."""
    arm, gold = columns[:2], columns[2:]
    return BandArms([arm], gold, floor=floor, rng=rng, draws=draws).estimate(0)  # type: ignore[list-item, arg-type]


def paired_band_difference(
    *columns: npt.ArrayLike,
    floor: float,
    rng: np.random.Generator,
    scale: float = 1.0,
    draws: int = 10_000,
) -> Difference:
    """Candidate, baseline and gold."""
    pair, gold = [columns[:2], columns[2:4]], columns[4:]
    found = BandArms(pair, gold, floor=floor, scale=scale, rng=rng, draws=draws)  # type: ignore[arg-type]
    return found.difference(0, 1)


class TestBootstrapSums:
    def test_equals_resampling_with_the_same_dialogues(self) -> None:
        columns = generator(1).normal(size=(30, 4))
        sums = bootstrap_sums(columns, draws=7, rng=generator(2))
        ordered = columns[np.lexsort(columns.T)]
        taken = generator(2).integers(0, 30, size=(7, 30))
        naive = [np.take(ordered, rows, axis=0).sum(axis=0) for rows in taken]
        np.testing.assert_allclose(sums, naive, rtol=0, atol=1e-12)

    def test_chunks_do_not_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        columns = generator(1).integers(0, 9, size=(30, 4)).astype(float)
        whole = bootstrap_sums(columns, draws=100, rng=generator())
        monkeypatch.setattr("rapport_bench.statistics.bootstrap._CHUNK", 70)
        assert np.array_equal(bootstrap_sums(columns, draws=100, rng=generator()), whole)

    def test_order_of_dialogues_does_not_matter(self) -> None:
        columns = generator(1).normal(size=(30, 4))
        shuffled = columns[generator(3).permutation(30)]
        one, other = (bootstrap_sums(c, draws=50, rng=generator()) for c in (columns, shuffled))
        assert np.array_equal(one, other)

    def test_moments(self) -> None:
        values = generator(1).gamma(1, 1, size=(40, 1))
        sums = bootstrap_sums(values, draws=20_000, rng=generator())
        assert sums.mean() == pytest.approx(values.sum(), rel=0.01)
        assert sums.std() == pytest.approx(math.sqrt(40) * values.std(), rel=0.02)

    @pytest.mark.parametrize(("clusters", "draws"), [(0, 10), (5, 0)])
    def test_nothing_to_draw(self, clusters: int, draws: int) -> None:
        with pytest.raises(ValueError, match="at least one of each"):
            bootstrap_sums(np.ones((clusters, 2)), draws=draws, rng=generator())


def test_counts_are_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = times_taken(5, draws=40, rng=generator())
    assert (whole.sum(axis=1) == 5).all()
    monkeypatch.setattr("rapport_bench.statistics.bootstrap._CHUNK", 1)
    assert np.array_equal(list(times_taken(5, draws=40, rng=generator())), whole[:, np.newaxis])


def test_multinomial_weights_begin_with_the_data_as_they_are() -> None:
    weights = multinomial_weights(4, draws=3, seed=7)
    assert np.array_equal(weights[0], np.ones(4))
    assert np.array_equal(weights[1:], generator(7).multinomial(4, [0.25] * 4, size=3))


def test_draws_count_where_enough_of_them_are_defined() -> None:
    drawn = np.arange(40.0).reshape(20, 2)
    drawn[3, 1] = np.nan
    kept = defined_draws(drawn)
    assert kept is not None
    assert kept[:, 0].tolist() == [2.0 * i for i in range(20) if i != 3]
    drawn[4, 0] = np.nan  # 18 of 20
    assert defined_draws(drawn) is None
    assert defined_draws(np.empty((0, 3))) is None


def test_percentile_interval() -> None:
    assert percentile_interval(np.arange(101.0), level=0.9) == pytest.approx((5, 95))


@pytest.mark.parametrize(
    ("differences", "p_value"),
    [
        ([1.0] * 99, 0.02),  # 2 * (0 + 1) / 100: never 0
        ([1.0] * 95 + [-1.0] * 4, 0.10),
        ([0.0] * 99, 1.0),
        ([0.0] * 9 + [1.0] * 90, 0.2),
    ],
)
def test_tail_p_value(differences: list[float], p_value: float) -> None:
    assert tail_p_value(np.array(differences)) == pytest.approx(p_value)
    assert tail_p_value(-np.array(differences)) == pytest.approx(p_value)


class TestGoldBand:
    def test_floor(self) -> None:
        hits, trials = np.full(50, 2.0), np.full(50, 4.0)
        assert gold_band(hits, trials, floor=0.05) == GoldBand(0.45, 0.55, 0.5, 0.05)

    def test_half_the_interval_when_wider(self) -> None:
        hits, trials = arms(20, (0.4,))
        low, high = share(hits, trials).ci or (0, 0)
        band = gold_band(hits, trials, floor=0.01)
        assert band is not None
        assert band.half_width == pytest.approx((high - low) / 2)
        assert (band.low, band.high) == (band.rate - band.half_width, band.rate + band.half_width)

    def test_scale_and_clopper_pearson(self) -> None:
        band = gold_band([0] * 20, [3] * 20, floor=0.5, scale=10)
        assert band is not None
        assert band.rate == 0
        assert band.half_width == pytest.approx(10 * (1 - 0.025 ** (1 / 20)) / 2)

    @pytest.mark.parametrize(("hits", "trials"), [([], []), ([0, 0], [0, 0]), ([1, 0], [2, 0])])
    def test_undefined(self, hits: list[float], trials: list[float]) -> None:
        assert gold_band(hits, trials, floor=0.05) is None

    @pytest.mark.parametrize(
        ("rate", "distance"),
        [(0.1, 0.2), (0.3, 0.0), (0.4, 0.0), (0.5, 0.0), (0.75, 0.25)],
    )
    def test_distance(self, rate: float, distance: float) -> None:
        band = GoldBand(low=0.3, high=0.5, rate=0.4, half_width=0.1)
        assert band_distance(rate, band) == pytest.approx(distance)


class TestBandDistance:
    def test_one_arm(self) -> None:
        columns = arms(60, (0.8, 0.4))
        estimate = band_distance_estimate(*columns, floor=0.05, draws=DRAWS, rng=generator())
        band = gold_band(*columns[2:], floor=0.05)
        assert band is not None
        rate = columns[0].sum() / columns[1].sum()
        assert estimate.value == pytest.approx(rate - band.high)
        assert estimate.value == pytest.approx(band_distance(rate, band))
        assert estimate.value is not None
        assert estimate.ci is not None
        assert 0 < estimate.ci[0] < estimate.value < estimate.ci[1]
        assert estimate.clusters == 60

    def test_inside_the_band(self) -> None:
        hits, trials = arms(60, (0.4,))
        estimate = band_distance_estimate(
            hits, trials, hits, trials, floor=0.05, draws=DRAWS, rng=generator()
        )
        assert (estimate.value, estimate.se, estimate.ci) == (0.0, 0.0, (0.0, 0.0))

    def test_equals_a_naive_loop_over_the_same_draws(self) -> None:
        columns = arms(30, (0.9, 0.6, 0.4))
        difference = paired_band_difference(*columns, floor=0.05, draws=200, rng=generator())
        band = gold_band(*columns[4:], floor=0.05)
        assert band is not None
        sums = bootstrap_sums(np.column_stack(columns), draws=200, rng=generator())
        naive = []
        for candidate, n, baseline, m, gold, k in sums:
            moved = GoldBand(gold / k - band.half_width, gold / k + band.half_width, 0, 0)
            distances = [band_distance(rate, moved) for rate in (candidate / n, baseline / m)]
            naive.append(distances[0] - distances[1])
        assert difference.ci == pytest.approx(tuple(np.quantile(naive, [0.025, 0.975])))
        assert difference.ci90 == pytest.approx(tuple(np.quantile(naive, [0.05, 0.95])))
        assert difference.se == pytest.approx(np.std(naive, ddof=1))
        below = sum(distance <= 0 for distance in naive)
        assert difference.p_value == pytest.approx(2 * (below + 1) / 201)

    def test_scale(self) -> None:
        columns = arms(30, (0.8, 0.6, 0.4))
        one = paired_band_difference(*columns, floor=0.05, draws=DRAWS, rng=generator())
        ten = paired_band_difference(*columns, floor=0.5, scale=10, draws=DRAWS, rng=generator())
        assert one.value is not None
        assert one.ci is not None
        assert ten.value == pytest.approx(10 * one.value)
        assert ten.ci == pytest.approx((10 * one.ci[0], 10 * one.ci[1]))
        assert ten.p_value == one.p_value

    def test_order_and_turns_do_not_matter(self) -> None:
        columns = arms(30, (0.8, 0.6, 0.4))
        order = generator(5).permutation(30)
        results = [
            paired_band_difference(*variant, floor=0.05, draws=DRAWS, rng=generator())
            for variant in (
                columns,
                [column[order] for column in columns],
                [2 * column for column in columns],
                [np.append(column, 0) for column in columns],
            )
        ]
        for other in results[1:]:
            assert other.ci == pytest.approx(results[0].ci, abs=1e-12)
            assert other.p_value == results[0].p_value

    def test_exactly_equal(self) -> None:
        columns = arms(30, (0.8, 0.4))
        difference = paired_band_difference(*columns[:2], *columns, floor=0.05, rng=generator())
        assert difference.exactly_equal
        assert (difference.value, difference.p_value, difference.ci) == (0.0, 1.0, (0.0, 0.0))

    def test_both_inside_is_no_exact_equality(self) -> None:
        columns = arms(80, (0.4, 0.4, 0.4))
        difference = paired_band_difference(*columns, floor=0.4, draws=DRAWS, rng=generator())
        assert not difference.exactly_equal
        assert (difference.value, difference.p_value, difference.ci90) == (0.0, 1.0, (0.0, 0.0))
        assert difference.mde is None
        assert "inside the band" in str(difference.reason)

    def test_no_variance_falls_back_to_the_sign_test(self) -> None:
        trials = np.full(8, 4.0)
        difference = paired_band_difference(
            trials, trials, 3 * trials / 4, trials, trials / 4, trials, floor=0.05, rng=generator()
        )
        assert difference.value == pytest.approx(0.25)
        assert difference.p_value == 2**-7

    @pytest.mark.parametrize(
        ("arms_kept", "gold_kept", "has_value", "reasons"),
        [
            (5, 30, True, ("fewer than 6 dialogues", "fewer than 6 dialogues")),
            (30, 0, False, ("no band", "no band")),
            (30, 1, False, ("no band", "no band")),
            (0, 30, False, ("denominator above 0 in the candidate", "denominator above 0")),
        ],
    )
    def test_undefined_has_a_reason(
        self, arms_kept: int, gold_kept: int, has_value: bool, reasons: tuple[str, str]
    ) -> None:
        columns = arms(30, (0.8, 0.6, 0.4))
        for position, column in enumerate(columns):
            column[arms_kept if position < 4 else gold_kept :] = 0
        difference = paired_band_difference(*columns, floor=0.05, rng=generator())
        estimate = band_distance_estimate(*columns[:2], *columns[4:], floor=0.05, rng=generator())
        results: tuple[Difference | Estimate, ...] = (difference, estimate)
        for result, reason in zip(results, reasons, strict=True):
            assert (result.value is not None) == has_value
            assert result.ci is None
            assert reason in str(result.reason)
        assert difference.p_value is None

    def test_sparse_draws(self) -> None:
        # Two dialogues of eight have gold acts, enough for a band; one draw in ten misses both.
        columns = arms(8, (0.8, 0.6, 0.4))
        for gold in columns[4:]:
            gold[2:] = 0
        difference = paired_band_difference(*columns, floor=0.05, rng=generator())
        assert difference.value is not None
        assert difference.ci is None
        assert "denominator of 0" in str(difference.reason)
