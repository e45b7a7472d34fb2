"""How valid is continuity? Paired win-rates of real dialogues over corruptions and bots.

    python benchmark/validity/continuity.py PATH_TO_DATA [--limit N] [--encoder NAME]

on the first lines of SMILE and CPsyCoun, which the relevance network was not fitted on. A win: the
real dialogue's mean continuity is higher, or the rival has no scored reply. Beside it the win-rate
of the obvious measure, the cosine of a reply with the user's last turn. "own" rivals are scored as
dialogues of their own, the others' replies answer the true history.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rapport_tasks.builtin import EVALUATION_ZH, TRAINING_EN
from rapport_tasks.continuity import ContrastiveContinuity, Item, last_user
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
from rapport_tasks.encoder import load_encoder
from rapport_tasks.pool import load_pool

STOCK = {
    "zh": (
        "我能理解你现在的心情。",
        "这对你来说真的太不容易了。",
        "你的感受是很正常的，请不要责怪自己。",
        "我会陪着你，一起度过这段时间。",
        "抱抱你，你已经做得很好了。",
    ),
    "en": (
        "I understand how you feel.",
        "That must be really hard for you.",
        "Your feelings are completely valid.",
        "I am here for you, whatever happens.",
        "You are doing better than you think.",
    ),
}
FILES = {
    "SMILE": ("dialogues_zh/smile.jsonl", "zh"),
    "CPsyCoun": ("dialogues_zh/cpsycound.jsonl", "zh"),
    "TIAGE dev": ("topicshift_en/tiage_mit.dev.jsonl", "en"),
}
BUILT_IN = {"own evaluation dialogues": (EVALUATION_ZH, "zh"), "own English": (TRAINING_EN, "en")}


def rivals(
    dialogue: Dialogue, other: Dialogue, language: str, draw: random.Random
) -> dict[str, list[Item]]:
    """What is compared: the dialogue's own replies, and everything they should beat."""
    true = replies(dialogue)
    users = [dialogue.last_user(turn) for turn in dialogue.assistant_turns()]
    order = permuted(dialogue, draw)
    stock = draw.sample(STOCK[language], len(STOCK[language]))
    said = [stock[n % len(stock)] for n in range(len(true))]
    you = "你说" if language == "zh" else "You said "
    quoted = [f"{you}“{u[:6]}”，{s}" for u, s in zip(users, said, strict=True)]
    return {
        "real": answers(dialogue, true),
        "canned empathy": answers(dialogue, said),
        "parrot": answers(dialogue, users),
        "half-parrot": answers(dialogue, [you + user[: len(user) // 2] for user in users]),
        "shuffled (own)": as_it_is(with_replies(dialogue, order)),
        "shuffled": answers(dialogue, order),
        "second half spliced (own)": as_it_is(spliced(dialogue, other)),
        "second half foreign": answers(dialogue, foreign(dialogue, other, second_half=True)),
        "all foreign": answers(dialogue, foreign(dialogue, other)),
        "real + stock sentence": answers(
            dialogue, [r + s for r, s in zip(true, said, strict=True)]
        ),
        "stock + quoted words": answers(dialogue, quoted),
    }


def report(name: str, dialogues: Sequence[Dialogue], language: str, encoder_name: str) -> None:
    """Print the table of one data set."""
    encoder = load_encoder(encoder_name)
    scorer = ContrastiveContinuity(encoder, load_pool)
    values: dict[str, list[float]] = {}
    cosines: dict[str, list[float]] = {}
    orders: dict[str, list[float]] = {}
    scored: dict[str, list[float]] = {}
    draw = random.Random(0)
    started, count = time.perf_counter(), 0
    for number, dialogue in enumerate(dialogues):
        other = dialogues[(number + draw.randrange(1, len(dialogues))) % len(dialogues)]
        for kind, items in rivals(dialogue, other, language, draw).items():
            found = scorer.score(dialogue.id, items)
            kept = [turn.value for turn in found.turns if turn.value is not None]
            values.setdefault(kind, []).append(sum(kept) / len(kept) if kept else -np.inf)
            scored.setdefault(kind, []).append(len(kept) / len(items))
            orders.setdefault(kind, []).append(np.nan if found.order is None else found.order)
            pairs = encoder.encode([t for _, h, r in items for t in (r, last_user(h))])
            cosines.setdefault(kind, []).append(float((pairs[::2] * pairs[1::2]).sum(1).mean()))
            count += len(items)
    seconds = time.perf_counter() - started
    print(f"\n{name}: {len(dialogues)} dialogues, {count} replies scored in {seconds:.1f} s")
    print(f"  {'':26s}   mean  coverage  order   wins of real   wins by plain cosine")
    real, plain = np.array(values["real"]), np.array(cosines["real"])
    for kind, found_values in values.items():
        rival = np.array(found_values)
        mean = rival[np.isfinite(rival)].mean() if np.isfinite(rival).any() else np.nan
        order = np.array(orders[kind])
        order_mean = order[~np.isnan(order)].mean() if (~np.isnan(order)).any() else np.nan
        wins = np.mean((real > rival) + 0.5 * (real == rival))
        cosine = np.mean(plain > np.array(cosines[kind]))
        print(
            f"  {kind:26s} {mean:6.3f}     {np.mean(scored[kind]):5.2f}  {order_mean:5.2f}"
            + (f"          {wins:5.3f}                  {cosine:5.3f}" if kind != "real" else "")
        )


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description="Validity of continuity.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=200, help="dialogues of each data set")
    parser.add_argument("--encoder", default="embedded")
    options = parser.parse_args()
    files = {name: (options.data / file, language) for name, (file, language) in FILES.items()}
    for name, (path, language) in (BUILT_IN | files).items():
        dialogues = select_runnable(read_dialogues(path)[:400])[0]
        usable = [d for d in dialogues if len(d.messages) >= 4][: options.limit]
        report(name, usable, language, options.encoder)


if __name__ == "__main__":
    main()
