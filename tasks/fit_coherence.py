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
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout

from fit_relevance import corrupted_features, fit_network
from rapport_tasks.dialogues.builtin import TRAINING_EN, TRAINING_ZH
from rapport_tasks.dialogues.dialogue import Dialogue, read_dialogues, select_runnable
from rapport_tasks.dialogues.replies import remove_copied
from rapport_tasks.embedding.coherence import (
    PLACES,
    WEIGHTS,
    context_aspects,
    cosine_scale,
    load_weights,
    place,
)
from rapport_tasks.embedding.encoder import Encoder, load_encoder
from rapport_tasks.metrics.continuity import last_user
from rapport_tasks.metrics.relevance import FEATURES, SIMILARITIES

SIZE = 64
ENGLISH_FITTED = 40
"""Of the project's English dialogues; the others show what the network is worth in English."""

READ = {"zh": len(FEATURES), "en": len(FEATURES) - 4}
"""How many features the network reads. There are too few English dialogues for the last four, which
say how the user's turn follows."""

HALVES = ("message", "context", "place")
"""Arrays of the coherence model; stored with half precision."""


def main() -> None:
    """Read, encode, fit both steps, save."""
    parser = argparse.ArgumentParser(description="Fit the coherence model and relevance network.")
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--relevance-only", action="store_true", help="keep the coherence model that is there"
    )
    options = parser.parse_args()
    data = options.data
    torch.manual_seed(0)
    torch.set_num_threads(1)
    used = spliced_from(data / "topicshift_zh")
    smile = runnable(data / "dialogues_zh/smile.jsonl", 1000, used)
    cpsycoun = runnable(data / "dialogues_zh/cpsycound.jsonl", 400, used)
    tiage = runnable(data / "topicshift_en/tiage_mit.train.jsonl")
    encoder = load_encoder()
    if options.relevance_only:
        stored = load_weights()
        weights = {name: stored[name].astype(np.float32) for name in (*HALVES, "cosine_scale")}
    else:
        weights = fit_coherence([*smile[800:4400], *cpsycoun[300:1300], *tiage[:180]], encoder)
        weights["cosine_scale"] = np.array(cosine_scale(encoder))
    own_zh, own_en = runnable(TRAINING_ZH), runnable(TRAINING_EN)[:ENGLISH_FITTED]
    groups = {"zh": [smile[:800], cpsycoun[:300], own_zh], "en": [own_en, tiage[180:]]}
    for language, dialogues in groups.items():
        examples = [corrupted_features(d, encoder, weights, language) for d in dialogues]
        for kind, count in (("full", READ[language]), ("plain", 2 * len(SIMILARITIES))):
            read = [{name: e.first(count) for name, e in group.items()} for group in examples]
            weights |= fit_network(read, kind, language)
    np.savez_compressed(
        WEIGHTS,
        **{
            name: array.astype(np.float16 if name in HALVES else np.float32)
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
    """The trainable twin of `rapport_tasks.embedding.coherence.CoherenceModel`."""

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


if __name__ == "__main__":
    main()
