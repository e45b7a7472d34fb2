"""Where every number of the page comes from, and how to make it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapport_bench.common.escape import one_line
from rapport_bench.page.subject import Subject
from rapport_bench.results.result import Result

Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the last section shows.

    Attributes:
        suite: (what, value).
        tasks: (task, version, hash).
        arms: (label, (what, value) ...).
        commands: Distinct commands that scored the arms, with how many each scored.
        apart: (name, result id, why) of results of other suites.
    """

    suite: Rows
    tasks: tuple[tuple[str, str, str], ...]
    arms: tuple[tuple[str, Rows], ...]
    commands: tuple[tuple[str, int], ...]
    apart: tuple[tuple[str, str, str], ...]


def provenance(found: Subject) -> Provenance:
    """Gather what results say of themselves."""
    suite = found.board.suite
    generation = ", ".join(
        f"{key.replace('_', ' ')} {_shown(value)}"
        for key, value in sorted(suite.protocol.generation.to_json().items())
    )
    tasks = sorted(suite.tasks.items())
    commands: dict[str, int] = {}
    for arm in found.arms:
        command = arm.volatile.command
        if command:
            commands[one_line(command)] = commands.get(one_line(command), 0) + 1
    return Provenance(
        suite=(
            ("name", one_line(suite.name)),
            ("version", suite.version),
            ("suite_id", suite.suite_id),
            ("data sha256", suite.data_sha256),
            ("dialogues", str(suite.dialogues)),
            ("history", suite.protocol.history),
            ("generation", generation),
            ("too long for a model", suite.protocol.overlong),
        ),
        tasks=tuple((name, task.version, task.metric_sha256) for name, task in tasks),
        arms=tuple((found.label(arm), _arm(arm)) for arm in found.arms),
        commands=tuple(commands.items()),
        apart=tuple(
            (one_line(result.name), result.result_id[:8], one_line(why))
            for result, why in found.board.apart
        ),
    )


def _arm(result: Result) -> Rows:
    arm, volatile = result.arm, result.volatile
    rows: list[tuple[str, Any]] = [
        ("name", arm.name),
        ("kind", arm.kind),
        ("result_id", result.result_id),
        ("arm_id", arm.arm_id),
    ]
    for part, section in (("base", arm.base), ("adapter", arm.adapter)):
        for key, value in sorted(section.to_json().items()) if section else ():
            shown = _shown(value) if isinstance(value, dict) else value
            rows.append((f"{part} {key.replace('_', ' ')}", shown))
    rows += [
        ("tokenizer sha256", arm.tokenizer_sha256),
        ("chat template sha256", arm.chat_template_sha256),
        ("prompts sha256", arm.prompts_sha256),
        ("numerics", _shown(result.numerics) if result.numerics else None),
        ("scored", volatile.created),
        ("seconds since the run began", volatile.seconds),
        ("rapport-bench", volatile.rapport),
        ("git", _shown(volatile.git.to_json()) if volatile.git else None),
        ("command", volatile.command),
    ]
    return tuple((what, one_line(str(value))) for what, value in rows if value is not None)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in sorted(value.items()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_shown, value))
    return value if isinstance(value, str) else json.dumps(value)
