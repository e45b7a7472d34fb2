"""Results made of constructed columns, for what works from saved results alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from rapport_bench.results import columns as records
from rapport_bench.results.result import Result, seal

SHA = "0" * 64


def result(
    name: str,
    columns: dict[str, Any],
    *,
    suite: str = SHA,
    tokenizer: str = SHA,
    kind: str = "model",
) -> Result:
    """A valid result of constructed columns."""
    columns = {key: [float(v) for v in values] for key, values in columns.items()}
    n = len(columns["turns"])
    return seal(
        {
            "suite": {
                "name": "made",
                "version": "1.0.0",
                "suite_id": suite,
                "data_sha256": SHA,
                "dialogues": n,
                "tasks": {},
                "protocol": {
                    "history": "gold",
                    "overlong": "skip",
                    "generation": {"method": "greedy", "max_new_tokens": 8, "seeds": [0]},
                },
            },
            "arm": {
                "name": name,
                "kind": kind,
                "arm_id": SHA,
                "base": None,
                "adapter": None,
                "tokenizer_sha256": tokenizer,
                "chat_template_sha256": SHA,
            },
            "numerics": None,
            "metrics": records.summarise(columns),
            "dialogues": {
                "id": [f"d{i}" for i in range(n)],
                "group": {"domain": [None] * n, "crisis": [False] * n},
                "columns": columns,
            },
            "unscored": [],
            "volatile": {},
        }
    )


def columns(
    seed: int, n: int = 60, *, nll: float = 0.0, advice: float = 0.3, covered: float = 1.0
) -> dict[str, np.ndarray]:
    """Columns of an arm; dialogues are the same for all arms, replies differ by seed."""
    fixed, rng = np.random.default_rng(99), np.random.default_rng(seed)
    turns = fixed.integers(3, 7, n)
    tokens = turns * 20
    level = fixed.normal(2.2, 0.3, n)
    sentences = turns * 3
    told = rng.binomial(sentences, np.clip(fixed.normal(advice, 0.05, n), 0, 1))
    scored = rng.binomial(turns, covered) if covered < 1 else turns
    gold = fixed.binomial(sentences, 0.3)
    return {
        "turns": turns,
        "likelihood_turns": turns,
        "tokens": tokens,
        "chars": tokens * 1.5,
        "nll_sum": tokens * (level + nll + rng.normal(0, 0.01, n)),
        "advice": told,
        "empathy": sentences - told,
        "empathy_grounded": (sentences - told) // 2,
        "acted_replies": turns,
        "aer_replies": turns,
        "aer_chars": tokens,
        "gold_advice": gold,
        "gold_empathy": sentences - gold,
        "continuity_n": scored,
        "continuity_turns": turns,
        "continuity_sum": scored * 0.2,
        "copied": turns - scored,
        "marker_hedge": rng.poisson(2, n),
        "marker_deontic": rng.poisson(1, n),
    }
