"""The negative log-likelihood of replies, summed as the benchmark sums it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.prompts.rendering import Renderer, tokenizer_renderer
from rapport_training.lora.loss import LinearHead, token_nll
from rapport_training.sequences.batches import collate
from rapport_training.sequences.corpus import LabelledSequence, encode_dialogues

_BATCH_TOKENS = 2048


def summed_nll(
    model: Any,
    tokenizer: Any,
    dialogues: Sequence[Dialogue],
    *,
    render: Renderer | None = None,
    system: str | None = None,
) -> tuple[float, int]:
    """Sum the NLL of all assistant turns given their true history.

    Unlike a trainer's ``eval_loss``, which averages the means of batches, this is a sum over
    tokens; ``rapport_perplexity`` gives the same two numbers. The log-softmax is in float32.

    Args:
        model: A transformers causal LM, with or without an adapter. Its mode is restored.
        tokenizer: Its tokenizer.
        dialogues: Dialogues that can be run (`select_runnable`), each within the model's context.
        render: The chat template [default: the tokenizer's].
        system: See `rapport_tasks.prompts.rendering.turn_prompts`.

    Returns:
        (sum of NLL in nats, number of scored tokens).
    """
    render = render or tokenizer_renderer(tokenizer)
    encoded = encode_dialogues(dialogues, tokenizer, render, system=system)
    return sequences_nll(model, [s for sequences in encoded for s in sequences], head=None)


@torch.inference_mode()
def sequences_nll(
    model: Any, sequences: Sequence[LabelledSequence], *, head: LinearHead | None
) -> tuple[float, int]:
    """`summed_nll` of dialogues that are encoded already; with `head`, without a full logit matrix."""
    was_training = model.training
    model.eval()
    total, tokens = 0.0, 0
    try:
        for batch in _batches(sequences):
            inputs = {name: tensor.to(model.device) for name, tensor in collate(batch).items()}
            nll = token_nll(model, inputs, head)
            total += float(nll.double().sum())
            tokens += nll.numel()
    finally:
        model.train(was_training)
    return total, tokens


def _batches(sequences: Sequence[LabelledSequence]) -> list[list[tuple[LabelledSequence]]]:
    """Sequences of similar length together, `_BATCH_TOKENS` a batch, padding included."""
    batches: list[list[tuple[LabelledSequence]]] = []
    for sequence in sorted(sequences, key=lambda s: -len(s.tokens)):
        width = len(batches[-1][0][0].tokens) if batches else 0
        if batches and (len(batches[-1]) + 1) * width <= _BATCH_TOKENS:
            batches[-1].append((sequence,))
        else:
            batches.append([(sequence,)])
    return batches
