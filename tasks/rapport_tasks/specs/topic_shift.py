"""`rapport_topic_shift`: topics that the assistant opens."""

from __future__ import annotations

from rapport_tasks.specs.specification import Metric, Task

TASK = Task(
    "rapport_topic_shift",
    "1.4",
    "topics that the assistant opens",
    (
        Metric(
            "shift_rate",
            "topic shifts / 10 turns",
            ("shifts",),
            ("shift_opportunities",),
            "shift_opportunities",
            "shift_turns",
            unit="shifts per 10 turns",
            scale=10,
            direction="band",
            margin=0.3,
            family="confirmatory",
            group="shifts",
            gold=(("gold_shifts",), ("gold_shift_opportunities",)),
            floor=0.5,
        ),
    ),
    record="rapport_tasks.metrics.recorders:topic_shifts",
    identity="rapport_tasks.metrics.recorders:shift_identity",
)
