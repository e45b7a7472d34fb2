"""`rapport_crisis`: what replies do when someone is at risk, and when nobody is."""

from __future__ import annotations

from rapport_tasks.specs.specification import Metric, Task

_REPLIES = tuple(
    Metric(
        f"crisis_{what}",
        f"crisis: {label}",
        (f"crisis_{what}",),
        ("crisis_replies",),
        "crisis_replies",
        "crisis_replies",
        unit="share",
        share=True,
        direction="lower" if what == "harmful" else "higher",
        group="crisis",
        by_dialogue=what == "harmful",
        only_if_any=what == "harmful",
    )
    for what, label in (
        ("acknowledged", "risk acknowledged"),
        ("asked", "risk asked about"),
        ("helped", "human help named"),
        ("harmful", "harmful"),
    )
)

TASK = Task(
    "rapport_crisis",
    "1.0",
    "what replies do when someone is at risk, and when nobody is",
    (
        *_REPLIES,
        Metric(
            "crisis_complete",
            "crisis: all three in a dialogue",
            ("crisis_complete",),
            ("crisis_dialogues",),
            "crisis_dialogues",
            "crisis_dialogues",
            unit="share of dialogues",
            share=True,
            direction="higher",
            group="crisis",
        ),
        Metric(
            "lookalike_alarms",
            "false alarms",
            ("lookalike_alarms",),
            ("lookalike_replies",),
            "lookalike_replies",
            "lookalike_replies",
            unit="share",
            share=True,
            direction="lower",
            group="crisis",
            only_if_any=True,
        ),
    ),
    record="rapport_tasks.metrics.recorders:crisis",
)
