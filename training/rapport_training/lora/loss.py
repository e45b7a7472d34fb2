"""The loss of labelled tokens, without a logit for every token of a 152k vocabulary.

The decoder runs without its head. Only positions whose next token has a label go through the head, a
chunk at a time, and a chunk's gradient with respect to its hidden states is computed at once: the head
is frozen, so nothing else of the chunk is needed again. A [tokens, vocabulary] matrix never exists, and
the head's two matrix products are not repeated in the backward pass.

Where a model does more after its head than a linear map (a logit scale, a soft cap), or trains the
head, `linear_head` says no, and the same sum is taken over the model's own logits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from transformers.modeling_outputs import CausalLMOutput

from rapport_training.sequences.corpus import IGNORED

_CHUNK_ELEMENTS = {"cpu": 1 << 24, "cuda": 1 << 27}
"""Float32 logits held at once: 64 MiB on a CPU; a GPU needs larger products to be busy."""


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A causal language model in two parts: ``logits = linear(decoder(ids))``."""

    decoder: Any
    linear: torch.nn.Linear


@torch.inference_mode()
def linear_head(model: Any, tokens: list[int]) -> LinearHead | None:
    """Split a model into decoder and head, if that gives its own logits.

    Args:
        model: A transformers causal LM, with or without an adapter, in evaluation mode.
        tokens: A few tokens to try it on.

    Returns:
        `None` if the head is adapted or trained, or if it is not all that comes after the decoder.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    decoder, linear = causal.base_model, causal.get_output_embeddings()
    if decoder is causal or type(linear) is not torch.nn.Linear or linear.weight.requires_grad:
        return None
    ids = torch.tensor([tokens], device=causal.device)
    own = causal(input_ids=ids, use_cache=False).logits
    ours = linear(decoder(input_ids=ids, use_cache=False).last_hidden_state)
    if own.shape != ours.shape:
        return None
    # The same product of the same numbers: anything beyond rounding is a further operation.
    allowed = torch.finfo(ours.dtype).eps * float(ours.abs().max())
    return LinearHead(decoder, linear) if float((own - ours).abs().max()) <= allowed else None


def token_nll(model: Any, batch: dict[str, torch.Tensor], head: LinearHead | None) -> torch.Tensor:
    """Negative log-likelihood of every labelled token, in nats, float32.

    Args:
        model: The model; used only without `head`. Must be the one that `head` was split from.
        batch: ``input_ids``, ``position_ids`` and ``labels``, each [rows, width].
        head: What `linear_head` found.

    Returns:
        A vector in row order, differentiable with respect to what the hidden states depend on.
    """
    inputs = {"input_ids": batch["input_ids"], "position_ids": batch["position_ids"]}
    labelled = batch["labels"][:, 1:] != IGNORED
    targets = batch["labels"][:, 1:][labelled]
    if head is None:
        logits = model(**inputs, use_cache=False).logits[:, :-1][labelled].float()
        return functional.cross_entropy(logits, targets, reduction="none")
    hidden = head.decoder(**inputs, use_cache=False).last_hidden_state[:, :-1][labelled]
    apply: Callable[..., torch.Tensor] = _HeadNLL.apply  # torch's own annotation has no types
    return apply(hidden, head.linear.weight, head.linear.bias, targets)


@contextmanager
def labelled_loss(model: Any, head: LinearHead | None) -> Iterator[None]:
    """Let ``model(..., labels=...)`` return the loss of this module.

    The sum over labelled tokens is divided by ``num_items_in_batch``, the labelled tokens of the
    whole optimizer step on all devices, as transformers' Trainer counts them; without it by the
    batch's own. The model's forward is replaced rather than called around, because wrappers for
    several devices must see every pass.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    original = causal.forward

    def forward(
        input_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | int | None = None,
        **kwargs: Any,
    ) -> Any:
        if labels is None or input_ids is None or position_ids is None:
            return original(input_ids=input_ids, position_ids=position_ids, **kwargs)
        batch = {"input_ids": input_ids, "position_ids": position_ids, "labels": labels}
        nll = token_nll(original, batch, head)
        count = nll.numel() if num_items_in_batch is None else num_items_in_batch
        return CausalLMOutput(loss=nll.sum() / count)

    causal.forward = forward
    try:
        yield
    finally:
        del causal.forward


class _HeadNLL(torch.autograd.Function):
    """(hidden [n, width], weight [vocabulary, width], bias, targets [n]) -> NLL [n]."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
    ) -> torch.Tensor:
        vocabulary = weight.shape[0]
        rows = max(1, _CHUNK_ELEMENTS.get(hidden.device.type, 1 << 24) // vocabulary)
        nll = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        # One buffer for all chunks, changed in place: new pages cost more than the arithmetic.
        buffer = torch.empty((min(rows, len(hidden)), vocabulary), device=hidden.device)
        for start in range(0, len(hidden), rows):
            part = hidden[start : start + rows]
            wanted = targets[start : start + rows]
            logits = buffer[: len(part)]
            if part.dtype == torch.float32 and bias is None:
                torch.mm(part, weight.t(), out=logits)
            else:
                logits.copy_(functional.linear(part, weight, bias))
            highest = logits.amax(-1, keepdim=True)
            target = logits.gather(-1, wanted[:, None])
            powers = logits.sub_(highest).exp_()
            total = powers.sum(-1, keepdim=True)
            nll[start : start + rows] = (total.log() + highest - target).squeeze(-1)
            if gradient is not None:
                # d NLL / d logits = probabilities, less one at the target; times the weights.
                mean = (powers.to(weight.dtype) @ weight).float() / total
                gradient[start : start + rows] = mean - weight[wanted].float()
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return nll

    @staticmethod
    def backward(ctx: Any, *outputs: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        scaled = gradient.float() * outputs[0][:, None]
        return scaled.to(gradient.dtype), None, None, None
