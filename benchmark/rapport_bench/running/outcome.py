"""What a run left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rapport_bench.common.shown import Shown
from rapport_bench.results.metrics import CONFIRMATORY
from rapport_bench.results.result import Result
from rapport_bench.running.suite import Suite


@dataclass(frozen=True, repr=False)
class Run(Shown):
    """What a run left behind; ``run["name"]`` is the result of an arm.

    Attributes:
        suite: What was asked.
        results: One an arm, in the order asked for, the base first.
        new: Which of them were written now; the others lay there already.
    """

    suite: Suite
    results: list[Result]
    new: list[bool]

    def __getitem__(self, name: str) -> Result:
        """The result of an arm, by its name.

        Raises:
            KeyError: The run has no such arm.
        """
        by_name = {result.name: result for result in self.results}
        if name not in by_name:
            raise KeyError(f"{name!r} is none of {', '.join(by_name)}")
        return by_name[name]

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def title(self) -> str:
        """Suite and size."""
        return (
            f"{self.suite.name} {self.suite.suite_id[:8]} · {len(self.suite.dialogues)} dialogues"
        )

    def to_dict(self) -> dict[str, Any]:
        """The suite, and every result as its file holds it."""
        return {
            "suite": self.suite.to_json(),
            "results": [result.to_dict() for result in self.results],
        }

    def to_rows(self) -> list[dict[str, Any]]:
        """One row an arm: its name, kind, and the value of every confirmatory metric."""
        return [
            {"arm": result.name, "kind": result.kind}
            | {name: result.metric(name).value for name in CONFIRMATORY}
            for result in self.results
        ]
