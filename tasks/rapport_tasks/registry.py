"""The tasks that there are: this project's, then those of other packages.

Another package adds one by an entry point::

    [project.entry-points."rapport_bench.tasks"]
    my_task = "my_package.my_module:TASK"

and it is run, saved, compared, printed and exported like the built-in ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rapport_tasks.common.errors import BadInput, close_match
from rapport_tasks.common.plugins import offered
from rapport_tasks.specs import aer, continuity, crisis, perplexity, topic_shift
from rapport_tasks.specs.specification import GROUPS, Metric, Task

BUILT_IN: tuple[Task, ...] = (
    perplexity.TASK,
    aer.TASK,
    continuity.TASK,
    topic_shift.TASK,
    crisis.TASK,
)
GROUP = "rapport_bench.tasks"
"""Of the entry points."""


@lru_cache(maxsize=1)
def tasks() -> dict[str, Task]:
    """Name -> task, the built-in ones first.

    Raises:
        BadInput: A package offers something that is no task, or whose names are taken.
    """
    found = {task.name: task for task in BUILT_IN}
    taken = {name for task in BUILT_IN for name in _names(task)}
    for source, task in offered(GROUP, Task):
        doubled = sorted(taken & set(_names(task)))
        if doubled or task.built_in:
            what = (
                f"the names {', '.join(doubled)} are taken" if doubled else "rapport_ is reserved"
            )
            raise BadInput(f"{source}: {what}", remedy="Rename its task, metrics or columns.")
        taken |= set(_names(task))
        found[task.name] = task
    return found


def task(name: str) -> Task:
    """One task.

    Raises:
        BadInput: There is none of that name.
    """
    known = tasks()
    if name not in known:
        raise BadInput(
            f"unknown task {name!r}",
            remedy=close_match(name, tuple(known)) + f"Use {', '.join(known)}.",
        )
    return known[name]


def metrics(of: Sequence[Task] | None = None) -> tuple[Metric, ...]:
    """All metrics, or those of some tasks, in the order of tables."""
    chosen = tasks().values() if of is None else of
    return tuple(
        sorted((m for t in chosen for m in t.metrics), key=lambda m: GROUPS.index(m.group))
    )


def _names(task: Task) -> list[str]:
    """What may occur once: the names of a task, of its metrics and what they are saved from."""
    derived = [d.name for metric in task.metrics for d in metric.derived]
    columns = {column for metric in task.metrics for column in metric.columns()}
    return [task.name, *(metric.name for metric in task.metrics), *derived, *sorted(columns)]
