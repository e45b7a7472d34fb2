"""Labels of topic shifts in dialogues whose text lies elsewhere.

A tab-separated file with the columns

============  =============================================================================
``source``    the file that the dialogue comes from
``split``     ``fit`` or ``held``: learned from, or for measuring alone
``dialogue``  its id
``first``     one pass over it: ``number:grade`` of every message that opens a topic, separated
              by commas, or ``-`` for none; grade 1 for a mild shift, 2 for a clear one
``second``    another pass, or ``?`` where there was one alone
============  =============================================================================

Messages are counted from 0, and message 0 opens no topic.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Grades = Mapping[int, int]
"""Message -> grade, of those that open a topic."""


@dataclass(frozen=True, slots=True)
class ShiftLabels:
    """The labels of one dialogue.

    Attributes:
        source, split, dialogue: As in the file.
        passes: One or two.
    """

    source: str
    split: str
    dialogue: str
    passes: tuple[Grades, ...]

    def shares(self, messages: int) -> list[float]:
        """For every message after the first, the share of passes that see a shift of any grade.

        >>> ShiftLabels("a", "fit", "d", ({1: 2}, {1: 1, 3: 1})).shares(4)
        [1.0, 0.0, 0.5]

        Raises:
            ValueError: A label names a message that is not there.
        """
        if any(not 0 < number < messages for grades in self.passes for number in grades):
            raise ValueError(f"{self.dialogue}: a label for no message of {messages}")
        return [
            sum(number in grades for grades in self.passes) / len(self.passes)
            for number in range(1, messages)
        ]


def read_shift_labels(path: Path, *, split: str | None = None) -> list[ShiftLabels]:
    """The labels of a file, in its order; of one split if `split` is given.

    Raises:
        ValueError: A label is not ``number:grade``.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return [
            ShiftLabels(
                row["source"],
                row["split"],
                row["dialogue"],
                tuple(_grades(row[name]) for name in ("first", "second") if row[name] != "?"),
            )
            for row in csv.DictReader(file, delimiter="\t")
            if split in (None, row["split"])
        ]


def _grades(text: str) -> Grades:
    if text == "-":
        return {}
    pairs = (label.split(":") for label in text.split(","))
    return {int(number): int(grade) for number, grade in pairs}
