"""From a configuration to saved results: the only module that calls lm-eval's ``evaluate``.

Arms are scored one after the other on one loaded base; each arm's result is written as soon as it is
complete, and every response before that, so a run that is killed loses one batch at most.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rapport_bench.arms.backend import Backend
from rapport_bench.arms.store import ResponseStore
from rapport_bench.common.files import write_atomically
from rapport_bench.results.result import Result, save, seal
from rapport_bench.running.backends import backends
from rapport_bench.running.command import command_line
from rapport_bench.running.config import Reporter, RunConfig
from rapport_bench.running.content import Records, content, volatile
from rapport_bench.running.outcome import Run
from rapport_bench.running.saved_arms import saved_result, tasks_for
from rapport_bench.running.shareable import require_shareable_arms, require_shareable_suite
from rapport_bench.running.suite import Suite, build_suite, choose_tasks
from rapport_tasks import registry
from rapport_tasks.common.protocol import TaskSettings
from rapport_tasks.common.record import Record, Unscored
from rapport_tasks.lm_tasks.tasks import load_tasks
from rapport_tasks.prompts.template_choice import system_text


def run(config: RunConfig, reporter: Reporter) -> Run:
    """Score every arm of a configuration and save the results.

    Raises:
        RapportError: Bad input of any kind, before anything is computed where that is possible.
    """
    tasks = choose_tasks(config.tasks)
    _require_writable(Path(config.results))
    settings = TaskSettings(
        data=config.data,
        limit=config.limit,
        encoder=config.encoder,
        generation=config.generation,
        system=system_text(config.system),
        seed_requests=True,
    )
    suite = build_suite(settings)
    require_shareable_suite(suite)
    reporter.suite(suite)
    started, command = time.monotonic(), command_line(config)
    with ResponseStore(config.store, warn=reporter.warn) as store:
        asked = backends(config, suite, store, reporter)
        require_shareable_arms([backend.arm for backend in asked])
        for remark in _unpromised(asked):
            reporter.warn(remark)
        saved: list[Result] = []
        new: list[bool] = []
        for index, backend in enumerate(asked):
            arm = backend.arm
            reporter.arm(arm.name, index, len(asked))
            there = saved_result(backend, suite, tasks, config.results) if config.reuse else None
            if there is not None:
                saved.append(there)
                new.append(False)
                continue
            records = score(backend, suite, tasks)
            made = content(suite, arm, records, backend.provenance()) | volatile(started, command)
            result, is_new = save(seal(made), config.results)
            saved.append(result)
            new.append(is_new)
    return Run(suite, saved, new)


def _unpromised(asked: Sequence[Backend]) -> Iterator[str]:
    """What does not hold for some arms beside others for which it does."""
    drawn_together = [b for b in asked if b.arm.base and "coupled" in b.promises]
    for backend in asked:
        if "reproducible" not in backend.promises:
            yield f"{backend.arm.name}: asked again, it may answer otherwise"
        if drawn_together and "coupled" not in backend.promises:
            yield (
                f"{backend.arm.name}: its replies were not drawn with the noise that the other arms "
                "share; differences to it hold more chance, and need more dialogues"
            )


def score(backend: Backend, suite: Suite, tasks: Sequence[str]) -> Records:
    """Ask a backend all that the tasks ask, and turn its answers into records."""
    chosen = tasks_for(backend, tasks)
    if not chosen:
        return {}
    model = backend.model(tuple(load_tasks(suite.settings, chosen).values()))
    return _evaluate(model, suite, chosen)


def _evaluate(model: Any, suite: Suite, tasks: Sequence[str]) -> Records:
    """Run lm-eval and read the records back from its samples."""
    from lm_eval.evaluator import evaluate

    logging.getLogger("lm_eval").setLevel(logging.WARNING)
    answer = evaluate(
        lm=model,
        task_dict={"tasks": load_tasks(suite.settings, tasks)},
        bootstrap_iters=0,
        log_samples=True,
        apply_chat_template=True,
    )
    found: dict[str, dict[str, Record]] = {}
    for task, samples in answer["samples"].items():
        by_dialogue = {}
        for sample in samples:
            value = dict(sample[sample["metrics"][0]])
            missing = [Unscored(metric, turn, why) for metric, turn, why in value.pop("unscored")]
            by_dialogue[sample["doc"]["id"]] = Record(
                phrases=value.pop("phrases"), unscored=missing, columns=value
            )
        found[task] = by_dialogue
        registry.task(task).see(by_dialogue)
    return found


def _require_writable(folder: Path) -> None:
    """Find out before hours of work, not after."""
    probe = folder / ".writable"
    write_atomically(probe, "")
    probe.unlink()
