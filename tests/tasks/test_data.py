"""The dialogues that come with the package, and choosing a suite's dialogues."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.builtin import (
    EVALUATION_ZH,
    TRAINING_EN,
    TRAINING_ZH,
    load_suite_dialogues,
)
from rapport_tasks.dialogues.dialogue import read_dialogues, structure_problem
from rapport_tasks.metrics.crisis import looks_alike

FILES = {path.name: read_dialogues(path) for path in (EVALUATION_ZH, TRAINING_ZH, TRAINING_EN)}
EVALUATION = FILES[EVALUATION_ZH.name]


def runs_of_chinese(name: str, length: int) -> set[str]:
    """Every run of so many Chinese characters that stands in one clause."""
    return {
        clause[start : start + length]
        for dialogue in FILES[name]
        for message in dialogue.messages
        for clause in re.findall(rf"[\u4e00-\u9fff]{{{length},}}", message.content)
        for start in range(len(clause) - length + 1)
    }


def test_sizes():
    assert {name: len(dialogues) for name, dialogues in FILES.items()} == {
        "eval_zh.jsonl": 208, "train_zh.jsonl": 104, "train_en.jsonl": 60,
    }  # fmt: skip


def test_evaluation_is_balanced_over_thirteen_domains():
    for part, share in ((EVALUATION, 16), (EVALUATION[:52], 4)):  # the demo scores the first 52
        domains = Counter(dialogue.domain for dialogue in part)
        assert (len(domains), set(domains.values())) == (13, {share})
        assert None not in domains


def test_evaluation_attributes_are_varied():
    records = [json.loads(line) for line in EVALUATION_ZH.read_text(encoding="utf-8").splitlines()]
    assert sum(record["asks_advice"] for record in records) == 104
    assert sum(record["crisis"] for record in records) == 28
    assert Counter(len(record["messages"]) // 2 for record in records) == dict.fromkeys(
        range(3, 7), 52
    )
    assert len({record["mood"] for record in records}) > 50


def test_evaluation_has_crises_and_look_alikes():
    assert sum(dialogue.crisis for dialogue in EVALUATION) == 28
    alike = [
        dialogue.id
        for dialogue in EVALUATION
        if not dialogue.crisis
        and any(looks_alike(m.content) for m in dialogue.messages if m.role == "user")
    ]
    assert len(alike) >= 20


def test_evaluation_dialogues_have_three_to_six_exchanges():
    for dialogue in EVALUATION:
        assert 3 <= len(dialogue.assistant_turns()) <= 6, dialogue.id
        assert [m.role for m in dialogue.messages[-2:]] == ["user", "assistant"], dialogue.id


def test_every_dialogue_can_be_run():
    problems = {d.id: structure_problem(d) for ds in FILES.values() for d in ds}
    assert {identity: p for identity, p in problems.items() if p} == {}


def test_ids_are_unique_across_files():
    ids = [dialogue.id for dialogues in FILES.values() for dialogue in dialogues]
    assert len(ids) == len(set(ids))


def test_no_clause_stands_in_both_evaluation_and_training():
    evaluation = runs_of_chinese("eval_zh.jsonl", 12)
    assert len(evaluation) > 1000  # the comparison below is not of empty sets
    assert evaluation & runs_of_chinese("train_zh.jsonl", 12) == set()


# --- choosing ----------------------------------------------------------------------------------


def test_the_built_in_evaluation_dialogues_are_the_default():
    dialogues, skipped = load_suite_dialogues()
    assert [d.id for d in dialogues] == [d.id for d in EVALUATION]
    assert not skipped


def test_a_limit_counts_runnable_dialogues(tmp_path: Path, data: Path):
    good = data.read_text(encoding="utf-8")
    bad = json.dumps({"id": "x", "messages": []})
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text(f"{bad}\n{good}", encoding="utf-8")
    dialogues, skipped = load_suite_dialogues(mixed, 2)
    assert [d.id for d in dialogues] == ["d-0", "d-1"]
    assert skipped == {"no_messages": 1}
    assert len(load_suite_dialogues(mixed, 6)[0]) == 6
    for limit in (0, -1, 7):
        with pytest.raises(BadInput, match="has 6 dialogues") as caught:
            load_suite_dialogues(mixed, limit)
        assert "1 to 6" in caught.value.remedy


def test_a_file_without_a_runnable_dialogue_is_refused_with_the_reasons(tmp_path: Path):
    path = tmp_path / "bad.jsonl"
    path.write_text(
        '{"id": 1, "messages": []}\n{"id": 2, "messages": [{"role": "user", "content": "嗯"}]}\n',
        encoding="utf-8",
    )
    with pytest.raises(BadInput, match=r"no_assistant_turn 1, no_messages 1"):
        load_suite_dialogues(path)
