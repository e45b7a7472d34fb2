"""Dialogues that would leak the evaluation into the training.

A dialogue is contaminated if at least 30 % of its distinct 13-character grams (of folded text, see
`rapport_training.prepare.fingerprint`) occur in one and the same evaluation dialogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_training.prepare.fingerprint import GRAM, Hashes, fold, gram_hashes

SHARE = 0.30
"""Smallest share of a dialogue's grams in one evaluation dialogue that is contamination."""

_BITS = 22


@dataclass(frozen=True, slots=True)
class EvaluationIndex:
    """Which evaluation dialogues hold which grams.

    Attributes:
        hashes: Sorted; a gram of several dialogues stands there several times.
        owners: The dialogue of each, as a number.
        filter: True at the upper bits of every hash: tells most absent grams at once.
    """

    hashes: Hashes
    owners: NDArray[np.int32]
    filter: NDArray[np.bool_]

    def contaminated(self, grams: Hashes, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which texts are contaminated.

        Args:
            grams: Hashes of the texts' grams, as `gram_hashes` gives them.
            counts: How many each text has.
        """
        result = np.zeros(len(counts), bool)
        if not len(self.hashes):
            return result
        suspects = np.flatnonzero(self.filter[(grams >> np.uint64(64 - _BITS)).astype(np.int64)])
        place = np.searchsorted(self.hashes, grams[suspects])
        place[place == len(self.hashes)] = 0
        present = suspects[self.hashes[place] == grams[suspects]]
        ends = np.cumsum(counts)
        for text in np.unique(np.searchsorted(ends, present, side="right")):
            own = np.unique(grams[ends[text] - counts[text] : ends[text]])
            first = np.searchsorted(self.hashes, own, side="left")
            found = np.searchsorted(self.hashes, own, side="right") - first
            places = np.concatenate(
                [
                    np.arange(a, a + n)
                    for a, n in zip(first[found > 0], found[found > 0], strict=True)
                ]
            )
            most = np.bincount(self.owners[places]).max()
            result[text] = most >= SHARE * len(own)
        return result


def index_evaluation(dialogues: Sequence[Dialogue]) -> EvaluationIndex:
    """Index the grams of evaluation dialogues."""
    texts = ["".join(m.content for m in d.messages if m.role != "system") for d in dialogues]
    codes, ends = fold(texts)
    grams, counts = gram_hashes(codes, ends, GRAM)
    # Each gram once a dialogue.
    pairs = np.unique(
        np.rec.fromarrays([grams, np.repeat(np.arange(len(texts), dtype=np.int32), counts)])
    )
    present = np.zeros(1 << _BITS, bool)
    present[(grams >> np.uint64(64 - _BITS)).astype(np.int64)] = True
    return EvaluationIndex(
        np.ascontiguousarray(pairs["f0"]), np.ascontiguousarray(pairs["f1"]), present
    )
