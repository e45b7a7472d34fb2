"""Copies and near-copies: which dialogues repeat an earlier one.

Everything is decided in input order: what stays is the first of its kind. A dialogue is a
near-duplicate if its set of shingles has a Jaccard similarity of at least the threshold with a dialogue
before it that stays. Candidates come from locality-sensitive hashing of MinHash signatures, tuned to
find a pair at the threshold with a probability of at least .98; where the estimate leaves doubt, the
exact similarity decides.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rapport_training.prepare.fingerprint import Signatures

_RECALL = 0.98
_DOUBT = 0.12  # almost three standard errors of an estimate
_KEPT_PER_BUCKET = 32
_VERIFIED = 3


def exact_copies(digests: NDArray[np.void]) -> NDArray[np.bool_]:
    """Mark every digest that equals one before it."""
    copies = np.ones(len(digests), bool)
    copies[np.unique(digests, return_index=True)[1]] = False
    return copies


def bands(threshold: float, bins: int) -> tuple[int, int]:
    """Number of bands and values a band: the most selective that find a pair at the threshold.

    Args:
        threshold: Similarity, above 0 and at most 1.
        bins: Values of a signature.
    """
    for rows in range(bins, 1, -1):
        count = bins // rows
        if 1 - (1 - threshold**rows) ** count >= _RECALL:
            return count, rows
    return bins, 1


def near_copies(
    table: Signatures,
    candidates: NDArray[np.int64],
    threshold: float,
    *,
    exact: Callable[[int, int], float],
) -> NDArray[np.int64]:
    """Rows that are near-copies of an earlier row.

    Args:
        table: Signatures, shape (dialogues, bins).
        candidates: Rows to look at, ascending.
        threshold: Smallest Jaccard similarity of a near-copy.
        exact: Gives the similarity of two rows, earlier first.

    Returns:
        The near-copies, ascending. In a bucket of very many kept look-alikes only the first 32 are
        compared, so that a corpus made from a template cannot take quadratic time.
    """
    buckets = _buckets(table, candidates, threshold)
    kept: dict[int, list[int]] = {}
    removed = []
    for place in np.flatnonzero((buckets >= 0).any(axis=1)):
        row = int(candidates[place])
        own = buckets[place][buckets[place] >= 0].tolist()
        rivals = sorted({rival for bucket in own for rival in kept.get(bucket, ())})
        if rivals and _is_copy(table, row, rivals, threshold, exact):
            removed.append(row)
            continue
        for bucket in own:
            fellows = kept.setdefault(bucket, [])
            if len(fellows) < _KEPT_PER_BUCKET:
                fellows.append(row)
    return np.array(removed, np.int64)


def _is_copy(
    table: Signatures,
    row: int,
    rivals: list[int],
    threshold: float,
    exact: Callable[[int, int], float],
) -> bool:
    estimates = (table[rivals] == table[row]).mean(axis=1)
    if estimates.max() >= threshold + _DOUBT:
        return True
    likely = np.argsort(-estimates, kind="stable")[:_VERIFIED]
    return any(
        exact(rivals[i], row) >= threshold for i in likely if estimates[i] >= threshold - _DOUBT
    )


def _buckets(
    table: Signatures, candidates: NDArray[np.int64], threshold: float
) -> NDArray[np.int32]:
    """For each candidate and band the number of a bucket shared with others, or -1."""
    count, rows = bands(threshold, table.shape[1])
    result = np.full((len(candidates), count), -1, np.int32)
    number = 0
    for band in range(count):
        keys = _keys(table[candidates, band * rows : (band + 1) * rows])
        _, inverse, sizes = np.unique(keys, return_inverse=True, return_counts=True)
        shared = sizes[inverse] > 1
        names = np.cumsum(sizes > 1) - 1 + number
        result[shared, band] = names[inverse[shared]]
        number += int((sizes > 1).sum())
    return result


def _keys(values: Signatures) -> NDArray[np.uint64]:
    """One 64-bit hash of a band's values for each row."""
    keys = np.zeros(len(values), np.uint64)
    for column in values.T.astype(np.uint64):
        keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys


def linked_groups(
    table: Signatures, exact_keys: NDArray[np.void], threshold: float
) -> NDArray[np.int64]:
    """Group rows that are equal, or alike through a chain of look-alikes.

    Args:
        table: Signatures of short texts, shape (n, bins).
        exact_keys: A digest of each text.
        threshold: Smallest estimated similarity that links two rows.

    Returns:
        A group number for each row, shape (n,).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(table)
    _, first, inverse = np.unique(exact_keys, return_index=True, return_inverse=True)
    links = [(np.arange(n), first[inverse])]
    count, rows = bands(threshold, table.shape[1])
    for band in range(count):
        keys = _keys(table[:, band * rows : (band + 1) * rows])
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        other = first[inverse]
        alike = np.flatnonzero((table == table[other]).mean(axis=1) >= threshold)
        links.append((alike, other[alike]))
    ends = [np.concatenate(side) for side in zip(*links, strict=True)]
    graph = coo_array((np.ones(len(ends[0]), np.int8), (ends[0], ends[1])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)
