"""`rapport_perplexity`: how probable the gold replies are to a model, given their true history."""

from __future__ import annotations

import math

from rapport_tasks.specs.specification import Derived, Metric, Task


def _perplexity(nll: float) -> float | None:
    return math.exp(nll) if nll < 700 else None  # beyond lies infinity


TASK = Task(
    "rapport_perplexity",
    "1.0",
    "likelihood of the gold replies given their true history",
    (
        Metric(
            "nll_per_token",
            "NLL per token",
            ("nll_sum",),
            ("tokens",),
            "likelihood_turns",
            "turns",
            unit="nats per token",
            direction="lower",
            margin=0.02,
            family="confirmatory",
            group="likelihood",
            same_tokenizer=True,
            derived=(
                Derived("perplexity", "perplexity", "lower", of_value=_perplexity, slope=math.exp),
            ),
        ),
        Metric(
            "bits_per_char",
            "bits per character",
            ("nll_sum",),
            ("chars",),
            "likelihood_turns",
            "turns",
            unit="bits per character",
            scale=1 / math.log(2),
            direction="lower",
            group="likelihood",
        ),
    ),
    record="rapport_tasks.metrics.recorders:likelihoods",
    likelihoods=True,
    more={"nll_per_char": (("nll_sum",), ("chars",))},
)
