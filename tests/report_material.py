"""A small suite with text, made by hand: dialogues, imported replies, a response store, results."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from made_results import columns, result
from rapport_bench.arms.arm import replies_arm, weightless_arm
from rapport_bench.arms.bots import VERSION
from rapport_bench.arms.store import ResponseStore, replies_fact
from rapport_bench.common.identity import digest
from rapport_bench.results.result import Result, save, seal
from rapport_tasks.dialogues.dialogue import Dialogue

NUMERICS = {"device": "cpu", "torch": "0"}
COMMAND = "rapport run --base some-base --adapter some-adapter"
DIALOGUES = [
    {
        "id": f"d{n}",
        "domain": ("家庭", "职场", None)[n % 3],
        "crisis": n == 3,
        "messages": [
            {"role": "user", "content": f"第{n}次了，我又和妈妈吵架了。"},
            {"role": "assistant", "content": "听起来你很委屈。当时发生了什么？"},
            {"role": "user", "content": "她说我什么都做不好，我该怎么办？"},
            {"role": "assistant", "content": "难怪你会难过。也许可以先休息一下。"},
        ],
    }
    for n in range(12)
]
TURNS = [(d["id"], turn) for d in DIALOGUES for turn in (1, 3)]


def reseal(made: Result, *, arm: dict[str, Any] | None = None, **sections: Any) -> Result:
    """A result with some of its content changed, valid again."""
    data = {k: v for k, v in made.to_json().items() if k not in ("result_id", "status")}
    data["arm"] = data["arm"] | (arm or {})
    for name, change in sections.items():
        data[name] = data[name] | change if isinstance(data[name], dict) else change
    data.pop("schema_version")
    return seal(data)


def arm(name: str, kind: str, seed: int, **more: Any) -> Result:
    """An arm of the suite; columns by seed, and one topic shift in every dialogue."""
    n = len(DIALOGUES)
    rng = np.random.default_rng(seed)
    made = columns(seed, n, nll=more.pop("nll", 0.0))
    made["continuity_sum"] = made["continuity_n"] * 0.2 + rng.normal(0, 0.2, n)
    made["shifts"], made["shift_turns"] = np.ones(n), np.full(n, 2)
    made["shift_opportunities"] = np.full(n, 2)
    made["gold_shifts"], made["gold_shift_opportunities"] = np.zeros(n), np.full(n, 2)
    dialogues = [Dialogue.from_json(dialogue) for dialogue in DIALOGUES]
    sha256 = digest([dialogue.to_json() for dialogue in dialogues])
    plain = result(name, made, kind=kind)
    group = {"domain": [d.domain for d in dialogues], "crisis": [d.crisis for d in dialogues]}
    return reseal(
        plain,
        suite={"data_sha256": sha256},
        dialogues={"id": [d.id for d in dialogues], "group": group},
        volatile={"command": COMMAND, "created": "2026-01-02T03:04:05Z", "rapport": "0.1.0"},
        **more,
    )


def replies_file(path: Path, texts: dict[tuple[str, int], str], otherwise: str = "嗯。") -> str:
    """Write imported replies; returns the id of their arm."""
    lines = [
        {"id": identity, "turn": turn, "content": texts.get((identity, turn), otherwise)}
        for identity, turn in TURNS
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return replies_arm("", hashlib.sha256(path.read_bytes()).hexdigest()).arm_id


def stored(store: Path, made: Result, said: dict[tuple[str, int], list[str]]) -> None:
    """Put an arm's replies where a run would, one a seed."""
    rows, responses = [], {}
    for (identity, turn), texts in said.items():
        for seed, text in enumerate(texts):
            key = digest([made.name, identity, turn, seed])
            rows.append([identity, turn, seed, key])
            responses[key] = {"text": text, "tokens": 1, "cut_off": False}
    with ResponseStore(store) as opened:
        opened.put(made.numerics, responses)
        arm_id = made.arm.arm_id
        opened.remember(replies_fact(arm_id, made.suite_id, made.numerics), rows)


def suite_with_text(folder: Path, hostile: dict[tuple[str, int], str] | None = None) -> list[str]:
    """Write a whole suite below a folder: base, adapter, imported replies, gold and a bot.

    Args:
        folder: Gets ``results``, ``data.jsonl``, ``store.sqlite`` and ``mine.jsonl``.
        hostile: What the imported replies say at some turns.

    Returns:
        The options of `rapport report` that name all of these.
    """
    data = folder / "data.jsonl"
    data.write_text("\n".join(json.dumps(d, ensure_ascii=False) for d in DIALOGUES) + "\n")
    base = reseal(arm("base", "base", 1), numerics=NUMERICS, arm={"arm_id": "1" * 64})
    tuned = reseal(
        arm("tuned", "adapter", 2, nll=-0.1), numerics=NUMERICS, arm={"arm_id": "2" * 64}
    )
    stored(folder / "store.sqlite", base, {key: ["你应该早点睡。别想了。"] for key in TURNS})
    stored(
        folder / "store.sqlite",
        tuned,
        {key: ["我理解你的感受。你愿意多说一点吗？"] for key in TURNS},
    )
    mine = arm(
        "mine",
        "replies",
        3,
        nll=0.1,
        arm={"arm_id": replies_file(folder / "mine.jsonl", hostile or {})},
    )
    gold = arm("gold", "gold", 4, arm={"arm_id": weightless_arm("gold", "gold", VERSION).arm_id})
    parrot = arm(
        "parrot", "bot", 5, arm={"arm_id": weightless_arm("parrot", "bot", VERSION).arm_id}
    )
    for made in (base, tuned, mine, gold, parrot):
        save(made, folder / "results")
    options = [
        str(folder / "results"),
        "--data",
        str(data),
        "--store",
        str(folder / "store.sqlite"),
    ]
    return [*options, "--replies", str(folder / "mine.jsonl"), "--with-text"]
