"""What stands before a message, as far as topic shifts read it; grows by a message at constant cost.

Two means are over everything earlier: that of the vectors, which is kept as a running sum and equal
to the last bit, and that of a message's similarities, which beyond `EXACT` messages is taken from a
running sum too and may differ in the last bits. Everything else looks at the last eight messages.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from rapport_tasks.embedding.coherence import ComparableCosines, Floats
from rapport_tasks.embedding.encoder import Vectors
from rapport_tasks.embedding.lexical import Terms, dot, mean

EXACT = 512
"""Messages up to which every similarity is computed."""

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Similar:
    """How similar a message is to those before it.

    Attributes:
        last: To the last message, ...
        last_but_one: ... and to the one before; the last again where there is none.
        windows: To the mean of the last 2, 4 and 8.
        nearest_4: Largest with one of the last 4, ...
        nearest_8: ... and of the last 8.
        background: Mean with everything but the last; the last where there is nothing else.
        cohesion: Mean of neighbours among the last 5 messages; `None` before the second.
    """

    last: float
    last_but_one: float
    windows: tuple[float, ...]
    nearest_4: float
    nearest_8: float
    background: float
    cohesion: float | None


class Preceding(ABC, Generic[_Item]):
    """Messages so far, by one representation."""

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self._neighbours: deque[float] = deque(maxlen=4)

    def add(self, item: _Item) -> None:
        """One message more."""
        if self.items:
            self._neighbours.append(self._cosines(item, self.items[-1:])[0])
            self._sum_up(self.items[-1])
        self.items.append(item)

    def similar(self, item: _Item) -> Similar:
        """How similar the next message is to those so far, of which there is at least one."""
        exact = len(self.items) <= EXACT
        before = self._cosines(item, self.items if exact else self.items[-8:])
        background = before[-1]
        if len(self.items) > 1:
            background = before[:-1].mean() if exact else self._background(item)
        return Similar(
            last=float(before[-1]),
            last_but_one=float(before[-2] if len(before) > 1 else before[-1]),
            windows=tuple(map(float, self._windows(item))),
            nearest_4=float(before[-4:].max()),
            nearest_8=float(before[-8:].max()),
            background=float(background),
            cohesion=float(np.mean(self._neighbours)) if self._neighbours else None,
        )

    @abstractmethod
    def _cosines(self, item: _Item, others: Sequence[_Item]) -> NDArray[np.floating]: ...

    @abstractmethod
    def _windows(self, item: _Item) -> Sequence[float]: ...

    @abstractmethod
    def _sum_up(self, item: _Item) -> None:
        """Count a message among those that are no longer the last."""

    @abstractmethod
    def _background(self, item: _Item) -> float: ...


class PrecedingVectors(Preceding[Vectors]):
    """Messages so far, by their vectors.

    Args:
        comparable: Brings cosines to the scale of the embedded encoder.
    """

    def __init__(self, comparable: ComparableCosines) -> None:
        super().__init__()
        self._comparable = comparable
        self._sum: Floats | None = None

    def context_aspects(self) -> Vectors:
        """What `rapport_tasks.embedding.coherence.context_aspects` gives for the same messages."""
        nothing = np.zeros_like(self.items[0])
        earlier = len(self.items) - 1
        return np.stack(
            [
                self.items[-1],
                self.items[-2] if earlier else nothing,
                nothing if self._sum is None else self._sum / np.float32(earlier),
                self.items[0],
            ]
        )

    def _cosines(self, item: Vectors, others: Sequence[Vectors]) -> NDArray[np.floating]:
        # Not a matrix product: its last bits depend on how many texts there are.
        return self._comparable(np.einsum("id,jd->ij", item[None], np.array(others))[0])

    def _windows(self, item: Vectors) -> Sequence[float]:
        found = np.zeros(3, dtype=np.float32)
        for place, size in enumerate((2, 4, 8)):
            centre = np.array(self.items[-size:]).mean(axis=0)
            length = float(np.linalg.norm(centre))
            if length:
                found[place] = float(item @ centre) / length
        return [float(value) for value in self._comparable(found)]

    def _sum_up(self, item: Vectors) -> None:
        self._sum = item if self._sum is None else self._sum + item

    def _background(self, item: Vectors) -> float:
        assert self._sum is not None
        cosine = float(item.astype(np.float64) @ self._sum) / (len(self.items) - 1)
        return float(self._comparable(np.array([cosine], dtype=np.float32))[0])


class PrecedingWords(Preceding[Terms]):
    """Messages so far, by their weighted terms."""

    def __init__(self) -> None:
        super().__init__()
        self._sum: Terms = {}

    def _cosines(self, item: Terms, others: Sequence[Terms]) -> NDArray[np.floating]:
        return np.array([dot(item, other) for other in others])

    def _windows(self, item: Terms) -> Sequence[float]:
        return [dot(item, mean(self.items[-size:])) for size in (2, 4, 8)]

    def _sum_up(self, item: Terms) -> None:
        for term, weight in item.items():
            self._sum[term] = self._sum.get(term, 0.0) + weight

    def _background(self, item: Terms) -> float:
        return dot(item, self._sum) / (len(self.items) - 1)
