"""The metrics of all tasks: which columns make each, which way is better, and what change matters.

Everything printed, compared, gated or ranked is derived from a result's columns by this table, which
follows from the specifications of the tasks.
"""

from __future__ import annotations

from rapport_tasks.registry import metrics, tasks
from rapport_tasks.specs.specification import Direction, Family, Metric

__all__ = [
    "BESIDE_BOTS",
    "BY_NAME",
    "CONFIRMATORY",
    "KNOWN",
    "METRICS",
    "NOT_ESTIMABLE_BELOW",
    "TASK_OF",
    "Direction",
    "Family",
    "Metric",
]

METRICS: tuple[Metric, ...] = metrics()
TASK_OF = {metric.name: task for task in tasks().values() for metric in task.metrics}
BY_NAME = {metric.name: metric for metric in METRICS}
KNOWN = frozenset(
    name for metric in METRICS for name in (metric.name, *(d.name for d in metric.derived))
)
"""Every name under which a figure may be saved."""
CONFIRMATORY = tuple(metric.name for metric in METRICS if metric.family == "confirmatory")
BESIDE_BOTS = tuple(metric.name for metric in METRICS if metric.against_bots)
"""Metrics beside the confirmatory ones, and coverage, that a bot as good as people would need."""
NOT_ESTIMABLE_BELOW = 0.6
"""Coverage of aer_share under which the console says "not estimable"."""
