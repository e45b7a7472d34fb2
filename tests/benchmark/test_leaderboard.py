"""The leaderboard on hand-made columns: order, tiers, who is left out, and formats that parse back."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from made_results import columns, result
from rapport_bench.cli.main import _run
from rapport_bench.judging.leaderboard import Leaderboard, leaderboard
from rapport_bench.results.result import Result, save
from rapport_bench.statistics.bands import BandArms
from rapport_bench.statistics.paired import Difference
from rapport_bench.statistics.tiers import tiers
from rapport_bench.terminal import leaderboard as leaderboard_report
from rapport_tasks.common.errors import BadInput

N = 24


def arm(name: str, advice: int, *, continuity: float = 0.2, kind: str = "model", n: int = N, **more: object) -> Result:  # fmt: skip
    """An arm with ``advice`` of 20 sentences a dialogue, give or take one; gold has 10 of 20.

    Gold shares vary as arms' do, so its band is .5 ± .05 (the floor).
    """
    ones = np.ones(n)
    wave = np.resize([0.0, 1.0, 0.0, -1.0], n)
    told = np.clip(advice + np.roll(wave, advice), 0, 20)
    made = {
        "turns": ones,
        "advice": told,
        "empathy": 20 - told,
        "acted_replies": ones,
        "aer_replies": ones,
        "aer_chars": 100 * ones,
        "gold_advice": 10 + wave,
        "gold_empathy": 10 - wave,
        "continuity_n": ones,
        "continuity_turns": ones,
        "continuity_sum": continuity + 0.001 * wave,
        "copied": 0 * ones,
    }
    return result(name, made, kind=kind, **more)  # type: ignore[arg-type]


def names(board: Leaderboard) -> list[str]:
    return [row.result.name for row in board.rows]


def places(board: Leaderboard) -> dict[str, tuple[int | None, int | None]]:
    return {row.result.name: (row.rank, row.tier) for row in board.rows}


# --- tiers --------------------------------------------------------------------------------------


def at(values: dict[int, float], asked: list[tuple[int, int]] | None = None, near: float = 1.0):
    """A difference that is significant from ``near`` on."""

    def difference(arm: int, leader: int) -> Difference:
        if asked is not None:
            asked.append((arm, leader))
        gap = values[arm] - values[leader]
        return Difference(gap, p_value=1e-6 if gap >= near else 0.5)

    return difference


def test_an_arm_is_set_against_the_leader_not_against_its_neighbour():
    values = {0: 0.0, 1: 0.6, 2: 1.2, 3: 1.8, 4: 2.4}
    assert tiers(list(values), at(values)) == {0: 1, 1: 1, 2: 2, 3: 2, 4: 3}


def test_all_apart_all_alike_one_and_none():
    values = {arm: float(arm) for arm in range(4)}
    assert tiers([3], at(values)) == {3: 1}
    assert tiers([], at(values)) == {}
    assert tiers([0, 1, 2, 3], at(values)) == {0: 1, 1: 2, 2: 3, 3: 4}
    assert tiers([0, 1, 2, 3], at(values, near=9)) == dict.fromkeys(range(4), 1)


def test_comparisons_grow_with_arms_times_tiers():
    values = {arm: float(arm // 50) for arm in range(200)}
    asked: list[tuple[int, int]] = []
    found = tiers(list(values), at(values, asked))
    assert max(found.values()) == 4
    assert len(asked) == 199 + 149 + 99 + 49
    assert {leader for _, leader in asked} == {0, 50, 100, 150}


def test_holm_runs_over_the_tests_against_one_leader():
    def difference(arm: int, leader: int) -> Difference:
        return Difference(1.0, p_value=0.02)

    assert tiers([0, 1], difference) == {0: 1, 1: 2}
    assert tiers([0, 1, 2, 3], difference) == {0: 1, 1: 1, 2: 1, 3: 1}  # 3 x .02 > .05


def test_what_cannot_be_tested_cannot_be_told_apart():
    assert tiers([0, 1], lambda a, b: Difference(1.0)) == {0: 1, 1: 1}


# --- distances from shared draws ----------------------------------------------------------------


def test_shared_draws_agree_with_pairs_drawn_apart():
    rng = np.random.default_rng(3)
    gold = rng.binomial(10, 0.4, 60).astype(float), np.full(60, 10.0)
    arms = [(rng.binomial(10, p, 60).astype(float), np.full(60, 10.0)) for p in (0.4, 0.55, 0.6, 0.9)]  # fmt: skip
    shared = BandArms(arms, gold, floor=0.05, scale=1.0, rng=np.random.default_rng(1))
    for one, other in ((1, 0), (2, 1), (3, 2)):
        ours = shared.difference(one, other)
        pair = BandArms([arms[one], arms[other]], gold, floor=0.05, rng=np.random.default_rng(2))
        theirs = pair.difference(0, 1)
        assert ours.value == pytest.approx(theirs.value)
        assert ours.ci == pytest.approx(theirs.ci, abs=0.004)
        assert ours.p_value == pytest.approx(theirs.p_value, abs=0.02)
        alone = BandArms([arms[one]], gold, floor=0.05, rng=np.random.default_rng(2)).estimate(0)
        assert shared.distance(one) == pytest.approx(alone.value)
        assert shared.estimate(one).ci == pytest.approx(alone.ci, abs=0.004)
    assert shared.difference(2, 2).exactly_equal


def test_too_few_dialogues_give_distances_without_intervals():
    ones = np.ones(4)
    few = BandArms([(ones, 2 * ones), (ones, ones)], (ones, 2 * ones), floor=0.05, scale=1.0, rng=np.random.default_rng(0))  # fmt: skip
    assert few.distance(1) == pytest.approx(0.45)
    assert few.estimate(1).ci is None
    assert few.difference(1, 0).value == pytest.approx(0.45)
    assert few.difference(1, 0).p_value is None


def test_an_arm_without_any_act_has_no_distance():
    ones, zero = np.ones(12), np.zeros(12)
    mute = BandArms([(zero, zero), (ones, 2 * ones)], (ones, 2 * ones), floor=0.05, scale=1.0, rng=np.random.default_rng(0))  # fmt: skip
    assert mute.distance(0) is None
    assert mute.estimate(0).ci is None
    assert mute.difference(0, 1).value is None
    assert mute.distance(1) == 0


# --- order and who is on the board --------------------------------------------------------------


def test_arms_are_sorted_by_the_distance_to_the_band_in_known_tiers():
    arms = [arm("far", 18), arm("near", 12), arm("in", 10), arm("little", 2), arm("near too", 12)]
    board = leaderboard(arms)
    distances = [row.standings["aer_share"].distance for row in board.rows]
    assert distances == pytest.approx([0, 0.05, 0.05, 0.35, 0.35])
    assert places(board) == {
        "in": (1, 1), "near": (2, 2), "near too": (3, 2), "far": (4, 3), "little": (5, 3),
    }  # fmt: skip
    assert board.rows[0].behind is None
    assert board.rows[3].behind.value == pytest.approx(0.35)


def test_the_order_of_files_changes_nothing():
    arms = [arm("far", 18), arm("near", 12), arm("in", 10), arm("little", 2)]
    assert leaderboard(arms) == leaderboard(arms[::-1])


def test_ties_go_to_continuity_and_then_to_the_name():
    arms = [arm("b", 10), arm("a", 10), arm("better", 10, continuity=0.3)]
    board = leaderboard(arms)
    assert names(board) == ["better", "a", "b"]
    assert {row.tier for row in board.rows} == {1}


@pytest.mark.parametrize("by", ["continuity", "copied"])
def test_every_metric_with_a_direction_can_sort(by):
    arms = [arm("low", 10, continuity=0.1), arm("high", 12, continuity=0.3)]
    board = leaderboard(arms, by=by)
    assert names(board) == ["high", "low"]
    if by == "continuity":
        assert places(board) == {"high": (1, 1), "low": (2, 2)}
        assert board.rows[1].behind.value == pytest.approx(-0.2)
    else:
        assert places(board) == {"high": (1, 1), "low": (2, 1)}  # both copy nothing


def test_reference_arms_are_rows_without_rank_and_lead_no_tier():
    arms = [arm("gold", 10, kind="gold"), arm("parrot", 11, kind="bot"), arm("one", 14), arm("two", 14)]  # fmt: skip
    board = leaderboard(arms)
    assert names(board) == ["gold", "parrot", "one", "two"]
    assert places(board)["gold"] == places(board)["parrot"] == (None, None)
    assert places(board)["one"] == (1, 1)
    assert board.rows[0].note == "reference"
    assert [row.pareto for row in board.rows] == [False, False, True, True]
    only = leaderboard(arms[:2])
    assert all(row.rank is None for row in only.rows)


def test_an_arm_without_the_metric_stands_last_without_rank():
    zero = {"advice": np.zeros(60), "empathy": np.zeros(60), "empathy_grounded": np.zeros(60)}
    board = leaderboard([result("mute", columns(2) | zero), result("speaks", columns(1))])
    assert places(board) == {"speaks": (1, 1), "mute": (None, None)}
    assert board.rows[1].note == "no aer_share"


def test_tokens_of_another_tokenizer_have_no_rank():
    arms = [result(f"a{i}", columns(i)) for i in (1, 2)]
    other = result("other", columns(3, nll=-1), tokenizer="1" * 64)
    board = leaderboard([*arms, other], by="nll_per_token")
    assert places(board)["other"] == (None, None)
    assert next(r for r in board.rows if r.result.name == "other").note == "different_tokenizer"
    assert "nll_per_token" in board.front
    assert "nll_per_token" not in leaderboard([*arms, other]).front


def test_the_pareto_front_holds_what_nothing_beats_everywhere():
    arms = [arm("band", 10, continuity=0.1), arm("history", 14, continuity=0.3),
            arm("neither", 15, continuity=0.2), arm("twin", 10, continuity=0.1)]  # fmt: skip
    board = leaderboard(arms)
    assert board.front == ("aer_share", "continuity")
    found = {row.result.name for row in board.rows if row.pareto}
    assert found == {"band", "twin", "history"}


def test_other_suites_are_apart_with_what_differs():
    here = [arm("a", 10), arm("b", 12)]
    other = arm("c", 10, n=20, suite="1" * 64)
    board = leaderboard([other, *here])
    assert names(board) == ["a", "b"]
    ((left_out, why),) = board.apart
    assert left_out.name == "c"
    assert "dialogues 20 / 24" in why
    assert names(leaderboard([other, *here], suite="1111")) == ["c"]
    for wrong in ("made", "ffff"):
        with pytest.raises(BadInput, match="suites match"):
            leaderboard([other, *here], suite=wrong)


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("question_rate", "nothing about better or worse"),
        ("continutiy", "is no metric"),
        ("shift_rate", "no arm of suite made has shift_rate"),
    ],
)
def test_a_metric_that_cannot_sort_is_refused(by, message):
    with pytest.raises(BadInput, match=message) as caught:
        leaderboard([arm("a", 10)], by=by)
    assert "continuity" in caught.value.remedy


# --- formats ------------------------------------------------------------------------------------

HOSTILE = (
    "</td><script>alert(1)</script>", '=HYPERLINK("x")', "a|b\nc", "../../etc", "x" * 300, "😀 b",
    "\u202egnp.exe", "+1", "-1", "@a", 'q"uote,d', "[x](javascript:1)", "[bold]a[/bold]",
)  # fmt: skip


@pytest.fixture
def board() -> Leaderboard:
    arms = [arm(name, 10 + place % 6) for place, name in enumerate(HOSTILE)]
    return leaderboard([*arms, arm("gold", 10, kind="gold"), arm("other", 10, suite="1" * 64)])


def test_csv_parses_back_and_holds_no_formula(board):
    rows = list(csv.DictReader(io.StringIO(leaderboard_report.to_csv(board))))
    assert len(rows) == len(board.rows) == 14
    for found, row in zip(rows, board.rows, strict=True):
        assert found["result_id"] == row.result.result_id
        assert found["rank"] == str(row.rank or "")
        assert found["arm"][0] not in "=+-@"
        figure = row.standings["aer_share"]
        assert float(found["aer_share"]) == figure.value
        assert float(found["aer_share_distance"]) == figure.distance
        assert float(found["aer_share_ci_low"]) == figure.ci[0]
        assert float(found["aer_share_distance_ci_high"]) == figure.distance_ci[1]
    assert {row["arm"] for row in rows} >= {'\'=HYPERLINK("x")', 'q"uote,d', "x" * 300}


def test_markdown_parses_back_and_holds_no_markup(board):
    text = leaderboard_report.to_markdown(board)
    table = [line for line in text.split("\n") if line.startswith("|")]
    assert len(table) == 2 + 14
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert "<script>" not in text
    assert "[x](" not in text
    assert "\u202e" not in text
    assert "tier" in table[0]
    assert "other" in text.split("Not on this board")[1]


def test_json_parses_back(board):
    data = json.loads(json.dumps(leaderboard_report.to_json(board), allow_nan=False))
    assert [row["name"] for row in data["rows"]] == names(board)
    assert data["rows"][0]["tier"] == 1
    assert data["rows"][0]["metrics"]["aer_share"]["distance"] == 0
    assert data["apart"][0]["name"] == "other"
    assert data["by"] == "aer_share"


def test_the_console_shows_names_as_they_are(board, capsys):
    leaderboard_report.show(board)
    out = capsys.readouterr().out
    for expected in ("Suite made · 24 dialogues", "reference: gold", "Holm", "Not on this board"):
        assert expected in out
    assert "[bold]a[/bold]" in out
    assert "\x1b" not in out


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for made in (arm("in", 10), arm("far", 18)):
        save(made, "results")

    def call(*arguments: str) -> tuple[int, str, str]:
        code = _run(["leaderboard", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_each_format_is_printed(command):
    assert "by AER share" in command()[1]
    assert "| 1 | 1 | in" in command("--format", "md")[1]
    assert len(command("results", "--format", "csv")[1].strip().split("\n")) == 3
    for words in (("--json",), ("--format", "json"), ("--format", "csv", "--json")):
        envelope = json.loads(command(*words)[1])
        assert (envelope["command"], envelope["ok"]) == ("leaderboard", True)
        assert [row["name"] for row in envelope["data"]["rows"]] == ["in", "far"]
    assert json.loads(command("--by", "continuity", "--json")[1])["data"]["by"] == "continuity"


def test_hostile_names_come_through_files_and_every_format(tmp_path, capsys):
    """Written under safe file names, read back, and printed as what they are."""
    for place, name in enumerate(HOSTILE):
        save(arm(name, 10 + place % 6), tmp_path / "results")
    paths = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(paths) == len(HOSTILE)
    assert all(path.parent == tmp_path / "results/v1/made/reference" for path in paths)
    outputs = {}
    for form in ("console", "md", "csv", "json"):
        assert _run(["leaderboard", str(tmp_path / "results"), "--format", form]) == 0
        outputs[form] = capsys.readouterr().out
    assert {row["name"] for row in json.loads(outputs["json"])["data"]["rows"]} == set(HOSTILE)
    rows = list(csv.DictReader(io.StringIO(outputs["csv"])))
    assert len(rows) == len(HOSTILE)
    assert not [row["arm"] for row in rows if row["arm"][0] in "=+-@"]
    table = [line for line in outputs["md"].split("\n") if line.startswith("|")]
    assert len(table) == 2 + len(HOSTILE)
    for form in ("console", "md", "csv"):
        assert "\u202e" not in outputs[form]
        assert "../../etc" in outputs[form]
        assert "😀 b" in outputs[form]


def test_one_arm_and_no_arm_with_a_rank(tmp_path, capsys):
    save(arm("only", 12), tmp_path)
    assert _run(["leaderboard", str(tmp_path), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["data"]["rows"]
    assert (row["rank"], row["tier"], row["pareto"], row["behind_first"]) == (1, 1, True, None)
    save(arm("gold", 10, kind="gold"), tmp_path / "gold")
    assert _run(["leaderboard", str(tmp_path / "gold")]) == 0
    assert "0 arms in 0 tiers" in capsys.readouterr().out


def test_dialogues_unscored_on_one_side_count_on_the_other():
    """Half of an arm's dialogues lack acts: its own rate is of the rest, and nothing is imputed."""
    half = np.resize([1.0, 0.0], N)
    full, part = arm("full", 14), arm("part", 14)
    made = {k: np.array(v) for k, v in part.columns.items()}
    for name in ("advice", "empathy", "acted_replies", "continuity_n", "continuity_sum"):
        made[name] = made[name] * half
    board = leaderboard([full, result("part", made)])
    row = next(row for row in board.rows if row.result.name == "part")
    told = half * np.array(part.columns["advice"])
    assert row.standings["aer_share"].value == pytest.approx(told.sum() / (20 * half.sum()))
    assert row.result.metrics["aer_share"].coverage == 0.5
    assert row.rank is not None
    behind = next(row for row in board.rows if row.behind is not None).behind
    assert behind.clusters == N
    assert behind.ci is not None


def test_broken_and_foreign_files_are_said_and_left_out(command):
    folder = next(Path("results").glob("v1/*/*"))
    (folder / "broken@00000000.json").write_text("{")
    (folder / "foreign.json").write_text("{}")
    (folder / "note.txt").write_text("hello")
    code, out, err = command()
    assert code == 0
    assert "2 arms" in out
    assert "broken@00000000.json: not a result" in err
    assert err.count("warning") == 1
    warnings = json.loads(command("--json")[1])["warnings"]
    assert len(warnings) == 1


def test_bad_calls(command):
    assert command("nowhere")[0] == 2
    assert "no results" in command("nowhere")[2]
    code, _, err = command("--by", "continutiy")
    assert code == 2
    assert "Did you mean 'continuity'?" in err
    assert command("--format", "pdf")[0] == 2
    assert command("--suite", "zz")[0] == 2
    next(Path("results").glob("v1/*/*/far@*")).unlink()
    code, out, _ = command()
    assert code == 0
    assert "1 arm in 1 tier" in out
    for path in Path("results").glob("v1/*/*/*"):
        path.write_text("{")
    assert "1 broken" in command()[2]


def test_the_leaderboard_needs_no_torch(command):
    code = (
        "import sys; from rapport_bench.cli.main import _run; assert _run(['leaderboard']) == 0; "
        "assert not {'torch', 'transformers', 'lm_eval'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
