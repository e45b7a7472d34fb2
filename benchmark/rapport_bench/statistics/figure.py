"""One number with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rapport_bench.statistics.clusters import Interval


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its 95 % interval.

    Attributes:
        value: `None` where it is undefined.
        ci: `None` where there is no spread to see, or too little data.
        clusters: Dialogues (or lines) it rests on.
        reason: Why a field is `None`.
        p: Two-sided p-value of no difference, for differences alone.
    """

    value: float | None
    ci: Interval | None = None
    clusters: int = 0
    reason: str | None = None
    p: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Rounded to six decimals, so that the last bits of a machine do not show."""
        found: dict[str, Any] = {
            "value": None if self.value is None else round(self.value, 6),
            "ci": None if self.ci is None else [round(end, 6) for end in self.ci],
            "clusters": self.clusters,
        }
        if self.reason is not None:
            found["reason"] = self.reason
        if self.p is not None:
            found["p"] = round(self.p, 6)
        return found
