"""A task and a bot that another package adds: one file each, and they appear everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = '''
from rapport_bench.arms.bots import bot
from rapport_tasks.common.record import Record
from rapport_tasks.specs.specification import Metric, Task


def record(dialogue, answers, settings):
    found = Record({"thanks": 0, "thanks_replies": 0})
    for turn, reply in answers:
        if reply is not None:
            found.add("thanks", "谢谢" in reply)
            found.add("thanks_replies", 1)
    return found


TASK = Task(
    "politeness",
    "VERSION",
    "whether replies say thanks",
    (
        Metric(
            "thanks_rate", "thanks / reply", ("thanks",), ("thanks_replies",), "thanks_replies",
            "thanks_replies", unit="share", share=True, direction="higher", margin=0.05,
            family="confirmatory", by_dialogue=True,
        ),
    ),
    record=record,
)


@bot("1.0")
def always_thanks(dialogue, turn):
    """Thanks, whatever was said."""
    return "谢谢你。"
'''


def install(folder: Path, *, version: str = "1.0", source: str = PACKAGE) -> None:
    """The package as pip leaves one: a module, and metadata with its entry points."""
    folder.mkdir(exist_ok=True)
    (folder / "polite.py").write_text(source.replace("VERSION", version), encoding="utf-8")
    info = folder / "polite-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: polite\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rapport_bench.tasks]\npoliteness = polite:TASK\n\n"
        "[rapport_bench.bots]\nalways-thanks = polite:always_thanks\n"
    )


@pytest.fixture
def rapport(tmp_path, monkeypatch):
    """The command in a process that finds the package, and what it prints."""
    place = tmp_path / "site"
    install(place)
    monkeypatch.chdir(tmp_path)

    def call(*words: str, extended: bool = True) -> subprocess.CompletedProcess[str]:
        path = [str(place)] * extended + [os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path), "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, "-m", "rapport_bench", *words],
            capture_output=True, text=True, env=environment, check=False,
        )  # fmt: skip

    return call


def run_options(data: Path, results: str = "r") -> list[str]:
    return ["--bots", "--data", str(data), "--tasks", "aer,politeness", "--results", results,
            "--store", "s.sqlite"]  # fmt: skip


def test_they_appear_in_every_table(rapport, data, tmp_path) -> None:
    assert "politeness" in rapport("tasks").stdout
    done = rapport("run", *run_options(data))
    assert done.returncode == 0, done.stderr
    assert "thanks / reply" in done.stdout
    assert "always-thanks" in done.stdout
    board = rapport("leaderboard", "r", "--format", "csv").stdout
    assert "thanks_rate" in board.splitlines()[0]
    assert "always-thanks" in board
    compared = json.loads(
        rapport("compare", "always-thanks", "gold", "--results", "r", "--json").stdout
    )
    assert compared["data"]["metrics"]["thanks_rate"]["verdict"] == "improved"
    (tmp_path / "gate.toml").write_text(
        "[metrics.thanks_rate]\ndirection = 'higher'\nmargin = 0.05\n"
    )
    gate = rapport("gate", "--candidate", "gold", "--baseline", "always-thanks", "--results", "r")
    assert gate.returncode == 1, gate.stdout + gate.stderr
    assert "thanks / reply" in gate.stdout
    assert rapport("results", "verify", "r").returncode == 0
    exported = rapport("export", "csv", "r")
    assert "thanks_rate" in exported.stdout
    page = rapport("report", "r", "--candidate", "always-thanks", "--baseline", "gold")
    assert page.returncode == 0, page.stderr
    assert "thanks / reply" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_suite_stays_comparable_without_the_package(rapport, data) -> None:
    options = ["--bots", "--data", str(data), "--tasks", "aer", "--store", "s.sqlite", "--json"]
    with_it, without = (
        json.loads(rapport("run", *options, "--results", f"r{extended}", extended=extended).stdout)
        for extended in (True, False)
    )
    assert with_it["data"]["suite"]["suite_id"] == without["data"]["suite"]["suite_id"]
    assert rapport("run", *run_options(data), "--json").returncode == 0
    read = rapport("leaderboard", "r", "--json", extended=False)
    assert read.returncode == 0, read.stderr
    assert "always-thanks" in read.stdout


def test_two_versions_of_a_task_are_not_compared(rapport, data, tmp_path) -> None:
    assert rapport("run", *run_options(data)).returncode == 0
    before = next((tmp_path / "r").glob("v1/*/*/gold@*.json"))
    kept = tmp_path / "before.json"
    kept.write_bytes(before.read_bytes())
    install(tmp_path / "site", version="2.0")
    assert rapport("run", *run_options(data, "r2")).returncode == 0
    after = next((tmp_path / "r2").glob("v1/*/*/gold@*.json"))
    found = json.loads(rapport("compare", str(after), str(kept), "--json").stdout)["data"]
    assert found["metrics"]["thanks_rate"]["difference"] is None
    assert "politeness 2.0 and 1.0" in found["metrics"]["thanks_rate"]["note"]
    assert found["metrics"]["aer_share"]["difference"] is not None


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("TASK = 1\nalways_thanks = 2", "is no Task"),
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        (PACKAGE.replace('"thanks_rate"', '"continuity"'), "the names continuity are taken"),
        (PACKAGE.replace('"politeness"', '"rapport_politeness"'), "rapport_ is reserved"),
    ],
)
def test_a_package_that_offers_no_task_is_refused_by_name(rapport, tmp_path, source, said) -> None:
    install(tmp_path / "site", source=source)
    done = rapport("tasks")
    assert done.returncode == 2
    assert said in done.stderr
    assert "polite" in done.stderr
