"""`rapport export lm-eval`: the shape, the names and the values of a stock lm-eval run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lm_eval.evaluator import evaluate
from lm_eval.result_schema import EvalResults
from lm_eval.utils import get_results_filenames, make_table

from made_results import columns, result
from rapport_bench.arms.arm import weightless_arm
from rapport_bench.arms.bots import all_advice
from rapport_bench.arms.replies import ReplyModel
from rapport_bench.cli.main import _run
from rapport_bench.export.lm_eval_file import task_of_metrics, tasks_of, to_lm_eval
from rapport_bench.results.metrics import METRICS
from rapport_bench.results.result import Result, save, seal
from rapport_bench.running.content import content
from rapport_bench.running.run import _rule_scorer
from rapport_bench.running.suite import TASKS, build_suite
from rapport_bench.running.task_loading import load_tasks
from rapport_tasks.lm_tasks.protocol import Generation, TaskSettings


@pytest.fixture(scope="module")
def tasks() -> dict[str, Any]:
    return load_tasks(TaskSettings(), TASKS)


def arm(name: str = "mine", **changes: Any) -> Result:
    data = result(name, columns(1, 12), kind="adapter").to_json()
    data["suite"]["tasks"] = {task: {"version": "9.1", "metric_sha256": "a" * 64} for task in TASKS}
    data["arm"]["base"] = {"name": "Qwen/Qwen1.5-1.8B", "weights_sha256": "b" * 64,
                           "quantization": "nf4", "dtype": "bfloat16"}  # fmt: skip
    data["numerics"] = {"device": "cuda", "transformers": "5.23.0"}
    data["volatile"] = {"created": "2026-11-22T10:00:00Z", "seconds": 81.2,
                        "git": {"commit": "e" * 40, "dirty": False}}  # fmt: skip
    return seal(data | changes)


def test_every_metric_belongs_to_one_task(tasks):
    owners = task_of_metrics(tasks)
    assert list(owners) != []
    assert set(owners) == {metric.name for metric in METRICS}
    for name, task in tasks.items():
        assert {owners[metric] for metric in task.METRICS if metric in owners} == {name}
    expected = {
        "bits_per_char": "rapport_perplexity", "marker_hedge": "rapport_aer",
        "grounded_empathy": "rapport_aer", "unsolicited_advice": "rapport_aer",
        "copied": "rapport_continuity", "shift_rate": "rapport_topic_shift",
        "crisis_complete": "rapport_crisis", "lookalike_alarms": "rapport_crisis",
    }  # fmt: skip
    assert {metric: owners[metric] for metric in expected} == expected
    fewer = {name: task for name, task in tasks.items() if name != "rapport_crisis"}
    with pytest.raises(ValueError, match="crisis_acknowledged"):
        task_of_metrics(fewer)


def test_values_are_those_of_a_stock_run(data):
    """The same replies through `lm_eval.evaluate`: the same metrics with the same values."""
    names = ["rapport_aer", "rapport_topic_shift"]
    settings = TaskSettings(data=str(data), seed_requests=True)
    suite = build_suite(settings)
    advice_arm = weightless_arm("all-advice", "bot", "1")
    scored = _rule_scorer(suite, all_advice)(advice_arm, names)
    ours = to_lm_eval(seal(content(suite, advice_arm, scored) | {"volatile": {}}), load_tasks(settings, TASKS))  # fmt: skip
    stock = evaluate(
        lm=ReplyModel(all_advice), task_dict={"tasks": load_tasks(settings, names)}, bootstrap_iters=0,
        log_samples=False, apply_chat_template=True,
    )  # fmt: skip
    assert list(ours["results"]) == names
    assert stock["results"]["rapport_topic_shift"]["shift_rate,none"] > 0
    for task, theirs in stock["results"].items():
        mine = ours["results"][task]
        for key, value in theirs.items():
            if "_stderr" in key:
                assert key in mine
            elif value is not None:
                assert mine[key] == pytest.approx(value), key
    assert set(stock) <= set(ours)
    for key in ("versions", "n-shot", "n-samples"):
        assert {task: ours[key][task] for task in names} == stock[key]
    for task, config in stock["configs"].items():
        assert config.keys() == ours["configs"][task].keys()
        assert config["generation_kwargs"] == ours["configs"][task]["generation_kwargs"]


def test_lm_evals_own_table_reads_it(tasks):
    made = arm()
    table = make_table(to_lm_eval(made, tasks))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    found = {row[4]: row for row in rows}
    nll = made.metrics["nll_per_token"]
    assert found["nll_per_token"][5:] == ["↓", f"{nll.value:.4f}", "±", f"{nll.se:.4f}"]
    assert found["continuity"][5] == "↑"
    assert found["aer_share"][5] == ""  # near the gold replies is better, neither more nor less
    assert found["aer_ratio"][8] == "N/A"
    assert found["bits_per_char"][:4] == ["rapport_perplexity", "9.1", "none", "0"]
    expected = {*made.metrics, "nll_per_char"}
    assert set(found) == expected


def test_where_it_comes_from_is_said(tasks):
    found = to_lm_eval(arm(), tasks)
    known = set(EvalResults.__optional_keys__ | EvalResults.__required_keys__)
    assert set(found) - known == {"rapport"}
    assert found["config"]["model_args"] == {"pretrained": "Qwen/Qwen1.5-1.8B", "peft": "mine"}
    assert found["model_name"] == "mine"
    assert found["date"] == 1795341600.0  # 2026-11-22 10:00 UTC
    assert (found["git_hash"], found["transformers_version"]) == ("e" * 40, "5.23.0")
    assert found["rapport"]["result_id"] == arm().result_id
    assert "config_source" not in json.dumps(found)  # a path of this machine
    other = arm().to_json()
    other["suite"]["protocol"]["generation"] = Generation(seeds=(0, 1), top_p=0.5).to_json()
    made = Result.model_validate(other)
    config = to_lm_eval(made, tasks_of(made))["configs"]["rapport_aer"]
    assert config["generation_kwargs"]["top_p"] == 0.5


def test_undefined_values_are_left_out(tasks):
    made = columns(1, 12)
    made |= {"continuity_n": 0 * made["turns"], "continuity_sum": 0.0 * made["turns"]}
    found = to_lm_eval(result("x", made), tasks)
    assert "continuity,none" not in found["results"]["rapport_continuity"]
    assert "copied,none" in found["results"]["rapport_continuity"]
    assert "date" not in found


@pytest.mark.parametrize("name", ["a/b", "..", "x y", "🙂", "x" * 300, "=1+1", "<b>", "a\nb"])
def test_the_command_writes_one_file_an_arm_below_the_folder(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    save(arm(name), "results")
    assert _run(["export", "lm-eval", "results", "-o", "out"]) == 0
    assert "1 results → out" in capsys.readouterr().out
    (path,) = (path for path in Path("out").rglob("*") if path.is_file())
    assert path.parent.parent == Path("out")
    assert path.name == "results_2026-11-22T10-00-00.json"
    assert get_results_filenames([str(path)]) == [str(path)]
    assert json.loads(path.read_text(encoding="utf-8"))["model_name"] == name
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out", "results"]


def test_bad_input_is_refused_or_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert _run(["export", "lm-eval", "-o", "out"]) == 2
    assert "no results" in capsys.readouterr().err
    saved, _ = save(arm(), "results")
    saved.path.with_name("cut@00000000.json").write_text("{")
    assert _run(["export", "lm-eval", "-o", "out", "--json"]) == 0
    envelope = json.loads(capsys.readouterr().out)
    assert len(envelope["data"]["paths"]) == 1
    assert "cut@00000000.json" in envelope["warnings"][0]
    assert _run(["export", "lm-eval"]) == 2
    Path("file").touch()
    assert _run(["export", "lm-eval", "-o", "file"]) == 2
