"""Suites, results and stored replies made on the spot, so that sheets need no model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import made_results
from conftest import write_dialogues
from rapport_bench.arms.arm import weightless_arm
from rapport_bench.arms.bots import gold
from rapport_bench.arms.store import ResponseStore, replies_fact
from rapport_bench.common.identity import digest
from rapport_bench.human.sheets.scales import SCALES
from rapport_bench.human.sheets.sheet import Line, Reply, Sheet, SheetItem
from rapport_bench.results.result import Result, save, seal
from rapport_tasks.dialogues.dialogue import Dialogue

NUMERICS = {"device": "cpu", "torch": "2"}
DOMAINS = ("家庭", "职场", "校园", None)
REPLY = Callable[[Dialogue, int], str | None]


def dialogues(count: int, *, crisis: int = 0) -> list[Dialogue]:
    """Dialogues of one to three exchanges in unequal domains; the last `crisis` are of people at risk."""
    made = []
    for n in range(count):
        messages = []
        for turn in range(1 + n % 3):
            messages.append({"role": "user", "content": f"第{n}个人说的第{turn}句话，心里很乱。"})
            messages.append({"role": "assistant", "content": f"原来的回应{n}-{turn}。"})
        domain = DOMAINS[min(n % 7, 3)]
        record = {"id": f"d-{n}", "domain": domain, "crisis": n >= count - crisis}
        made.append(Dialogue.from_json(record | {"messages": messages}))
    return made


@dataclass(frozen=True)
class World:
    """Where everything of a made suite lies."""

    folder: Path
    dialogues: list[Dialogue]

    @property
    def data(self) -> Path:
        return self.folder / "talks.jsonl"

    @property
    def store(self) -> Path:
        return self.folder / "store.sqlite"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def arguments(self, *names: str) -> list[str]:
        """Of `rapport human sheet`, without the folder."""
        arms = [word for name in names for word in ("--result", name)]
        where = {"--results": self.results, "--store": self.store, "--data": self.data}
        return ["human", "sheet", *arms, *(str(w) for pair in where.items() for w in pair)]

    def arm(self, name: str, reply: REPLY | None = None, *, suite: str | None = None) -> Result:
        """Save the result of an arm, and its replies in the store.

        Args:
            name: ``gold``, or the name of a model whose replies are stored.
            reply: What it says; `None` for nothing stored. Returning `None` leaves a turn out.
            suite: Another suite id.
        """
        n = len(self.dialogues)
        data: dict[str, Any] = made_results.result(name, made_results.columns(1, n)).to_json()
        data.pop("result_id")
        data["suite"] = data["suite"] | {
            "name": "talks",
            "suite_id": suite or "5" * 64,
            "dialogues": n,
            "data_sha256": digest([d.to_json() for d in self.dialogues]),
        }
        data["dialogues"] = data["dialogues"] | {"id": [d.id for d in self.dialogues]}
        data["volatile"] = {"command": f"rapport run --base ./{name}-folder --data talks.jsonl"}
        if name == "gold":
            identity = weightless_arm("gold", "gold", gold.version).arm_id
            data["arm"] = data["arm"] | {"kind": "gold", "arm_id": identity}
        else:
            base = {"name": "Secretive-7B", "weights_sha256": "6" * 64}
            base |= {"quantization": "none", "dtype": "float32"}
            data["numerics"] = NUMERICS
            data["arm"] = data["arm"] | {"arm_id": digest(name), "base": base}
        result = seal(data)
        if reply is not None and name != "gold":
            self.put(
                result,
                {(d.id, t): reply(d, t) for d in self.dialogues for t in d.assistant_turns()},
            )
        return save(result, self.results)[0]

    def put(self, result: Result, replies: Mapping[tuple[str, int], str | None]) -> None:
        """Store replies as a run does."""
        kept = {turn: text for turn, text in replies.items() if text is not None}
        keys = {turn: digest([result.name, *turn]) for turn in kept}
        with ResponseStore(self.store) as store:
            responses = {
                keys[t]: {"text": text, "tokens": 3, "cut_off": False} for t, text in kept.items()
            }
            store.put(NUMERICS, responses)
            arm_id = result.arm.arm_id
            listed = [[*turn, 0, key] for turn, key in keys.items()]
            store.remember(replies_fact(arm_id, result.suite_id, NUMERICS), listed)


def world(folder: Path, count: int = 40, *, crisis: int = 4) -> World:
    """A suite of dialogues, without arms."""
    folder.mkdir()
    made = World(folder, dialogues(count, crisis=crisis))
    write_dialogues(made.data, [d.to_json() for d in made.dialogues])
    return made


def two_arms(folder: Path, count: int = 40, *, crisis: int = 4) -> World:
    """A suite with the arms ``Zephyrine`` and ``Oberonic``, whose replies say who they are in code."""
    made = world(folder, count, crisis=crisis)
    made.arm("Zephyrine", lambda d, t: f"左边说：第{d.id[2:]}段第{t}句，我听到了。")
    made.arm("Oberonic", lambda d, t: f"右边说：第{d.id[2:]}段第{t}句，先睡一觉。")
    return made


HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "<!--<script>window.hacked = 1",
    "\u202eesrever\u202c 之后 \u2066not closed",
    "שלום, מה שלומך? מרגישה לבד (1) abc",
    "{{ 7 * 7 }} ${7 * 7} {n} \u2028 \u2029 \\u003c",
    "很" * 3_000 + "x" * 3_000,
    "🙂" * 40,
]
"""Replies that would break a page that trusts them."""


def sheet(items: int, *texts: str, rater: str = "r01", study: str = "pilot") -> Sheet:
    """A sheet of two replies an item; given texts are the first replies of the items."""
    made = []
    for n in range(max(items, len(texts))):
        text = texts[n] if n < len(texts) else f"第{n}段的回复，我在听。"
        context = [
            Line(role="user", content=f"第{n}段：最近很累。"),
            Line(role="assistant", content="嗯。"),
            Line(role="user", content=text),
        ]
        replies = [
            Reply(letter="B", content=text),
            Reply(letter="A", content=f"另一条{n}：早点睡吧。"),
        ]
        made.append(SheetItem(id=f"i{n + 1:03d}", context=context, replies=replies))
    return Sheet(study=study, rater=rater, scales=SCALES, items=made)
