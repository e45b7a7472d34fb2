"""The negative log-likelihood of replies, summed as the benchmark sums it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rapport_tasks.dialogue import Dialogue
from rapport_tasks.rendering import tokenizer_renderer
from rapport_training.corpus import IGNORED, encode_dialogue


@torch.inference_mode()
def summed_nll(model: Any, tokenizer: Any, dialogues: Sequence[Dialogue]) -> tuple[float, int]:
    """Sum the NLL of all assistant turns given their true history.

    Unlike a trainer's ``eval_loss``, which averages the means of batches, this is a sum over
    tokens; ``rapport_perplexity`` gives the same two numbers. The log-softmax is in float32.

    Args:
        model: A transformers causal LM, with or without an adapter. Its mode is restored.
        tokenizer: Its tokenizer.
        dialogues: Dialogues that can be run (`select_runnable`), each within the model's context.

    Returns:
        (sum of NLL in nats, number of scored tokens).
    """
    render = tokenizer_renderer(tokenizer)
    was_training = model.training
    model.eval()
    total, tokens = 0.0, 0
    try:
        for dialogue in dialogues:
            for sequence in encode_dialogue(dialogue, tokenizer, render):
                ids = torch.tensor([sequence.tokens], device=model.device)
                labels = torch.tensor(sequence.labels[1:], device=model.device)
                scored = labels != IGNORED
                logits = model(input_ids=ids, use_cache=False).logits[0, :-1][scored].float()
                losses = torch.nn.functional.cross_entropy(logits, labels[scored], reduction="none")
                total += float(losses.double().sum())
                tokens += int(scored.sum())
    finally:
        model.train(was_training)
    return total, tokens
