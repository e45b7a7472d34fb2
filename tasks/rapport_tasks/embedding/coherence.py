"""A learned model of which message can follow which history, on top of the embedded encoder.

Five linear parts, each the scalar product of a projection of the message with a projection of one
aspect of the history: the last message, the one before it, the mean of all earlier ones, the first
one, and the place in the dialogue with the role of the speaker. Their sum is high for the message
that was said and low for others; `tasks/fit_coherence.py` learned it from dialogues, with the other
messages of the same dialogue and spliced histories as the hardest negatives.

The projections read vectors of the embedded encoder alone. With another encoder there is no such
model, and the metrics make do with similarities.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapport_tasks.dialogues.builtin import DATA
from rapport_tasks.dialogues.dialogue import Role
from rapport_tasks.dialogues.pool import load_pool
from rapport_tasks.embedding.encoder import EMBEDDED, Encoder, Vectors

WEIGHTS = DATA / "coherence.npz"
PARTS = ("last", "before_last", "earlier", "first", "place")
PLACES = 10

Floats = NDArray[np.float32]


class CoherenceModel:
    """The five parts.

    Args:
        weights: ``message`` (d, dimensions), ``context`` (4, d, dimensions), ``place``
            (2 x `PLACES`, d).
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        self._message = np.asarray(weights["message"], dtype=np.float32)
        self._context = np.asarray(weights["context"], dtype=np.float32)
        self._place = np.asarray(weights["place"], dtype=np.float32)

    def messages(self, vectors: Vectors) -> Floats:
        """Project messages, (n, dimensions) -> (n, d)."""
        return product(vectors, self._message.T)

    def contexts(self, histories: Sequence[Vectors], roles: Sequence[Role]) -> Floats:
        """Project histories, each (messages, dimensions), for speakers of `roles` -> (n, 5, d)."""
        aspects = np.stack([context_aspects(history) for history in histories])
        return self.project(aspects, [len(history) for history in histories], roles)

    def project(self, aspects: Floats, lengths: Sequence[int], roles: Sequence[Role]) -> Floats:
        """The same of histories of which `context_aspects`, (n, 4, dimensions), are known."""
        projected = np.stack(
            [product(aspects[:, k], part.T) for k, part in enumerate(self._context)], axis=1
        )
        places = [place(length, role) for length, role in zip(lengths, roles, strict=True)]
        return np.concatenate([projected, self._place[places][:, None]], axis=1)


def product(left: Floats, right: Floats) -> Floats:
    """Matrix product, the same whatever the number of threads.

    Threads split a sum in other places, and the last bits of 32-bit sums tell; rounded from
    64 bits they do not.
    """
    return (left.astype(np.float64) @ right.astype(np.float64)).astype(np.float32)


def context_aspects(history: Vectors) -> Vectors:
    """The last message, the one before, the mean of all but the last, the first; zero if absent."""
    nothing = np.zeros(history.shape[1], dtype=np.float32)
    if not len(history):
        return np.stack([nothing] * 4)
    earlier = history[:-1]
    return np.stack(
        [
            history[-1],
            earlier[-1] if len(earlier) else nothing,
            earlier.mean(axis=0) if len(earlier) else nothing,
            history[0],
        ]
    )


def place(history_length: int, role: Role) -> int:
    """Row of the place table: exchanges so far (at most `PLACES` - 1), and who speaks next."""
    return min(history_length // 2, PLACES - 1) + (PLACES if role == "user" else 0)


class ComparableCosines:
    """Brings another encoder's cosines to the scale of the embedded one's.

    Encoders differ in the cosine of unrelated messages (.1 here, .8 there): mean and spread over
    pairs of messages of the Chinese pool are matched, so that fitted weights keep their meaning.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._scale: tuple[float, float, float, float] | None = None

    def __call__(self, cosines: Floats) -> Floats:
        """The cosines as they are for the embedded encoder, else shifted and stretched."""
        if self._encoder.name == EMBEDDED:
            return cosines
        if self._scale is None:
            target_mean, target_spread = load_weights()["cosine_scale"]
            mean, spread = cosine_scale(self._encoder)
            self._scale = mean, max(spread, 1e-6), float(target_mean), float(target_spread)
        mean, spread, target_mean, target_spread = self._scale
        scaled = (cosines - mean) / spread * target_spread + target_mean
        return np.asarray(scaled, dtype=np.float32)


def cosine_scale(encoder: Encoder) -> tuple[float, float]:
    """Mean and standard deviation of the cosines of different messages of the Chinese pool."""
    vectors = encoder.encode(load_pool("zh").texts[:100])
    cosines = (vectors @ vectors.T)[~np.eye(len(vectors), dtype=np.bool_)]
    return float(cosines.mean()), float(cosines.std())


@lru_cache(maxsize=1)
def load_weights() -> dict[str, NDArray[Any]]:
    """The learned arrays of continuity and topic shift, by name."""
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def identity_of(weights: Mapping[str, NDArray[Any]]) -> str:
    """sha256 over names, shapes and values of arrays."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        array = np.ascontiguousarray(weights[name])
        digest.update(f"{name} {array.dtype} {array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
