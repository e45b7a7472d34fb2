"""Training and validation, apart by opening.

Dialogues whose openings are equal or alike stay on one side: corpora hold many continuations of one
question, and a validation loss on those would measure memory. The **opening** is the first message,
with those after it until there are 20 folded characters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rapport_training.prepare.duplicates import linked_groups
from rapport_training.prepare.fingerprint import Signatures

OPENING_CHARACTERS = 20
"""Folded characters that make an opening."""

ALIKE = 0.6
"""Estimated similarity of openings, in 3-character shingles, that links two dialogues."""


def opening(texts: Sequence[str]) -> str:
    """The beginning of a dialogue that tells it from others."""
    taken: list[str] = []
    size = 0
    for text in texts:
        taken.append(text)
        size += sum(map(str.isalnum, text))
        if size >= OPENING_CHARACTERS:
            break
    return "".join(taken)


def choose_validation(
    openings: Signatures, digests: NDArray[np.void], share: float, seed: int
) -> NDArray[np.bool_]:
    """Mark the dialogues of the validation part.

    Args:
        openings: Signatures of the openings, shape (n, bins).
        digests: Digests of the openings, shape (n,).
        share: Part of the dialogues to hold out, 0 to below 1.
        seed: Which of the possible parts.

    Returns:
        Shape (n,). Whole groups, taken in the order of a keyed hash until the share is reached; a
        group that would overshoot is passed over. If every group is too large, the smallest one is
        taken, unless it is the only one.
    """
    n = len(openings)
    chosen = np.zeros(n, bool)
    target = round(share * n)
    if share > 0 and n > 1:
        target = max(target, 1)
    if target == 0:
        return chosen
    groups = linked_groups(openings, digests, ALIKE)
    sizes = np.bincount(groups)
    # A group's name is its smallest digest: the same whatever else the corpus holds.
    order = np.lexsort((digests, groups))
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    names = [bytes(digests[order[start]]) for start in starts]
    rank = sorted(
        range(len(sizes)),
        key=lambda g: hashlib.sha256(str(seed).encode() + b":" + names[g]).digest(),
    )
    taken, room = [], target
    for group in rank:
        if sizes[group] <= room:
            taken.append(group)
            room -= sizes[group]
            if room == 0:
                break
    if not taken and len(sizes) > 1:
        taken = [min(rank, key=lambda group: sizes[group])]
    chosen[np.isin(groups, taken)] = True
    return chosen
