"""What a result must not hold is refused before anything is scored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import DIALOGUES, write_dialogues
from rapport_bench.cli.main import _run
from rapport_bench.running import run as run_module
from rapport_bench.running.command import command_line
from rapport_bench.running.config import RunConfig

SECRET = "我昨天和妈妈吵了一架，心里一直堵得慌。"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """`rapport run` of replies, without the scoring: that must not be reached."""
    monkeypatch.chdir(tmp_path)
    scored = []

    def evaluate(*_: object) -> dict[str, dict]:
        scored.append(1)
        raise AssertionError("scored before the bounds were looked at")

    monkeypatch.setattr(run_module, "_evaluate", evaluate)

    def call(dialogues: list[dict], *, name: str = "mine", data: str = "talks.jsonl") -> int:
        write_dialogues(tmp_path / data, dialogues)
        replies = [
            {"id": d["id"], "turn": turn, "content": "嗯"}
            for d in dialogues
            for turn, message in enumerate(d["messages"])
            if message["role"] == "assistant"
        ]
        lines = "\n".join(json.dumps(line) for line in replies)
        (tmp_path / "replies.jsonl").write_text(lines, encoding="utf-8")
        arguments = ["--replies", f"{name}=replies.jsonl", "--data", data, "--store", "s.sqlite"]
        return _run(["run", *arguments])

    call.scored = scored
    return call


@pytest.mark.parametrize("text", [SECRET, "I feel so sad today", "好" * 41, "x" * 129, "a\nb"])
@pytest.mark.parametrize("what", ["id", "domain"])
def test_ids_and_domains_that_could_be_a_text(run, capsys, what, text) -> None:
    longest = {"id": 500, "domain": 100}[what]
    dialogues = [*DIALOGUES[:2], DIALOGUES[2] | {what: text}]
    assert run(dialogues) == 2
    said = capsys.readouterr().err
    if len(text) <= longest:
        assert f"talks.jsonl: the {what} of dialogue 3 of those that are scored" in said
    assert text not in said
    assert not run.scored


def test_names_of_arms_and_data(run, capsys) -> None:
    assert run(DIALOGUES, name="长" * 301) == 2
    assert "arm 1, replies: a name that cannot stand in a result" in capsys.readouterr().err
    assert run(DIALOGUES, data="a\nb.jsonl") == 2
    assert "--data: the file's name cannot stand in a result" in capsys.readouterr().err
    assert not run.scored


def test_what_verify_lets_pass_is_scored(run, capsys) -> None:
    dialogues = [DIALOGUES[0] | {"id": "CHAT 001 a b", "domain": "家庭、婚姻"}]
    assert run(dialogues, name="我的 (2)") == 70  # it got as far
    assert run.scored
    capsys.readouterr()


def test_the_command_that_a_result_keeps_is_one_line_of_bounded_length(tmp_path: Path) -> None:
    config = RunConfig(base="b", adapters=tuple((None, f"adapters/{n}\n{n}") for n in range(500)))
    command = command_line(config)
    assert command.startswith("rapport run --base b --adapter ")
    assert len(command) == 2000
    assert "\n" not in command
