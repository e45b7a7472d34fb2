"""`rapport_continuity`: whether replies belong to this conversation rather than to any other."""

from __future__ import annotations

from rapport_tasks.specs.specification import Metric, Task

TASK = Task(
    "rapport_continuity",
    "1.1",
    "contrastive relevance of replies to their history",
    (
        Metric(
            "continuity",
            "continuity",
            ("continuity_sum",),
            ("continuity_n",),
            "continuity_n",
            "continuity_turns",
            unit="difference of relevances",
            direction="higher",
            margin=0.02,
            family="confirmatory",
            group="continuity",
        ),
        Metric(
            "order",
            "order",
            ("order_sum",),
            ("order_n",),
            "order_n",
            "order_n",
            unit="share",
            direction="higher",
            group="continuity",
        ),
        Metric(
            "copied",
            "copied replies",
            ("copied",),
            ("continuity_turns",),
            "continuity_turns",
            "continuity_turns",
            unit="share",
            share=True,
            direction="lower",
            group="continuity",
            only_if_any=True,
        ),
    ),
    record="rapport_tasks.metrics.recorders:continuity",
    identity="rapport_tasks.metrics.recorders:continuity_identity",
)
