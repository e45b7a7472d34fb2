"""Human results in the leaderboard, the report and the check before a merge."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest
from markupsafe import escape

from made_study import SCALES, made_study
from rapport_bench.cli.main import _run
from rapport_bench.results.human_result import files_in, load
from rapport_bench.terminal.study import show
from rapport_bench.words.study_tables import tables

SCRIPT = Path(__file__).parents[3] / "benchmark" / "simulations" / "rate_study.py"
NOBODY = "SIMULATED RATINGS (by a program, by nobody)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A results folder with two arms and a study of simulated ratings."""
    spec = importlib.util.spec_from_file_location("rate_study", SCRIPT)
    rate_study = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = rate_study
    spec.loader.exec_module(rate_study)
    root = tmp_path_factory.mktemp("beside")
    made = made_study(root, items=20)
    rate_study.main([str(made.folder), "-o", str(root / "ratings"), "--effect", "new=0.6"])
    assert _run(["human", "score", str(made.folder), str(root / "ratings"), "-o", str(made.results)]) == 0  # fmt: skip
    return made.results


def board(folder: Path, capsys, *options: str) -> tuple[str, str]:
    assert _run(["leaderboard", str(folder), "--by", "continuity", *options]) == 0
    return capsys.readouterr()


@pytest.mark.parametrize("form", ["console", "md", "html"])
def test_a_board_shows_what_people_said_and_that_nobody_did(folder, capsys, form):
    out, _ = board(folder, capsys, "--format", form)
    assert NOBODY.replace("(", "\\(" if form == "md" else "(") in out or NOBODY in out
    for scale in SCALES:
        assert scale.replace("_", " ") in out
    assert "new raters" in out


def test_a_board_without_studies_says_nothing_of_people(folder, capsys, tmp_path):
    shutil.copytree(folder, tmp_path / "plain")
    shutil.rmtree(next((tmp_path / "plain").glob("v1/*/human")))
    out, _ = board(tmp_path / "plain", capsys)
    assert "RATINGS" not in out
    assert json.loads(board(tmp_path / "plain", capsys, "--json")[0])["data"]["human"] == []


def test_json_has_both_intervals(folder, capsys):
    (study,) = json.loads(board(folder, capsys, "--json")[0])["data"]["human"]
    assert (study["study"], study["simulated"]) == ("pilot", True)
    assert len(study["arms"]) == 2 * len(SCALES)
    for arm in study["arms"]:
        assert arm["ci"][0] <= arm["mean"] <= arm["ci"][1]
        assert arm["ci_new_raters"][0] <= arm["mean"] <= arm["ci_new_raters"][1]


def test_studies_of_other_suites_stay_away_and_broken_ones_are_named(folder, capsys, tmp_path):
    shutil.copytree(folder, tmp_path / "results")
    (path,) = (tmp_path / "results").glob("v1/*/human/*.json")
    path.write_text(path.read_text().replace('"simulated": true', '"simulated": false'))
    out, err = board(tmp_path / "results", capsys)
    assert "Ratings" not in out
    assert "left out: " in err
    assert "edited" in err


def test_the_report_has_every_table_and_says_that_nobody_rated(folder, capsys, tmp_path):
    page = tmp_path / "page.html"
    arms = ["--candidate", "new", "--baseline", "base"]
    assert _run(["report", str(folder), "-o", str(page), *arms]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.index('id="cases"') < text.index('id="human"') < text.index('id="provenance"')
    assert "Simulated ratings" in text
    assert text.count(NOBODY) >= 6
    assert "Do the metrics agree with the ratings?" in text


def test_terminal_and_page_show_the_same_tables(folder, capsys, tmp_path):
    (path,) = files_in(folder)
    study = load(path)
    assert _run(["report", str(folder), "-o", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    show(study)
    printed = capsys.readouterr().out
    for table in tables(study):
        assert table.title in printed
        assert f"<h3>{escape(table.title)}</h3>" in page
        cells = [cell for row in table.rows for cell in row]
        assert not [cell for cell in cells if f">{escape(cell)}<" not in page]
        assert not [word for cell in cells for word in cell.split() if word not in printed]
        assert not [note for note in table.notes if f">{escape(note)}<" not in page]


def test_the_check_before_a_merge_reads_studies_too(folder, capsys, tmp_path):
    shutil.copytree(folder, tmp_path / "results")
    (path,) = (tmp_path / "results").glob("v1/*/human/*.json")
    assert _run(["results", "verify", str(path)]) == 0
    path.write_text(path.read_text().replace('"simulated": true', '"simulated": false'))
    capsys.readouterr()
    assert _run(["results", "verify", str(path)]) == 2
    assert "its content does not match its result_id" in capsys.readouterr().out
