"""The tasks under stock lm-eval: indexed, versioned, run on a tiny model, agreeing with our engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rapport_tasks import lm_tasks
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.protocol import TaskSettings
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.registry import BUILT_IN

FOLDER = Path(lm_tasks.__file__).parent


@pytest.fixture(scope="module")
def manager():
    from lm_eval.tasks import TaskManager

    return TaskManager(include_path=str(FOLDER), include_defaults=False)


def test_every_yaml_is_indexed(manager) -> None:
    # lm-eval skips a YAML that does not parse, at debug level.
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(manager.all_tasks)
    assert set(manager.all_groups) == {"rapport"}


def test_the_group_holds_all_tasks_with_versions(manager) -> None:
    tasks = manager.load("rapport")["tasks"]
    assert tuple(tasks) == tuple(task.name for task in BUILT_IN)
    for name, task in tasks.items():
        assert f"{task.config.metadata['version']}" == task.VERSION
        assert task.config.task == name
        assert len(task.test_docs()) == 208


def test_one_request_a_turn_with_the_true_history(manager, data) -> None:
    from lm_eval.tasks import TaskManager

    settings = TaskSettings(data=str(data)).to_metadata()
    task = TaskManager(include_path=str(FOLDER), include_defaults=False, metadata=settings).load(
        "rapport_aer"
    )["tasks"]["rapport_aer"]
    task.build_all_requests()
    turns = [len(Dialogue.from_json(doc).assistant_turns()) for doc in task.test_docs()]
    assert len(task.instances) == sum(turns)
    second = task.instances[1]
    assert second.turn == 3
    assert second.args[0].endswith("支持者：")
    assert task.test_docs()[0]["messages"][1]["content"] in second.args[0]
    assert "seed" not in second.args[1]  # stock models do not know it


def test_unknown_metadata_is_refused_with_the_nearest_key() -> None:
    with pytest.raises(BadInput, match="'dat'") as caught:
        TaskSettings.from_metadata({"rapport": {"dat": "x"}})
    assert "data" in caught.value.remedy


def test_settings_survive_the_way_through_metadata() -> None:
    settings = TaskSettings(data="x.jsonl", limit=3, seed_requests=True)
    through = json.loads(json.dumps(settings.to_metadata()))
    assert TaskSettings.from_metadata(through) == settings


@pytest.mark.parametrize("kind", ["qwen", "plain"])
def test_stock_lm_eval_runs_the_group_and_agrees(kind, models, data, tmp_path) -> None:
    """Greedy, so that replies and with them every figure must be the same as our engine's."""
    from rapport_bench.running.config import RunConfig
    from rapport_bench.running.run import run
    from rapport_tasks.common.protocol import Generation

    settings = {
        "rapport": {"data": str(data), "generation": {"method": "greedy", "max_new_tokens": 8}}
    }
    template = ["--apply_chat_template"] if kind == "qwen" else []
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("lm_eval")), "run", "--model", "hf", "--model_args",
            f"pretrained={models[kind]},softmax_dtype=float32,dtype=float32", *template,
            "--include_path", str(FOLDER), "--tasks", "rapport", "--device", "cpu",
            "--batch_size", "2", "--metadata", json.dumps(settings), "--log_samples",
            "--output_path", str(tmp_path / "stock"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    stock: dict[str, dict] = {}
    for path in (tmp_path / "stock").glob("**/samples_*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            sample = json.loads(line)
            stock.setdefault(sample["doc"]["id"], {}).update(sample[sample["metrics"][0]])

    class Silent:
        def __getattr__(self, _: str):
            return lambda *a: None

    config = RunConfig(
        base=str(models[kind]),
        data=str(data),
        generation=Generation("greedy", max_new_tokens=8),
        results=str(tmp_path / "results"),
        store=str(tmp_path / "store.sqlite"),
    )
    ours = run(config, Silent()).results[0]
    compared = 0
    for index, identity in enumerate(ours.dialogue_ids):
        for column, values in ours.columns.items():
            if column in (
                "nll_sum",
                "tokens",
                "degenerate_cut_off",
                "degenerate",
                "empathy_grounded",
            ):
                continue
            assert values[index] == pytest.approx(stock[identity][column], abs=1e-6), column
            compared += 1
        # The newline before a reply is scored by stock and is a template token here; without one
        # (plain template) both score the same tokens.
        gap = stock[identity]["nll_sum"] - ours.columns["nll_sum"][index]
        turns = ours.columns["turns"][index]
        assert (abs(gap) < 1e-3 * turns) if kind == "plain" else gap > 0
    assert compared > 100
