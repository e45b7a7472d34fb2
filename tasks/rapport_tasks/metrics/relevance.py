"""Relevance of a reply to a history: the inner quantity of continuity, free to get better.

Similarities of the reply to the messages of the history are summed up by role and place, once from
embeddings and once from shared words; with the embedded encoder the parts of the coherence model
join them. A small network per language turns the features into a value in (0, 1). It was fitted on
dialogues against corruptions of them (`tasks/fit_coherence.py`), never on what is scored.

Similarity to the user's last turn counts for a reply, similarity to a reply given before counts
against it, and a history that hangs together but belongs to another conversation shows in the ties
to its first message. How well the user's last turn itself follows the conversation says how much of
a tie to that turn is a tie to the conversation; it is the same for every reply to one history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rapport_tasks.dialogues.dialogue import Message
from rapport_tasks.dialogues.sentences import language
from rapport_tasks.embedding.coherence import (
    PARTS,
    CoherenceModel,
    ComparableCosines,
    Floats,
    identity_of,
    load_weights,
    product,
)
from rapport_tasks.embedding.encoder import EMBEDDED, Encoder, Vectors, shorten
from rapport_tasks.embedding.lexical import LexicalIndex, Lexicon, pool_lexicon

LONGEST = 16
"""Messages of a history that are read: the first and the most recent ones."""

SIMILARITIES = (
    *("last_user", "nearest_user", "earlier_users", "first_user", "farthest_user"),
    *("nearest_reply", "mean_reply", "last_reply"),
)
"""Of the reply to the history, computed from embeddings and from shared words."""

Values = NDArray[np.float64]
History = Sequence[Message]


class RelevanceScorer(Protocol):
    """r(reply, history). Histories are prepared once and may be asked about many times."""

    @property
    def identity(self) -> str:
        """Hash of everything the values depend on."""
        ...

    def prepare(self, histories: Sequence[History]) -> Any:
        """Compute what depends on the histories alone."""
        ...

    def relevance(self, replies: Sequence[str], prepared: Any, rows: NDArray[np.int64]) -> Values:
        """Relevance of reply i to the prepared histories ``rows[i]``: shape (replies, columns)."""
        ...


@dataclass(frozen=True)
class Histories:
    """Prepared histories.

    Attributes:
        vectors: Of their distinct messages, (texts, dimensions).
        words: The same texts, for shared words.
        index: (histories, `LONGEST`) places in `vectors`, right-aligned, -1 where there is none.
        user: Same shape: whether the message is the user's.
        chinese: (histories,): whether the user writes Chinese.
        contexts: (histories, 5, d) of the coherence model; `None` without one.
        turns: (histories, 4), how well the user's last turn follows what stands before it, by the
            coherence model; `None` without one.
    """

    vectors: Vectors
    words: LexicalIndex
    index: NDArray[np.int64]
    user: NDArray[np.bool_]
    chinese: NDArray[np.bool_]
    contexts: Floats | None
    turns: Floats | None


class FittedRelevance:
    """The fitted network over similarities, and over coherence with the embedded encoder.

    Args:
        encoder: Gives message vectors.
        lexicon: Weighs shared words; that of the frozen pools by default.
        weights: The fitted arrays; the shipped ones by default.
    """

    def __init__(
        self,
        encoder: Encoder,
        lexicon: Lexicon | None = None,
        weights: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        self._encoder = encoder
        self._lexicon = lexicon or pool_lexicon()
        self._weights = weights or load_weights()
        self._coherence: CoherenceModel | None = None
        if encoder.name == EMBEDDED:
            self._coherence = CoherenceModel(self._weights)
        self._comparable = ComparableCosines(encoder)

    @property
    def identity(self) -> str:
        """Hash of encoder and weights."""
        parts = f"{self._encoder.identity} {identity_of(self._weights)}"
        return hashlib.sha256(parts.encode()).hexdigest()

    def prepare(self, histories: Sequence[History]) -> Histories:
        """Encode the messages of histories; system messages are not read."""
        spoken = [recent(history) for history in histories]
        texts = list(dict.fromkeys(m.content for history in spoken for m in history))
        number = {text: i for i, text in enumerate(texts)}
        vectors = self._encoder.encode(texts)
        index = np.full((len(spoken), LONGEST), -1, dtype=np.int64)
        user = np.zeros((len(spoken), LONGEST), dtype=np.bool_)
        for row, history in enumerate(spoken):
            start = LONGEST - len(history)
            for column, message in enumerate(history, start=start):
                index[row, column] = number[message.content]
                user[row, column] = message.role == "user"
        contexts = turns = None
        if self._coherence is not None and spoken:
            rows = [vectors[line[line >= 0]] for line in index]
            contexts = self._coherence.contexts(rows, ["assistant"] * len(rows))
            turns = np.stack(
                [_turn(self._coherence, h, r) for h, r in zip(spoken, rows, strict=True)]
            )
        said = ["".join(shorten(m.content) for m in h if m.role == "user") for h in spoken]
        chinese = np.array([language(text) == "zh" for text in said], dtype=np.bool_)
        words = LexicalIndex(self._lexicon, texts)
        return Histories(vectors, words, index, user, chinese, contexts, turns)

    def relevance(
        self, replies: Sequence[str], prepared: Histories, rows: NDArray[np.int64]
    ) -> Values:
        """Relevance in (0, 1) of reply i to ``prepared`` histories ``rows[i]``; higher = closer."""
        features = self.features(replies, prepared, rows)
        chinese = prepared.chinese[rows]
        return np.where(chinese, self._network(features, "zh"), self._network(features, "en"))

    def features(
        self, replies: Sequence[str], prepared: Histories, rows: NDArray[np.int64]
    ) -> Values:
        """What the network reads: (replies, columns, features)."""
        vectors = self._encoder.encode(replies)
        index, user = prepared.index[rows], prepared.user[rows]
        embedded = self._comparable(product(vectors, prepared.vectors.T))
        shared = np.stack([prepared.words.similarities(reply) for reply in replies])
        order = np.arange(len(replies))[:, None, None]
        blocks = [
            summarise(similarity[order, index], index >= 0, user)
            for similarity in (embedded, shared)
        ]
        if (
            self._coherence is not None
            and prepared.contexts is not None
            and prepared.turns is not None
        ):
            projected = self._coherence.messages(vectors)
            blocks.append(np.einsum("nd,nkpd->nkp", projected, prepared.contexts[rows]))
            blocks.append(prepared.turns[rows].astype(np.float64))
        return np.concatenate(blocks, axis=-1).astype(np.float64)

    def _network(self, features: Values, language: str) -> Values:
        """One hidden layer of tanh units, then a sigmoid."""
        get = self._weights
        kind = ("full_" if self._coherence is not None else "plain_") + language
        read = features[..., : len(get[f"{kind}_centre"])]
        standard = (read - get[f"{kind}_centre"]) / get[f"{kind}_spread"]
        hidden = np.tanh(standard @ get[f"{kind}_hidden"].T + get[f"{kind}_hidden_bias"])
        total = hidden @ get[f"{kind}_out"] + get[f"{kind}_out_bias"]
        return np.asarray(1 / (1 + np.exp(-total)), dtype=np.float64)


def recent(history: History, *, without: Message | None = None) -> list[Message]:
    """The messages of a history that are read: its first and its most recent ones.

    Args:
        history: May be long; its middle is not looked at.
        without: Left out wherever it stands, as system messages are.
    """

    def counts(message: Message) -> bool:
        return message.role != "system" and message != without

    latest = list(islice(filter(counts, reversed(history)), LONGEST))
    if len(latest) < LONGEST:
        return latest[::-1]
    return [next(filter(counts, history)), *latest[LONGEST - 2 :: -1]]


FEATURES = (
    *(f"embedding_{name}" for name in SIMILARITIES),
    *(f"words_{name}" for name in SIMILARITIES),
    *(f"coherence_{name}" for name in PARTS),
    *(f"turn_{name}" for name in PARTS[:-1]),
)
"""Order of the features; a scorer without a coherence model has the first sixteen.

The English network reads no ``turn_`` features: it was fitted on too few dialogues for them.
"""


def _turn(model: CoherenceModel, history: History, vectors: Vectors) -> Floats:
    """Coherence of the user's last turn with what stands before it; zero for a first message."""
    users = [i for i, message in enumerate(history) if message.role == "user"]
    if not users or not users[-1]:
        return np.zeros(len(PARTS) - 1, dtype=np.float32)
    context = model.contexts([vectors[: users[-1]]], ["user"])[0][:-1]
    return np.asarray(context @ model.messages(vectors[users[-1] :][:1])[0], dtype=np.float32)


def summarise(
    similarity: NDArray[np.floating[Any]], present: NDArray[np.bool_], user: NDArray[np.bool_]
) -> Values:
    """Sum up similarities to a history's messages by role and place.

    Args:
        similarity: (..., messages), oldest first.
        present: Same shape, false where a history is shorter.
        user: Same shape, true where the user speaks.

    Returns:
        (..., 8) in the order of `SIMILARITIES`. Without an earlier user turn the features about
        those take the value of the last one; without a reply those about replies are 0.

    >>> similarity = np.array([0.1, 0.5, 0.4])
    >>> everywhere = np.array([True, True, True])
    >>> summarise(similarity, everywhere, np.array([True, False, True])).tolist()
    [0.4, 0.1, 0.1, 0.1, 0.1, 0.5, 0.5, 0.5]
    """
    users = present & user
    replies = present & ~user
    count = similarity.shape[-1]
    last = count - 1 - np.argmax(users[..., ::-1], axis=-1)
    earlier = users & (np.arange(count) != last[..., None])

    def at(place: NDArray[np.int64]) -> Values:
        return np.asarray(np.take_along_axis(similarity, place[..., None], axis=-1)[..., 0])

    def mean(mask: NDArray[np.bool_]) -> Values:
        return np.asarray(np.where(mask, similarity, 0).sum(-1) / np.maximum(mask.sum(-1), 1))

    def largest(mask: NDArray[np.bool_]) -> Values:
        return np.asarray(np.where(mask, similarity, -np.inf).max(-1))

    last_user = at(last)
    any_earlier, any_reply = earlier.any(-1), replies.any(-1)
    last_reply = count - 1 - np.argmax(replies[..., ::-1], axis=-1)
    return np.stack(
        [
            last_user,
            np.where(any_earlier, largest(earlier), last_user),
            np.where(any_earlier, mean(earlier), last_user),
            at(np.argmax(users, axis=-1)),
            np.where(users, similarity, np.inf).min(-1),
            np.where(any_reply, largest(replies), 0),
            mean(replies),
            np.where(any_reply, at(last_reply), 0),
        ],
        axis=-1,
    )
