"""Preference pairs: the rule counted by hand, and what is never exported."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from made_sheets import two_arms
from rapport_bench.cli.main import _run
from rapport_bench.human.ratings.preferences import Rule, prefer
from rapport_bench.human.sheets.scales import NAMES
from rapport_bench.human.sheets.sheet import Line, Reply, SheetItem
from rapport_bench.human.sheets.study import Key, KeyItem, read_key, read_study
from rapport_bench.results.human_sections import RatedArm
from rapport_bench.results.ratings import Ratings

ONE, TWO = "1" * 64, "2" * 64


def example(values: list[tuple[int, int, int, int, int]], texts=("甲", "乙")):
    """Two raters, one item; values are (rater, arm, scale, value, again)."""
    key = Key(
        schema_version="1.0",
        study="pilot",
        suite_id="0" * 64,
        arms=(
            RatedArm(name="a", kind="base", result_id=ONE, arm_id=ONE),
            RatedArm(name="b", kind="adapter", result_id=TWO, arm_id=TWO),
        ),
        items={"i001": KeyItem(dialogue="d", turn=1, domain=None, letters={"A": TWO, "B": ONE})},
        repeats={},
        attention={},
    )
    item = SheetItem(
        id="i001",
        context=(Line(role="system", content="背景。"), Line(role="user", content="累。")),
        replies=(Reply(letter="A", content=texts[1]), Reply(letter="B", content=texts[0])),
    )
    columns = (
        np.array([(r, 0, a, s, v) for r, a, s, v, _ in values], dtype=np.int64).reshape(-1, 5).T
    )
    again = np.array([bool(v[4]) for v in values], dtype=np.bool_)
    ratings = Ratings(
        ("r01", "r02", "r03"), ("i001",), (ONE, TWO), ("warmth", "sense"), (5, 5), *columns, again
    )
    return ratings, key, {"i001": item}


def full(*rows: tuple[int, int, int, int]) -> list[tuple[int, int, int, int, int]]:
    """Rows of (warmth of a, sense of a, warmth of b, sense of b), one a rater."""
    return [
        (rater, arm, scale, row[2 * arm + scale], 0)
        for rater, row in enumerate(rows)
        for arm in (0, 1)
        for scale in (0, 1)
    ]


def test_the_pair_is_written_as_messages_with_the_better_reply_chosen() -> None:
    found = prefer(*example(full((1, 2, 4, 4), (2, 2, 3, 3))), Rule())
    # preferences b - a: (4 - 1.5), (3 - 2): mean 1.75
    assert list(found.pairs) == [
        {
            "prompt": [
                {"role": "system", "content": "背景。"},
                {"role": "user", "content": "累。"},
            ],
            "chosen": [{"role": "assistant", "content": "乙"}],
            "rejected": [{"role": "assistant", "content": "甲"}],
        }
    ]
    assert found.chosen == {TWO: 1}
    assert found.raters == 2


@pytest.mark.parametrize(
    ("values", "rule", "reason"),
    [
        (full((1, 1, 2, 2), (1, 1, 2, 2)), Rule(), None),  # just the margin
        (full((1, 1, 2, 2), (1, 1, 2, 1)), Rule(), "under_margin"),  # .75
        (full((1, 1, 2, 2), (1, 1, 2, 1)), Rule(margin=0.75), None),
        (full((1, 1, 3, 3), (3, 3, 1, 1)), Rule(margin=0), "tied"),
        (full((1, 1, 5, 5)), Rule(), "too_few_raters"),
        (full((1, 1, 5, 5)), Rule(min_raters=1), None),
        # on one scale a wins, on the other b
        (full((5, 1, 1, 5), (5, 1, 1, 5)), Rule(), "tied"),
        (full((5, 1, 1, 5), (5, 1, 1, 5)), Rule("warmth"), None),
        # the second rater has not rated one scale of one reply: no mean, but a warmth
        (full((1, 1, 5, 5), (1, 1, 5, 5))[:-1], Rule(), "too_few_raters"),
        (full((1, 1, 5, 5), (1, 1, 5, 5))[:-1], Rule("warmth"), None),
        # a second showing is no second rater
        (
            full((1, 1, 5, 5)) + [(0, arm, s, 1 + 4 * arm, 1) for arm in (0, 1) for s in (0, 1)],
            Rule(),
            "too_few_raters",
        ),
        ([], Rule(min_raters=1), "too_few_raters"),
    ],
)
def test_the_rule(values, rule, reason) -> None:
    found = prefer(*example(values), rule)
    assert len(found.pairs) == (reason is None)
    assert dict(found.left_out) == ({} if reason is None else {reason: 1})


def test_the_same_text_twice_is_no_pair() -> None:
    found = prefer(*example(full((1, 1, 5, 5), (1, 1, 5, 5)), texts=("嗯", "嗯")), Rule())
    assert found.left_out == {"same_text": 1}


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def study(tmp_path, capsys) -> Path:
    made = two_arms(tmp_path / "made")
    folder = tmp_path / "study"
    options = ["-o", str(folder), "--study", "pilot", "--items", "9", "--raters", "3"]
    assert _run([*made.arguments("Zephyrine", "Oberonic"), *options]) == 0
    capsys.readouterr()
    return folder


def rated(folder: Path, *, careless: str = "", gap: int = 2, **extra: object) -> list[str]:
    """Files of all raters: Zephyrine is `gap` points ahead on the first six items, level on the rest."""
    study, key = read_study(folder), read_key(folder)
    ahead = {arm.result_id for arm in key.arms if arm.name == "Zephyrine"}
    paths = []
    for rater in study.raters:
        rows = []
        for item in study.assignments[rater]:
            letters = (
                key.items[key.repeats.get(item, item)].letters if item not in key.attention else {}
            )
            for letter in "AB":
                for scale in NAMES:
                    value = 2 + gap * (letters.get(letter) in ahead and item in study.items[:6])
                    check = key.attention.get(item)
                    if check and (check.letter, check.scale) == (letter, scale):
                        value = check.expected if rater != careless else 6 - check.expected
                    rows.append({"item": item, "letter": letter, "scale": scale, "value": value})
        path = folder / f"ratings-pilot-{rater}.json"
        content = {"schema_version": "1.0", "study": "pilot", "rater": rater, "ratings": rows}
        content |= {"sheet_sha256": study.sheets[rater], "comments": 0} | extra
        path.write_text(json.dumps(content), encoding="utf-8")
        paths.append(str(path))
    return paths


def export(folder: Path, files: list[str], *options: str) -> tuple[int, Path]:
    out = folder / "pairs.jsonl"
    return _run(["human", "export-preferences", str(folder), *files, "-o", str(out), *options]), out


def test_pairs_card_and_counts(study, capsys) -> None:
    code, out = export(study, rated(study), "--json")
    assert code == 0
    said = json.loads(capsys.readouterr().out)
    assert said["data"]["pairs"] == 6
    assert said["data"]["chosen"] == {"Zephyrine": 6, "Oberonic": 0}
    assert said["data"]["left_out"]["tied"] == 3
    assert any("do not publish" in warning for warning in said["warnings"])
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 6
    for line in lines:
        assert set(line) == {"prompt", "chosen", "rejected"}
        assert line["prompt"][-1]["role"] == "user"
        assert line["chosen"][0]["content"].startswith("左边说")
        assert line["rejected"][0]["content"].startswith("右边说")
    card = out.with_suffix(".card.md")
    text = card.read_text(encoding="utf-8")
    assert "2 or more raters count and the mean preference is at least 1" in text
    assert "| exported | 6 |" in text
    assert "| left out: tied | 3 |" in text
    assert "Simulated" not in text
    assert "说：" not in text  # the card quotes nothing
    assert {stat.S_IMODE(p.stat().st_mode) for p in (out, card)} == {0o600}
    before = out.read_bytes(), card.read_bytes()
    assert export(study, rated(study)[::-1])[0] == 0
    assert (out.read_bytes(), card.read_bytes()) == before


def test_a_folder_of_files_will_do(study, capsys) -> None:
    files = rated(study)
    (study / "empty").mkdir()
    (study / "in").mkdir()
    for file in files:
        Path(file).rename(study / "in" / Path(file).name)
    assert export(study, [str(study / "in")])[0] == 0
    assert capsys.readouterr().out.startswith("6 pairs")
    assert export(study, [str(study / "empty")])[0] == 2
    assert "no files of ratings" in capsys.readouterr().err


def test_it_loads_as_a_data_set_of_messages(study) -> None:
    from datasets import load_dataset

    code, out = export(study, rated(study))
    assert code == 0
    rows = load_dataset("json", data_files=str(out), split="train", cache_dir=str(study / "cache"))
    assert sorted(rows.column_names) == ["chosen", "prompt", "rejected"]
    assert rows[0]["chosen"][0]["role"] == "assistant"
    assert all(isinstance(m["content"], str) for m in rows[0]["prompt"])


def test_raters_who_do_not_read_are_left_out(study, capsys) -> None:
    files = rated(study, careless="r02")
    assert export(study, files, "--min-raters", "3")[0] == 2
    said = capsys.readouterr().err
    assert "no pair is clear enough" in said
    assert "too few raters judged both 9" in said
    assert export(study, files, "--min-raters", "3", "--keep-inattentive")[0] == 0
    assert export(study, files, "--min-raters", "2")[0] == 0
    assert "left out for failing the attention checks: r02" in " ".join(
        capsys.readouterr().out.split()
    )


def test_simulated_ratings_are_refused_and_marked(study, capsys) -> None:
    files = rated(study, simulated=True)
    assert export(study, files)[0] == 2
    assert "made by a program" in capsys.readouterr().err
    assert not (study / "pairs.jsonl").exists()
    code, out = export(study, files, "--allow-simulated")
    assert code == 0
    assert "SIMULATED" in capsys.readouterr().out
    assert "**Simulated:" in out.with_suffix(".card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scale", "empathic_resonence"), "Did you mean 'empathic_resonance'?"),
        (("--margin", "-1"), "--margin -1: not from 0 to 4"),
        (("--margin", "nan"), "--margin nan"),
        (("--margin", "4.5"), "--margin 4.5"),
        (("--min-raters", "0"), "--min-raters 0: not from 1 to 3"),
        (("--min-raters", "4"), "--min-raters 4"),
        (("--margin", "3"), "no pair is clear enough to export (tied 3, under the margin 6)"),
    ],
)
def test_bad_rules_are_refused(study, capsys, options, message) -> None:
    code, out = export(study, rated(study), *options)
    assert code == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


def test_words_that_were_changed_or_lost_are_not_exported(study, capsys) -> None:
    files = rated(study)
    page = study / "sheets" / "r01.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("\\u5de6", "\\u53f3", 1), encoding="utf-8")
    assert export(study, files)[0] == 2
    assert "not the page that was written" in capsys.readouterr().err
    page.unlink()
    assert export(study, files)[0] == 2
    assert "holds the words that were rated" in " ".join(capsys.readouterr().err.split())
    page.write_text(text, encoding="utf-8")
    assert export(study, files)[0] == 0
