"""On which metrics two results of one suite can be compared.

Of one suite they have the same data, protocol and built-in tasks. Figures per token need the same tokens
and prompts, too, and metrics of another package's task the same version of it.
"""

from __future__ import annotations

from rapport_bench.results.metrics import TASK_OF, Metric
from rapport_bench.results.result import Result


def likeness(metric: Metric, result: Result) -> tuple[str, ...]:
    """What must be the same in two results of one suite that are compared on a metric."""
    task = TASK_OF[metric.name]
    saved = None if task.built_in else result.suite.tasks.get(task.name)
    asked = (str(result.arm.tokenizer_sha256), str(result.asked)) if metric.same_tokenizer else ()
    return (saved.metric_sha256 if saved else "", *asked)


def metric_gap(metric: Metric, one: Result, other: Result) -> str:
    """Why two results of one suite cannot be compared on a metric; empty where they can."""
    ours, theirs = likeness(metric, one), likeness(metric, other)
    if ours == theirs:
        return ""
    if ours[0] != theirs[0]:
        task = TASK_OF[metric.name].name
        found = [result.suite.tasks.get(task) for result in (one, other)]
        versions = " and ".join(saved.version if saved else "none" for saved in found)
        return f"{task} {versions} are not comparable"
    return "different_tokenizer" if ours[1] != theirs[1] else "different_prompts"
