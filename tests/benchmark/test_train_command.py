"""`rapport train` as a user meets it, and its adapter in `rapport run`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from rich.console import Console

from conftest import DIALOGUES, write_dialogues
from rapport_bench.cli.main import _run
from rapport_bench.terminal.training import TrainReporter
from rapport_training.lora.progress import Note, Progress
from rapport_training.lora.recipe import recipe_keys


@pytest.fixture
def rapport(capsys, tmp_path, monkeypatch):
    """Run a command; returns (exit code, standard output, standard error)."""
    monkeypatch.setenv("RAPPORT_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def quick(models, data) -> list[object]:
    """The shipped recipe of the demo on a tiny base, in two steps."""
    settings = [f"base.name={models['qwen']}", f"data.corpus={data}", "data.max_length=512",
                "train.max_steps=2", "lora.r=4"]  # fmt: skip
    return ["train", "embedded", *(part for s in settings for part in ("--set", s))]


def test_train_then_run(rapport, quick, models, data) -> None:
    code, out, err = rapport(*quick, "-o", "mine", "--set", f"data.validation={data}")
    assert code == 0
    for expected in ("parameters trained", "validation perplexity", "peak memory",
                     "full fine-tuning", "Next: rapport run --base"):  # fmt: skip
        assert expected in out, expected
    for expected in ("step 2/2", "loss", "lr", "grad", "tok/s", "GiB", "left", "validation loss"):
        assert expected in err, expected
    assert "\x1b[" not in out + err
    assert not list(Path().glob(".mine*"))
    run = ["run", "--base", models["qwen"], "--data", data, "--max-new-tokens", "4", "--json",
           "--dtype", "float32"]  # fmt: skip
    code, out, _ = rapport(*run, "--adapter", "mine")
    assert code == 0
    base, adapter = json.loads(out)["data"]["results"]
    assert adapter["name"] == "mine"
    path = next(Path("results").glob("v1/*/*/mine@*.json"))
    before = json.loads(path.read_text(encoding="utf-8"))
    for name in ("training.json", "training.jsonl", "curves.png", "README.md"):
        (Path("mine") / name).unlink()
    rapport(*run, "--adapter", "mine", "--results", "again")
    path = next(Path("again").glob("v1/*/*/mine@*.json"))
    after = json.loads(path.read_text(encoding="utf-8"))
    assert after["arm"]["arm_id"] == before["arm"]["arm_id"]
    # What training says of its validation dialogues is what the benchmark measures.
    trained = json.loads(rapport(*quick, "-o", "again-mine", "--json", "--set",
                                 f"data.validation={data}")[1])["data"]["validation"]  # fmt: skip
    for result, key in ((base, "base_nll_sum"), (adapter, "adapter_nll_sum")):
        measured = result["metrics"]["nll_per_token"]["value"]
        assert trained[key] / trained["tokens"] == pytest.approx(measured, rel=1e-5)


def test_json_is_one_object_and_progress_is_silent(rapport, quick, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    code, out, err = rapport(*quick, "--json", "--set", "train.optimizer=paged_adamw_8bit",
                             "--set", "require.optimizer=false")  # fmt: skip
    envelope = json.loads(out)
    assert (code, envelope["ok"], envelope["command"], err) == (0, True, "train", "")
    assert envelope["data"]["out"] == str(Path("adapters") / "embedded")
    assert envelope["data"]["parameters"]["trainable"] > 0
    assert envelope["data"]["steps"] == 2
    for optimizer in ("paged_adamw_8bit", "adamw_8bit"):
        assert (
            f"train.optimizer = '{optimizer}' not used: bitsandbytes is not installed"
            in (envelope["warnings"])
        )
    assert (Path("adapters") / "embedded" / "adapter_config.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train"], "RECIPE is missing"),
        (["train", "embeded"], "'embedded'"),
        (["train", "embedded", "--set", "train.epoch=1"], "'epochs'"),
        (["train", "embedded", "--set", "base.name=./nowhere"], "no such folder"),
        (["train", "embedded", "--set", "data.corpus=nowhere.jsonl"], "no such file"),
        (["train", "embedded", "--set", "lora.target_modules=[\"q_prj\"]"], "gate_proj"),
        (["train", "embedded", "-o", "taken"], "never overwritten"),
    ],
)  # fmt: skip
def test_bad_input_says_what_to_do(arguments, expected, rapport) -> None:
    Path("taken").mkdir()
    Path("taken/notes.txt").write_text("mine")
    code, _, err = rapport(*arguments)
    assert code == 2
    assert expected in err
    assert "Traceback" not in err
    assert len(err.strip().split("\n")) >= 2
    assert [path.name for path in Path().iterdir()] == ["taken"]


def test_a_checkpoint_is_no_adapter(rapport, quick, models, data, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rapport_training.lora.train.write_adapter", stop)
        code, _, err = rapport(*quick, "-o", "mine")
    assert code == 130
    assert "same command again" in err
    (checkpoint,) = Path(".mine.checkpoints").glob("checkpoint-*")
    for folder in (checkpoint, Path(".mine.checkpoints")):
        code, _, err = rapport("run", "--base", models["qwen"], "--data", data, "--adapter", folder)
        assert (code, "no adapter_config.json" in err) == (2, True)
    code, _, err = rapport(*quick, "-o", "mine", "--set", "train.learning_rate=1e-5")
    assert code == 2
    assert "train.learning_rate 0.003 -> 1e-05" in err
    assert "--restart" in err
    code, _, err = rapport(*quick, "-o", "mine")
    assert code == 0
    assert "going on after step 2" in err


def test_explain_names_every_key_and_recipe(rapport) -> None:
    code, out, _ = rapport("train", "--explain")
    assert code == 0
    for section, name, _ in recipe_keys():
        assert f"[{section}]" in out
        assert f"\n{name}  (" in out
    assert "    qwen1.5-1.8b-emotion-recommended" in out


def told(step: int, steps: int) -> Progress:
    return Progress(step, steps, 2.5, 1e-3, 0.7, 1234.0, 1 << 30, 3661.0)


def test_a_terminal_gets_one_bar_with_all_figures() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=160)
    with TrainReporter(quiet=False, console=console) as reporter:
        reporter.step(told(1, 2))
        reporter.note(Note("warning", "the loss does not move"))
        reporter._progress.refresh()
    shown = screen.getvalue()
    for expected in ("1/2", "loss 2.5000", "lr 1.00e-03", "grad 0.700", "1,234 tok/s", "1.00 GiB",
                     "1:01:01 left", "the loss does not move"):  # fmt: skip
        assert expected in shown, expected


def test_elsewhere_there_are_few_lines() -> None:
    file = io.StringIO()
    with TrainReporter(quiet=False, console=Console(file=file)) as reporter:
        for step in range(1, 1001):
            reporter.step(told(step, 1000))
    lines = file.getvalue().strip().split("\n")
    assert len(lines) == 20
    assert lines[-1].startswith("step 1000/1000")


SETTINGS = ["lora.dropout=0", "lora.r=4", "data.max_length=512", "train.batch_size=2",
            "train.gradient_accumulation=2", "train.epochs=2", "train.max_steps=4"]  # fmt: skip


@pytest.mark.skipif(torch.cuda.is_available(), reason="one GPU is not two")
def test_two_processes_train_as_one(models, tmp_path, rapport) -> None:
    """Eight dialogues, four a step: the same losses within 1e-5, and one voice."""
    dialogues = [d | {"id": f"{n}-{d['id']}"} for n in range(2) for d in DIALOGUES][:8]
    data = write_dialogues(tmp_path / "eight.jsonl", dialogues)
    settings = [*SETTINGS, f"base.name={models['qwen']}", f"data.corpus={data}",
                f"data.validation={data}"]  # fmt: skip
    command = ["train", "embedded", *(part for s in settings for part in ("--set", s)), "--json"]
    alone = json.loads(rapport(*command, "-o", "one")[1])["data"]
    # Accelerate's --cpu starts one process unless MPI is installed; its launcher for several devices
    # starts two, and they find that there is no GPU.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
              "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
              "--main_process_port", "0", "-m", "rapport_bench"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launch, *command, "-o", "two"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.strip()]
    together = json.loads(line)["data"]
    assert together["effective"]["processes"] == 2
    assert together["validation"]["tokens"] == alone["validation"]["tokens"]
    for key in ("base_nll_sum", "adapter_nll_sum"):
        assert together["validation"][key] == pytest.approx(alone["validation"][key], rel=1e-5)
    losses = [
        [
            json.loads(text).get("loss")
            for text in (tmp_path / out / "training.jsonl").read_text().splitlines()
        ]
        for out in ("one", "two")
    ]
    assert len([loss for loss in losses[0] if loss]) == 4
    for one, two in zip(*losses, strict=True):
        assert two == (one if one is None else pytest.approx(one, abs=1e-5))
    assert not list(tmp_path.glob(".two*"))
