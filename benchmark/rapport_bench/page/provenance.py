"""Where every number of the page comes from, and how to make it again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
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
    suite = found.board.suite.to_json()
    tasks = sorted(suite.pop("tasks").items())
    commands = Counter(one_line(a.volatile.command) for a in found.arms if a.volatile.command)
    return Provenance(
        suite=tuple(_rows(suite)),
        tasks=tuple((name, task["version"], task["metric_sha256"]) for name, task in tasks),
        arms=tuple((found.label(arm), tuple(_rows(_arm(arm)))) for arm in found.arms),
        commands=tuple(commands.items()),
        apart=tuple(
            (one_line(result.name), result.result_id[:8], one_line(why))
            for result, why in found.board.apart
        ),
    )


def _arm(result: Result) -> dict[str, Any]:
    saved = {"result_id": result.result_id, "numerics": result.numerics}
    return result.arm.to_json() | saved | result.volatile.to_json()


def _rows(value: Any, what: str = "") -> Iterator[tuple[str, str]]:
    """Everything that a section holds, a line each; what is null is left out."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _rows(item, f"{what} {key.replace('_', ' ')}".lstrip())
    elif value is not None:
        yield what, one_line(value if isinstance(value, str) else json.dumps(value))
