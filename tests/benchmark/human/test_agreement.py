"""Agreement between raters, against published worked examples and another implementation."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from rapport_bench.human.analysis.agreement import consistency, intraclass, ordinal_alpha, severity

NAN = float("nan")
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype=float,
)


def test_intraclass_correlations_of_shrout_and_fleiss() -> None:
    found = intraclass(SHROUT_FLEISS)
    assert round(found.single.value, 2) == 0.29
    assert round(found.average.value, 2) == 0.62
    # Intervals as R's psych::ICC prints them for this table.
    assert found.single.ci == pytest.approx((0.019, 0.761), abs=0.001)
    assert found.average.ci == pytest.approx((0.071, 0.927), abs=0.001)


def test_intraclass_leaves_incomplete_replies_out_or_refuses() -> None:
    more = np.vstack([SHROUT_FLEISS, [[5, NAN, 3, 4]]])
    found = intraclass(more)
    assert found.units == 6
    assert found.single.value == pytest.approx(intraclass(SHROUT_FLEISS).single.value)
    sparse = SHROUT_FLEISS.copy()
    sparse[:3, 0] = NAN
    refused = intraclass(sparse)
    assert refused.average.value is None
    assert "only 3 of 6 replies" in refused.average.reason
    assert intraclass(np.full((4, 3), 2.0)).single.reason == "all ratings are one value"
    assert intraclass(SHROUT_FLEISS[:, :1]).single.reason == "one rater"
    perfect = intraclass(np.array([[1.0, 1.0], [3.0, 3.0], [5.0, 5.0]]))
    assert perfect.single.value == 1
    assert perfect.single.ci is None


# Krippendorff (2011), Computing Krippendorff's alpha-reliability, example C.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


def test_alpha_of_the_published_example() -> None:
    assert ordinal_alpha(PUBLISHED.T[None], points=5).value == pytest.approx(0.815, abs=0.0005)


def alpha_by_definition(units: list[list[float]], points: int) -> float:
    """From coincidences of single pairs, in the words of the source."""
    together = np.zeros((points + 1, points + 1))
    for values in units:
        for one, other in permutations(values, 2):
            together[int(one), int(other)] += 1 / (len(values) - 1)
    n = together.sum(axis=1)

    def distance(c: int, k: int) -> float:
        low, high = sorted((c, k))
        return (n[low : high + 1].sum() - (n[c] + n[k]) / 2) ** 2

    pairs = list(product(range(1, points + 1), repeat=2))
    observed = sum(together[c, k] * distance(c, k) for c, k in pairs)
    expected = sum(n[c] * n[k] * distance(c, k) for c, k in pairs) / (n.sum() - 1)
    return 1 - observed / expected


@pytest.mark.parametrize(
    ("seed", "of_the_package"),  # krippendorff 0.9.0, which is GPL and needed for nothing else
    [(0, 0.4170942650548012), (1, 0.5050335371378332), (2, 0.591077555023892)],
)
def test_alpha_is_that_of_its_definition_and_of_the_package(seed, of_the_package) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 1, (2, 25, 1))
    cells = np.clip(np.rint(truth + rng.normal(0, 0.8, (2, 25, 4))), 1, 5)
    cells[rng.random(cells.shape) < 0.2] = NAN
    units = [[value for value in unit if value == value] for unit in cells.reshape(-1, 4)]
    found = ordinal_alpha(cells, points=5)
    assert found.value == pytest.approx(alpha_by_definition(units, 5))
    assert found.value == pytest.approx(of_the_package)
    assert found.ci[0] < found.value < found.ci[1]


def test_alpha_draws_items_whole() -> None:
    """Ten copies of every reply inside an item do not narrow the interval."""
    rng = np.random.default_rng(0)
    cells = np.clip(np.rint(rng.normal(3, 1, (1, 20, 1)) + rng.normal(0, 1, (1, 20, 3))), 1, 5)
    once = ordinal_alpha(cells, points=5)
    tenfold = ordinal_alpha(np.repeat(cells, 10, axis=0), points=5)
    assert tenfold.ci[1] - tenfold.ci[0] == pytest.approx(once.ci[1] - once.ci[0], rel=0.1)


def test_alpha_undefined() -> None:
    assert ordinal_alpha(np.full((2, 8, 3), 4.0), points=5).value is None
    lonely = np.full((1, 8, 3), NAN)
    lonely[..., 0] = 2
    found = ordinal_alpha(lonely, points=5)
    assert found.value is None
    assert "no two ratings" in found.reason
    few = ordinal_alpha(np.array([[[1.0, 2.0], [3.0, 3.0]]]), points=5)
    assert few.ci is None
    assert "fewer than 6" in few.reason


def test_severity_is_the_deviation_from_item_means() -> None:
    table = np.array([[[3.0, 4.0, 5.0], [1.0, 2.0, 3.0]], [[2.0, 4.0, 3.0], [2.0, 2.0, 2.0]]])
    found = severity(table)
    by_hand = (table - table.mean(axis=2, keepdims=True)).reshape(-1, 3).mean(axis=0)
    assert [s.value for s in found] == pytest.approx(by_hand.tolist(), abs=1e-6)
    assert [s.ratings for s in found] == [4, 4, 4]


def test_severity_compares_raters_who_saw_different_items() -> None:
    """Rater 3 saw only what is bad; that does not make them strict."""
    quality = np.array([5.0, 4.0, 2.0, 1.0])
    table = np.stack([quality, quality, quality - 1], axis=1)[None]
    table[0, :2, 2] = NAN
    table[0, 3, 0] = NAN
    found = severity(table)
    assert found[0].value - found[2].value == pytest.approx(1.0)
    assert found[0].value == pytest.approx(found[1].value)
    assert severity(np.full((1, 2, 2), NAN))[0].value is None


def test_consistency_by_hand() -> None:
    first = np.array([1.0, 2.0, 3.0, 4.0, 5.0, NAN])
    second = np.array([1.0, 3.0, 3.0, 2.0, 5.0, 4.0])
    found = consistency(first, second, points=5)
    assert (found.pairs, found.exact, found.within_one) == (5, 0.6, 0.8)
    # Squared distances 0, 1, 0, 4, 0 sum to 5; expected by the margins 1..5 and 1, 2, 3, 3, 5: the
    # mean over all 25 pairs of (a - b)**2 is 4.16, so kappa = 1 - 1 / 4.16.
    pairs = [(a - b) ** 2 for a in (1, 2, 3, 4, 5) for b in (1, 3, 3, 2, 5)]
    assert found.kappa == pytest.approx(1 - 1 / np.mean(pairs), abs=1e-6)
    assert consistency(first * NAN, second, points=5).pairs == 0
    assert consistency(np.ones(3), np.ones(3), points=5).kappa is None


def test_small_tables_have_no_interval_rather_than_a_wrong_one() -> None:
    assert intraclass(np.array([[1.0, 2.0], [2.0, 1.0]])).average.value is None
    rng = np.random.default_rng(0)
    for raters in (2, 5):
        for _ in range(300):
            found = intraclass(rng.integers(1, 6, (10, raters)).astype(float))
            for figure in (found.single, found.average):
                if figure.ci is not None:
                    assert figure.ci[0] <= figure.value <= figure.ci[1] <= 1
                if figure.value is None:
                    assert figure.reason == "raters agree less than chance would have them"
