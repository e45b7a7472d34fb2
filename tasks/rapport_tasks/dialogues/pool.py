"""The frozen pool: histories that a reply was *not* written for.

Continuity compares a reply's relevance to its own history with its relevance to 20 histories of
this pool. They are those of the benchmark's own training dialogues, shipped with the package, so a
value never depends on which other dialogues are scored with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rapport_tasks.dialogues.builtin import TRAINING_EN, TRAINING_ZH
from rapport_tasks.dialogues.dialogue import Message, read_dialogues

NEAREST = 60
NEGATIVES = 20

_FILES = {"zh": TRAINING_ZH, "en": TRAINING_EN}


@dataclass(frozen=True)
class Pool:
    """Histories of one language.

    Attributes:
        histories: The messages before each assistant turn, of every dialogue.
        lengths: Characters of each history.
        texts: The distinct messages of the dialogues, replies included.
        identity: sha256 of the file they come from.
    """

    histories: tuple[tuple[Message, ...], ...]
    lengths: NDArray[np.int64]
    texts: tuple[str, ...]
    identity: str

    def negatives(
        self,
        dialogue_id: str,
        turn: int,
        history: Sequence[Message],
        *,
        characters: int | None = None,
    ) -> list[int]:
        """Indices of the histories that the reply at `turn` of a dialogue is compared with.

        The `NEGATIVES` that come first by a hash of (dialogue, turn, history) among the `NEAREST`
        in characters. Histories of a dialogue that opens with the same message are left out: that
        is the scored dialogue itself. `characters` of the history need not be counted if known.
        """
        length = characters
        if length is None:
            length = sum(len(message.content) for message in history)
        opening = history[0].content if history else None
        nearest: list[int] = []
        for index in np.argsort(np.abs(self.lengths - length), kind="stable"):
            if self.histories[index][0].content != opening:
                nearest.append(int(index))
            if len(nearest) == NEAREST:
                break
        key = f"{dialogue_id}\0{turn}\0"
        nearest.sort(key=lambda index: hashlib.sha256(f"{key}{index}".encode()).digest())
        return nearest[:NEGATIVES]


def make_pool(dialogues: Sequence[Sequence[Message]], identity: str) -> Pool:
    """Collect the histories of dialogues; each is what stands before an assistant turn."""
    histories = [
        tuple(messages[:turn])
        for messages in dialogues
        for turn, message in enumerate(messages)
        if turn and message.role == "assistant"
    ]
    return Pool(
        histories=tuple(histories),
        lengths=np.array([sum(len(m.content) for m in h) for h in histories], dtype=np.int64),
        texts=tuple(dict.fromkeys(m.content for messages in dialogues for m in messages)),
        identity=identity,
    )


@lru_cache(maxsize=2)
def load_pool(language: str) -> Pool:
    """The frozen pool of a language, ``zh`` or ``en``."""
    path = _FILES[language]
    identity = hashlib.sha256(path.read_bytes()).hexdigest()
    return make_pool([dialogue.messages for dialogue in read_dialogues(path)], identity)


def pool_identity() -> str:
    """sha256 over the pools of both languages; part of `suite_id`."""
    joined = "".join(load_pool(language).identity for language in _FILES)
    return hashlib.sha256(joined.encode()).hexdigest()
