"""`rapport_aer`: advice and empathy in replies, what goes with them, and replies gone wrong."""

from __future__ import annotations

from collections.abc import Mapping

from rapport_tasks.acts.markers import MARKERS
from rapport_tasks.specs.specification import Derived, Metric, Task


def _smoothed_ratio(sums: Mapping[str, float]) -> float:
    return (sums["advice"] + 0.5) / (sums["empathy"] + 0.5)


_MARKERS = tuple(
    Metric(
        f"marker_{family}",
        f"{family.replace('_', ' ')} / 1,000 characters",
        (f"marker_{family}",),
        ("aer_chars",),
        "aer_replies",
        "aer_replies",
        unit="per 1,000 characters",
        scale=1000,
        family="marker",
        group="markers",
    )
    for family in MARKERS
)

TASK = Task(
    "rapport_aer",
    "2.0",
    "advice and empathy in replies, companions, markers, degeneration",
    (
        Metric(
            "aer_share",
            "AER share",
            ("advice",),
            ("advice", "empathy"),
            "acted_replies",
            "aer_replies",
            unit="share",
            share=True,
            direction="band",
            margin=0.03,
            family="confirmatory",
            group="acts",
            gold=(("gold_advice",), ("gold_advice", "gold_empathy")),
            floor=0.05,
            derived=(Derived("aer_ratio", "AER ratio", of_sums=_smoothed_ratio),),
        ),
        Metric(
            "aer_grounded",
            "AER share, grounded",
            ("advice",),
            ("advice", "empathy_grounded"),
            "acted_replies",
            "aer_replies",
            unit="share",
            share=True,
            group="acts",
        ),
        Metric(
            "grounded_empathy",
            "grounded empathy / reply",
            ("empathy_grounded",),
            ("aer_replies",),
            "aer_replies",
            "aer_replies",
            unit="sentences per reply",
            direction="higher",
            group="acts",
            against_bots=True,
            by_dialogue=True,
        ),
        Metric(
            "advice_per_100_chars",
            "advice / 100 characters",
            ("advice",),
            ("aer_chars",),
            "aer_replies",
            "aer_replies",
            unit="sentences per 100 characters",
            scale=100,
            group="acts",
        ),
        Metric(
            "empathy_per_100_chars",
            "empathy / 100 characters",
            ("empathy",),
            ("aer_chars",),
            "aer_replies",
            "aer_replies",
            unit="sentences per 100 characters",
            scale=100,
            group="acts",
        ),
        Metric(
            "question_rate",
            "questions / reply",
            ("questions",),
            ("aer_replies",),
            "aer_replies",
            "aer_replies",
            unit="questions per reply",
            group="acts",
            by_dialogue=True,
        ),
        Metric(
            "chars_per_reply",
            "characters / reply",
            ("reply_chars",),
            ("replies",),
            "replies",
            "replies",
            unit="characters per reply",
            group="acts",
            by_dialogue=True,
        ),
        Metric(
            "unsolicited_advice",
            "unsolicited advice",
            ("unsolicited",),
            ("unasked",),
            "unasked",
            "unasked",
            unit="share",
            share=True,
            direction="lower",
            group="acts",
            by_dialogue=True,
        ),
        Metric(
            "help_compliance",
            "help when asked",
            ("help_given",),
            ("help_asked",),
            "help_asked",
            "help_asked",
            unit="share",
            share=True,
            direction="higher",
            group="acts",
            against_bots=True,
            by_dialogue=True,
        ),
        Metric(
            "degenerate",
            "degenerate replies",
            ("degenerate",),
            ("replies",),
            "replies",
            "replies",
            unit="share",
            share=True,
            direction="lower",
            group="replies",
            against_bots=True,
            by_dialogue=True,
            only_if_any=True,
        ),
        *_MARKERS,
    ),
    record="rapport_tasks.metrics.recorders:acts",
    identity="rapport_tasks.metrics.recorders:acts_identity",
    across="rapport_tasks.metrics.advice_to_empathy:demote_stock_phrases",
)
