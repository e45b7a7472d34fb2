"""The command as a user meets it: exit codes, messages with a remedy, JSON, bad input of every kind."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import DIALOGUES, make_adapter, make_model, write_dialogues
from rapport_bench.arms.bots import bots
from rapport_bench.cli.main import _run, cli

COMMANDS = (
    "prepare",
    "train",
    "run",
    "score",
    "compare",
    "validate",
    "gate",
    "leaderboard",
    "report",
    "results",
    "export",
    "human",
    "tasks",
    "doctor",
    "demo",
)


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
    return ["run", "--base", models["qwen"], "--data", data, "--max-new-tokens", "8"]


def test_every_command_has_help_with_an_example(rapport) -> None:
    assert set(cli.commands) == set(COMMANDS)
    for name in cli.commands:
        code, out, _ = rapport(name, "--help")
        assert code == 0
        assert f"Example: {'lm_eval' if name == 'tasks' else f'rapport {name}'}" in out


def test_the_next_commands_work_beside_results_of_another_suite(rapport, quick, adapters) -> None:
    arms = ["--adapter", adapters["a"]]
    rapport(*quick, *arms)
    code, out, _ = rapport(*quick, *arms, "--limit", "2")
    assert code == 0
    after = out[out.index("Next: ") :].removeprefix("Next: ").splitlines()
    commands = [shlex.split(line)[1:] for line in after if "rapport " in line]
    assert [command[0] for command in commands] == ["compare", "report"]
    for command in commands:
        code, _, err = rapport(*command)
        assert code == 0, err


@pytest.mark.parametrize(
    "tasks", ["perplexity", "aer", "continuity", "topic_shift", "crisis", "perplexity,crisis"]
)
@pytest.mark.parametrize("folder", ["results", '-it\'s a "result" :smile:\n[b]$(touch hit)'])
def test_the_next_commands_work_in_a_shell_after_any_tasks_and_for_any_folder(
    rapport, quick, adapters, tasks, folder
) -> None:
    arms = ["--adapter", adapters["a"], "--adapter", adapters["b"]]
    code, out, err = rapport(*quick, *arms, "--tasks", tasks, f"--results={folder}")
    assert code == 0, err
    next_commands = out[out.index("Next: ") :].removeprefix("Next: ").strip()
    # A shell takes the lines apart; the program itself is asked in this process, which is quicker.
    script = f'rapport() {{ printf "%s\\0" "$@"; printf "\\0"; }}\n{next_commands}'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    commands = [command.split("\0") for command in done.stdout.split("\0\0") if command]
    assert [command[0] for command in commands] == ["compare", "report", "leaderboard"]
    assert not Path("hit").exists()
    for command in commands:
        code, _, err = rapport(*command)
        assert code == 0, err


def test_run_prints_a_table_and_where_the_results_lie(rapport, quick, adapters) -> None:
    code, out, _ = rapport(
        *quick, "--adapter", adapters["a"], "--adapter", f"second={adapters['b']}", "--bots"
    )
    assert code == 0
    for expected in ("NLL per token", "AER share", "continuity", "topic shifts", "second", "parrot",
                     "a against base:", "Gold band", "Not scored", "results/v1", "Next: rapport compare"):  # fmt: skip
        assert expected in out, expected
    assert "\x1b[" not in out  # plain when piped
    report = next(line for line in out.splitlines() if "rapport report" in line)
    assert f"--data {quick[quick.index('--data') + 1]}" in report
    assert len(list(Path("results").glob("v1/*/*/*.json"))) == 3 + 1 + len(bots())
    code, out, _ = rapport("compare", "second", "base")
    assert code == 0
    assert "second against base" in out
    assert "Holm" in out
    code, out, err = rapport("results", "verify")
    assert (code, out, err) == (0, f"{3 + 1 + len(bots())} files checked, no problem\n", "")


def test_json_is_one_object_and_nothing_else(rapport, quick, adapters) -> None:
    code, out, _ = rapport(*quick, "--adapter", adapters["a"], "--json")
    envelope = json.loads(out)
    assert (code, envelope["ok"], envelope["exit_code"], envelope["command"]) == (0, True, 0, "run")
    assert [r["name"] for r in envelope["data"]["results"]] == ["base", "a"]
    (comparison,) = envelope["data"]["comparisons"]
    assert comparison["metrics"]["nll_per_token"]["verdict"]
    first, second = (r["result_id"][:10] for r in envelope["data"]["results"])
    code, out, _ = rapport("compare", second, first, "--json")
    assert json.loads(out)["data"]["metrics"] == comparison["metrics"]


def test_score_follows_the_format(rapport, tmp_path) -> None:
    odd = [
        *DIALOGUES,
        {"id": "none", "messages": []},
        {"id": "blank", "messages": [{"role": "user", "content": "在吗"}, {"role": "assistant", "content": " "}]},
        {"id": "system", "messages": [{"role": "system", "content": "你是倾听者"}, *DIALOGUES[0]["messages"]]},
        {"id": "twice", "messages": [{"role": "assistant", "content": "你好。"}, {"role": "assistant", "content": "你说。"}]},
    ]  # fmt: skip
    data = write_dialogues(tmp_path / "in.jsonl", odd)
    code, out, _ = rapport("score", data, "-o", "out.jsonl")
    assert code == 0
    assert "10 dialogues" in out
    lines = [
        json.loads(line) for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [line["id"] for line in lines] == [d["id"] for d in odd]
    first = lines[0]
    assert set(first) == {"id", "turns", "totals", "unscored"}
    user, assistant = first["turns"][:2]
    assert set(user) == {"index", "role", "shift"}
    assert set(assistant) == {
        "index", "role", "sentences", "advice", "empathy", "markers", "continuity", "copy_rate", "shift",
    }  # fmt: skip
    sentence = assistant["sentences"][0]
    assert set(sentence) == {"start", "end", "advice", "empathy", "question", "other", "label"}
    assert sum(sentence[a] for a in ("advice", "empathy", "question", "other")) == pytest.approx(1)
    assert set(first["totals"]) == {
        "aer_share", "aer_ratio", "continuity", "topic_shifts", "shift_opportunities",
    }  # fmt: skip
    assert lines[3]["totals"]["aer_share"] is None
    assert {"turn": None, "metric": "aer_share", "reason": "crisis"} in lines[3]["unscored"]
    by_id = {line["id"]: line for line in lines}
    assert by_id["none"]["turns"] == []
    assert {"turn": 1, "metric": "continuity", "reason": "empty"} in by_id["blank"]["unscored"]
    assert [t["index"] for t in by_id["system"]["turns"]] == list(range(1, 7))[
        : len(DIALOGUES[0]["messages"])
    ]
    text = Path("out.jsonl").read_text(encoding="utf-8")
    assert not [m["content"] for d in DIALOGUES for m in d["messages"] if m["content"][:8] in text]
    rapport("score", data, "-o", "out.jsonl", "--with-text")
    assert DIALOGUES[0]["messages"][1]["content"][:8] in Path("out.jsonl").read_text(
        encoding="utf-8"
    )


def test_tasks_and_doctor(rapport) -> None:
    code, out, _ = rapport("tasks", "--path")
    assert code == 0
    assert (Path(out.strip()) / "rapport.yaml").is_file()
    code, out, _ = rapport("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)["data"]["checks"]}
    assert code == 0
    assert checks["torch"]["ok"]
    assert checks["embedded base"]["ok"]


def bad(kind: str, tmp_path: Path, models: dict, adapters: dict) -> tuple[list[object], str]:
    """Arguments of a bad call, and what its message must say."""
    base: list[object] = ["--base", models["qwen"]]
    good = ["--data", write_dialogues(tmp_path / "good.jsonl", DIALOGUES)]
    folder = tmp_path / "adapter"

    def with_data(text: str) -> list[object]:
        path = tmp_path / "bad.jsonl"
        path.write_text(text, encoding="utf-8")
        return ["run", *base, "--data", path]

    def with_adapter(change: str) -> list[object]:
        shutil.copytree(adapters["a"], folder)
        weights = folder / "adapter_model.safetensors"
        if change == "pickle":
            weights.rename(folder / "adapter_model.bin")
        elif change == "config":
            (folder / "adapter_config.json").unlink()
        elif change == "training":
            (folder / "training.json").write_text(
                '{"base": {"weights_sha256": "' + "0" * 64 + '"}}'
            )
        elif change == "width":
            tensors = load_file(weights)
            name = next(key for key in tensors if "lora_A" in key)
            save_file(tensors | {name: torch.zeros(4, 64)}, weights, metadata={"format": "pt"})
        elif change == "damaged":
            weights.write_bytes(weights.read_bytes()[:50])
        return ["run", *base, *good, "--adapter", folder]

    turn = '{"role": "user", "content": "很难过"}'
    match kind:
        case "missing file":
            return ["run", *base, "--data", tmp_path / "goood.jsonl"], "no such file"
        case "not json":
            return with_data('{"id": "a", "messages": []}\n{broken'), "bad.jsonl:2: line: not JSON"
        case "wrong role":
            return with_data(
                '{"id": "a", "messages": [{"role": "asistant", "content": ""}]}'
            ), "messages[0].role"
        case "empty dialogue":
            return with_data(
                '{"id": "a", "messages": []}'
            ), "none of its dialogues can be scored (no_messages 1)"
        case "unscorable":
            return with_data(f'{{"id": "a", "messages": [{turn}]}}'), "no_assistant_turn 1"
        case "another base":
            arguments = ["run", "--base", models["plain"], *good, "--adapter", adapters["a"]]
            return arguments, "Target modules"
        case "another width":
            return with_adapter("width"), "(lora_A is 4 x 64, should be 4 x 32)"
        case "trained on other weights":
            return with_adapter("training"), "other base weights"
        case "pickle":
            return with_adapter("pickle"), "refused"
        case "no config":
            return with_adapter("config"), "no adapter_config.json"
        case "damaged adapter":
            return with_adapter("damaged"), "not a safetensors file"
        case "unknown task":
            return ["run", *base, *good, "--tasks", "perplexty"], "unknown task 'rapport_perplexty'"
        case "unknown option":
            return ["run", *base, "--adaptr", "x"], "--adaptr"
        case "unwritable results":
            (tmp_path / "file").write_text("")
            return ["run", *base, *good, "--results", tmp_path / "file" / "results"], "file"
        case "limit":
            return ["run", *base, *good, "--limit", "7"], "--limit 7"
        case "nothing":
            return ["run", *good], "nothing to score"
        case "no such base":
            return ["run", "--base", tmp_path / "nowhere", *good], "no such folder"
        case "adapter as base":
            return ["run", "--base", adapters["a"], *good], "a LoRA adapter"
        case "seeds":
            return ["run", *base, *good, "--seeds", "0,x"], "not numbers"
    raise AssertionError(kind)


BAD = ["missing file", "not json", "wrong role", "empty dialogue", "unscorable", "another base",
    "another width",
       "trained on other weights", "pickle", "no config", "damaged adapter", "unknown task",
       "unknown option", "unwritable results", "limit", "nothing", "no such base", "adapter as base",
       "seeds"]  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_says_what_to_do(kind, rapport, tmp_path, models, adapters) -> None:
    arguments, expected = bad(kind, tmp_path, models, adapters)
    code, out, err = rapport(*arguments)
    assert code == 2, err
    assert expected in err
    assert "Traceback" not in err
    assert len(err.strip().split("\n")) >= 2  # the message, and a remedy under it
    assert "很难过" not in err  # no dialogue text in messages
    assert not list(Path("results").glob("v1/**/*.json"))
    if kind != "unknown option":
        shutil.rmtree(tmp_path / "adapter", ignore_errors=True)
        code, out, _ = rapport(*bad(kind, tmp_path, models, adapters)[0], "--json")
        envelope = json.loads(out)
        assert (code, envelope["ok"], envelope["exit_code"]) == (2, False, 2)
        assert expected in envelope["error"]["message"]
        assert envelope["error"]["remedy"]


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["run", "--tasks", "perplexty", "--bots"], "rapport_perplexity"),
        (["run", "--adaptr", "x"], "--adapter"),
        (["compair", "a", "b"], "compare"),
        (["compare", "parot", "gold"], "parrot"),
    ],
)
def test_close_matches_are_offered(arguments, nearest, rapport, data) -> None:
    rapport("run", "--bots", "--data", data)
    code, _, err = rapport(*arguments)
    assert code == 2
    assert nearest in err


def test_an_adapter_with_another_vocabulary_is_refused(rapport, quick, tmp_path) -> None:
    other = make_model(tmp_path / "other", "qwen", vocabulary=512)
    adapter = make_adapter(other, tmp_path / "vocab")
    config = json.loads((adapter / "adapter_config.json").read_text())
    weights = load_file(adapter / "adapter_model.safetensors")
    weights["base_model.model.lm_head.weight"] = torch.zeros(512, 32)
    save_file(weights, adapter / "adapter_model.safetensors", metadata={"format": "pt"})
    assert config["peft_type"] == "LORA"
    code, _, err = rapport(*quick, "--adapter", adapter)
    assert code == 2
    assert "(lm_head is 512 x 32, should be 448 x 32)" in err


def test_a_result_edited_by_hand_or_of_a_newer_schema_is_refused(rapport, data) -> None:
    rapport("run", "--bots", "--data", data)
    path = next(Path("results").glob("v1/*/*/parrot@*.json"))
    original = path.read_text(encoding="utf-8")
    path.write_text(original.replace('"copied": 1', '"copied": 0').replace('"n": 14', '"n": 13', 1))
    code, _, err = rapport("compare", "parrot", "gold")
    assert (code, "edited" in err) == (2, True)
    path.write_text(original.replace('"schema_version": "1.0"', '"schema_version": "9.1"'))
    code, _, err = rapport("compare", "parrot", "gold")
    assert (code, "9.1" in err, "Update" in err) == (2, True, True)


def test_different_suites_are_not_compared(rapport, data) -> None:
    rapport("run", "--bots", "--data", data)
    rapport("run", "--bots", "--data", data, "--limit", "3", "--results", "other")
    one = next(Path("results").glob("v1/*/*/gold@*.json"))
    other = next(Path("other").glob("v1/*/*/gold@*.json"))
    code, _, err = rapport("compare", one, other)
    assert code == 3
    assert "dialogues 6 / 3" in err


def test_a_full_disk_is_an_incomplete_run(rapport, quick, monkeypatch) -> None:
    import errno
    import os

    real = os.fsync
    monkeypatch.setattr(
        "os.fsync", lambda handle: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full"))
    )
    code, _, err = rapport(*quick)
    assert code == 4
    assert "disk is full" in err
    assert not [p for p in Path("results").rglob("*") if p.is_file()]
    monkeypatch.setattr("os.fsync", real)
    assert rapport(*quick)[0] == 0


def test_an_interrupt_says_that_work_is_kept(rapport, quick, monkeypatch) -> None:
    from rapport_bench.arms import engine

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "generate_batch", interrupt)
    code, _, err = rapport(*quick)
    assert code == 130
    assert "kept" in err


def test_a_fault_of_ours_keeps_its_traceback(rapport, quick, monkeypatch) -> None:
    from rapport_bench.arms import engine

    monkeypatch.setattr(engine, "generate_batch", lambda *a: 1 / 0)
    code, _, err = rapport(*quick)
    assert code == 70
    assert "ZeroDivisionError" in err
