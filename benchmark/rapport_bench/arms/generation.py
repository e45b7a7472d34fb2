"""Batched generation with explicit settings: greedy, or coupled top-p sampling.

Nothing is read from a model's ``generation_config``: the loop is our own, so that no repetition penalty
or top-k can leak in, and so that a draw can depend on (seed, dialogue, turn, step) alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rapport_bench.arms.likelihood import require_numbers
from rapport_bench.arms.sampling import draw_top_p
from rapport_tasks.common.protocol import Generation
from rapport_tasks.dialogues.thoughts import TAGS


@dataclass(frozen=True, slots=True)
class Prompt:
    """One reply to generate.

    Attributes:
        tokens: The rendered history.
        key: `rapport_bench.arms.sampling.noise_key` of the reply.
        until: Text that ends the reply, for templates whose end of turn is no special token.
    """

    tokens: tuple[int, ...]
    key: int
    until: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """A finished reply.

    Attributes:
        text: Without special tokens and without what ended it.
        tokens: How many were generated, end of turn included.
        cut_off: Whether the token limit ended it.
    """

    text: str
    tokens: int
    cut_off: bool


@torch.inference_mode()
def generate_batch(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Prompt],
    generation: Generation,
    stop_ids: frozenset[int],
) -> list[Generated]:
    """Generate one reply a prompt.

    Args:
        model: A transformers causal LM in evaluation mode.
        tokenizer: Its tokenizer.
        prompts: Of similar length; shorter ones are padded on the left.
        generation: Method and limits.
        stop_ids: Tokens that end a reply.

    Returns:
        Replies in the order of `prompts`.
    """
    device = model.device
    width = max(len(prompt.tokens) for prompt in prompts)
    ids = torch.zeros((len(prompts), width), dtype=torch.long)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt.tokens) :] = torch.tensor(prompt.tokens)
        mask[row, width - len(prompt.tokens) :] = 1
    ids, mask = ids.to(device), mask.to(device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    replies: list[list[int]] = [[] for _ in prompts]
    stopped = [False] * len(prompts)
    rows = list(range(len(prompts)))  # rows[i]: the prompt that batch row i works on
    cache: Any = None
    for _ in range(generation.max_new_tokens):
        output = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache = output.past_key_values
        chosen = _choose(
            output.logits[:, -1], [prompts[r] for r in rows], replies, rows, generation
        )
        for token, row in zip(chosen, rows, strict=True):
            if not stopped[row]:
                replies[row].append(token)
                stopped[row] = token in stop_ids or _ends(
                    tokenizer, replies[row], prompts[row].until
                )
        keep = [i for i, row in enumerate(rows) if not stopped[row]]
        if not keep:
            break
        ids = torch.tensor(chosen, device=device)[:, None]
        positions = positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones((len(rows), 1))], dim=-1)
        if len(keep) <= len(rows) // 2:  # finished rows leave only now: selecting copies the cache
            index = torch.tensor(keep, device=device)
            ids, positions, mask = ids[index], positions[index], mask[index]
            cache.batch_select_indices(index)
            rows = [rows[i] for i in keep]
    return [
        _finish(tokenizer, tokens, prompt.until, stop_ids, not done)
        for tokens, prompt, done in zip(replies, prompts, stopped, strict=True)
    ]


def _choose(
    logits: torch.Tensor,
    prompts: Sequence[Prompt],
    replies: Sequence[Sequence[int]],
    rows: Sequence[int],
    generation: Generation,
) -> list[int]:
    require_numbers(logits)
    if generation.method == "greedy":
        return [int(token) for token in logits.float().argmax(dim=-1)]
    tokens = draw_top_p(
        logits,
        [prompt.key for prompt in prompts],
        [len(replies[row]) for row in rows],
        temperature=generation.temperature,
        top_p=generation.top_p,
    )
    return [int(token) for token in tokens]


def _ends(tokenizer: Any, tokens: Sequence[int], until: Sequence[str]) -> bool:
    if not until:
        return False
    tail = tokenizer.decode(tokens[-16:], skip_special_tokens=False)
    return any(stop in tail for stop in until)


def _finish(
    tokenizer: Any,
    tokens: Sequence[int],
    until: Sequence[str],
    stop_ids: frozenset[int],
    cut_off: bool,
) -> Generated:
    kept = list(tokens)
    if kept and kept[-1] in stop_ids:
        kept.pop()
    text = _text(tokenizer, kept)
    for stop in until:
        text = text.split(stop)[0]
    return Generated(text.strip(), len(tokens), cut_off)


def _text(tokenizer: Any, tokens: Sequence[int]) -> str:
    """Without special tokens, but with the tags of thoughts, which are special tokens of some models."""
    tags = dict(zip(tokenizer.convert_tokens_to_ids(list(TAGS)), TAGS, strict=True))
    text, start = "", 0
    for place, token in enumerate(tokens):
        if token in tags and tokenizer.convert_ids_to_tokens(token) == tags[token]:
            text += tokenizer.decode(tokens[start:place], skip_special_tokens=True) + tags[token]
            start = place + 1
    return text + str(tokenizer.decode(tokens[start:], skip_special_tokens=True))
