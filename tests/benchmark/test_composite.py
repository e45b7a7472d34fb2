"""The composite on hand-made columns: its value, what it must not depend on, and bad weights."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from made_results import columns, result
from rapport_bench.cli.main import _run
from rapport_bench.judging.composite import composite_arms, read_weights
from rapport_bench.judging.leaderboard import Board, Row, leaderboard
from rapport_bench.results.result import Result, save
from rapport_bench.terminal import leaderboard as leaderboard_report
from rapport_tasks.common.errors import BadInput

BOTH = read_weights("aer_share=1,continuity=3")


def arm(name: str, advice: float, continuity: float, *, n: int = 24, **more: object) -> Result:
    """``advice`` of 20 sentences a dialogue, on average; gold has 10 of 20, its band is .5 ± .05."""
    ones = np.ones(n)
    wave = np.resize([0.0, 1.0, 0.0, -1.0], n)
    told = advice + np.roll(wave, int(advice))
    made = {
        "turns": ones, "advice": told, "empathy": 20 - told, "acted_replies": ones,
        "aer_replies": ones, "aer_chars": ones, "gold_advice": 10 + wave, "gold_empathy": 10 - wave,
        "continuity_n": ones, "continuity_turns": ones,
        "continuity_sum": continuity + 0.01 * np.roll(wave, 1 + int(advice)), "copied": 0 * ones,
    }  # fmt: skip
    return result(name, made, **more)  # type: ignore[arg-type]


def row(board: Board, name: str) -> Row:
    return next(row for row in board.rows if row.result.name == name)


# --- its value ----------------------------------------------------------------------------------


def test_value_by_hand():
    board = leaderboard([arm("a", 14, 0.2), arm("b", 10, 0.26)], weights=BOTH)
    # 14 of 20 is .7, .15 above the band: 5 margins of .03; continuity .2 is 10 margins of .02
    assert row(board, "a").figures["composite"].value == pytest.approx(0.25 * 5 - 0.75 * 10)
    assert row(board, "b").figures["composite"].value == pytest.approx(0 - 0.75 * 13)


def test_every_direction_counts_as_it_should():
    weights = read_weights("nll_per_token=1,aer_share=1,continuity=1,shift_rate=1")
    n = 12
    ones = np.ones(n)
    made = {
        "turns": ones, "likelihood_turns": ones, "tokens": 10 * ones, "chars": ones,
        "nll_sum": 22 * ones, "advice": 9 * ones, "empathy": ones, "acted_replies": ones,
        "aer_replies": ones, "aer_chars": ones, "gold_advice": 5 * ones, "gold_empathy": 5 * ones,
        "continuity_n": ones, "continuity_turns": ones, "continuity_sum": 0.1 * ones,
        "shifts": 3 * ones, "shift_opportunities": 10 * ones, "shift_turns": 10 * ones,
        "gold_shifts": ones, "gold_shift_opportunities": 10 * ones,
    }  # fmt: skip
    (only,) = leaderboard([result("a", made)], weights=weights).rows
    # nats 2.2 / .02; .9 is .35 above .5 ± .05, / .03; 3 in 10 is 1.5 above 1 ± .5, / .3; -.1 / .02
    by_hand = (110 + 0.35 / 0.03 + 1.5 / 0.3 - 5) / 4
    assert only.figures["composite"].value == pytest.approx(by_hand)


def test_one_weighted_metric_ranks_as_the_metric_itself():
    arms = [result(f"a{i}", columns(i, advice=0.3 + 0.08 * i)) for i in range(5)]
    alone = leaderboard(arms, by="aer_share")
    weighted = leaderboard(arms, by="composite", weights=read_weights("aer_share=7"))
    for one, other in zip(alone.rows, weighted.rows, strict=True):
        assert (one.result, one.rank, one.tier) == (other.result, other.rank, other.tier)
        found, distance = other.figures["composite"], one.figures["aer_share"]
        assert found.value == pytest.approx(distance.distance / 0.03)
        assert found.ci == pytest.approx([end / 0.03 for end in distance.distance_ci], abs=0.2)


def test_it_does_not_depend_on_who_else_is_on_the_board():
    arms = [result(f"a{i}", columns(i, advice=0.3 + 0.1 * i)) for i in range(4)]
    far = [result("far", columns(9, advice=0.95)), result("near", columns(8, advice=0.3))]
    few = leaderboard(arms[:2], weights=BOTH)
    many = leaderboard(arms + far, weights=BOTH)
    for name in ("a0", "a1"):
        assert row(few, name).figures["composite"].value == pytest.approx(
            row(many, name).figures["composite"].value, abs=1e-12
        )


def test_weights_are_shares():
    assert read_weights(" continuity = 6 , aer_share=2,shift_rate=0 ") == BOTH
    assert sum(weight for _, weight in BOTH.weights) == 1
    assert [metric.name for metric in BOTH.metrics] == ["aer_share", "continuity"]


# --- intervals and differences ------------------------------------------------------------------


def test_the_interval_covers_at_its_level():
    """Of two ratios summed, in simulated data with a known composite."""
    rng = np.random.default_rng(5)
    weights = read_weights("continuity=1,nll_per_token=1")
    n, covered, repeats = 100, 0, 200
    truth = 0.5 * 2.0 / 0.02 - 0.5 * 0.3 / 0.02
    for _ in range(repeats):
        tokens = rng.integers(50, 150, n).astype(float)
        shared = rng.normal(0, 0.3, n)  # the two metrics are not independent
        nll = tokens * (2.0 + shared)
        continuity = 0.3 + shared / 3 + rng.normal(0, 0.1, n)
        sums = [[(nll, tokens), (continuity, np.ones(n))]]
        found = composite_arms(weights, sums, [None, None], rng=rng, draws=400)
        low, high = found.interval(0)
        covered += low <= truth <= high
    assert 0.90 <= covered / repeats <= 0.99


def test_differences_are_paired():
    """Two arms that share their dialogues' difficulty differ by far less than each varies."""
    rng = np.random.default_rng(1)
    tokens, hard = np.full(60, 100.0), rng.normal(2, 0.5, 60)
    easy = [(tokens * (hard + shift + rng.normal(0, 0.005, 60)), tokens) for shift in (0, 0.02)]
    found = composite_arms(
        read_weights("nll_per_token=1"), [[one] for one in easy], [None], rng=rng
    )
    difference, alone = found.difference(1, 0), found.interval(0)
    assert difference.value == pytest.approx(1, abs=0.2)  # .02 is one margin
    assert difference.ci[1] - difference.ci[0] < 0.05 * (alone[1] - alone[0])
    assert difference.p_value < 0.001
    assert found.difference(1, 1).exactly_equal


def test_tiers_are_those_of_the_composite():
    arms = [arm("a", 10, 0.2), arm("b", 11, 0.2005), arm("worse", 16, 0.2)]
    board = leaderboard(arms, by="composite", weights=BOTH)
    assert [(r.result.name, r.rank, r.tier) for r in board.rows] == [
        ("b", 1, 1), ("a", 2, 1), ("worse", 3, 2),
    ]  # fmt: skip
    assert board.rows[2].behind.value == pytest.approx(0.25 * 0.25 / 0.03 + 0.75 * 0.0005 / 0.02)


def test_few_dialogues_have_no_interval():
    board = leaderboard([arm("a", 14, 0.2, n=4)], weights=BOTH)
    found = board.rows[0].figures["composite"]
    assert found.value is not None
    assert found.ci is None
    two = leaderboard(
        [arm("a", 14, 0.2, n=4), arm("b", 10, 0.2, n=4)], by="composite", weights=BOTH
    )
    assert two.rows[1].behind.p_value is None
    assert {r.tier for r in two.rows} == {1}


# --- undefined stays undefined ------------------------------------------------------------------


def test_an_arm_without_a_weighted_metric_has_no_composite():
    made = columns(2)
    mute = made | {"advice": 0 * made["advice"], "empathy": 0 * made["empathy"]}
    lacking = {k: v for k, v in made.items() if not k.startswith("continuity")}
    arms = [result("speaks", made), result("mute", mute), result("no task", lacking)]
    board = leaderboard(arms, by="composite", weights=BOTH)
    assert [(r.result.name, r.rank, r.note) for r in board.rows] == [
        ("speaks", 1, ""),
        ("mute", None, "no composite: aer_share"),
        ("no task", None, "no composite: continuity"),
    ]
    assert row(board, "mute").figures["composite"].value is None
    assert row(board, "mute").behind is None
    alone = leaderboard([result("mute", mute), result("no task", lacking)], by="continuity", weights=BOTH)  # fmt: skip
    assert all(r.figures["composite"].value is None for r in alone.rows)
    with pytest.raises(BadInput, match="no arm of suite made has every weighted metric"):
        leaderboard([result("mute", mute)], by="composite", weights=BOTH)


def test_tokens_of_another_tokenizer_give_no_composite():
    weights = read_weights("nll_per_token=1,aer_share=1")
    arms = [result(f"a{i}", columns(i)) for i in (1, 2)]
    other = result("other", columns(3, nll=-1), tokenizer="1" * 64)
    board = leaderboard([*arms, other], by="composite", weights=weights)
    assert row(board, "other").note == "different_tokenizer"
    assert row(board, "other").figures["composite"].value is None
    assert row(board, "other").rank is None
    free = leaderboard([*arms, other], weights=read_weights("aer_share=1"))
    assert row(free, "other").figures["composite"].value is not None


def test_a_band_that_gold_does_not_give_leaves_it_undefined():
    n = 12
    ones, zero = np.ones(n), np.zeros(n)
    found = composite_arms(BOTH, [[(ones, 2 * ones), (ones, ones)]], [(zero, zero), None], rng=np.random.default_rng(0))  # fmt: skip
    assert found.value(0) is None
    assert found.interval(0) is None
    assert found.difference(0, 0).value is None


# --- formats and the command --------------------------------------------------------------------


def test_every_format_holds_it(capsys):
    board = leaderboard([arm("a", 14, 0.2), arm("b", 10, 0.26)], weights=BOTH)
    rows = list(csv.DictReader(io.StringIO(leaderboard_report.to_csv(board))))
    figure = board.rows[0].figures["composite"]
    assert float(rows[0]["composite"]) == figure.value
    assert float(rows[0]["composite_ci_low"]) == figure.ci[0]
    data = json.loads(json.dumps(leaderboard_report.to_json(board), allow_nan=False))
    assert data["weights"] == {"aer_share": 0.25, "continuity": 0.75}
    assert data["rows"][0]["metrics"]["composite"]["value"] == figure.value
    markdown = leaderboard_report.to_markdown(board)
    leaderboard_report.show(board)
    for text in (markdown, " ".join(capsys.readouterr().out.split())):
        assert "composite ↓" in text
        assert "0.25 × distance of AER share / 0.03 + 0.75 × −continuity / 0.02" in text
    plain = leaderboard([arm("a", 14, 0.2)])
    assert "composite" not in leaderboard_report.to_csv(plain).lower()
    assert "omposite" not in leaderboard_report.to_markdown(plain)
    assert leaderboard_report.to_json(plain)["weights"] is None


@pytest.mark.parametrize(
    ("weights", "message", "remedy"),
    [
        ("aer_shar=1", "aer_shar is no metric", "Did you mean 'aer_share'?"),
        ("perplexity=1", "perplexity is no metric", "nll_per_token"),
        ("question_rate=1", "says nothing about better or worse", "Choose from"),
        ("order=1", "has no margin to count in", "Choose from"),
        ("aer_share=-1", "aer_share=-1: a weight is a number of 0 or more", "direction"),
        ("aer_share=nan", "a weight is a number", ""),
        ("aer_share=inf", "a weight is a number", ""),
        ("aer_share=a lot", "a weight is a number", ""),
        ("aer_share=0,continuity=0", "the weights sum to 0", ""),
        ("aer_share=1e308,continuity=1e308", "the weights sum to inf", ""),
        ("aer_share=1,aer_share=2", "aer_share is given twice", "once"),
        ("aer_share", "not of the form METRIC=WEIGHT", "aer_share=1"),
        ("", "not of the form METRIC=WEIGHT", ""),
    ],
)
def test_bad_weights_exit_2(tmp_path, capsys, weights, message, remedy):
    save(arm("a", 10, 0.2), tmp_path)
    assert _run(["leaderboard", str(tmp_path), "--weights", weights]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert remedy in err
    assert "Traceback" not in err


def test_the_command_shows_and_sorts_by_it(tmp_path, capsys):
    for made in (arm("a", 10, 0.2), arm("b", 14, 0.4)):
        save(made, tmp_path)
    call = ["leaderboard", str(tmp_path), "--json", "--weights", "aer_share=1,continuity=3"]
    assert _run(call) == 0
    shown = json.loads(capsys.readouterr().out)["data"]
    assert [r["name"] for r in shown["rows"]] == ["a", "b"]
    assert _run([*call, "--by", "composite"]) == 0
    ranked = json.loads(capsys.readouterr().out)["data"]
    assert ranked["by"] == "composite"
    assert [(r["name"], r["tier"]) for r in ranked["rows"]] == [("b", 1), ("a", 2)]
    assert _run(["leaderboard", str(tmp_path), "--by", "composite"]) == 2
    assert "Add --weights" in capsys.readouterr().err
