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
from rapport_tasks.common.errors import BadInput, close_match
from rapport_tasks.common.paths import encodable
from rapport_tasks.dialogues.builtin import load_suite_dialogues
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.dialogues.pool import pool_identity
from rapport_tasks.lm_tasks.protocol import TaskSettings
from rapport_tasks.metrics.advice_to_empathy import VERSION as AER_VERSION
from rapport_tasks.metrics.continuity import VERSION as CONTINUITY_VERSION
from rapport_tasks.metrics.crisis import VERSION as CRISIS_VERSION
from rapport_tasks.metrics.perplexity import VERSION as PERPLEXITY_VERSION
from rapport_tasks.metrics.scorers import act_classifier, boundary_scorer, continuity_scorer
from rapport_tasks.metrics.topic_shift import VERSION as SHIFT_VERSION

SUITE_VERSION = "1.1.0"
TASKS = (
    "rapport_perplexity",
    "rapport_aer",
    "rapport_continuity",
    "rapport_topic_shift",
    "rapport_crisis",
)


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
    encoder = continuity_scorer(settings.encoder).identity
    scorers: dict[str, tuple[str, Any]] = {
        "rapport_perplexity": (PERPLEXITY_VERSION, None),
        "rapport_aer": (AER_VERSION, act_classifier().version),
        "rapport_continuity": (CONTINUITY_VERSION, [encoder, pool_identity()]),
        "rapport_topic_shift": (SHIFT_VERSION, boundary_scorer(settings.encoder).identity),
        "rapport_crisis": (CRISIS_VERSION, None),
    }
    tasks = {
        task: {"version": version, "metric_sha256": digest([task, version, identity])}
        for task, (version, identity) in scorers.items()
    }
    suite = Suite(name, tuple(dialogues), skipped, settings, data_sha256, tasks, "")
    return replace(suite, suite_id=suite_identity(suite.to_json()))


def suite_identity(section: Mapping[str, Any]) -> str:
    """``suite_id`` of a result's ``suite`` section: hash of its data, protocol and tasks."""
    protocol, tasks = section["protocol"], section["tasks"]
    return digest({"data": section["data_sha256"], "protocol": protocol, "tasks": tasks})


def choose_tasks(names: tuple[str, ...]) -> tuple[str, ...]:
    """Validate task names, with or without their prefix; none means all.

    Raises:
        BadInput: An unknown name, with the nearest one.
    """
    chosen: list[str] = []
    for name in names:
        full = name if name.startswith("rapport_") else f"rapport_{name}"
        if name == "rapport":
            chosen += TASKS
        elif full in TASKS:
            chosen.append(full)
        else:
            raise BadInput(
                f"unknown task {name!r}",
                remedy=close_match(full, TASKS) + f"Use {', '.join(TASKS)}.",
            )
    return tuple(task for task in TASKS if task in chosen) if chosen else TASKS
