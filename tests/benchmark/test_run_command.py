"""The command that a result records asks for what made it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from rapport_bench.cli.run import run, run_config
from rapport_bench.running.command import command_line
from rapport_bench.running.config import RunConfig
from rapport_tasks.common.protocol import Generation

EVERYTHING = RunConfig(
    base="Qwen/Qwen1.5-1.8B",
    adapters=((None, "a b/r16"), ("old", "r8")),
    models=(("other", "m"),),
    replies=(("api", "replies.jsonl"),),
    bots=True,
    data="d.jsonl",
    limit=7,
    tasks=("rapport_aer", "rapport_crisis"),
    generation=Generation("coupled-top-p", max_new_tokens=64, seeds=(0, 1)),
    template="./mine.jinja",
    template_args=("enable_thinking=false", 'level={"a": [1]}'),
    system="你是一位倾听者。",
    encoder="./encoder",
    dtype="bfloat16",
    quantization="nf4",
    device="cpu",
    batch_tokens=512,
    results="out",
    store="s.sqlite",
)


@pytest.mark.parametrize(
    "config",
    [
        EVERYTHING,
        RunConfig(base="embedded"),
        RunConfig(base="embedded", system="", template="adapter"),
        RunConfig(bots=True, generation=Generation("greedy")),
        RunConfig(base="embedded", adapters=(("情感 <r16>", "x"),)),
    ],
)
def test_the_command_gives_the_configuration_back(config):
    program, name, *arguments = shlex.split(command_line(config))
    assert (program, name) == ("rapport", "run")
    assert run_config(run.make_context("run", arguments).params) == config


def test_defaults_are_left_out():
    assert (
        command_line(RunConfig(base="embedded", bots=True)) == "rapport run --base embedded --bots"
    )


def test_no_path_of_the_machine_is_recorded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inside = RunConfig(
        base=str(tmp_path / "base"),
        adapters=(("a", str(tmp_path / "x" / "a")),),
        results=str(tmp_path / "r"),
    )
    assert command_line(inside) == "rapport run --base base --adapter a=x/a --results r"
    elsewhere = Path(tmp_path.anchor) / "elsewhere"
    outside = RunConfig(
        base=str(elsewhere / "base"),
        adapters=(("a", str(elsewhere / "x" / "a")),),
        data=str(elsewhere / "d.jsonl"),
        store=str(tmp_path.parent / "s.sqlite"),
    )
    assert command_line(outside) == (
        "rapport run --base base --adapter a=a --data d.jsonl --store s.sqlite"
    )


def test_a_system_message_is_no_path_though_it_begins_like_one(tmp_path):
    assert command_line(RunConfig(base="b", system="/no_think")).endswith("--system /no_think")
    (tmp_path / "system.txt").write_text("听。", encoding="utf-8")
    file = RunConfig(base="b", system=str(tmp_path / "system.txt"))
    assert command_line(file).endswith("--system system.txt")
