"""Dialogues as token sequences with labels.

The text is rendered by `rapport_tasks.dialogue.turn_prompts`, the same bytes that evaluation
scores. A turn's tokens are those of its context, then those of its reply, cut between the two.

With a template under which every turn's tokens continue the turn before, a dialogue is one sequence
with labels on each reply and its end-of-turn token. Templates that rewrite history (by dropping
earlier reasoning, say) give one sequence a turn instead: dearer, and still what evaluation sees.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rapport_tasks.dialogue import Dialogue, select_runnable
from rapport_tasks.rendering import Renderer, turn_prompts

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
) -> EncodedCorpus:
    """Encode all dialogues that can be trained on.

    Raises:
        UnsupportedTemplate: The template does not let replies be told from the text around them.
    """
    runnable, skipped = select_runnable(dialogues)
    sequences: list[LabelledSequence] = []
    kept = 0
    for start in range(0, len(runnable), _TOGETHER):
        batch = runnable[start : start + _TOGETHER]
        for encoded in encode_dialogues(batch, tokenizer, render, loss_on=loss_on):
            if max(len(sequence.tokens) for sequence in encoded) <= max_length:
                sequences += encoded
                kept += 1
    return EncodedCorpus(tuple(sequences), kept, len(runnable) - kept, skipped)


_TOGETHER = 64
"""Dialogues whose texts a tokenizer is given at once: it shares them among all cores."""


def encode_dialogues(
    dialogues: Sequence[Dialogue],
    tokenizer: Any,
    render: Renderer,
    *,
    loss_on: Literal["assistant", "all"] = "assistant",
) -> list[list[LabelledSequence]]:
    """Encode each dialogue: one sequence if its turns continue each other, else one a turn."""
    prompts = [turn_prompts(dialogue, render) for dialogue in dialogues]
    texts = [(prompt.context, prompt.continuation) for group in prompts for prompt in group]
    encoded = iter(encode_pairs(tokenizer, texts))
    return [_sequences([next(encoded) for _ in group], loss_on) for group in prompts]


def _sequences(pairs: list[tuple[list[int], int]], loss_on: str) -> list[LabelledSequence]:
    longest = pairs[-1][0]
    if all(longest[: len(tokens)] == tokens for tokens, _ in pairs):
        groups = [(longest, [(start, len(tokens)) for tokens, start in pairs])]
    else:
        groups = [(tokens, [(start, len(tokens))]) for tokens, start in pairs]
    return [_label(tokens, spans, loss_on) for tokens, spans in groups]


def encode_pairs(tokenizer: Any, texts: Sequence[tuple[str, str]]) -> list[tuple[list[int], int]]:
    """Tokens of each context with its continuation, and the index of the continuation's first.

    The two are encoded together where a token ends at the boundary, as it does under every common
    template. Where a token would reach across, they are encoded apart: a model that generates has
    been given the context alone.
    """
    if not texts:
        return []
    encoded = _encode(tokenizer, [text for pair in texts for text in (pair[0], pair[0] + pair[1])])
    found = []
    for (_, continuation), before, together in zip(texts, encoded[::2], encoded[1::2], strict=True):
        if together[: len(before)] != before:
            together = before + _encode(tokenizer, [continuation])[0]
        found.append((together, len(before)))
    return found


def _encode(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    # Templates write their own special tokens; a second <s> would be one that evaluation lacks.
    return list(tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"])


_ONE_OBJECT_A_TOKEN: dict[int, int] = {}
"""Equal numbers as one object: a corpus of 100 million tokens takes a third of the memory."""


def _label(tokens: list[int], spans: list[tuple[int, int]], loss_on: str) -> LabelledSequence:
    ids = tuple(_ONE_OBJECT_A_TOKEN.setdefault(token, token) for token in tokens)
    if loss_on == "all":
        return LabelledSequence(ids, ids)
    labels = [IGNORED] * len(ids)
    for start, stop in spans:
        labels[start:stop] = ids[start:stop]
    return LabelledSequence(ids, tuple(labels))
