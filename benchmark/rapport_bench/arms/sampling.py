"""Coupled top-p sampling: draws that two arms share as far as their distributions agree.

A draw is the argmax, over the top-p survivors, of log-probability + Gumbel noise (the Gumbel-max
trick: its marginal distribution is exactly the truncated softmax). The noise is a pure function of
(seed, dialogue id, turn, step, token id), never of batch, padding, order or arm. So a reply does not
depend on what else was asked for, and a base and its adapter choose the same token wherever their
distributions make that possible, which narrows the intervals of paired differences.

Never build win-rates on coupled pairs: the coupling is a variance reduction, not an independent sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_FIRST_SORT = 512


def noise_key(seed: int, dialogue_id: str, turn: int) -> int:
    """A 64-bit key for all noise of one reply."""
    digest = hashlib.blake2b(f"{seed}\x1f{dialogue_id}\x1f{turn}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's output function (Steele, Lea and Flood 2014): a bijection that avalanches."""
    with np.errstate(over="ignore"):
        x = x + _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * _MIX_1
        x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


def gumbel_noise(
    keys: NDArray[np.uint64], steps: NDArray[np.uint64], tokens: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Standard Gumbel noise for token ids.

    Args:
        keys: `noise_key` of each row, shape (rows,).
        steps: Position of the draw within each reply, shape (rows,).
        tokens: Token ids, shape (rows, candidates).

    Returns:
        Shape (rows, candidates); each entry depends on its own (key, step, token) alone.
    """
    step_keys = _mix(keys ^ _mix(steps))
    bits = _mix(step_keys[:, None] ^ _mix(tokens.astype(np.uint64)))
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    noise: NDArray[np.float64] = -np.log(-np.log(uniform))
    return noise


def draw_top_p(
    logits: torch.Tensor,
    keys: Sequence[int],
    steps: Sequence[int],
    *,
    temperature: float,
    top_p: float,
) -> NDArray[np.int64]:
    """Draw one token a row.

    The nucleus is the smallest set of most probable tokens whose mass reaches `top_p`.

    Args:
        logits: Shape (rows, vocabulary), any float dtype; computed in float32.
        keys: `noise_key` of each row.
        steps: Index of the token about to be drawn, per row.
        temperature: Above 0; divides the logits.
        top_p: In (0, 1].

    Returns:
        Token ids, shape (rows,).
    """
    logp = torch.log_softmax(logits.float() / temperature, dim=-1)
    width = min(_FIRST_SORT, logp.shape[-1])
    values, tokens = torch.topk(logp, width)
    if width < logp.shape[-1] and bool((values.exp().sum(-1) < top_p).any()):
        values, tokens = torch.sort(logp, descending=True)
    probability = values.double().exp().cpu().numpy()
    mass_before = np.cumsum(probability, axis=-1) - probability
    noise = gumbel_noise(
        np.asarray(keys, dtype=np.uint64),
        np.asarray(steps, dtype=np.uint64),
        tokens.cpu().numpy(),
    )
    score = np.where(mass_before < top_p, values.double().cpu().numpy() + noise, -np.inf)
    chosen: NDArray[np.int64] = np.take_along_axis(
        tokens.cpu().numpy(), score.argmax(axis=-1)[:, None], axis=-1
    )[:, 0]
    return chosen
