"""Dialogues as token sequences with labels.

The text is rendered by `rapport_tasks.prompts.rendering.turn_prompts` and made tokens of by
`rapport_tasks.prompts.tokenisation.tokenise`: the same ones that evaluation scores.

With a template under which every turn's tokens continue the turn before, a dialogue is one sequence
with labels on each reply and its end-of-turn token. Templates that rewrite history (by dropping
earlier reasoning, say) give one sequence a turn instead: dearer, and still what evaluation sees.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rapport_tasks.dialogues.dialogue import Dialogue, select_runnable
from rapport_tasks.prompts.rendering import Renderer, turn_prompts
from rapport_tasks.prompts.tokenisation import TurnTokens, tokenise

IGNORED = -100
"""The label of a token that no loss is taken on, as torch's cross-entropy has it."""


@dataclass(frozen=True, slots=True)
class LabelledSequence:
    """Token ids, and for each of them its id again or `IGNORED`."""

    tokens: tuple[int, ...]
    labels: tuple[int, ...]

    def scored(self) -> int:
        """How many tokens carry a label."""
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True, slots=True)
class EncodedCorpus:
    """What training sees of a list of dialogues.

    Attributes:
        sequences: In the order of the dialogues.
        dialogues: How many dialogues are in `sequences`.
        overlong: Dialogues left out because a sequence of theirs exceeds the length.
        skipped: Dialogues left out by `structure_problem`, by reason.
    """

    sequences: tuple[LabelledSequence, ...]
    dialogues: int
    overlong: int
    skipped: Counter[str]


def encode_corpus(
    dialogues: Sequence[Dialogue],
    tokenizer: Any,
    render: Renderer,
    *,
    max_length: int,
    loss_on: Literal["assistant", "all"] = "assistant",
    system: str | None = None,
) -> EncodedCorpus:
    """Encode all dialogues that can be trained on.

    Args:
        dialogues: As they were read.
        tokenizer: The base's.
        render: Its chat template.
        max_length: Tokens that a sequence may have.
        loss_on: Which tokens carry a label.
        system: A system message for every dialogue, instead of its own; see `turn_prompts`.

    Raises:
        UnsupportedTemplate: The template does not let replies be told from the text around them.
    """
    runnable, skipped = select_runnable(dialogues)
    sequences: list[LabelledSequence] = []
    kept = 0
    for start in range(0, len(runnable), _TOGETHER):
        batch = runnable[start : start + _TOGETHER]
        for encoded in encode_dialogues(
            batch, tokenizer, render, max_length=max_length, loss_on=loss_on, system=system
        ):
            sequences += encoded
            kept += bool(encoded)
    return EncodedCorpus(tuple(sequences), kept, len(runnable) - kept, skipped)


_TOGETHER = 64
"""Dialogues whose texts a tokenizer is given at once: it shares them among all cores."""


def encode_dialogues(
    dialogues: Sequence[Dialogue],
    tokenizer: Any,
    render: Renderer,
    *,
    max_length: int | None = None,
    loss_on: Literal["assistant", "all"] = "assistant",
    system: str | None = None,
) -> list[list[LabelledSequence]]:
    """Encode each dialogue: one sequence if its turns continue each other, else one a turn.

    Of a dialogue with a turn longer than `max_length` there is none.
    """
    prompts = [turn_prompts(dialogue, render, system=system) for dialogue in dialogues]
    return [
        []
        if max_length is not None and max(turn.length for turn in turns) > max_length
        else _sequences(turns, loss_on)
        for turns in tokenise(tokenizer, prompts, longest=max_length)
    ]


def _sequences(turns: Sequence[TurnTokens], loss_on: str) -> list[LabelledSequence]:
    last = turns[-1]
    if all(turn.begins(last) for turn in turns):
        spans = [(turn.start, turn.length) for turn in turns]
        return [_label(last.tokens(), spans, loss_on)]
    return [_label(turn.tokens(), [(turn.start, turn.length)], loss_on) for turn in turns]


_ONE_OBJECT_A_TOKEN: dict[int, int] = {}
"""Equal numbers as one object: a corpus of 100 million tokens takes a third of the memory."""


def _label(tokens: Sequence[int], spans: list[tuple[int, int]], loss_on: str) -> LabelledSequence:
    ids = tuple(_ONE_OBJECT_A_TOKEN.setdefault(token, token) for token in tokens)
    if loss_on == "all":
        return LabelledSequence(ids, ids)
    labels = [IGNORED] * len(ids)
    for start, stop in spans:
        labels[start:stop] = ids[start:stop]
    return LabelledSequence(ids, tuple(labels))
