from __future__ import annotations

import json
from pathlib import Path

import pytest

from rapport_bench.cli.main import _run
from rapport_tasks.dialogues.builtin import TRAINING_ZH
from rapport_tasks.dialogues.dialogue import read_dialogues


def test_a_corpus_is_prepared_and_told_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "corpus"
    arguments = ["prepare", str(TRAINING_ZH), "-o", str(out), "--workers", "1", "--json"]
    assert _run([*arguments, "--topic", "情绪", "--topic", "家庭", "--validation", "0.25"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["command"], printed["ok"]) == ("prepare", True)
    assert printed["data"]["dialogues"] == {"total": 16, "train": 12, "validation": 4}
    card = json.loads((out / "card.json").read_text(encoding="utf-8"))
    assert card == {key: value for key, value in printed["data"].items() if key != "out"}
    assert len(read_dialogues(out / "train.jsonl")) == 12
    assert {d.domain for d in read_dialogues(out / "validation.jsonl")} <= {"情绪", "家庭"}


def test_a_person_is_told_what_was_removed_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(TRAINING_ZH.read_text(encoding="utf-8") + "{\n", encoding="utf-8")
    out = tmp_path / "corpus"
    assert _run(["prepare", str(source), "-o", str(out), "--workers", "1", "--no-anonymise"]) == 0
    printed = capsys.readouterr().out
    assert "105 records → 104 dialogues (99 training, 5 validation)" in printed
    assert "parse: −1 (not_json 1)" in printed
    assert "unreadable: in.jsonl:105: not_json" in printed


def test_large_removals_are_warned_about_with_what_would_keep_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.jsonl"
    lines = TRAINING_ZH.read_text(encoding="utf-8").splitlines()[:20]
    for place in range(5):
        record = json.loads(lines[place])
        record["messages"][1]["content"] += "🌸"
        lines[place] = json.dumps(record)
    source.write_text("\n".join(lines), encoding="utf-8")
    arguments = ["prepare", str(source), "--workers", "1", "--no-anonymise", "-o"]
    assert _run([*arguments, str(tmp_path / "drop"), "--json"]) == 0
    [warning] = json.loads(capsys.readouterr().out)["warnings"]
    assert "emoji alone removes 5 of 20 records" in warning
    assert _run([*arguments, str(tmp_path / "told")]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"Warning: {warning}" in printed
    assert "each quality rule alone: emoji 5" in printed
    assert _run([*arguments, str(tmp_path / "strip"), "--emoji", "strip", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["warnings"], told["data"]["dialogues"]["total"]) == ([], 20)


def test_structure_is_mended_unless_it_is_strict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.json"
    messages = json.loads(TRAINING_ZH.read_text(encoding="utf-8").splitlines()[0])["messages"]
    greeting = {"role": "assistant", "content": "你好，我在听。"}
    source.write_text(json.dumps([{"messages": [greeting, *messages]}]), encoding="utf-8")
    arguments = ["prepare", str(source), "--workers", "1", "--no-anonymise", "-o"]
    assert _run([*arguments, str(tmp_path / "strict"), "--structure", "strict"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "structure: starts_with_assistant 1" in said
    assert "--structure mend" in said
    assert _run([*arguments, str(tmp_path / "mend")]) == 0
    assert "changed: greeting_dropped 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--near-duplicates", "often"], "--near-duplicates often: not a number"),
        (["--near-duplicates", "7"], "--near-duplicates 7: out of range"),
        (["--percent", "0"], "--percent 0.0: out of range"),
        (["--memory", "1"], "--memory 1: too little"),
        (["--workers", "-1"], "--workers -1"),
        (["--rules", "none.toml"], "none.toml"),
        (["--topic", "天文"], "selection: other_topic 104"),
        (["--evaluation", "none.jsonl"], "none.jsonl: no such file"),
    ],
)
def test_bad_options_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    arguments = ["prepare", str(TRAINING_ZH), "-o", str(tmp_path / "out"), "--workers", "1"]
    assert _run([*arguments, *more]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
