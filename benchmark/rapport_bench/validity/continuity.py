"""How well continuity tells real dialogues from corruptions of them.

A paired win: the real dialogue's mean continuity is above the rival's, ties half. A rival without a
scored reply has lost; if neither has one, it is a tie. Win-rates are shares of dialogues with the
intervals of `rapport_bench.statistics.estimates.share`; .5 is chance, higher is better.

=========================  ======================================================================
``canned``                 stock sentences of empathy that would suit anyone
``parrot``                 the user's last message
``half_parrot``            "你说" and the first half of the user's last message
``shuffled``               its own replies in another order, as a transcript of its own
``spliced``                its first half and the second half of another dialogue, likewise
``shuffled_in_place``      its own replies in another order, each after the true history
``foreign_half``           from the middle on another dialogue's replies, after the true history
``foreign``                another dialogue's replies, after the true history
``stock_appended``         its own replies, each with a stock sentence behind it
``stock_quoting``          six characters of the user's last message and a stock sentence
=========================  ======================================================================

Also of the real dialogues: ``continuity``, ``order`` and ``coverage`` (share of replies scored).
Baselines: cosine of a reply with the user's last message, of embeddings and of character bigrams.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rapport_bench.statistics import estimates as stats
from rapport_bench.statistics.figure import Figure
from rapport_bench.statistics.resampling import DRAWS, SEED, Resampler
from rapport_bench.validity.figures import (
    OURS,
    VERSION,
    Figures,
    Progress,
    Report,
    compared,
    encoder_name,
)
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.paths import file_sha256
from rapport_tasks.dialogues.dialogue import Dialogue, read_dialogues, select_runnable
from rapport_tasks.dialogues.pool import pool_identity
from rapport_tasks.dialogues.sentences import language
from rapport_tasks.embedding.encoder import Encoder, load_encoder
from rapport_tasks.embedding.lexical import terms
from rapport_tasks.metrics.continuity import ContrastiveContinuity, Item, last_user
from rapport_tasks.metrics.corruptions import (
    answers,
    as_it_is,
    foreign,
    permuted,
    replies,
    spliced,
    with_replies,
)
from rapport_tasks.metrics.scorers import continuity_scorer
from rapport_tasks.specs.continuity import TASK

RIVALS = (
    *("canned", "parrot", "half_parrot", "shuffled", "spliced", "shuffled_in_place"),
    *("foreign_half", "foreign", "stock_appended", "stock_quoting"),
)
FIGURES = (*RIVALS, "continuity", "order", "coverage")
REAL = "real"
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

Measured = dict[str, list[float]]
"""Rival -> its value in each dialogue, minus infinity where nothing was scored."""


def validate_continuity(
    path: Path,
    *,
    limit: int | None = None,
    encoder: str = "embedded",
    on_progress: Progress | None = None,
) -> Report:
    """Corrupt the dialogues of a file and see whether continuity notices.

    Args:
        path: A dialogue file. Dialogues that cannot be run, or with one assistant turn, are left
            out with a count.
        limit: Only the first so many dialogues that are left.
        encoder: Sentence encoder by name or path.
        on_progress: Told what is counted, how many are done, and of how many.

    Raises:
        BadInput: The file or the encoder cannot be used, or fewer than two dialogues are left.
    """
    runnable, skipped = select_runnable(read_dialogues(path))
    usable = [d for d in runnable if len(d.assistant_turns()) > 1]
    skipped["one_assistant_turn"] += len(runnable) - len(usable)
    dialogues = usable[:limit]
    if limit is not None and limit < 2:
        raise BadInput(f"--limit {limit}: too few", remedy="Use at least 2 dialogues.")
    if len(dialogues) < 2:
        reasons = ", ".join(f"{why} {n}" for why, n in sorted(skipped.items()) if n)
        raise BadInput(
            f"{path}: {len(dialogues)} dialogues with two assistant turns"
            + (f" ({reasons})" if reasons else ""),
            remedy="Give at least two: they are corrupted with each other's replies.",
        )
    scorer = continuity_scorer(encoder)
    arms, differences = measure(dialogues, scorer, load_encoder(encoder), on_progress)
    return Report(
        what="continuity",
        name=path.stem,
        data={
            "sha256": file_sha256(path),
            "dialogues": len(dialogues),
            "left_out": {why: n for why, n in sorted(skipped.items()) if n},
        },
        scorer={
            "name": OURS,
            "identity": scorer.identity,
            "pool": pool_identity(),
            "rapport_continuity": TASK.version,
        },
        settings={
            "validity": VERSION,
            "draws": DRAWS,
            "seed": SEED,
            "limit": limit,
            "encoder": encoder_name(encoder),
        },
        arms=arms,
        differences=differences,
    )


def rivals(dialogue: Dialogue, other: Dialogue, draw: random.Random) -> dict[str, list[Item]]:
    """The dialogue's own replies under `REAL`, and everything they should beat."""
    true = replies(dialogue)
    users = [dialogue.last_user(turn) for turn in dialogue.assistant_turns()]
    tongue = language("".join(m.content for m in dialogue.messages))
    order = permuted(dialogue, draw)
    stock = draw.sample(STOCK[tongue], len(STOCK[tongue]))
    said = [stock[n % len(stock)] for n in range(len(true))]
    you = "你说" if tongue == "zh" else "You said "
    quoted = [f"{you}“{u[:6]}”，{s}" for u, s in zip(users, said, strict=True)]
    return {
        REAL: answers(dialogue, true),
        "canned": answers(dialogue, said),
        "parrot": answers(dialogue, users),
        "half_parrot": answers(dialogue, [you + user[: len(user) // 2] for user in users]),
        "shuffled": as_it_is(with_replies(dialogue, order)),
        "spliced": as_it_is(spliced(dialogue, other)),
        "shuffled_in_place": answers(dialogue, order),
        "foreign_half": answers(dialogue, foreign(dialogue, other, second_half=True)),
        "foreign": answers(dialogue, foreign(dialogue, other)),
        "stock_appended": answers(dialogue, [r + s for r, s in zip(true, said, strict=True)]),
        "stock_quoting": answers(dialogue, quoted),
    }


def measure(
    dialogues: Sequence[Dialogue],
    scorer: ContrastiveContinuity,
    encoder: Encoder,
    on_progress: Progress | None = None,
) -> tuple[dict[str, Figures], dict[str, Figures]]:
    """Figures of continuity and the baselines, and the paired differences to the baselines."""
    values: dict[str, Measured] = {OURS: {}, "cosine": {}, "bigrams": {}}
    sums, scored, counts, orders = [], [], [], []
    for number, dialogue in enumerate(dialogues):
        draw = random.Random(f"{SEED}\0{dialogue.id}")
        other = dialogues[(number + draw.randrange(1, len(dialogues))) % len(dialogues)]
        for kind, items in rivals(dialogue, other, draw).items():
            found = scorer.score(dialogue.id, items)
            kept = [turn.value for turn in found.turns if turn.value is not None]
            values[OURS].setdefault(kind, []).append(_mean(kept))
            pairs = [(reply, last_user(history)) for _, history, reply in items]
            values["cosine"].setdefault(kind, []).append(_cosine(pairs, encoder))
            values["bigrams"].setdefault(kind, []).append(_mean([_shared(*p) for p in pairs]))
            if kind == REAL:
                sums.append(sum(kept))
                scored.append(len(kept))
                counts.append(len(items))
                orders.append(found.order)
        if on_progress is not None:
            on_progress("dialogues", number + 1, len(dialogues))
    wins = {
        arm: {kind: win_values(m[REAL], m[kind]) for kind in RIVALS} for arm, m in values.items()
    }
    arms: dict[str, Figures] = {
        arm: {kind: _figure(stats.share(row, [1] * len(row))) for kind, row in rows.items()}
        for arm, rows in wins.items()
    }
    ordered = [order for order in orders if order is not None]
    arms[OURS] |= {
        "continuity": _figure(stats.ratio_of_sums(sums, scored)),
        "order": _figure(stats.share(ordered, [1] * len(ordered))),
        "coverage": _figure(stats.share(scored, counts)),
    }
    over = Resampler([d.id for d in dialogues])
    sampled = {
        arm: {kind: over.mean(row) for kind, row in rows.items()} for arm, rows in wins.items()
    }
    return arms, compared(sampled)[1]


def win_values(real: Sequence[float], rival: Sequence[float]) -> list[float]:
    """Per dialogue 1 for a win of the real one, ½ for a tie, 0 for a loss.

    >>> win_values([0.4, 0.1, 0.2], [-math.inf, 0.1, 0.3])
    [1.0, 0.5, 0.0]
    """
    return [float(a > b) + 0.5 * (a == b) for a, b in zip(real, rival, strict=True)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else -math.inf


def _cosine(pairs: Sequence[tuple[str, str]], encoder: Encoder) -> float:
    vectors = encoder.encode([text for pair in pairs for text in pair])
    return float(np.einsum("id,id->i", vectors[::2], vectors[1::2]).mean())


def _shared(reply: str, user: str) -> float:
    """Cosine of two texts' counts of character bigrams (of Latin words: their first letters)."""
    one, other = terms(reply), terms(user)
    product = sum(count * other[term] for term, count in one.items())
    sizes = [math.sqrt(sum(n * n for n in counts.values())) for counts in (one, other)]
    return product / (sizes[0] * sizes[1]) if product else 0.0


def _figure(estimate: stats.Estimate) -> Figure:
    return Figure(estimate.value, estimate.ci, estimate.clusters, estimate.reason)
