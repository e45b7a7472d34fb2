"""What a task returns for one dialogue: sums and counts, never a finished score and never text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Reason = Literal[
    "copied",
    "too_short",
    "empty",
    "no_acts",
    "one_turn",
    "overlong",
    "different_tokenizer",
    "crisis",
    "no_likelihood",
    "no_token_counts",
]
REASONS: tuple[str, ...] = get_args(Reason)
"""Why a value can be missing; a closed list."""


@dataclass(frozen=True, slots=True, order=True)
class Unscored:
    """One value that could not be computed. `turn` is `None` when the whole dialogue lacks it."""

    metric: str
    turn: int | None
    reason: Reason


@dataclass(slots=True)
class Record:
    """One dialogue's sufficient statistics in one task.

    Attributes:
        columns: Sums over the dialogue's assistant turns and seeds.
        unscored: What is missing from those sums, and why.
        phrases: Empathy sentences as signatures (`rapport_tasks.metrics.advice_to_empathy`), from which
            the arm as a whole shows which of them are stock phrases. Not saved in results.
    """

    columns: dict[str, float] = field(default_factory=dict)
    unscored: list[Unscored] = field(default_factory=list)
    phrases: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, column: str, amount: float) -> None:
        """Add to a column, starting it at zero."""
        self.columns[column] = self.columns.get(column, 0) + amount

    def miss(self, metric: str, turn: int | None, reason: Reason) -> None:
        """Note a value that could not be computed."""
        self.unscored.append(Unscored(metric, turn, reason))


def ratio_of_sums(
    items: Iterable[Mapping[str, Any]],
    numerator: tuple[str, ...],
    denominator: tuple[str, ...],
    scale: float = 1.0,
) -> float | None:
    """A corpus figure as lm-eval's aggregation: ratio of sums over dialogues, `None` if 0/0."""
    above = below = 0.0
    for columns in items:
        above += sum(columns[name] for name in numerator)
        below += sum(columns[name] for name in denominator)
    return scale * above / below if below else None
