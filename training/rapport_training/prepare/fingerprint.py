"""What a text looks like to a search for copies: folded characters, hashed n-grams, MinHash.

Texts are compared in **folded** form: letters and digits only, in one width and lower case, so that
punctuation and spacing hide no copy. Everything works on the code points of many dialogues at once.

A MinHash signature has `BINS` values. Each shingle (5 folded characters in a row) falls into one bin
by its hash, the smallest of a bin is its value (one-permutation hashing: P. Li, Owen and Zhang,
NIPS 2012), and an empty bin takes the value of another, chosen by a fixed sequence (optimal
densification: Shrivastava, ICML 2017). The share of equal values estimates the Jaccard similarity of
two sets of shingles with a standard error of at most sqrt(.25 / BINS), about .044.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BINS = 128
"""Values of a signature."""

SHINGLE = 5
"""Folded characters of a shingle."""

OPENING_SHINGLE = 3
"""Folded characters of a shingle of an opening, which is short."""

OPENING_BINS = 32
"""Values of an opening's signature."""

GRAM = 13
"""Folded characters of the grams that tell contamination."""

Codes = NDArray[np.uint32]
Hashes = NDArray[np.uint64]
Signatures = NDArray[np.uint16]

_EMPTY = np.uint32(0xFFFFFFFF)
_BASE = 0x9E3779B97F4A7C15 | 1


@lru_cache(maxsize=1)
def _folding() -> Codes:
    """For each code point of the basic plane what stands for it in folded text; 0 for nothing."""
    table = np.zeros(0x10000, np.uint32)
    for code in range(0x10000):
        folded = unicodedata.normalize("NFKC", chr(code)).lower()
        if len(folded) != 1:
            folded = chr(code)
        if unicodedata.category(folded)[0] in "LN":
            table[code] = ord(folded)
    return table


def fold(texts: Sequence[str]) -> tuple[Codes, NDArray[np.int64]]:
    """Folded code points of all texts in a row, and each text's end among them.

    Args:
        texts: Any number of texts.

    Returns:
        Code points, shape (n,); ends, shape (len(texts),), so that text i is
        ``codes[ends[i - 1]:ends[i]]``.
    """
    joined = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    # Beyond the basic plane: Chinese characters stay, emoji and the like go.
    beyond = joined >= 0x10000
    folded = _folding()[np.where(beyond, 0, joined)]
    if beyond.any():
        rare = beyond & (joined >= 0x20000) & (joined < 0x40000)
        folded[rare] = joined[rare]
    kept = folded != 0
    lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
    counts = np.concatenate(([0], np.cumsum(kept)))
    return folded[kept], counts[np.cumsum(lengths)]


def gram_hashes(
    codes: Codes, ends: NDArray[np.int64], size: int
) -> tuple[Hashes, NDArray[np.int64]]:
    """Hash every run of `size` characters that lies within one text.

    Args:
        codes: Folded code points.
        ends: Ends of the texts, as `fold` gives them.
        size: Characters of a gram, 1 to 16.

    Returns:
        Well-mixed 64-bit hashes of the grams in text order, and how many each text has.
    """
    lengths = np.diff(ends, prepend=0)
    counts = np.maximum(lengths - size + 1, 0)
    if len(codes) < size:
        return np.empty(0, np.uint64), counts
    hashes = np.zeros(len(codes) - size + 1, np.uint64)
    for place in range(size):
        hashes = hashes * np.uint64(_BASE) + codes[place : place + len(hashes)]
    # A gram is kept if its last character still belongs to the text of its first.
    owner_end = np.repeat(ends, lengths)[: len(hashes)]
    within = np.arange(size, len(hashes) + size) <= owner_end
    return _mix(hashes[within]), counts


def _mix(hashes: Hashes) -> Hashes:
    """The finaliser of splitmix64: every bit of the sum reaches every bit of the hash."""
    hashes = hashes ^ (hashes >> np.uint64(30))
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(27)
    hashes *= np.uint64(0x94D049BB133111EB)
    hashes ^= hashes >> np.uint64(31)
    return hashes


def signatures(hashes: Hashes, counts: NDArray[np.int64], bins: int = BINS) -> Signatures:
    """MinHash signatures of texts from the hashes of their shingles.

    Args:
        hashes: As `gram_hashes` gives them.
        counts: How many each text has.
        bins: A power of two.

    Returns:
        Shape (texts, bins). A text without a shingle has zeros throughout.
    """
    texts = len(counts)
    smallest = np.full(texts * bins, _EMPTY, np.uint32)
    place = np.repeat(np.arange(texts) * bins, counts)
    place += (hashes >> np.uint64(64 - (bins - 1).bit_length())).astype(np.int64)
    # Never the mark of an empty bin.
    values = (hashes & np.uint64(0x7FFFFFFF)).astype(np.uint32)
    np.minimum.at(smallest, place, values)
    table = smallest.reshape(texts, bins)
    filled = _densify(table)
    filled[counts == 0] = 0
    # A minimum is small: its low bits tell as much as the whole, and take half the room.
    return (filled & np.uint32(0xFFFF)).astype(np.uint16)


def _densify(table: NDArray[np.uint32]) -> NDArray[np.uint32]:
    bins = table.shape[1]
    filled, empty = table.copy(), table == _EMPTY
    empty[empty.all(axis=1)] = False  # nothing there to give
    rng = np.random.default_rng(0)  # a fixed sequence of donors for each bin
    for _ in range(64 * bins):
        if not empty.any():
            break
        gift = table[:, rng.integers(bins, size=bins)]
        usable = empty & (gift != _EMPTY)
        filled[usable] = gift[usable]
        empty &= ~usable
    filled[empty] = 0
    return filled


def similarity(a: str, b: str, size: int = SHINGLE) -> float:
    """Exact Jaccard similarity of two texts' sets of shingles, 0 to 1; 0 if one has none."""
    one, other = (set(gram_hashes(*fold([text]), size)[0].tolist()) for text in (a, b))
    shared = len(one & other)
    together = len(one) + len(other) - shared
    return shared / together if together else 0.0
