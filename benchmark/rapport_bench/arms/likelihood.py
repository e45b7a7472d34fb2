"""Log-likelihoods of replies: one forward pass for all assistant turns of a dialogue.

A dialogue's requests are prefixes of each other: the context of turn 5 holds turn 3's context and
reply. Requests whose tokens are a prefix of another request's tokens are therefore answered from the
longer one's forward pass. Where a tokenizer or template breaks the prefix, the request keeps a pass of
its own, so the values never depend on the merging (beyond float32 rounding).

The language-model head runs on the scored positions only, and the log-softmax is in float32, in
chunks: bfloat16 totals near -1100 would come back in steps of 8 nats, and a 152k vocabulary times
every position would not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rapport_tasks.common.errors import BadInput

_CHUNK_ELEMENTS = 1 << 24  # float32 logits held at once: 64 MiB


@dataclass(frozen=True, slots=True)
class Span:
    """A continuation to score.

    Attributes:
        tokens: Context and continuation.
        start: Index of the first continuation token, at least 1.
    """

    tokens: tuple[int, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Pass:
    """One row of a batch: a token sequence and the requests that it answers.

    Attributes:
        tokens: The longest request's tokens.
        requests: Indices of the requests answered; each one's tokens are a prefix of `tokens`.
    """

    tokens: tuple[int, ...]
    requests: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """Answer to one request: log-probability in nats, whether greedy decoding gives it, token count."""

    logprob: float
    greedy: bool
    tokens: int


def merge_prefixes(spans: Sequence[Span]) -> list[Pass]:
    """Group requests into passes, longest pass first; ties are broken by the tokens themselves.

    In lexicographic order a sequence stands right before the sequences it is a prefix of, so one walk
    from the back finds every chain.
    """
    order = sorted(range(len(spans)), key=lambda i: (spans[i].tokens, spans[i].start))
    passes: list[tuple[tuple[int, ...], list[int]]] = []
    for index in reversed(order):
        tokens = spans[index].tokens
        if passes and passes[-1][0][: len(tokens)] == tokens:
            passes[-1][1].append(index)
        else:
            passes.append((tokens, [index]))
    passes.sort(key=lambda item: (-len(item[0]), item[0]))
    return [Pass(tokens, tuple(sorted(requests))) for tokens, requests in passes]


def plan_batches(lengths: Sequence[int], batch_tokens: int) -> list[range]:
    """Cut a list, sorted by falling length, into batches of at most `batch_tokens` padded tokens.

    A single row longer than the budget is a batch by itself.
    """
    batches = []
    first = 0
    while first < len(lengths):
        rows = max(1, batch_tokens // max(1, lengths[first]))
        batches.append(range(first, min(first + rows, len(lengths))))
        first += rows
    return batches


def hidden_states_of(model: Any) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """The part of a model below its head, if `head(hidden)` really are the model's own logits.

    Some architectures scale or cap logits after the head; for them this returns `None` and the full
    forward pass is used.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    body = getattr(inner, inner.base_model_prefix, None)
    head = inner.get_output_embeddings()
    if body is None or head is None or body is inner:
        return None

    def run(ids: torch.Tensor) -> torch.Tensor:
        hidden = body(input_ids=ids, use_cache=False).last_hidden_state
        assert isinstance(hidden, torch.Tensor)
        return hidden

    probe = torch.arange(1, 5, device=model.device)[None]
    with torch.inference_mode():
        same = torch.equal(head(run(probe)), inner(input_ids=probe, use_cache=False).logits)
    return run if same else None


def require_numbers(logits: torch.Tensor) -> None:
    """Make sure that there is a most probable token; -inf, which rules a token out, is a number.

    Args:
        logits: Of shape (rows, vocabulary).

    Raises:
        BadInput: A row has NaN or infinity, as overflow and diverged weights give.
    """
    if not bool(logits.amax(dim=-1).isfinite().all()):
        raise BadInput(
            "the model's logits are no finite numbers on some of the dialogues",
            remedy="Try --dtype bfloat16 or float32; if that does not help, its weights are damaged.",
        )


@torch.inference_mode()
def score_batch(
    model: Any,
    hidden_states: Callable[[torch.Tensor], torch.Tensor] | None,
    passes: Sequence[Pass],
    spans: Sequence[Span],
) -> dict[int, Scored]:
    """Score every request of a batch of passes.

    Padding is on the right, where a causal model cannot see it.

    Args:
        model: A transformers causal LM in evaluation mode.
        hidden_states: What `hidden_states_of` returned for it.
        passes: The rows of the batch.
        spans: All requests; `passes` index into them.

    Returns:
        Request index -> score.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    width = max(len(row.tokens) for row in passes)
    ids = torch.zeros((len(passes), width), dtype=torch.long)
    for i, row in enumerate(passes):
        ids[i, : len(row.tokens)] = torch.tensor(row.tokens)
    # One entry a distinct scored position: requests may share positions when contexts overlap.
    wanted: dict[tuple[int, int], int] = {}
    for i, row in enumerate(passes):
        for request in row.requests:
            span = spans[request]
            for position in range(span.start, len(span.tokens)):
                wanted.setdefault((i, position), len(wanted))
    rows = torch.tensor([i for i, _ in wanted])
    columns = torch.tensor([position - 1 for _, position in wanted])
    targets = ids[rows, columns + 1].to(model.device)
    device_ids = ids.to(model.device)
    if hidden_states is not None:
        states, head = hidden_states(device_ids), inner.get_output_embeddings()
        step = max(1, _CHUNK_ELEMENTS // head.weight.shape[0])
    else:
        states, head = inner(input_ids=device_ids, use_cache=False).logits, torch.nn.Identity()
        step = max(1, _CHUNK_ELEMENTS // states.shape[-1])
    states = states[rows.to(model.device), columns.to(model.device)]
    values: list[float] = []
    greedy: list[bool] = []
    for first in range(0, len(states), step):
        target = targets[first : first + step]
        part = head(states[first : first + step]).float()
        require_numbers(part)
        picked = part.gather(-1, target[:, None])[:, 0] - torch.logsumexp(part, dim=-1)
        values += picked.double().tolist()
        greedy += (part.argmax(dim=-1) == target).tolist()
    scores: dict[int, Scored] = {}
    for i, row in enumerate(passes):
        for request in row.requests:
            span = spans[request]
            entries = [wanted[i, p] for p in range(span.start, len(span.tokens))]
            scores[request] = Scored(
                logprob=sum(values[e] for e in entries),
                greedy=all(greedy[e] for e in entries),
                tokens=len(entries),
            )
    return scores
