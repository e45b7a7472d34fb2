"""The front door: what a notebook calls, and what it is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

import rapport_bench as rapport
from conftest import DIALOGUES, write_dialogues
from rapport_bench.running.config import RunConfig


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    return rapport.run(
        bots=True,
        data=write_dialogues(folder / "dialogues.jsonl", DIALOGUES),
        results=folder / "results",
        store=folder / "s.sqlite",
        tasks=["aer", "continuity"],
        progress=False,
    )


def test_the_public_interface_is_this() -> None:
    assert set(rapport.__all__) == {
        "Comparison", "Gate", "Generation", "Leaderboard", "RapportError", "RapportWarning", "Result",
        "Run", "RunConfig", "Transcripts", "compare", "gate", "leaderboard", "load_result", "report",
        "run", "score",
    }  # fmt: skip
    from rapport_bench import api

    assert api.__all__ == rapport.__all__
    assert all(getattr(rapport, name) is getattr(api, name) for name in rapport.__all__)
    with pytest.raises(AttributeError, match="no attribute 'scor'"):
        rapport.scor  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, rapport_bench; print(*sorted({n.split('.')[0] for n in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {*done.stdout.split()} & {"torch", "numpy", "rich", "pydantic", "lm_eval"}


def test_five_lines_of_a_notebook(models, adapters, data, tmp_path) -> None:
    run = rapport.run(
        base=models["qwen"],
        adapters={"new": adapters["a"]},
        data=data,
        limit=3,
        generation=rapport.Generation("greedy", max_new_tokens=4),
        results=tmp_path / "r",
        store=tmp_path / "s.sqlite",
        progress=False,
    )
    assert [result.name for result in run] == ["base", "new"]
    comparison = rapport.compare(run["new"], run["base"])
    assert {row["metric"] for row in comparison.to_rows()} >= {"nll_per_token", "aer_share"}
    assert comparison.to_rows() == rapport.compare("new", "base", results=tmp_path / "r").to_rows()
    with pytest.raises(KeyError, match="'old' is none of base, new"):
        run["old"]


def test_what_is_returned_prints_shortly_and_makes_a_data_frame(scored, tmp_path) -> None:
    results = scored.results[0].path.parents[3]
    gate = tmp_path / "gate.toml"
    gate.write_text("[metrics.continuity]\ndirection = 'higher'\nmargin = 0.02\n", encoding="utf-8")
    shown = [
        scored,
        scored["gold"],
        rapport.compare(scored["parrot"], scored["gold"]),
        rapport.leaderboard(results),
        rapport.gate(scored["verbose"], scored["gold"], policy=gate),
        rapport.gate([scored["verbose"], "silent"], "gold", policy=gate, results=results),
    ]
    for value in shown:
        text, html, rows = repr(value), value._repr_html_(), value.to_rows()
        assert len(text.splitlines()) <= 26
        assert value.title() in text
        assert html.startswith("<p>")
        assert len(pandas.DataFrame(rows)) == len(rows) > 0
        json.dumps(value.to_dict(), allow_nan=False)


def test_a_name_that_is_markup_stays_text(data, tmp_path) -> None:
    replies = tmp_path / "r.jsonl"
    lines = [json.loads(line) for line in Path(data).read_text(encoding="utf-8").splitlines()]
    replies.write_text(
        "\n".join(
            json.dumps({"id": d["id"], "turn": turn, "content": "嗯"})
            for d in lines
            for turn, message in enumerate(d["messages"])
            if message["role"] == "assistant"
        ),
        encoding="utf-8",
    )
    run = rapport.run(
        replies={"<b>mine</b>": replies}, data=data, tasks=["aer"], results=tmp_path / "r",
        store=tmp_path / "s", progress=False,
    )  # fmt: skip
    assert "<b>" not in run._repr_html_()


def test_transcripts_are_measured_without_a_model(data) -> None:
    measured = rapport.score(data)
    assert [row["metric"] for row in measured.to_rows()] == [
        "aer_share", "continuity", "shifts_per_turn",
    ]  # fmt: skip
    assert "text" not in json.dumps(measured.dialogues)


def test_a_report_is_a_page(scored, tmp_path) -> None:
    results = scored.results[0].path.parents[3]
    page = rapport.report(
        results, out=tmp_path / "page.html", candidates=["verbose"], baseline="gold"
    )
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"base": "embedded", "batch_tokens": 0}, "batch_tokens 0: .*greater than or equal to 1"),
        ({"base": "embedded", "dtype": "float12"}, "dtype 'float12': .*'float32'"),
        ({"base": "embedded", "quantization": "nf5"}, "quantization 'nf5'"),
        ({"base": "embedded", "limit": 0}, "limit 0"),
        ({"base": "", "bots": True}, "base ''"),
        ({"base": "embedded", "bach_tokens": 8}, "'bach_tokens' is no part"),
        ({}, "nothing to score"),
        ({"adapters": ["x"]}, "--adapter without --base"),
    ],
)
def test_a_configuration_refuses_what_no_run_can_do(options, said) -> None:
    with pytest.raises(rapport.RapportError, match=said) as caught:
        RunConfig(**options)
    assert caught.value.remedy


def test_arms_are_named_in_any_of_the_usual_ways(tmp_path) -> None:
    ways = ["a/x", tmp_path], {"n": tmp_path}, "n=x", [("n", "x")]
    assert [RunConfig(base="b", adapters=way).adapters for way in ways] == [
        ((None, "a/x"), (None, str(tmp_path))), (("n", str(tmp_path)),), (("n", "x"),), (("n", "x"),),
    ]  # fmt: skip


SILENT = """
import sys
import lm_eval.evaluator  # has read the switches of its bars
import rapport_bench as rapport
data, results, store = sys.argv[1:]
rapport.run(bots=True, data=data, tasks=["aer"], results=results, store=store, progress=False)
"""


def test_a_silent_run_says_nothing_though_libraries_were_there_before(data, tmp_path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    arguments = [sys.executable, "-c", SILENT, data, tmp_path / "r", tmp_path / "s"]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_warnings_of_a_silent_run_are_python_warnings(data, tmp_path) -> None:
    bad = tmp_path / "d.jsonl"
    extra = {"id": "blank", "messages": [{"role": "user", "content": "嗯"}]}
    bad.write_text(
        Path(data).read_text(encoding="utf-8") + json.dumps(extra) + "\n", encoding="utf-8"
    )
    with pytest.warns(rapport.RapportWarning, match="1 dialogues cannot be scored"):
        rapport.run(bots=True, data=bad, tasks=["aer"], results=tmp_path / "r", store=tmp_path / "s",
                    progress=False)  # fmt: skip
