"""Planning: power against theory, both populations, the command."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm

from rapport_bench.cli.human_score import _DEVIATIONS
from rapport_bench.cli.main import _run
from rapport_bench.human.analysis.generate import Design, Spread, draw
from rapport_bench.human.analysis.power import Wanted, plan

NO_TASTE = Spread(rater_arm=0.0)


def test_power_agrees_with_the_z_formula() -> None:
    found = plan(Design(4, 60), Wanted(0.3, NO_TASTE, "items", draws=600))
    # Rounding to whole points adds 1 / 12 to the variance of a rating (Sheppard).
    variance = 2 * (NO_TASTE.item_arm**2 / 60 + (NO_TASTE.residual**2 + 1 / 12) / 240)
    theory = float(norm.sf(1.96 - 0.28 / variance**0.5))
    assert found.power.value == pytest.approx(theory, abs=0.06)
    assert 0.25 < found.shown < 0.3


def test_no_difference_is_found_as_often_as_alpha_says() -> None:
    for population in ("items", "raters-and-items"):
        found = plan(Design(5, 40), Wanted(0.0, Spread(), population, draws=600))
        assert found.power.value < 0.075
        assert found.more_items is None
        assert found.more_raters is None


def test_more_dialogues_do_not_make_up_for_few_raters_with_tastes() -> None:
    strong = Spread(rater_arm=0.3)
    found = plan(Design(3, 60), Wanted(0.3, strong, "raters-and-items", draws=300))
    assert found.more_items is None
    assert found.more_raters.value >= 0.8
    assert found.more_raters.design.items == 60
    these = plan(Design(3, 40), Wanted(0.3, strong, "items", draws=300))
    assert these.power.value > found.power.value + 0.2
    assert these.more_items.value >= 0.8


def test_the_design_is_balanced() -> None:
    rated = Design(8, 40, per_item=3).rated()
    assert set(rated.sum(axis=1)) == {3}
    assert set(rated.sum(axis=0)) == {15}
    values = draw(Design(8, 40, 3), Spread(), effects=(0, 1), rng=np.random.default_rng(0))
    assert values.shape == (1, 2, 40, 8)
    assert set(np.unique(values[~np.isnan(values)])) <= {1, 2, 3, 4, 5}
    assert (np.isnan(values[0, 0]) == ~rated).all()


def test_options_show_the_generators_defaults() -> None:
    found = {name.replace("-", "_"): default for name, default, _ in _DEVIATIONS}
    assert Spread(**found) == Spread()


@pytest.fixture
def command(capsys):
    def call(*arguments: str) -> tuple[int, str, str]:
        code = _run(["human", "plan", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_command_prints_both_populations_the_same_each_time(command) -> None:
    words = ("--raters", "5", "--items", "40", "--effect", "0.4", "--draws", "200")
    code, out, _ = command(*words)
    assert code == 0
    for expected in (
        "5 raters x 40 dialogues",
        "these raters, new",
        "new raters and new",
        "0.8",
        "rater_arm 0.15",
    ):
        assert expected in out
    assert command(*words)[1] == out
    data = json.loads(command(*words, "--json")[1])["data"]
    assert [p["population"] for p in data["plans"]] == ["items", "raters-and-items"]
    first = data["plans"][0]
    assert f"{first['power']['power']:.2f} ±" in out
    only = json.loads(command(*words, "--population", "items", "--json")[1])["data"]
    assert only["plans"] == data["plans"][:1]


def test_bad_plans(command) -> None:
    base = ("--items", "40", "--effect", "0.3")
    assert command("--raters", "1", *base)[0] == 2
    code, _, err = command("--raters", "4", "--per-item", "5", *base)
    assert code == 2
    assert "--per-item 5 with 4 raters" in err
    assert command("--raters", "4", *base, "--sd-rater", "-1")[0] == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--items", "2", "--per-item", "1", "--raters", "6", "--effect", "1"], "without one"),
        (["--items", "20", "--raters", "5", "--effect", "nan"], "not a number"),
    ],
)
def test_designs_that_cannot_be_are_refused(options, said, capsys) -> None:
    assert _run(["human", "plan", *options]) == 2
    assert said in capsys.readouterr().err


def test_without_any_variance_every_difference_is_found(capsys) -> None:
    nothing = [f"--sd-{name}=0" for name in ("item", "item-arm", "rater", "rater-arm", "residual")]
    sizes = ["--raters", "5", "--items", "10", "--effect", "1", "--draws", "100"]
    assert _run(["human", "plan", *sizes, *nothing]) == 0
    assert "1.00" in capsys.readouterr().out
