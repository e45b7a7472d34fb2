"""Rows of token sequences, and batches of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rapport_training.sequences.corpus import IGNORED, LabelledSequence

Row = tuple[LabelledSequence, ...]
"""One row of a batch: several sequences if packed, else one."""


def pack(sequences: Sequence[LabelledSequence], max_length: int) -> list[Row]:
    """Fill rows of at most `max_length` tokens: longest first, each where it leaves least room.

    Best-fit decreasing, in time that grows with the number of sequences alone: bit `n` of `open_`
    says that some row has room for exactly `n` tokens more. The result depends on nothing but the
    sequences and their order.
    """
    rows: list[list[LabelledSequence]] = []
    by_room: dict[int, list[int]] = {}
    open_ = 0
    for sequence in sorted(sequences, key=lambda s: -len(s.tokens)):
        need = len(sequence.tokens)
        fitting = open_ >> need
        if fitting:
            room = need + (fitting & -fitting).bit_length() - 1
            place = by_room[room].pop()
            if not by_room[room]:
                open_ &= ~(1 << room)
            rows[place].append(sequence)
        else:
            room, place = max_length, len(rows)
            rows.append([sequence])
        left = room - need
        if left > 0:
            by_room.setdefault(left, []).append(place)
            open_ |= 1 << left
    return [tuple(row) for row in rows]


def collate(rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    """Pad rows on the right to the longest of them.

    There is no attention mask: a causal model cannot look at padding on the right, and positions
    that start again at 0 keep the sequences of a packed row apart.
    """
    width = max(sum(len(sequence.tokens) for sequence in row) for row in rows)
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    labels = torch.full((len(rows), width), IGNORED, dtype=torch.long)
    positions = torch.zeros((len(rows), width), dtype=torch.long)
    for i, row in enumerate(rows):
        at = 0
        for sequence in row:
            end = at + len(sequence.tokens)
            ids[i, at:end] = torch.tensor(sequence.tokens)
            # The first token of a sequence follows nothing, least of all the sequence before it.
            labels[i, at + 1 : end] = torch.tensor(sequence.labels[1:], dtype=torch.long)
            positions[i, at:] = torch.arange(width - at)
            at = end
    return {"input_ids": ids, "labels": labels, "position_ids": positions}


@torch.inference_mode()
def keeps_packed_apart(model: Any, sequences: Sequence[LabelledSequence]) -> bool:
    """Whether this model reads a packed sequence as if it stood in a row by itself.

    Some architectures never do, and none does while it fills a cache (`config.use_cache`). Two rows
    differ in their first sequence alone; where the second goes on from it they differ all along, and
    where it is packed they must not. Rows of one length are computed alike, so that this holds in
    any precision. Against a row of its own, which is not, only the average is compared: it tells
    whether positions begin again.
    """
    first, second = sequences[0].tokens[:16], sequences[-1].tokens[:16]
    size = model.get_input_embeddings().num_embeddings
    other = tuple((token + 1) % size for token in first)

    def logits(*parts: tuple[int, ...]) -> torch.Tensor:
        batch = collate([tuple(LabelledSequence(part, part) for part in parts)])
        values: torch.Tensor = model(
            input_ids=batch["input_ids"].to(model.device),
            position_ids=batch["position_ids"].to(model.device),
        ).logits[0, -len(second) :]
        return values.float()

    model.eval()
    packed = logits(first, second)
    changed = (packed - logits(other, second)).abs().max()
    going_on = (logits(first + second) - logits(other + second)).abs().max()
    apart = logits(second)
    off = (packed - apart).abs().mean()
    return bool(changed <= 0.01 * going_on and off <= 0.1 * apart.abs().mean())
