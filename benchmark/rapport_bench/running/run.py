"""From a configuration to saved results: the only module that calls lm-eval's ``evaluate``.

Arms are scored one after the other on one loaded base; each arm's result is written as soon as it is
complete, and every response before that, so a run that is killed loses one batch at most.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapport_bench.arms.arm import Arm, Kind, model_arm, replies_arm, weightless_arm
from rapport_bench.arms.bots import BOTS, VERSION, ReplyRule, gold
from rapport_bench.arms.replies import ReplyModel, read_replies
from rapport_bench.arms.store import ResponseStore, replies_fact
from rapport_bench.common.files import write_atomically
from rapport_bench.results import result as results
from rapport_bench.running.command import command_line
from rapport_bench.running.config import Named, Reporter, RunConfig
from rapport_bench.running.content import Scored, content, volatile
from rapport_bench.running.group import BaseGroup
from rapport_bench.running.saved_arms import saved_result
from rapport_bench.running.shareable import require_shareable_arms, require_shareable_suite
from rapport_bench.running.suite import Suite, build_suite, choose_tasks
from rapport_bench.running.task_loading import load_tasks
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.record import Record, Unscored
from rapport_tasks.lm_tasks.protocol import TaskSettings
from rapport_tasks.metrics.advice_to_empathy import demote_stock_phrases
from rapport_tasks.prompts.rendering import prompts_sha256
from rapport_tasks.prompts.template_choice import system_text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left behind.

    Attributes:
        suite: What was asked.
        results: One an arm, in the order asked for, the base first.
        new: Which of them were written now; the others lay there already.
    """

    suite: Suite
    results: list[results.Result]
    new: list[bool]


def run(config: RunConfig, reporter: Reporter) -> Outcome:
    """Score every arm of a configuration and save the results.

    Raises:
        RapportError: Bad input of any kind, before anything is computed where that is possible.
    """
    tasks = choose_tasks(config.tasks)
    if not (config.base or config.models or config.replies or config.bots):
        raise BadInput("nothing to score", remedy="Give --base, --model, --replies or --bots.")
    if config.adapters and not config.base:
        raise BadInput("--adapter without --base", remedy="Name the base it was trained on.")
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
        planned = _plan(config, suite, store, reporter)
        arms = [arm for arm, _ in planned]
        require_shareable_arms(arms)
        _require_distinct_names(arms)
        saved: list[results.Result] = []
        new: list[bool] = []
        for index, (arm, score) in enumerate(planned):
            reporter.arm(arm.name, index, len(planned))
            there = saved_result(arm, suite, tasks, config.results) if config.reuse else None
            if there is not None:
                saved.append(there)
                new.append(False)
                continue
            scored = score(arm, tasks)
            result = results.seal(content(suite, arm, scored) | volatile(started, command))
            result, is_new = results.save(result, config.results)
            saved.append(result)
            new.append(is_new)
    return Outcome(suite, saved, new)


_Score = Callable[[Arm, Sequence[str]], Scored]


def _plan(
    config: RunConfig, suite: Suite, store: ResponseStore, reporter: Reporter
) -> list[tuple[Arm, _Score]]:
    """All arms with what scores each; everything that can be refused is refused here."""
    planned: list[tuple[Arm, _Score]] = []
    groups: list[tuple[str | None, str, tuple[Named, ...]]] = []
    if config.base:
        groups.append((None, config.base, config.adapters))
    groups += [(name, path, ()) for name, path in config.models]
    imported = [
        (name or Path(path).stem, *read_replies(Path(path), suite.dialogues))
        for name, path in config.replies
    ]
    for index, (name, path, named_adapters) in enumerate(groups):
        group = BaseGroup(config, store, reporter, path, named_adapters)
        score = _model_scorer(suite, group)
        kind: Kind = "base" if config.base and index == 0 else "model"
        shown = name or ("base" if kind == "base" else Path(path).name)
        planned += [
            (
                model_arm(
                    adapter.name if adapter else shown,
                    "adapter" if adapter else kind,
                    group.base,
                    adapter,
                    group.tokenizer,
                    template_sha256=group.template_sha256,
                ),
                score,
            )
            for adapter in (None, *group.adapters)
        ]
    planned += [
        (replies_arm(name, sha256), _rule_scorer(suite, rule)) for name, rule, sha256 in imported
    ]
    if config.bots:
        planned.append((weightless_arm("gold", "gold", VERSION), _rule_scorer(suite, gold)))
        planned += [
            (weightless_arm(name, "bot", VERSION), _rule_scorer(suite, rule))
            for name, rule in BOTS.items()
        ]
    return planned


def _model_scorer(suite: Suite, group: BaseGroup) -> _Score:
    def score(arm: Arm, tasks: Sequence[str]) -> Scored:
        numerics = group.choose_numerics(arm, load_tasks(suite.settings, tasks).values())
        model = group.model(arm, numerics)
        records = _evaluate(model, suite, tasks)
        if model.reply_keys:
            model.store.remember(
                replies_fact(arm.arm_id, suite.suite_id, numerics), model.reply_keys
            )
        proof = group.proof(arm, numerics) if arm.adapter else None
        system = suite.settings.system
        return Scored(
            records,
            numerics,
            proof,
            prompts_sha256(suite.dialogues, group.template, system=system),
        )

    return score


def _rule_scorer(suite: Suite, rule: ReplyRule) -> _Score:
    def score(arm: Arm, tasks: Sequence[str]) -> Scored:
        return Scored(_evaluate(ReplyModel(rule), suite, _without_likelihood(tasks)), None)

    return score


def _evaluate(model: Any, suite: Suite, tasks: Sequence[str]) -> dict[str, dict[str, Record]]:
    """Run lm-eval and read the records back from its samples."""
    if not tasks:
        return {}
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
    if "rapport_aer" in found:
        demote_stock_phrases(found["rapport_aer"])
    return found


def _without_likelihood(tasks: Sequence[str]) -> list[str]:
    return [task for task in tasks if task != "rapport_perplexity"]


def _require_writable(folder: Path) -> None:
    """Find out before hours of work, not after."""
    probe = folder / ".writable"
    write_atomically(probe, "")
    probe.unlink()


def _require_distinct_names(arms: Sequence[Arm]) -> None:
    names = [arm.name for arm in arms]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise BadInput(
            f"several arms are called {', '.join(doubled)}",
            remedy="Name them apart, for example --adapter new=PATH.",
        )
