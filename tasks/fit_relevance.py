"""The second step of ``tasks/fit_coherence.py``: the relevance network.

Every dialogue is set against corruptions of it, and the network fitted so that the dialogue's own
mean continuity is the highest.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.dialogues.pool import load_pool
from rapport_tasks.dialogues.replies import remove_copied
from rapport_tasks.embedding.encoder import Encoder
from rapport_tasks.embedding.lexical import pool_lexicon
from rapport_tasks.metrics.continuity import Item, last_user
from rapport_tasks.metrics.corruptions import (
    answers,
    as_it_is,
    foreign,
    permuted,
    replies,
    spliced,
    with_replies,
)
from rapport_tasks.metrics.relevance import FittedRelevance

HIDDEN = 16
WEIGHT_DECAY = {"zh": 0.3, "en": 1.0}
"""English has a sixth of the dialogues."""

SHARPNESS = 20.0
"""Continuities of a dialogue and its corruption that differ by 1/20 count as told apart."""

STOCK = {
    "zh": (
        "我理解你的感受，这一定很不容易。",
        "听起来你真的很难过，我很心疼你。",
        "谢谢你愿意告诉我这些，有这样的感受很正常。",
        "你并不孤单，我会一直在这里陪着你。",
        "你已经很努力了，请对自己温柔一点。",
        "你愿意再多说一点吗？那时候你是什么感觉？",
        "建议你多运动，保持规律的作息，和朋友聊聊天。",
    ),
    "en": (
        "I hear you, and what you feel makes sense.",
        "That sounds really difficult, I'm so sorry.",
        "Thank you for sharing this with me.",
        "You are not alone in this.",
        "Be gentle with yourself, you have done so much already.",
        "Would you like to tell me more about it?",
        "Try to exercise, sleep well and talk to your friends.",
    ),
}


@dataclass
class Features:
    """What the network reads for one kind of dialogue: rows are replies."""

    owner: np.ndarray
    true: np.ndarray
    negatives: np.ndarray

    def first(self, count: int) -> Features:
        """The same with the first features alone."""
        return Features(self.owner, self.true[..., :count], self.negatives[..., :count])


def corrupted_features(
    group: Sequence[Dialogue], encoder: Encoder, weights: dict[str, np.ndarray], language: str
) -> dict[str, Features]:
    """Features of dialogues as they are, and of what they must beat."""
    scorer = FittedRelevance(encoder, pool_lexicon(), weights)
    pool = load_pool(language)
    prepared = scorer.prepare(pool.histories)
    rows: dict[str, list[tuple[int, Any, Any]]] = {}
    draw = random.Random(0)
    dialogues = [dialogue for dialogue in group if len(dialogue.messages) >= 4]
    for number, dialogue in enumerate(dialogues):
        other = dialogues[(number + draw.randrange(1, len(dialogues))) % len(dialogues)]
        for kind, items in compared(dialogue, other, draw, STOCK[language]).items():
            for turn, history, reply in items:
                stripped = remove_copied(reply, last_user(history)).strip()
                if not stripped:
                    continue
                alone, first = scorer.prepare([history]), np.zeros((1, 1), dtype=np.int64)
                own = scorer.features([stripped], alone, first)
                chosen = np.array([pool.negatives(dialogue.id, turn, history)])
                negative = scorer.features([stripped], prepared, chosen)
                rows.setdefault(kind, []).append((number, own[0, 0], negative[0]))
    return {
        kind: Features(
            np.array([number for number, _, _ in found]),
            np.stack([true for _, true, _ in found]).astype(np.float32),
            np.stack([negative for _, _, negative in found]).astype(np.float32),
        )
        for kind, found in rows.items()
    }


def compared(
    dialogue: Dialogue, other: Dialogue, draw: random.Random, sentences: Sequence[str]
) -> dict[str, list[Item]]:
    """The dialogue's own replies, and what they must beat."""
    stock = draw.sample(sentences, len(sentences))
    order = permuted(dialogue, draw)
    said = [stock[n % len(stock)] for n in range(len(order))]
    return {
        "true": answers(dialogue, replies(dialogue)),
        "stock": answers(dialogue, said),
        "padded": answers(dialogue, [r + x for r, x in zip(replies(dialogue), said, strict=True)]),
        "shuffled": as_it_is(with_replies(dialogue, order)),
        "shuffled replies": answers(dialogue, order),
        "spliced": as_it_is(spliced(dialogue, other)),
        "foreign replies": answers(dialogue, foreign(dialogue, other, second_half=True)),
    }


def fit_network(
    groups: Sequence[dict[str, Features]], kind: str, language: str
) -> dict[str, np.ndarray]:
    """Fit one hidden layer so that true dialogues have the highest mean continuity.

    Groups of dialogues weigh the same, whatever their size.
    """
    true = np.concatenate([group["true"].true for group in groups])
    centre, spread = true.mean(axis=0), true.std(axis=0)
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(len(centre), HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1), nn.Sigmoid()
    )
    tensors = [
        {
            name: (
                torch.tensor(e.owner),
                torch.tensor((e.true - centre) / spread),
                torch.tensor((e.negatives - centre) / spread),
            )
            for name, e in group.items()
        }
        for group in groups
    ]

    def continuity(rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        owner, own, negatives = rows
        values = network(own)[:, 0] - network(negatives)[..., 0].mean(1)
        count = torch.bincount(owner)
        return torch.zeros(len(count)).index_add(0, owner, values) / count.clamp(min=1)

    steps = 300
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=2e-2, weight_decay=WEIGHT_DECAY[language]
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        losses = []
        for group in tensors:
            values = {name: continuity(rows) for name, rows in group.items()}
            best = values.pop("true")
            losses += [softplus(SHARPNESS * (rival - best)).mean() for rival in values.values()]
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()
        optimizer.step()
        schedule.step()
    for number, group in enumerate(tensors):
        with torch.no_grad():
            values = {name: continuity(rows) for name, rows in group.items()}
        best = values.pop("true")
        wins = {
            name: round(float((best > rival).float().mean()), 3) for name, rival in values.items()
        }
        print(f"relevance, {kind}, {language} {number}: mean {float(best.mean()):.3f}, wins {wins}")
    first, last = network[0], network[2]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    name = f"{kind}_{language}"
    return {
        f"{name}_centre": centre,
        f"{name}_spread": spread,
        f"{name}_hidden": first.weight.detach().numpy(),
        f"{name}_hidden_bias": first.bias.detach().numpy(),
        f"{name}_out": last.weight.detach().numpy()[0],
        f"{name}_out_bias": last.bias.detach().numpy(),
    }
