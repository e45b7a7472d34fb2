"""The lm-eval tasks, loaded from the YAML files of `rapport_tasks`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rapport_tasks.lm_tasks.protocol import TaskSettings


def load_tasks(settings: TaskSettings, tasks: Sequence[str]) -> dict[str, Any]:
    """Task name -> task, in the order given."""
    from lm_eval.tasks import TaskManager

    from rapport_tasks import lm_tasks

    manager = TaskManager(
        include_path=str(Path(lm_tasks.__file__).parent),
        include_defaults=False,
        metadata=settings.to_metadata(),
    )
    loaded: dict[str, Any] = manager.load(list(tasks))["tasks"]
    return loaded
