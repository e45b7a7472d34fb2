"""Published figures are shown as reported, with flags that are true, and count for nothing."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest

from made_results import columns, result
from rapport_bench.cli.main import _run
from rapport_bench.judging.leaderboard import Leaderboard, leaderboard
from rapport_bench.judging.published import load_published
from rapport_bench.results.metrics import BY_NAME
from rapport_bench.results.result import save
from rapport_bench.terminal import leaderboard as leaderboard_report

PUBLISHED = load_published()
NAMES = {figure.name for figure in PUBLISHED.figures}


@pytest.fixture
def board() -> Leaderboard:
    return leaderboard([result(f"a{i}", columns(i, advice=0.3 + 0.2 * i)) for i in range(2)])


def named(name: str):
    return next(figure for figure in PUBLISHED.figures if figure.name == name)


def test_every_figure_names_a_metric_of_ours_and_has_levels_or_a_change():
    for figure in PUBLISHED.figures:
        assert figure.metric in BY_NAME
        assert figure.flags
        levels = figure.base is not None, figure.adapter is not None
        assert levels in ((True, True), (False, False))
        assert levels[0] is (figure.change_percent is None)
    assert named("validation loss").text == "2.207 → 2.189"
    assert named("topic shifts").text == "−41 %"


def test_the_arithmetic_of_the_flags_is_right():
    loss, perplexity = named("validation loss"), named("perplexity")
    (flag,) = loss.flags
    assert f"exp({loss.base}) is {math.exp(loss.base):.2f}, not {perplexity.base}" in flag
    fall = loss.base - loss.adapter
    assert f"{fall:.3f} less is {100 * math.expm1(-fall):.1f} %" in flag
    assert f"not {100 * (perplexity.adapter / perplexity.base - 1):.1f} %" in flag
    assert f"log({perplexity.base}) is {math.log(perplexity.base):.3f}" in perplexity.flags[0]
    # rank 16 on four square matrices of 2,048 in 24 layers
    trained = 16 * (2048 + 2048) * 4 * 24
    said = PUBLISHED.flags[-1]
    assert f"{trained / 1e6:.2f} M" in said
    assert f"{100 * (1 - 11.8e6 / 1.8e9):.1f} % fewer" in said


def test_console_and_markdown_show_them_below_the_table(board, capsys):
    leaderboard_report.show(board, PUBLISHED)
    console = " ".join(capsys.readouterr().out.split())
    markdown = leaderboard_report.to_markdown(board, PUBLISHED)
    for text, first in ((console, "◆"), (markdown, "| 2 |")):
        below = text[text.index(first) :]
        table, block = below.split("Reported, not measured")
        for name in NAMES:
            assert name in block
            assert name not in table
        assert "16.44 → 15.58" in block
        assert "exp(2.207) is 9.09" in block
    assert "eported" not in leaderboard_report.to_markdown(board)


def test_csv_marks_them_and_leaves_the_columns_of_metrics_empty(board):
    rows = list(csv.DictReader(io.StringIO(leaderboard_report.to_csv(board, PUBLISHED))))
    marked = [row for row in rows if row["kind"] == "reported, not measured"]
    assert {row["arm"] for row in marked} == NAMES
    assert len(rows) == len(board.rows) + len(marked)
    for row in marked:
        filled = {name for name, value in row.items() if value}
        assert filled == {"arm", "kind", "note"}
    assert rows[: len(board.rows)] == list(
        csv.DictReader(io.StringIO(leaderboard_report.to_csv(board)))
    )


def test_json_keeps_them_apart_from_the_rows(board):
    plain = leaderboard_report.to_json(board)
    data = json.loads(json.dumps(leaderboard_report.to_json(board, PUBLISHED), allow_nan=False))
    assert plain["published"] is None
    assert data["published"]["status"] == "reported, not measured"
    assert {figure["name"] for figure in data["published"]["figures"]} == NAMES
    assert data | {"published": None} == json.loads(json.dumps(plain))


def test_the_command_shows_them_only_when_asked(tmp_path, capsys):
    save(result("a", columns(1)), tmp_path)
    for form in ("console", "md", "csv", "json"):
        outputs = []
        for words in ([], ["--published"]):
            assert _run(["leaderboard", str(tmp_path), "--format", form, *words]) == 0
            outputs.append(capsys.readouterr().out)
        assert "DialogBERT" not in outputs[0]
        assert "DialogBERT" in outputs[1]
