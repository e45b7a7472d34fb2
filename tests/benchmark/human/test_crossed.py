"""Differences for both populations: by hand, against a mixed model, and their edges."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rapport_bench.human.analysis.contrast import (
    contrast,
    item_means,
    rank_biserial,
)
from rapport_bench.human.analysis.crossed import crossed_difference, crossed_p_values
from rapport_bench.human.analysis.generate import Design, Spread, draw
from rapport_bench.human.analysis.power import signed_rank_p_values
from rapport_bench.statistics.paired import signed_rank_test

NAN = float("nan")
SCRIPT = Path(__file__).parents[3] / "benchmark" / "simulations" / "human.py"


def drawn(design: Design, *, draws: int, seed: int = 0, effect: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    both = draw(design, Spread(), effects=(0.0, effect), rng=rng, draws=draws)
    return both[:, 1] - both[:, 0]


def test_a_complete_table_is_the_anova_by_hand() -> None:
    # Row means .5, 2.5, .5, 2.5; column means 2 and 1 about 1.5. SS_item = 2 * 4 = 8 (3 df),
    # SS_rater = 4 * .5 = 2 (1 df), SS_total = 11, so SS_rest = 1 (3 df).
    found = crossed_difference(np.array([[1.0, 0.0], [3.0, 2.0], [0.5, 0.5], [3.5, 1.5]]))
    item, rater, rest = 8 / 3, 2.0, 1 / 3
    assert found.components.item == pytest.approx((item - rest) / 2)
    assert found.components.rater == pytest.approx((rater - rest) / 4)
    assert found.components.residual == pytest.approx(rest)
    variance = (rater + item - rest) / 8
    assert found.difference.value == pytest.approx(1.5)
    assert found.difference.se == pytest.approx(variance**0.5)
    assert variance**2 / (rater / 8) ** 2 > 3
    assert found.df == 3  # never more than the dialogues give
    assert found.difference.clusters == 2
    low, high = found.difference.ci
    assert (low + high) / 2 == pytest.approx(1.5)


def test_the_raters_part_never_falls_below_zero() -> None:
    # Both raters average 1: MS_rater = 0 lies under MS_rest = 4, which takes its place.
    found = crossed_difference(np.array([[2.0, 0.0], [0.0, 2.0]]))
    assert found.components.rater == pytest.approx(-2.0)
    assert found.difference.se == pytest.approx((4.0 / 4) ** 0.5)
    assert found.df == 1


def test_components_are_those_of_a_mixed_model() -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM

    rng = np.random.default_rng(3)
    items, raters = 14, 6
    table = (
        0.4
        + rng.normal(0, 1.0, (items, 1))
        + rng.normal(0, 0.8, (1, raters))
        + rng.normal(0, 0.7, (items, raters))
    )
    rows, columns = np.indices(table.shape)
    data = pd.DataFrame(
        {"y": table.ravel(), "item": rows.ravel(), "rater": columns.ravel(), "one": 1}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = MixedLM.from_formula(
            "y ~ 1",
            groups="one",
            re_formula="0",
            vc_formula={"item": "0 + C(item)", "rater": "0 + C(rater)"},
            data=data,
        ).fit()
    found = crossed_difference(table)
    assert found.components.item == pytest.approx(fitted.vcomp[0], rel=0.01)
    assert found.components.rater == pytest.approx(fitted.vcomp[1], rel=0.01)
    assert found.components.residual == pytest.approx(fitted.scale, rel=0.01)
    assert found.difference.se == pytest.approx(float(fitted.bse_fe.iloc[0]), rel=0.01)


def test_components_with_missing_cells_are_unbiased() -> None:
    design = Design(6, 40, per_item=3)
    rng = np.random.default_rng(1)
    tables = (
        rng.normal(0, 0.6, (600, 40, 1))
        + rng.normal(0, 0.4, (600, 1, 6))
        + rng.normal(0, 0.9, (600, 40, 6))
    )
    tables[:, ~design.rated()] = NAN
    parts = crossed_p_values(tables)[1].mean(axis=0)
    assert parts == pytest.approx([0.36, 0.16, 0.81], abs=0.03)


@pytest.mark.parametrize("design", [Design(5, 30), Design(6, 30, per_item=2), Design(4, 60, 1)])
def test_many_tables_at_once_give_what_each_gives(design) -> None:
    tables = drawn(design, draws=6, effect=0.3)
    alone = [crossed_difference(table) for table in tables]
    p_values, _ = crossed_p_values(tables)
    assert p_values == pytest.approx([found.difference.p_value for found in alone])
    tests = [signed_rank_test(item_means(table)) for table in tables]
    ranks = signed_rank_p_values(tables)
    assert ranks == pytest.approx([t.p_value for t in tests])
    assert {t.method for t in tests} == {"normal"}


def test_order_of_items_and_raters_and_doubled_ratings() -> None:
    table = drawn(Design(5, 30), draws=1, effect=0.4)[0]
    found = crossed_difference(table).difference
    rng = np.random.default_rng(0)
    shuffled = crossed_difference(table[rng.permutation(30)][:, rng.permutation(5)]).difference
    assert shuffled.p_value == pytest.approx(found.p_value)
    # The same five raters on thirty copies of the dialogues: no more certain about raters.
    tripled = crossed_difference(np.vstack([table] * 3)).difference
    means = table.mean(axis=0)
    floor = float(means.std(ddof=1)) / 5**0.5
    assert tripled.se > 0.9 * floor


def test_what_cannot_be_told_is_not_told() -> None:
    nothing = crossed_difference(np.full((3, 2), NAN)).difference
    assert nothing.value is None
    assert "no rater rated both" in nothing.reason
    one_rater = crossed_difference(np.array([[1.0], [2.0]])).difference
    assert (one_rater.value, one_rater.ci) == (1.5, None)
    assert "one rater" in one_rater.reason
    one_item = crossed_difference(np.array([[1.0, 2.0]])).difference
    assert "one dialogue" in one_item.reason
    same = crossed_difference(np.zeros((4, 3))).difference
    assert same.exactly_equal
    assert same.p_value == 1
    constant = crossed_difference(np.ones((9, 6))).difference
    assert constant.p_value == 2.0**-5
    # Two raters on one item each: nothing is shared, and nothing separates rater from dialogue.
    confounded = crossed_difference(np.array([[1.0, NAN], [NAN, 3.0]])).difference
    assert (confounded.value, confounded.ci) == (2.0, None)
    assert "cannot tell" in confounded.reason


def test_item_means_tie_where_they_are_equal() -> None:
    table = np.array([[0.8, 0.0], [0.4, 0.4], [1.0, -0.2], [NAN, NAN]])
    assert item_means(table).tolist() == [0.4, 0.4, 0.4]
    found = signed_rank_test(item_means(table))
    assert (found.ranked, found.zeros, found.method) == (3, 0, "permutation")


def test_signed_rank_by_hand() -> None:
    # Ranks 1 to 6, all but the second for the candidate: W- = 2; 2 * 3 / 64 subsets are as low.
    found = signed_rank_test(np.array([1.0, -2.0, 3.0, 4.0, 5.0, 6.0, 0.0]))
    assert found.p_value == pytest.approx(2 * 3 / 64)
    assert (found.ranked, found.zeros, found.method) == (6, 1, "exact")
    # With ties every assignment of signs is counted: ranks 1.5, 1.5, 3, 4; all but one way, W- = 1.5
    # is reached by 0, 1.5 and 1.5: 3 of 16.
    tied = signed_rank_test(np.array([1.0, -1.0, 2.0, 3.0]))
    assert tied.p_value == pytest.approx(2 * 3 / 16)
    assert tied.method == "permutation"
    equal = signed_rank_test(np.zeros(5))
    assert (equal.p_value, equal.method, equal.zeros) == (None, None, 5)


def test_rank_biserial_by_hand() -> None:
    # Ranks of 1, 1, 2, 3: 1.5, 1.5, 3, 4; for 1.5 + 3 + 4, against 1.5.
    found = rank_biserial(np.array([1.0, -1.0, 2.0, 3.0, 0.0]))
    assert found.value == pytest.approx((8.5 - 1.5) / 10)
    assert found.ci is None
    many = rank_biserial(np.concatenate([np.arange(1.0, 31), -np.arange(1.0, 11)]))
    assert many.ci[0] < many.value < many.ci[1] < 1
    assert rank_biserial(np.array([2.0, 1.0])).value == 1


def test_a_contrast_needs_both_arms_of_a_rater() -> None:
    candidate = np.array([[4.0, 5.0, 3.0], [3.0, NAN, 4.0]])
    baseline = np.array([[3.0, 3.0, 3.0], [3.0, 1.0, NAN]])
    found = contrast(candidate, baseline)
    assert (found.cells, found.incomplete) == (4, 2)
    assert found.items.value == pytest.approx((1 + 0) / 2)
    # Severity of a rater on both arms changes nothing.
    shift = np.array([0.0, 1.0, -1.0])
    moved = contrast(candidate + shift, baseline + shift)
    assert moved.crossed.difference.value == found.crossed.difference.value


@pytest.fixture(scope="module")
def simulations():
    spec = importlib.util.spec_from_file_location("simulations_of_human", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_tests_keep_their_level_where_pooling_does_not(simulations) -> None:
    names = list(simulations.TESTS)

    def rates(scenario: str) -> dict[str, float]:
        found = next(s for s in simulations.SCENARIOS if s.name == scenario)
        cells = simulations.rejected(found, Design(5, 100), 400, (0, 1))
        return {name: float(cell) for name, cell in zip(names, cells, strict=True)}

    # Two standard errors at 400 draws: 2.2 points at 5 %.
    plain, tastes = rates("no difference, no tastes"), rates("no difference, tastes .15")
    assert plain["Wilcoxon, item means"] < 8
    assert plain["crossed"] < 8
    assert tastes["crossed"] < 8
    assert plain["every rating"] > 8
    assert tastes["every rating"] > 25
    assert tastes["mixed model, z"] > tastes["crossed"]


def test_the_simulation_prints_its_table(simulations, capsys) -> None:
    simulations.main(["--draws", "20", "--only", "difference .3, tastes .30"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 3
    assert lines[-1].startswith("| difference .3, tastes .30 | 8 x 100, 3 each |")
