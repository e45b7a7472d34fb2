"""A training that is killed goes on to the same end; one that cannot be written leaves no half."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError

from rapport_tasks.common.errors import BadInput, Incomplete
from rapport_training.lora import progress, trainer, watch
from rapport_training.lora.checkpoints import Checkpoints
from rapport_training.lora.recipe import Recipe
from rapport_training.lora.train import train

SCRIPT = """
import json, sys, time
sys.path[:0] = json.loads(sys.argv[1])
import torch
torch.set_num_threads(1)
from rapport_training.lora.recipe import Recipe
from rapport_training.lora.train import train
recipe = Recipe.model_validate_json(sys.argv[2])

def tell(at):
    print(at.step, flush=True)
    if at.step == int(sys.argv[4]):
        time.sleep(600)  # until somebody kills it

train(recipe, sys.argv[3], on_progress=tell)
"""


@pytest.fixture
def longer(recipe: Recipe, corpus_file: Path) -> Recipe:
    """Nine steps of three epochs, with dropout, accumulation and validation."""
    tables = recipe.model_dump()
    tables["data"]["validation"] = str(corpus_file)
    tables["train"] |= {
        "batch_size": 1,
        "gradient_accumulation": 2,
        "epochs": 3,
        "max_steps": None,
        "checkpoint_steps": 2,
    }
    return Recipe.model_validate(tables)


def changed(recipe: Recipe, section: str, **values: Any) -> Recipe:
    tables = recipe.model_dump()
    tables[section] |= values
    return Recipe.model_validate(tables)


def steps_of(out: Path) -> list[dict[str, Any]]:
    """The lines of the log without what depends on the clock and the machine."""
    lines = (out / "training.jsonl").read_text(encoding="utf-8").splitlines()
    measured = ("seconds", "tokens_per_second", "memory_bytes")
    return [{k: v for k, v in json.loads(line).items() if k not in measured} for line in lines]


def kill_after(recipe: Recipe, out: Path, step: int) -> None:
    """Train in a process of its own and kill it when it tells of `step`."""
    arguments = [json.dumps(sys.path), recipe.model_dump_json(), str(out), str(step)]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == step:
            os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()


def test_a_killed_training_goes_on_to_the_same_adapter(longer: Recipe, tmp_path: Path) -> None:
    whole = train(longer, tmp_path / "whole")
    out = tmp_path / "killed"
    folder = tmp_path / ".killed.checkpoints"
    kill_after(longer, out, 5)
    assert not out.exists()
    (checkpoint,) = folder.glob("checkpoint-*")
    assert checkpoint.name == "checkpoint-4"
    assert not list(folder.rglob("adapter_config.json"))
    notes: list[str] = []
    told: list[int] = []
    kill_after(longer, out, 7)  # and once more, now within an epoch
    ended = train(
        longer,
        out,
        on_progress=lambda at: told.append(at.step),
        on_note=lambda note: notes.append(note.text),
    )
    assert "going on after step 6" in notes
    assert told == [7, 8, 9]
    assert not folder.exists()
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (out / name).read_bytes() == (whole.out / name).read_bytes()
    assert ended.record["loss"] == whole.record["loss"]
    assert ended.record["validation"] == whole.record["validation"]
    assert steps_of(out) == steps_of(whole.out)
    assert [line["step"] for line in steps_of(out)] == [0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9]


def stop_at(step: int) -> Any:
    """A progress callback that fails after a step, as a power cut would."""

    def on_progress(at: Any) -> None:
        if at.step == step:
            raise KeyboardInterrupt

    return on_progress


def test_other_settings_do_not_go_on(longer: Recipe, tmp_path: Path) -> None:
    out = tmp_path / "adapter"
    with pytest.raises(KeyboardInterrupt):
        train(longer, out, on_progress=stop_at(3))
    other = changed(longer, "train", learning_rate=0.02, checkpoint_steps=1)
    with pytest.raises(BadInput, match=r"train.learning_rate 0.01 -> 0.02") as caught:
        train(other, out)
    assert "checkpoint_steps" not in caught.value.message
    assert "--restart" in caught.value.remedy
    told: list[int] = []
    train(other, out, restart=True, on_progress=lambda at: told.append(at.step))
    assert told[0] == 1


def test_a_training_that_had_only_to_be_written_is_written(longer: Recipe, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(longer, tmp_path / "stopped", on_progress=stop_at(9))
    # The interruption came before the last step's checkpoint; one at the end holds all of them.
    checkpoints = Checkpoints(tmp_path / "stopped")
    last = checkpoints.last()
    assert last is not None
    assert last.name == "checkpoint-8"
    part = changed(longer, "train", max_steps=4)
    original = train(part, tmp_path / "part")

    def refuse(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rapport_training.lora.train.write_adapter", refuse)
        with pytest.raises(KeyboardInterrupt):
            train(part, tmp_path / "late")
    told: list[int] = []
    late = train(part, tmp_path / "late", on_progress=lambda at: told.append(at.step))
    assert told == []
    weights = "adapter_model.safetensors"
    assert (late.out / weights).read_bytes() == (original.out / weights).read_bytes()
    assert late.record["steps"] == 4


def test_two_trainings_do_not_share_checkpoints(longer: Recipe, tmp_path: Path) -> None:
    first = Checkpoints(tmp_path / "adapter")
    first.open({}, restart=False)
    with pytest.raises(BadInput, match="another process"):
        train(longer, tmp_path / "adapter")
    first.close()
    train(changed(longer, "train", max_steps=1), tmp_path / "adapter")


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        OSError(27, "File too large"),
        SafetensorError("Error while serializing: I/O error: No space left on device"),
        RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_full_disk_at_a_checkpoint_keeps_the_one_before(
    longer: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    saved: list[Path] = []
    sync = trainer.sync

    def second_fails(folder: Path) -> None:
        saved.append(folder)
        if len(saved) == 2:
            raise error
        sync(folder)

    out = tmp_path / "adapter"
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "sync", second_fails)
        with pytest.raises(Incomplete, match="disk is full") as caught:
            train(longer, out)
    assert "same command again" in caught.value.remedy
    folder = tmp_path / ".adapter.checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint-2",
        "identity.json",
        "training.jsonl",
    ]
    assert not out.exists()
    told: list[int] = []
    train(longer, out, on_progress=lambda at: told.append(at.step))
    assert told[0] == 3


@pytest.mark.parametrize("lines", [1, 3])
def test_a_disk_that_fills_up_while_the_log_is_written_is_said(
    longer: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    to_jsonl, written = progress.to_jsonl, []

    def full(*arguments: Any) -> str:
        written.append(1)
        if len(written) == lines:
            raise OSError(28, "No space left on device")
        return to_jsonl(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(watch, "to_jsonl", full)
        with pytest.raises(Incomplete, match="disk is full") as caught:
            train(longer, tmp_path / "adapter")
    assert "goes on from the last checkpoint" in caught.value.remedy
    assert not (tmp_path / "adapter").exists()
    train(longer, tmp_path / "adapter")


def test_a_disk_that_is_full_from_the_beginning_is_said(
    longer: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def full(path: Path, *given: Any, **named: Any) -> int:
        if tmp_path in path.parents:
            raise OSError(28, "No space left on device")
        return write(path, *given, **named)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(Incomplete, match=r"\.adapter\.checkpoints: the disk is full"):
        train(longer, tmp_path / "adapter")


def test_a_disk_that_really_refuses_is_a_clear_error(longer: Recipe, tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
    begin, call = SCRIPT.split("recipe = ")
    arguments = [json.dumps(sys.path), longer.model_dump_json(), str(tmp_path / "adapter"), "0"]
    done = subprocess.run(
        [sys.executable, "-c", begin + limit + "recipe = " + call, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Incomplete" in done.stderr.splitlines()[-1]
    assert "the disk is full" in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
