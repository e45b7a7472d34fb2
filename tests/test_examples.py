"""The example under every command's --help runs as it stands, in a folder that has what it names."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
from safetensors.numpy import save_file

import made_study
from made_results import columns, result
from rapport_bench.arms.adapters import identify_adapter
from rapport_bench.cli.main import _run, cli
from rapport_bench.results.result import save
from report_material import reseal

ROOT = Path(__file__).parent.parent
ELSEWHERE = {
    "rapport run --base Qwen/Qwen1.5-1.8B --adapter ./my-adapter --bots": "a hub model",
    "rapport run --base embedded --adapter demo/adapter --bots": "minutes; test_cli.py runs tiny models",
    "rapport train embedded --set train.epochs=1 -o adapters/mine": "minutes; test_train_command.py",
    "rapport human sheet --result base --result my-adapter -o study --raters 5": "replies in a store; test_sheet_command.py",
    "rapport human sheet --result base --result my-adapter -o study --raters 8 --per-item 3": "likewise",
    'lm_eval run --include_path "$(rapport tasks --path)" --tasks rapport ...': "test_lm_tasks.py",
    "rapport human export-preferences study ratings -o pairs.jsonl --margin 1": "the sheets' texts; test_preferences.py",
    "rapport demo --out demo": "minutes",
}
"""Examples that are not run here, and why."""


def examples(command: click.Command = cli) -> Iterator[str]:
    """Of a command and of all below it."""
    assert command.epilog, command.name
    yield command.epilog.removeprefix("Example: ")
    for below in getattr(command, "commands", {}).values():
        yield from examples(below)


RUN_HERE = [line for line in dict.fromkeys(examples()) if line not in ELSEWHERE]


def test_what_is_left_out_is_an_example() -> None:
    assert set(ELSEWHERE) <= set(examples())


def _lines(path: str, lines: list[dict[str, object]]) -> None:
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"
    Path(path).write_text(text, encoding="utf-8")


def _talk(number: int) -> dict[str, object]:
    texts = (
        f"我和室友吵架了，这是第{number}次。", "吵架以后一定很难受，是为了什么事？",
        "她总是半夜打电话，我睡不着。", "睡不好，白天也没有力气吧。",
        "是啊，我不知道怎么跟她说。", "也许可以先写下来，想说的是哪一句？",
    )  # fmt: skip
    roles = ("user", "assistant") * 3
    messages = [{"role": r, "content": t} for r, t in zip(roles, texts, strict=True)]
    return {"id": f"t{number}", "topic": "情绪", "messages": messages, "labels": [0, 0, 1, 0, 0, 0]}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with results, an adapter, dialogues, labels, a policy and a rated study."""
    monkeypatch.chdir(tmp_path)
    made = made_study.made_study(tmp_path / "made", arms=("base", "new"), items=12)
    shutil.copytree(made.folder, "study")
    shutil.copytree(made.results, "results")
    for rater in made.study.raters:
        made_study.export(made, rater, made_study.rows_of(made, rater), Path("ratings"))
    Path("my-adapter").mkdir()
    save_file({"a.lora_A.weight": np.ones((2, 2))}, "my-adapter/adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}
    Path("my-adapter/adapter_config.json").write_text(json.dumps(config))
    _lines("my-adapter/training.jsonl", [{"step": 1, "loss": 5.0}, {"step": 2, "loss": 4.0}])
    Path("my-adapter/training.json").write_text("{}")
    found = identify_adapter("my-adapter", None, None)
    hashes = {"weights_sha256": found.weights_sha256, "config_sha256": found.config_sha256}
    proof = {"max_logit_change": 1.0, "base_restored_exactly": True}
    for seed, name in enumerate(("my-adapter", "empathy-r16")):
        arm = result(name, columns(seed + 5), kind="adapter")
        adapter = hashes | {"rank": 4, "proof": proof}
        save(reseal(arm, arm={"adapter": adapter if name == "my-adapter" else None}), "results")
    _lines("transcripts.jsonl", [_talk(n) for n in range(3)])
    _lines("dialogues.jsonl", [_talk(n) for n in range(8)])
    Path("SoulChatCorpus.json").write_text(
        json.dumps([_talk(n) for n in range(8)], ensure_ascii=False), encoding="utf-8"
    )
    acts = {"advice": "你应该早点休息{}天。", "empathy": "听起来你难过了{}天。"}
    _lines(
        "sentences.jsonl",
        [
            {"id": f"{act}{n}", "utterance": text.format(n), "label": act}
            for act, text in acts.items()
            for n in range(6)
        ],
    )
    shutil.copy(ROOT / "results" / "gate.toml", "gate.toml")
    return tmp_path


def _as_branch_of_main() -> None:
    for arguments in (
        ("init", "--quiet"),
        ("add", "results"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "results"),
        ("update-ref", "refs/remotes/origin/main", "HEAD"),
    ):
        subprocess.run(["git", *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("line", RUN_HERE)
def test_the_example_runs(line: str, world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program, *arguments = shlex.split(line)
    assert program == "rapport"
    if "--base-ref" in arguments:
        shutil.rmtree("results")
        shutil.copytree(ROOT / "results", "results")
        _as_branch_of_main()
    if "ratings/*.json" in arguments:
        place = arguments.index("ratings/*.json")
        arguments[place : place + 1] = sorted(map(str, Path().glob("ratings/*.json")))
    code = _run(arguments)
    said = capsys.readouterr()
    # A threshold may be missed on a handful of sentences.
    assert code in ((0, 1) if "validate" in arguments else (0,)), said.err
    assert "Traceback" not in said.err
