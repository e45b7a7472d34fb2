"""Shared content: how much two texts say with the same words, rare words counting more.

Terms are pairs of neighbouring Han characters and the first five letters of Latin words. A term's
weight is its inverse document frequency in the messages of the frozen pools (Han terms in the
Chinese one, Latin terms in the English one), so it does not depend on the texts being scored.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rapport_tasks.dialogues.pool import load_pool
from rapport_tasks.embedding.encoder import shorten

_RUN = re.compile(r"[a-z0-9\u00c0-\u024f]+|[\u3400-\u9fff\uf900-\ufaff]+")
_STEM = 5

Terms = dict[str, float]


def terms(text: str) -> Counter[str]:
    """Count the terms of a text.

    >>> sorted(terms("睡不着，sleeping"))
    ['sleep', '不着', '睡不']
    """
    found: Counter[str] = Counter()
    for match in _RUN.finditer(shorten(text).lower()):
        run = match.group()
        if run[0] < "\u3400":
            found[run[:_STEM]] += 1
        elif len(run) == 1:
            found[run] += 1
        else:
            found.update(run[i : i + 2] for i in range(len(run) - 1))
    return found


class Lexicon:
    """Texts as term vectors of length 1, weighted by rarity.

    Args:
        documents: Texts of one or more languages, one group per language; frequencies are taken
            within a group, and a term never seen counts as the rarest of the largest group.
    """

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self._weights: dict[str, float] = {}
        for group in documents:
            for term, count in _document_frequency(group).items():
                weight = math.log((len(group) + 1) / (count + 0.5))
                self._weights[term] = max(weight, self._weights.get(term, 0.0))
        largest = max((len(group) for group in documents), default=0)
        self._unseen = math.log((largest + 1) / 0.5)
        self._cache: dict[str, Terms] = {}

    def vector(self, text: str) -> Terms:
        """The text's weighted terms, of length 1; empty for a text without terms."""
        known = self._cache.get(text)
        if known is None:
            raw = {
                term: max(0.0, self._weights.get(term, self._unseen)) * (1 + math.log(count))
                for term, count in terms(text).items()
            }
            length = math.sqrt(sum(weight * weight for weight in raw.values()))
            known = {t: w / length for t, w in raw.items() if w > 0} if length else {}
            self._cache[text] = known
        return known


class LexicalIndex:
    """Similarity of a text to each of a fixed list of texts.

    >>> index = LexicalIndex(Lexicon([["ab", "cd", "ef"]]), ["ab cd", "xy"])
    >>> index.similarities("cd").round(2).tolist()
    [0.71, 0.0]
    """

    def __init__(self, lexicon: Lexicon, texts: Sequence[str]) -> None:
        self._lexicon = lexicon
        self._size = len(texts)
        postings: dict[str, list[tuple[int, float]]] = {}
        for number, text in enumerate(texts):
            for term, weight in lexicon.vector(text).items():
                postings.setdefault(term, []).append((number, weight))
        self._postings = {
            term: (np.array([n for n, _ in found]), np.array([w for _, w in found]))
            for term, found in postings.items()
        }

    def similarities(self, text: str) -> NDArray[np.float64]:
        """Cosines in [0, 1] with every text of the index."""
        result = np.zeros(self._size)
        for term, weight in self._lexicon.vector(text).items():
            posting = self._postings.get(term)
            if posting is not None:
                result[posting[0]] += weight * posting[1]
        return result


def dot(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Cosine of two term vectors of length 1."""
    if len(second) < len(first):
        first, second = second, first
    return sum(weight * second[term] for term, weight in first.items() if term in second)


def mean(vectors: Sequence[Terms]) -> Terms:
    """The direction of the sum of term vectors, of length 1; empty for none."""
    total: dict[str, float] = {}
    for vector in vectors:
        for term, weight in vector.items():
            total[term] = total.get(term, 0.0) + weight
    length = math.sqrt(sum(weight * weight for weight in total.values()))
    return {term: weight / length for term, weight in total.items()} if length else {}


@lru_cache(maxsize=1)
def pool_lexicon() -> Lexicon:
    """The lexicon of the frozen pools of both languages."""
    return Lexicon([load_pool(language).texts for language in ("zh", "en")])


def _document_frequency(texts: Iterable[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text in texts:
        found.update(terms(text).keys())
    return found
