"""Learn the coherence model and the relevance network: writes ``rapport_tasks/data/coherence.npz``.

    python tasks/fit_coherence.py PATH_TO_DATA

reads dialogues_zh/smile.jsonl (CC0-1.0) from line 1,001 on, dialogues_zh/cpsycound.jsonl (CC BY 4.0,
Zhang et al., CPsyCoun, Findings of ACL 2024) from line 401 on, and topicshift_en/tiage_mit.train.jsonl
(MIT), and the training dialogues of this project. The lines before those are for scoring; dialogues
that parts of topicshift_zh were spliced from are left out.
About 20 minutes on one core, most of it encoding.

1. *Coherence*: which message can follow which history. A message must outscore the other messages of
   its batch for its history, and its history the other histories, once among all, once among those of
   the same dialogue alone (order), once against its history with a foreign beginning (splices).
2. *Relevance*: a small network per language over similarities and coherence. On dialogues that step 1
   did not see, the continuity of a dialogue must exceed that of each of its corruptions, and that of
   its replies with a stock sentence added.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout, softplus

from rapport_tasks.builtin import TRAINING_EN, TRAINING_ZH
from rapport_tasks.coherence import PLACES, WEIGHTS, context_aspects, cosine_scale, place
from rapport_tasks.continuity import Item, last_user
from rapport_tasks.corruptions import (
    answers,
    as_it_is,
    foreign,
    permuted,
    replies,
    spliced,
    with_replies,
)
from rapport_tasks.dialogue import Dialogue, read_dialogues, select_runnable
from rapport_tasks.encoder import Encoder, load_encoder
from rapport_tasks.lexical import pool_lexicon
from rapport_tasks.pool import load_pool
from rapport_tasks.relevance import SIMILARITIES, FittedRelevance
from rapport_tasks.replies import remove_copied

SIZE = 64
HIDDEN = 16
WEIGHT_DECAY = {"zh": 0.3, "en": 1.0}
"""English has a sixth of the dialogues."""
ENGLISH_FITTED = 40
"""Of the project's English dialogues; the others show what the network is worth in English."""

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


def main() -> None:
    """Read, encode, fit both steps, save."""
    parser = argparse.ArgumentParser(description="Fit the coherence model and relevance network.")
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    torch.manual_seed(0)
    torch.set_num_threads(1)
    used = spliced_from(data / "topicshift_zh")
    smile = runnable(data / "dialogues_zh/smile.jsonl", 1000, used)
    cpsycoun = runnable(data / "dialogues_zh/cpsycound.jsonl", 400, used)
    tiage = runnable(data / "topicshift_en/tiage_mit.train.jsonl")
    encoder = load_encoder()
    weights = fit_coherence([*smile[800:4400], *cpsycoun[300:1300], *tiage[:180]], encoder)
    weights["cosine_scale"] = np.array(cosine_scale(encoder))
    own_zh, own_en = runnable(TRAINING_ZH), runnable(TRAINING_EN)[:ENGLISH_FITTED]
    groups = {"zh": [smile[:800], cpsycoun[:300], own_zh], "en": [own_en, tiage[180:]]}
    for language, dialogues in groups.items():
        examples = [corrupted_features(d, encoder, weights, language) for d in dialogues]
        weights |= fit_network(examples, "full", language)
        plain = [{kind: e.similarities() for kind, e in group.items()} for group in examples]
        weights |= fit_network(plain, "plain", language)
    halves = ("message", "context", "place")
    np.savez_compressed(
        WEIGHTS,
        **{
            name: array.astype(np.float16 if name in halves else np.float32)
            for name, array in weights.items()
        },
    )
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size:,} bytes")


def runnable(path: Path, start: int = 0, used: frozenset[str] = frozenset()) -> list[Dialogue]:
    """The dialogues of a file from line `start` on; without `used` ones and what cannot be run."""
    dialogues = select_runnable(read_dialogues(path)[start:])[0]
    return [dialogue for dialogue in dialogues if dialogue.id not in used]


def spliced_from(folder: Path) -> frozenset[str]:
    """The ids of dialogues that the labelled splices are made of."""
    lines = [
        json.loads(line)
        for path in sorted(folder.glob("spliced_*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return frozenset(topic for line in lines for topic in line["topics"])


# --- step 1: coherence ---------------------------------------------------------------------------


def fit_coherence(dialogues: Sequence[Dialogue], encoder: Encoder) -> dict[str, np.ndarray]:
    """Learn the projections, in batches of whole dialogues."""
    owner, messages, aspects, places = [], [], [], []
    for number, dialogue in enumerate(dialogues):
        history = encoder.encode([m.content for m in dialogue.messages])
        said = encoder.encode(
            [
                remove_copied(m.content, last_user(dialogue.messages[:t]))
                if m.role == "assistant"
                else m.content
                for t, m in enumerate(dialogue.messages)
            ]
        )
        for t in range(1, len(history)):
            owner.append(number)
            messages.append(said[t])
            aspects.append(context_aspects(history[:t]))
            places.append(place(t, dialogue.messages[t].role))
    model = Projections()
    own, where = torch.tensor(owner), torch.tensor(places)
    said_all, context_all = torch.tensor(np.stack(messages)), torch.tensor(np.stack(aspects))
    groups = [torch.arange(len(own))[own == n] for n in range(len(dialogues))]
    batch, epochs = 40, 6
    steps = epochs * (len(groups) // batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps + 1)
    for epoch in range(epochs):
        total = 0.0
        shuffled = torch.randperm(len(groups)).tolist()
        for start in range(0, len(groups) - batch + 1, batch):
            rows = torch.cat([groups[g] for g in shuffled[start : start + batch]])
            loss = model.loss(said_all[rows], context_all[rows], where[rows], own[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        print(f"coherence, epoch {epoch}: loss {total / (len(groups) // batch):.3f}", flush=True)
    scale = float(model.temperature.detach().exp())
    learned = {
        "message": model.message.detach().numpy() * scale,
        "context": model.context.detach().numpy(),
        "place": model.place.detach().numpy(),
    }
    # Step 2 must see what is shipped.
    return {name: array.astype(np.float16).astype(np.float32) for name, array in learned.items()}


class Projections(nn.Module):
    """The trainable twin of `rapport_tasks.coherence.CoherenceModel`."""

    def __init__(self, dimensions: int = 512) -> None:
        super().__init__()
        start = [nn.init.orthogonal_(torch.empty(SIZE, dimensions)) for _ in range(5)]
        self.message = nn.Parameter(start[0])
        self.context = nn.Parameter(torch.stack(start[1:]))
        self.place = nn.Parameter(torch.zeros(2 * PLACES, SIZE))
        self.temperature = nn.Parameter(torch.tensor(2.5))

    def loss(self, said: Tensor, aspects: Tensor, places: Tensor, owner: Tensor) -> Tensor:
        """Five ways to pick the right one."""
        said, aspects = dropout(said, 0.3), dropout(aspects, 0.3)
        message = said @ self.message.T
        context = self.join(aspects, places)
        scores = self.temperature.exp() * context @ message.T
        right = torch.arange(len(said))
        other_role = (places[:, None] >= PLACES) != (places[None] >= PLACES)
        scores = scores.masked_fill(other_role, -1e4)
        within = scores.masked_fill(owner[:, None] != owner[None], -1e4)
        loss = cross_entropy(scores, right) + cross_entropy(scores.T, right)
        loss = loss + cross_entropy(within, right) + cross_entropy(within.T, right)
        rivals = [(context * message).sum(1)]
        for _ in range(6):
            foreign = aspects[torch.randperm(len(said))]
            for first_foreign in (1, 2):  # the message before the last one is foreign too, or not
                mixed = torch.cat([aspects[:, :first_foreign], foreign[:, first_foreign:]], dim=1)
                rivals.append((self.join(mixed, places) * message).sum(1))
        among = self.temperature.exp() * torch.stack(rivals, dim=1)
        return loss + cross_entropy(among, torch.zeros(len(said), dtype=torch.long))

    def join(self, aspects: Tensor, places: Tensor) -> Tensor:
        """The sum of the projected aspects of histories."""
        projected = [aspects[:, k] @ self.context[k].T for k in range(4)]
        return torch.stack(projected).sum(0) + self.place[places]


# --- step 2: relevance ---------------------------------------------------------------------------


@dataclass
class Features:
    """What the network reads for one kind of dialogue: rows are replies."""

    owner: np.ndarray
    true: np.ndarray
    negatives: np.ndarray

    def similarities(self) -> Features:
        """The same without coherence."""
        kept = 2 * len(SIMILARITIES)
        return Features(self.owner, self.true[..., :kept], self.negatives[..., :kept])


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


if __name__ == "__main__":
    main()
