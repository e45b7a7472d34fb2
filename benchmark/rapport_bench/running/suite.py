"""A suite: dialogues, protocol and metrics under one identity.

Results of one `suite_id` may be compared; anything that could move a number without the model having
changed is part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rapport_bench.common.identity import digest
from rapport_tasks import registry
from rapport_tasks.common.paths import encodable
from rapport_tasks.common.protocol import TaskSettings
from rapport_tasks.dialogues.builtin import load_suite_dialogues
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.specs.specification import RESERVED

SUITE_VERSION = "1.1.0"


@dataclass(frozen=True, slots=True)
class Suite:
    """What is asked and how it is measured.

    Attributes:
        name: ``rapport-zh`` for the built-in dialogues, else the data file's name.
        dialogues: Those that are scored, in order.
        skipped: How many dialogues of the file cannot be scored, by reason.
        settings: What the lm-eval tasks are given.
        data_sha256: Hash of the scored dialogues.
        tasks: Version and metric hash of every task of the suite, whether or not it is run.
        suite_id: Hash of data, protocol, tasks and scorers.
    """

    name: str
    dialogues: tuple[Dialogue, ...]
    skipped: Counter[str]
    settings: TaskSettings
    data_sha256: str
    tasks: dict[str, dict[str, str]]
    suite_id: str

    def protocol(self) -> dict[str, Any]:
        """History rule, system message, generation and length rule, as results record them."""
        system = self.settings.system
        return {
            "history": "gold",
            "generation": self.settings.generation.to_json(),
            "overlong": "skip",
            **({} if system is None else {"system_sha256": digest(system)}),
        }

    def to_json(self) -> dict[str, Any]:
        """The ``suite`` section of a result."""
        return {
            "name": self.name,
            "version": SUITE_VERSION,
            "suite_id": self.suite_id,
            "data_sha256": self.data_sha256,
            "dialogues": len(self.dialogues),
            "tasks": self.tasks,
            "protocol": self.protocol(),
        }


def build_suite(settings: TaskSettings) -> Suite:
    """Read the data and put identities on it.

    Raises:
        BadInput: The data or the encoder cannot be used.
    """
    dialogues, skipped = load_suite_dialogues(settings.data, settings.limit)
    name = encodable(Path(settings.data).stem) if settings.data else "rapport-zh"
    data_sha256 = digest([dialogue.to_json() for dialogue in dialogues])
    tasks = {}
    for task in registry.tasks().values():
        identity = [task.name, task.version, task.identified(settings)]
        tasks[task.name] = {"version": task.version, "metric_sha256": digest(identity)}
    suite = Suite(name, tuple(dialogues), skipped, settings, data_sha256, tasks, "")
    return replace(suite, suite_id=suite_identity(suite.to_json()))


def suite_identity(section: Mapping[str, Any]) -> str:
    """``suite_id`` of a result's ``suite`` section: hash of its data, protocol and built-in tasks.

    Tasks of other packages are not in it: installing one leaves all else comparable. A comparison
    leaves their metrics out where the two results have them in different versions.
    """
    own = {name: task for name, task in section["tasks"].items() if name.startswith(RESERVED)}
    return digest({"data": section["data_sha256"], "protocol": section["protocol"], "tasks": own})


def choose_tasks(names: tuple[str, ...]) -> tuple[str, ...]:
    """Validate task names, with or without their prefix; none means all.

    Raises:
        BadInput: An unknown name, with the nearest one.
    """
    known = registry.tasks()
    chosen: set[str] = set()
    for name in names:
        if name == "rapport":
            chosen |= {task.name for task in registry.BUILT_IN}
        else:
            chosen.add(registry.task(name if name in known else f"{RESERVED}{name}").name)
    return tuple(task for task in known if task in chosen) if chosen else tuple(known)
