"""Thresholds of the command line: ``--min auc=.88``, ``--max pk=.4``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rapport_bench.validity.figures import Figures
from rapport_tasks.common.errors import BadInput, close_match


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a figure must reach (``min``) or stay under (``max``), itself included."""

    figure: str
    kind: Literal["min", "max"]
    limit: float

    def met(self, figures: Figures) -> bool:
        """Whether the figure, not its interval, keeps to the limit; an undefined one does not."""
        value = figures[self.figure].value
        if value is None:
            return False
        return value >= self.limit if self.kind == "min" else value <= self.limit

    def to_json(self, figures: Figures) -> dict[str, Any]:
        """The threshold and whether it is met."""
        value = figures[self.figure].value
        return {
            "figure": self.figure,
            self.kind: self.limit,
            "value": None if value is None else round(value, 6),
            "met": self.met(figures),
        }


def parse_thresholds(
    minima: Sequence[str], maxima: Sequence[str], known: Sequence[str]
) -> list[Threshold]:
    """Read ``NAME=VALUE`` options.

    Raises:
        BadInput: No such figure, or not a number.
    """
    found: list[Threshold] = []
    kinds: tuple[tuple[Literal["min", "max"], Sequence[str]], ...] = (
        ("min", minima),
        ("max", maxima),
    )
    for kind, given in kinds:
        for text in given:
            name, separator, value = text.partition("=")
            name = name.strip()
            if not separator:
                raise BadInput(f"--{kind} {text}: no value", remedy=f"Like --{kind} {known[0]}=.8")
            if name not in known:
                raise BadInput(
                    f"--{kind} {text}: no figure {name!r}",
                    remedy=close_match(name, known) + f"There are {', '.join(known)}.",
                )
            try:
                limit = float(value)
            except ValueError:
                limit = math.nan
            if not math.isfinite(limit):
                raise BadInput(f"--{kind} {text}: not a number", remedy=f"Like {name}=.8")
            found.append(Threshold(name, kind, limit))
    return found
