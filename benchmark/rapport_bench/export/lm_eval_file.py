"""A result in the shape of lm-eval's own ``results_*.json``, for tools that read those.

Values are the saved ones, in the units of the tasks; standard errors are clustered by dialogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lm_eval.utils import sanitize_model_name

from rapport_bench.common.files import to_json, write_atomically
from rapport_bench.common.identity import canonical
from rapport_bench.results.columns import total
from rapport_bench.results.figures import figures
from rapport_bench.results.metrics import BY_NAME
from rapport_bench.results.result import Result, slug
from rapport_bench.statistics.estimates import ratio_of_sums
from rapport_tasks import registry
from rapport_tasks.common.protocol import Generation, TaskSettings
from rapport_tasks.lm_tasks.tasks import load_tasks

_UNDEFINED = "N/A"  # what lm-eval writes for a standard error that it does not have


def to_lm_eval(result: Result, tasks: Mapping[str, Any]) -> dict[str, Any]:
    """The content of lm-eval's results file for one arm.

    Args:
        result: Its undefined values are left out.
        tasks: As `tasks_of` loads them.
    """
    owners = {metric.name: name for name, task in tasks.items() for metric in task.TASK.metrics}
    suite = result.suite
    table: dict[str, dict[str, Any]] = {}
    better: dict[str, dict[str, bool | None]] = {}
    for name, value, se, source, higher in _values(result, tasks):
        task = owners.get(source, source)
        row = table.setdefault(task, {"name": task, "alias": task, "sample_len": suite.dialogues})
        row[f"{name},none"] = value
        row[f"{name}_stderr,none"] = _UNDEFINED if se is None else se
        better.setdefault(task, {})[name] = higher
    present = [task for task in tasks if task in table]
    run = suite.to_json()["tasks"]
    counts = {"original": suite.dialogues, "effective": suite.dialogues}
    return {
        "results": {task: table[task] for task in present},
        "group_subtasks": {},
        "configs": {task: _config(tasks[task], run.get(task, {})) for task in present},
        "versions": {task: run.get(task, {}).get("version") for task in present},
        "n-shot": dict.fromkeys(present, 0),
        "higher_is_better": {task: better[task] for task in present},
        "n-samples": {task: dict(counts) for task in present},
        **_provenance(result),
    }


def _values(
    result: Result, tasks: Mapping[str, Any]
) -> list[tuple[str, float, float | None, str, bool | None]]:
    """(metric, value, standard error, metric or task that owns it, whether higher is better)."""
    better = {"higher": True, "lower": False}
    of_tasks = {name for task in tasks.values() for name in task.sums()}
    found: list[tuple[str, float, float | None, str, bool | None]] = []
    for figure in figures(result):
        value, se = figure.saved.value, figure.saved.se
        if value is None:
            continue
        # The tasks know no units: their shift_rate is per turn, ours per ten.
        scale = BY_NAME[figure.name].scale if figure.name in of_tasks else 1.0
        se = None if se is None else se / scale
        found.append((figure.name, value / scale, se, figure.source, better.get(figure.direction)))
    columns = result.columns
    for task_name, task in tasks.items():
        for name, (above, below) in task.sums().items():
            if name in BY_NAME or not {*above, *below} <= columns.keys():
                continue
            estimate = ratio_of_sums(total(columns, above), total(columns, below))
            if estimate.value is not None:
                found.append((name, estimate.value, estimate.se, task_name, False))
    return found


def _config(task: Any, identity: Mapping[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = task.dump_config()
    return config | {"metadata": dict(identity)}


def _provenance(result: Result) -> dict[str, Any]:
    base, made, numerics = result.arm.base, result.volatile, result.numerics or {}
    named = {"pretrained": base and base.name}
    named |= {"peft": result.name} if result.role.adapted else {}
    found: dict[str, Any] = {
        "config": {
            "model": "rapport",
            "model_args": {key: value for key, value in named.items() if value is not None},
            "model_dtype": base and base.dtype,
            "batch_size": None,
            "batch_sizes": [],
            "device": numerics.get("device"),
            "use_cache": None,
            "limit": None,
            "bootstrap_iters": 0,
            "gen_kwargs": None,
        },
        "model_source": "rapport-bench",
        "model_name": result.name,
        "model_name_sanitized": sanitize_model_name(result.name),
        "task_hashes": {},
        "rapport": {
            "result_id": result.result_id,
            "suite": result.suite.name,
            "suite_id": result.suite_id,
            "arm": result.arm.to_json(),
            "numerics": result.numerics,
        },
    }
    if result.created is not None:
        found["date"] = result.created.timestamp()
    if "transformers" in numerics:
        found["transformers_version"] = numerics["transformers"]
    if made.git is not None:
        found["git_hash"] = made.git.commit
    if made.seconds is not None:
        found["total_evaluation_time_seconds"] = str(made.seconds)
    return found


def write_lm_eval(results: Iterable[Result], folder: Path) -> Iterator[Path]:
    """Write ``<folder>/<arm>@<first 8 of result_id>/results_<time>.json`` for each.

    Raises:
        BadInput: The folder cannot be written to.
    """
    loaded: dict[str, dict[str, Any]] = {}
    for result in results:
        protocol = canonical(result.suite.protocol.generation.to_json())
        if protocol not in loaded:
            loaded[protocol] = tasks_of(result)
        time = f"{result.created:%Y-%m-%dT%H-%M-%S}" if result.created else "undated"
        where = folder / f"{slug(result.name)}@{result.result_id[:8]}"
        path = where / f"results_{time}.json"
        write_atomically(path, to_json(to_lm_eval(result, loaded[protocol])))
        yield path


def tasks_of(result: Result) -> dict[str, Any]:
    """The lm-eval tasks under the result's own protocol."""
    protocol = result.suite.protocol.generation.to_json()
    generation = Generation(**protocol | {"seeds": tuple(protocol["seeds"])})
    return load_tasks(TaskSettings(generation=generation), tuple(registry.tasks()))
