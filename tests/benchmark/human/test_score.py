"""`rapport human score`: what people send back, in every state, and what comes out of it."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import sys
from pathlib import Path

import pytest

from made_sheets import sheet as sheet_of
from made_study import SCALES, Made, export, made_study, rows_of
from rapport_bench.cli.main import _run
from rapport_bench.human.ratings.files import read_ratings
from rapport_bench.human.sheets.table import FIXED, to_csv
from rapport_bench.results import human_result
from rapport_bench.results.result import result_id
from rapport_bench.verify.folder import verify
from rapport_bench.words import studies
from rapport_tasks.common.errors import BadInput

SCRIPT = Path(__file__).parents[3] / "benchmark" / "simulations" / "rate_study.py"


@pytest.fixture(scope="module")
def rate_study():
    spec = importlib.util.spec_from_file_location("rate_study", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def command(capsys):
    def call(*arguments: object) -> tuple[int, str, str]:
        code = _run(["human", "score", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


# --- round trip ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rated(tmp_path_factory, rate_study) -> Made:
    root = tmp_path_factory.mktemp("rated")
    made = made_study(root, items=40)
    rate_study.main(
        [str(made.folder), "-o", str(root / "ratings"), "--effect", "new=0.6", "--seed", "3"]
    )
    return made


@pytest.fixture(scope="module")
def scored(rated) -> human_result.HumanResult:
    code = _run(["human", "score", str(rated.folder), str(rated.folder.parent / "ratings"), "-o", str(rated.results)])  # fmt: skip
    assert code == 0
    (path,) = human_result.files_in(rated.results)
    return human_result.load(path)


def test_the_planted_difference_is_recovered(scored) -> None:
    assert scored.path.parts[-4:] == ("v1", "made", "human", "pilot.json")
    rows = scored.analysis.comparisons
    assert [row.scale for row in rows] == list(SCALES)
    for row in rows:
        for found in (row.items, row.crossed):
            assert found.ci[0] <= 0.6 <= found.ci[1]
            assert found.ci[0] > 0
        assert row.wilcoxon.p < row.wilcoxon.p_adjusted + 1e-12
        assert row.rank_biserial.value > 0.3
        assert row.cells == 200


def test_figures_stay(scored) -> None:
    """Figures of version 0.1; random draws are among them, so that their stream may not change."""

    def near(*values: float):
        return pytest.approx(values, abs=2e-5)

    found = scored.analysis
    row, agreement = found.comparisons[0], found.agreement[SCALES[0]]
    assert (row.items.value, row.items.se, *row.items.ci) == near(
        0.605, 0.122052, 0.352314, 0.84645
    )
    assert (row.crossed.se, *row.crossed.ci) == near(0.165248, 0.233824, 0.976176)
    assert (row.crossed.df, row.crossed.p_adjusted) == near(9.4404, 0.009919)
    parts = row.crossed.variances
    assert (parts.item, parts.rater, parts.residual) == near(0.381282, 0.062051, 1.072949)
    assert (row.wilcoxon.p, row.wilcoxon.p_adjusted) == pytest.approx((8.69154e-5, 1.73831e-4))
    assert (row.rank_biserial.value, *row.rank_biserial.ci) == near(0.747748, 0.496959, 0.927965)
    assert (agreement.alpha.value, *agreement.alpha.ci) == near(0.373156, 0.247436, 0.481108)
    assert (agreement.icc_single.value, *agreement.icc_single.ci) == near(0.399698, 0.259216, 0.536834)  # fmt: skip
    assert (agreement.icc_average.value, *agreement.icc_average.ci) == near(0.769007, 0.636311, 0.852839)  # fmt: skip
    assert [s.value for s in agreement.severity.values()] == near(-0.3575, -0.4825, 0.005, 0.1425, 0.6925)  # fmt: skip
    again = found.consistency.all
    assert (again.exact, again.within_one, again.kappa) == near(0.375, 0.9, 0.572287)
    arm = found.table[0]
    assert (arm.mean, arm.sd, arm.sd_items) == near(3.305, 1.075994, 0.688346)
    assert (*arm.ci, *arm.ci_new_raters) == near(3.084856, 3.525144, 2.59969, 4.01031)
    metric = found.metrics[0]
    assert (metric.metric, metric.scale) == ("nll_per_token", SCALES[0])
    assert (metric.within.value, *metric.within.ci) == near(0.13906, -0.14761, 0.39941)
    assert (metric.between.value, *metric.between.ci) == near(0.082863, -0.243162, 0.392438)


def test_the_result_holds_no_names_and_no_text(scored, rated) -> None:
    assert [rater.code for rater in scored.content.raters] == ["r01", "r02", "r03", "r04", "r05"]
    assert scored.content.volatile.command == "rapport human score"
    text = scored.path.read_text(encoding="utf-8")
    assert "ratings-" not in text
    assert str(rated.folder) not in text
    assert len(scored.content.ratings.value) == 5 * 44 * 2 * 3


def test_simulated_ratings_are_called_so_over_every_table(scored, capsys) -> None:
    from rapport_bench.terminal.study import show

    assert scored.simulated
    assert studies.to_json(scored)["simulated"] is True
    show(scored)
    out = capsys.readouterr().out
    for title in (
        "Study pilot",
        "Ratings by arm",
        "new − base · these raters, new dialogues",
        "new − base · new raters and new dialogues",
        "Agreement between raters",
        "Raters",
        "Do the metrics agree with the ratings?",
    ):
        assert f"SIMULATED RATINGS (by a program, by nobody) · {title}" in out


def test_scores_of_arms_for_leaderboard_and_report(scored) -> None:
    scores = studies.to_json(scored)["arms"]
    assert [(s["arm"], s["scale"]) for s in scores][:2] == [
        ("base", SCALES[0]),
        ("base", SCALES[1]),
    ]
    ratings = human_result.ratings_of(scored)
    for at, score in enumerate(scores):
        cells = ratings.cells(at % 3)[at // 3]
        assert score["mean"] == pytest.approx(cells.mean(axis=1).mean(), abs=1e-6)
        assert score["sd"] == pytest.approx(cells.std(ddof=1), abs=1e-6)
        assert score["ci"][0] < score["mean"] < score["ci"][1]
        assert score["ci_new_raters"][0] < score["ci"][0]
        assert (score["raters"], score["dialogues"], score["points"]) == (5, 40, 5)


def test_verified_as_it_is_and_not_when_changed(scored, rated) -> None:
    assert verify([scored.path]).problems == ()
    data = json.loads(scored.path.read_text(encoding="utf-8"))

    def said(changed: dict[str, object], name: str = "pilot") -> str:
        path = scored.path.with_name(f"{name}.json")
        before = scored.path.read_text(encoding="utf-8")
        path.write_text(json.dumps(changed), encoding="utf-8")
        try:
            return "; ".join(problem.message for problem in verify([path]).problems)
        finally:
            path.unlink()
            scored.path.write_text(before, encoding="utf-8")

    def resealed(changed: dict[str, object]) -> dict[str, object]:
        return changed | {"result_id": result_id(changed)}

    edited = json.loads(json.dumps(data))
    edited["ratings"]["value"][0] = 6 - edited["ratings"]["value"][0]
    assert "edited" in said(edited)
    edited["analysis"]["table"][0]["mean"] += 0.5
    assert "figures that do not follow" in said(resealed(edited))
    beyond = json.loads(json.dumps(data))
    beyond["ratings"]["item"][0] = 999
    assert "ratings whose item is not listed" in said(resealed(beyond))
    twice = json.loads(json.dumps(data))
    for column in twice["ratings"].values():
        column.append(column[0])
    assert "one unit is rated twice" in said(resealed(twice))
    assert "belongs at v1/made/human/pilot.json" in said(data, "other")
    stranger = json.loads(json.dumps(data))
    stranger["study"]["author"] = "a name"
    text = said(stranger)
    assert "study: a key that does not belong there" in text
    assert "a name" not in text
    newer = json.loads(json.dumps(data))
    newer["analysis"]["version"] = "0.9"
    assert "another version than this program's" in said(resealed(newer))
    swapped = json.loads(json.dumps(data))
    swapped["arms"][0]["name"], swapped["arms"][1]["name"] = "new", "base"
    assert "says other things of result" in said(resealed(swapped))
    elsewhere = json.loads(json.dumps(data))
    elsewhere["items"]["domain"][0] = "职场"
    assert "other domains" in said(resealed(elsewhere))
    for place in ("domain", "git", "name"):
        telling = json.loads(json.dumps(data))
        if place == "domain":
            telling["items"]["domain"][0] = "昨天我又哭了。妈妈不知道。"
        elif place == "git":
            telling["volatile"]["git"] = {"commit": "昨天我又哭了。"}
        else:
            telling["study"]["name"] = "昨天我又哭了。妈妈不知道。"
        assert "could hold text" in said(resealed(telling))
    gone = json.loads(json.dumps(data))
    gone["arms"][0]["result_id"] = "f" * 64
    assert "rests on result ffffffff, which is not in results" in said(resealed(gone))


def test_scoring_again_leaves_the_file_and_other_ratings_are_refused(
    scored, rated, command
) -> None:
    before = scored.path.stat().st_mtime_ns
    ratings = rated.folder.parent / "ratings"
    code, out, _ = command(rated.folder, ratings, "--results", rated.results)
    assert code == 0
    assert "was there already" in out
    code, _, err = command(rated.folder, ratings / "ratings-pilot-r01.json", ratings / "ratings-pilot-r02.json", "-o", rated.results)  # fmt: skip
    assert code == 2
    assert "holds another result of study 'pilot'" in err
    assert "Move it away" in err
    assert scored.path.stat().st_mtime_ns == before


def test_json_holds_the_analysis(rated, scored, command) -> None:
    code, out, err = command(rated.folder, rated.folder.parent / "ratings", "-o", rated.results, "--json")  # fmt: skip
    envelope = json.loads(out)
    assert (code, err, envelope["command"]) == (0, "", "human")
    assert envelope["data"]["analysis"] == scored.analysis.to_json()
    assert envelope["data"]["study"]["simulated"] is True
    assert any("raters agree little" in warning for warning in envelope["warnings"])
    assert "ratings" not in envelope["data"]


# --- files in the state in which they come back -------------------------------------------------


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Made:
    return made_study(tmp_path_factory.mktemp("study"), items=8, raters=2, repeats=2, attention=3)


VALUES = {"base": 2, "new": 4}


def values_of(made: Made, path: Path) -> dict[tuple[str, str, str], str]:
    found = read_ratings(path, made.study)
    assert not found.problems
    assert found.studies == {"pilot"}
    assert {entry.rater for entry in found.entries} == {"r01"}
    return {(e.item, e.letter, e.scale): e.value for e in found.entries}


def truth(made: Made, rater: str = "r01") -> dict[tuple[str, str, str], str]:
    rows = rows_of(made, rater, value=VALUES)
    return {(str(r["item"]), str(r["letter"]), str(r["scale"])): str(r["value"]) for r in rows}


def table(made: Made, rater: str = "r01") -> list[list[object]]:
    """A rater's ratings in the sheet that was sent."""
    by = truth(made, rater)
    body = [
        [
            "pilot",
            rater,
            item,
            letter,
            "一段对话",
            "一条回复",
            *(by[item, letter, s] for s in SCALES),
        ]
        for item in made.study.assignments[rater]
        for letter in "AB"
    ]
    return [[*FIXED, *SCALES], *body]


def as_csv(rows: list[list[object]], delimiter: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue()


@pytest.mark.parametrize("form", ["csv", "semicolons", "shuffled"])
def test_the_sheet_is_read_as_it_was_sent(study, tmp_path, form) -> None:
    rows = table(study)
    path = tmp_path / "mine.csv"
    if form == "shuffled":
        rows = [row[::-1] for row in [rows[0], [""] * len(rows[0]), *rows[:0:-1]]]
        rows.append([""] * 3 + ["谢谢！"])  # a note below
    path.write_text(as_csv(rows, ";" if form == "semicolons" else ","), encoding="utf-8")
    assert values_of(study, path) == truth(study)


def test_the_sheets_that_are_sent_are_read_back(tmp_path) -> None:
    """What `rapport human sheet` writes, filled in: the two must not drift apart."""
    sent = sheet_of(2)
    made = made_study(tmp_path, raters=1, items=2, repeats=0, attention=0)
    (tmp_path / "r01.csv").write_text(to_csv(sent), encoding="utf-8")
    found = read_ratings(tmp_path / "r01.csv", made.study)
    assert not found.problems
    assert [(e.rater, e.item, e.letter, e.scale) for e in found.entries] == [
        ("r01", item, letter, scale)
        for item in ("i001", "i002")
        for letter in "BA"
        for scale in SCALES
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_padded_and_full_width_values_in_the_encodings_of_spreadsheets(
    study, tmp_path, command, encoding
) -> None:
    export(study, "r02", rows_of(study, "r02", value=VALUES), tmp_path)
    rows = table(study)
    for row in rows[1:]:
        row[2] = f" {row[2]}"
        row[3] = {"A": "Ａ", "B": "\u200bB"}[str(row[3])]
        row[6:] = [f"  {chr(ord('０') + int(str(value)))}．０ " for value in row[6:]]
    (tmp_path / "r01.csv").write_bytes(as_csv(rows).encode(encoding, errors="ignore"))
    code, out, err = command(study.folder, tmp_path, "-o", study.results, "--no-save", "--json")
    assert (code, err) == (0, "")
    assert not [said for said in json.loads(out)["warnings"] if "missing" in said]
    means = {
        (r["arm"], r["scale"]): r["mean"] for r in json.loads(out)["data"]["analysis"]["table"]
    }
    assert means == {(arm, s): value for arm, value in ((0, 2.0), (1, 4.0)) for s in SCALES}


# --- what stops the scoring ---------------------------------------------------------------------


def refused(command, made: Made, *paths: Path) -> str:
    before = sorted(made.results.rglob("*"))
    code, out, err = command(made.folder, *paths, "-o", made.results)
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert sorted(made.results.rglob("*")) == before
    return err


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"value": 7}, "rating 1: '7' for {item} {letter} {scale}. A value is a whole number from 1 to 5"),
        ({"value": "3.5"}, "rating 1: '3.5' for"),
        ({"value": "good"}, "rating 1: 'good' for"),
        ({"value": "nan"}, "rating 1: 'nan' for"),
        ({"value": True}, "rating 1: 'True' for"),
        ({"item": "i999"}, "rating 1: no item 'i999' in this study. Did you mean"),
        ({"letter": "C"}, "rating 1: no letter 'C' in this study. Letters are A, B."),
        ({"scale": "empathic_resonanse"}, "rating 1: no scale 'empathic_resonanse' in this study. Did you mean 'empathic_resonance'?"),
    ],
)  # fmt: skip
def test_entries_that_cannot_be_used(study, tmp_path, command, change, expected) -> None:
    rows = rows_of(study, "r01")
    first = dict(rows[0])
    rows[0] = first | change
    err = refused(command, study, export(study, "r01", rows, tmp_path))
    assert f"ratings-pilot-r01.json, {expected.format(**first)}" in err
    assert "1 problem" in err
    assert "Nothing was written" in err


def test_two_values_for_one_reply(study, tmp_path, command) -> None:
    rows = rows_of(study, "r01", value=3)
    doubled = [*rows, dict(rows[0])]
    path = export(study, "r01", doubled, tmp_path / "same")
    code, _, err = command(study.folder, path, "-o", study.results, "--no-save")
    assert code == 0
    assert "1 ratings came twice with the same value" in err
    rows.append(rows[0] | {"value": 1})
    err = refused(command, study, export(study, "r01", rows, tmp_path / "other"))
    assert f"rating {len(rows)}: r01 gives {rows[0]['item']} {rows[0]['letter']}" in err
    assert "1 here and 3 in rating 1. Keep one of them." in err


def test_two_raters_with_one_name(study, tmp_path, command) -> None:
    one = export(study, "r01", rows_of(study, "r01", value=2), tmp_path / "a")
    other = export(study, "r01", rows_of(study, "r01", value=4), tmp_path / "b")
    renamed = other.with_name("ratings-pilot-r01-b.json")
    other.rename(renamed)
    err = refused(command, study, one, renamed)
    assert err.count("r01 gives") == 1
    assert "in ratings-pilot-r01.json, rating" in err
    assert "and 59 more" in err
    assert "Are two raters called r01?" in err


def test_files_of_another_study_or_sheet_or_rater(study, tmp_path, command) -> None:
    path = export(study, "r01", rows_of(study, "r01"), tmp_path)
    content = json.loads(path.read_text())

    def said(**change: object) -> str:
        path.write_text(json.dumps(content | change))
        return refused(command, study, path)

    assert "ratings of study 'main', not of 'pilot'" in said(study="main")
    assert "filled in on another sheet than r01's" in said(sheet_sha256="e" * 64)
    assert "no rater 'r07' in this study" in said(rater="r07")
    assert "no rater '' in this study. Raters are r01, r02." in said(rater="")
    assert "not what the page exports: ratings: should be a valid" in said(ratings="none")
    assert "not what the page exports: ratings/0: should be an object" in said(ratings=["i"])
    row = {"item": "i001", "letter": "A", "scale": SCALES[0]}
    assert "not what the page exports: ratings/0: value is missing" in said(ratings=[row])
    path.write_text(path.read_text()[:100])
    assert "not JSON, or only part of it" in refused(command, study, path)


def test_tables_that_cannot_be_read(study, tmp_path, command) -> None:
    path = tmp_path / "r01.csv"
    path.write_text("a,b\n1,2\n")
    err = refused(command, study, path)
    assert "r01.csv, row 1: no column 'study', no column 'rater'" in err
    assert "columns study, rater, item, letter, empathic_resonance," in " ".join(err.split())
    rows = table(study)
    rows[0][6] = "empathic_resonanc"
    path.write_text(as_csv(rows))
    assert "r01.csv, row 1: no column 'empathic_resonance'. Use" in refused(command, study, path)
    rows[0][6] = rows[0][7]
    path.write_text(as_csv(rows))
    assert "2 column 'conversational_coherence'" in refused(command, study, path)
    path.write_text(as_csv([["item", "letter", "scale", "value"], ["i000", "A", SCALES[0], 3]]))
    assert "no column 'study', no column 'rater'" in refused(command, study, path)
    rows = table(study)
    rows[5][2] = ""
    path.write_text(as_csv(rows))
    assert "r01.csv, row 6: ratings without an item" in refused(command, study, path)
    rows = table(study)
    rows[5][0], rows[6][1] = "main", ""
    path.write_text(as_csv(rows))
    err = refused(command, study, path)
    assert "ratings of study 'main', not of 'pilot'" in err
    assert "r01.csv, row 7: no rater '' in this study" in err
    path.write_bytes(b"\xff\x81\xff" * 9)
    assert "neither UTF-8 nor GBK" in refused(command, study, path)
    for name, content, expected in (
        ("r01.xlsx", b"PK\x03\x04", "not a file of ratings"),
        ("gone.csv", None, "No such file"),
    ):
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        assert expected in refused(command, study, file)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no files of ratings" in refused(command, study, empty)


def test_a_swapped_or_edited_key(study, tmp_path, command) -> None:
    path = export(study, "r01", rows_of(study, "r01"), tmp_path)
    key = study.folder / "key.json"
    before = key.read_text(encoding="utf-8")
    data = json.loads(before)
    item = next(iter(data["items"].values()))
    item["letters"] = {"A": item["letters"]["B"], "B": item["letters"]["A"]}
    try:
        key.write_text(json.dumps(data), encoding="utf-8")
        assert "not the key of this study" in refused(command, study, path)
    finally:
        key.write_text(before, encoding="utf-8")


def test_results_of_the_arms_must_be_there(study, tmp_path, command) -> None:
    path = export(study, "r01", rows_of(study, "r01"), tmp_path)
    code, _, err = command(study.folder, path, "-o", tmp_path / "elsewhere")
    assert code == 2
    assert "the result of arm 'base'" in err
    assert "--results" in err


def test_many_problems_are_counted_and_not_all_listed(study, tmp_path, command) -> None:
    rows = [row | {"value": 9} for row in rows_of(study, "r01")]
    err = refused(command, study, export(study, "r01", rows, tmp_path))
    assert f"{len(rows)} problems" in err
    assert f"and {len(rows) - 20} more" in err


def test_simulated_files_do_not_mix_with_people(study, tmp_path, command, rate_study) -> None:
    rows = rate_study.ratings_of(study.study, study.key, {}, spread=rate_study.Spread(), seed=0)
    rate_study.write(study.study, rows, tmp_path)
    (tmp_path / "ratings-pilot-r02.json").unlink()
    export(study, "r02", rows_of(study, "r02"), tmp_path)
    err = refused(command, study, tmp_path)
    assert "ratings-pilot-r01.json: simulated ratings among ratings of people" in err
    with pytest.raises(BadInput, match="no arm 'nwe'") as caught:
        rate_study.ratings_of(study.study, study.key, {"nwe": 1}, spread=rate_study.Spread(), seed=0)  # fmt: skip
    assert "Did you mean 'new'?" in caught.value.remedy


# --- what is said and does not stop it ----------------------------------------------------------


def test_missing_ratings_and_raters_are_said(tmp_path, command) -> None:
    made = made_study(tmp_path, raters=4, items=12, per_item=2, repeats=0, attention=0)
    for rater in ("r01", "r02", "r03"):
        rows = rows_of(made, rater, value=VALUES)
        export(made, rater, rows[3:] if rater == "r02" else rows, tmp_path / "ratings")
    code, out, err = command(made.folder, tmp_path / "ratings", "-o", made.results, "--json")
    assert (code, err) == (0, "")
    envelope = json.loads(out)
    text = "\n".join(envelope["warnings"])
    assert "r02: 3 of 36 ratings missing: i0" in text
    assert (
        "no ratings by r04 (1 of 4 raters): of 12 items, rated instead of by 2: 6 by 1, 6 by 2"
        in text
    )
    row = envelope["data"]["analysis"]["comparisons"][0]
    assert row["incomplete"] + row["cells"] == 18
    assert row["items"]["value"] == 2
    given = {r["code"]: r["given"] for r in envelope["data"]["raters"]}
    assert given == {"r01": 36, "r02": 33, "r03": 36, "r04": 0}


def test_inattentive_raters_are_left_out_unless_asked_for(study, tmp_path, command) -> None:
    export(study, "r01", rows_of(study, "r01", value=VALUES), tmp_path)
    rows = rows_of(study, "r02", value={"base": 5, "new": 5})
    for row in rows:
        check = study.key.attention.get(str(row["item"]))
        if check and (row["letter"], row["scale"]) == (check.letter, check.scale):
            row["value"] = 6 - check.expected if check.expected != 3 else 1
    export(study, "r02", rows, tmp_path)
    words = (study.folder, tmp_path, "-o", study.results, "--no-save", "--json")
    without, all_of_them = (json.loads(command(*words, *extra)[1]) for extra in ((), ("--keep-inattentive",)))  # fmt: skip
    assert "r02 failed the attention checks (0 of 3 passed)" in without["warnings"]
    assert any("left out for failing" in w for w in without["warnings"])
    assert [r["excluded"] for r in without["data"]["raters"]] == [False, True]
    assert without["data"]["analysis"]["table"][0]["mean"] == 2
    assert without["data"]["analysis"]["table"][0]["ratings"] == 8
    assert [r["excluded"] for r in all_of_them["data"]["raters"]] == [False, False]
    assert all_of_them["data"]["analysis"]["table"][0]["mean"] == 3.5
    code, _, err = command(study.folder, tmp_path / "ratings-pilot-r02.json", "-o", study.results)
    assert code == 2
    assert "no rating is left to score" in err


def test_one_missed_check_of_three_is_allowed_and_sameness_is_flagged(
    study, tmp_path, command
) -> None:
    rows = rows_of(study, "r01", value=3)
    name, check = next(iter(study.key.attention.items()))
    for row in rows:
        if (row["item"], row["letter"], row["scale"]) == (name, check.letter, check.scale):
            row["value"] = 5
    export(study, "r01", rows, tmp_path)
    code, out, _ = command(study.folder, tmp_path, "-o", study.results, "--no-save", "--json")
    envelope = json.loads(out)
    assert code == 0
    assert "r01 missed 1 of 3 attention checks, which is allowed" in envelope["warnings"]
    assert envelope["data"]["raters"][0]["flags"] == ["same value"]
    assert any("r01 gave one value to at least 90%" in w for w in envelope["warnings"])
    assert all(row["items"]["exactly_equal"] for row in envelope["data"]["analysis"]["comparisons"])


def test_a_raters_words_are_not_repeated_in_an_error(study, tmp_path, command) -> None:
    path = tmp_path / "ratings-pilot-r01.csv"
    rows = table(study)
    rows[1][2] = "昨天我和他吵架了，心里很难受"
    path.write_text(as_csv(rows))
    message = refused(command, study, path)
    assert "no item (a text of 14 characters) in this study" in message
    assert "吵架" not in message
