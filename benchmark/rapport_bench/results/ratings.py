"""Ratings as arrays: who gave which arm what on which item and scale."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rapport_bench.statistics.clusters import Floats

Ints = NDArray[np.int64]
COLUMNS = ("rater", "item", "arm", "scale", "value", "again")
"""Of `Ratings`, one entry a rating."""


@dataclass(frozen=True)
class Ratings:
    """Unblinded ratings of one study, in the order of the names, without attention checks.

    The arrays have one entry a rating; the first four are places in the tuple of that name.

    Attributes:
        raters: Codes ``r01``, ``r02``, ...
        items: Item ids of the study.
        arms: Result ids, in the key's order.
        scales: Names.
        points: Of each scale, its highest value; the lowest is 1.
        again: 1 if it was given on the item's second showing, otherwise 0. Those tell self-consistency and
            count for nothing else.
    """

    raters: tuple[str, ...]
    items: tuple[str, ...]
    arms: tuple[str, ...]
    scales: tuple[str, ...]
    points: tuple[int, ...]
    rater: Ints
    item: Ints
    arm: Ints
    scale: Ints
    value: Ints
    again: Ints

    def __len__(self) -> int:
        return len(self.value)

    def without(self, raters: Collection[str]) -> Ratings:
        """The same study as if these raters had never rated."""
        kept = [name for name in self.raters if name not in raters]
        place = np.array([kept.index(n) if n in kept else -1 for n in self.raters], dtype=np.int64)
        there = place[self.rater] >= 0
        columns = {name: getattr(self, name)[there] for name in COLUMNS}
        columns["rater"] = place[columns["rater"]]
        return replace(self, raters=tuple(kept), **columns)

    def cells(self, scale: int, *, again: bool = False) -> Floats:
        """(arms, items, raters) values on one scale, NaN where there is none.

        Args:
            scale: Its place.
            again: Those of the second showing instead of the first.
        """
        found = np.full((len(self.arms), len(self.items), len(self.raters)), np.nan)
        kept = (self.scale == scale) & (self.again == again)
        found[self.arm[kept], self.item[kept], self.rater[kept]] = self.value[kept]
        return found
