"""Regression tests as assertions: one metric of two results, judged exactly as the gate judges it.

    from rapport_bench.testing.assertions import assert_not_regressed
    assert_not_regressed("my-adapter", "base", "continuity", margin=0.02)

`rapport_bench.testing.plugin` offers the same as a fixture that scores the adapter first.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rapport_bench.api import RapportWarning
from rapport_bench.arms.text_sources import Sources
from rapport_bench.common.escape import one_line
from rapport_bench.judging.contributions import worst_dialogues
from rapport_bench.judging.gate import ArmGate, MetricGate, run_gate
from rapport_bench.judging.gate_policy import Policy, make_rule, read_policy
from rapport_bench.results.metrics import BY_NAME
from rapport_bench.results.result import Result, find
from rapport_bench.words import formatting
from rapport_bench.words.next_steps import compare_command, report_command, to_decide
from rapport_bench.words.signs import OUTCOMES
from rapport_tasks.common.errors import RapportError

_BUILT_IN = Sources()


class InconclusiveWarning(RapportWarning):
    """Neither regressed nor shown to be non-inferior: the data cannot decide."""


@dataclass(frozen=True, slots=True)
class RapportResult:
    """What the fixture ``rapport_result`` gives to a test.

    Attributes:
        candidate: The result in question.
        baseline: What it is set against.
        policy: Of ``--rapport-policy``; `None` without one.
        strict: Whether an inconclusive metric fails, unless a call says otherwise.
        folder: Where results lie.
        sources: Where their dialogues and replies lie, for the command that a failure names.
    """

    candidate: Result
    baseline: Result
    policy: Policy | None = None
    strict: bool = False
    folder: str = "results"
    sources: Sources = _BUILT_IN

    def assert_not_regressed(
        self,
        metric: str,
        *,
        margin: float | None = None,
        direction: str | None = None,
        strict: bool | None = None,
    ) -> MetricGate:
        """`assert_not_regressed` on this candidate and baseline."""
        __tracebackhide__ = True
        policy = _policy(metric, margin=margin, direction=direction, policy=self.policy)
        return _judge(metric, self, policy, strict=self.strict if strict is None else strict)


def assert_not_regressed(
    candidate: Result | str,
    baseline: Result | str,
    metric: str,
    *,
    margin: float | None = None,
    direction: str | None = None,
    policy: Policy | str | Path | None = None,
    strict: bool = False,
    results: str = "results",
) -> MetricGate:
    """Fail unless a candidate holds up against a baseline on one metric.

    The hypotheses are the gate's: *regressed* (worse by more than the margin, Holm-adjusted p below
    alpha, or the coverage rule) fails, *non-inferior* passes, and between them the metric is
    inconclusive, which passes with an `InconclusiveWarning` unless `strict`. What cannot be compared
    (another suite or tokenizer, a missing or undefined metric) always fails.

    Args:
        candidate: A result, or its arm's name, start of its id or file.
        baseline: Likewise.
        metric: As in result files and policies, like ``aer_share``.
        margin: Smallest change that matters, in the metric's units [default: the policy's, or for
            confirmatory metrics the built-in one].
        direction: ``lower``, ``higher`` or ``band`` [default: the policy's, or the metric's own].
        policy: A gate policy or its file: Holm's family is its metrics, this one among them.
            Without one the metric is tested alone, so several assertions add up their false alarms.
        strict: Whether an inconclusive metric fails.
        results: Folder in which names are looked up.

    Returns:
        The metric as the gate sees it: difference, margin, verdict.

    Raises:
        AssertionError: Regressed, not comparable, or inconclusive and `strict`; the message names
            value, difference, interval, margin, verdict and the worst dialogues by id.
        BadInput: An unknown metric or result, a negative margin, no margin or direction where the
            metric has none of its own.
    """
    __tracebackhide__ = True
    rules = read_policy(policy) if isinstance(policy, str | Path) else policy
    rules = _policy(metric, margin=margin, direction=direction, policy=rules)
    ours, theirs = (
        find(arm, results) if isinstance(arm, str) else arm for arm in (candidate, baseline)
    )
    return _judge(metric, RapportResult(ours, theirs, folder=results), rules, strict=strict)


def _policy(
    metric: str, *, margin: float | None, direction: str | None, policy: Policy | None
) -> Policy:
    """The policy with this metric's rule replaced or added; of this metric alone without one."""
    __tracebackhide__ = True
    rules = {rule.metric.name: rule for rule in policy.rules} if policy else {}
    own = BY_NAME.get(metric)
    there = rules.get(metric)
    table: dict[str, Any] = {}
    if there is not None:
        table["direction"] = there.metric.direction
        given = "margin" if there.margin is not None else "margin_percent"
        table[given] = getattr(there, given)
    elif own is not None:
        table |= {"direction": own.direction} if own.direction != "none" else {}
        table |= {"margin": own.margin} if own.margin else {}
    if direction is not None:
        table["direction"] = direction
    if margin is not None:
        table.pop("margin_percent", None)
        table["margin"] = margin
    try:
        rules[metric] = make_rule(metric, table, f"assert_not_regressed({metric!r})")
    except RapportError as error:
        error.add_note(error.remedy)  # pytest shows notes, and knows nothing of remedies
        raise error.with_traceback(None) from None
    return replace(policy, rules=tuple(rules.values())) if policy else Policy((rules[metric],))


def _judge(metric: str, asked: RapportResult, policy: Policy, *, strict: bool) -> MetricGate:
    """Raise, warn or return; called by what a test calls."""
    __tracebackhide__ = True
    (arm,) = run_gate([asked.candidate], asked.baseline, policy).arms
    found = next(item for item in arm.metrics if item.name == metric)
    inconclusive = found.outcome == "inconclusive"
    if found.outcome != "pass" and (strict or not inconclusive):
        raise AssertionError(_failure(found, arm, asked))
    for note in arm.warnings:
        warnings.warn(note, RapportWarning, stacklevel=3)
    if inconclusive:
        warnings.warn(_failure(found, arm, asked), InconclusiveWarning, stacklevel=3)
    return found


def _outcome(found: MetricGate) -> str:
    if found.verdict is None:
        return "✗ not comparable"
    return f"{OUTCOMES[found.outcome].sign} {found.verdict}"


def _failure(found: MetricGate, arm: ArmGate, asked: RapportResult) -> str:
    """What a person needs who reads that a metric did not pass; ids and figures, no text."""
    metric, candidate, baseline = found.rule.metric, asked.candidate, asked.baseline
    values = [
        f"{formatting.shown_name(r)} {formatting.number(r.metric(metric.name).value)}"
        for r in (candidate, baseline)
    ]
    lines = [
        f"{metric.name}: {_outcome(found)}",
        f"{values[0]}, {values[1]} ({formatting.BETTER[metric.direction]})",
    ]
    difference = found.difference
    if found.problem:
        lines.append(f"not compared: {one_line(found.problem)}")
    if difference is not None and difference.value is not None:
        what = "difference of distances" if metric.direction == "band" else "difference"
        parts = [f"{what} {formatting.signed(difference.value)}"]
        if difference.ci:
            parts.append(f"95 % interval {formatting.interval(difference.ci)}")
        parts.append(f"margin {formatting.number(found.margin)}")
        adjusted = formatting.p_value(found.comparison.p_adjusted) if found.comparison else ""
        lines.append(", ".join([*parts, *([f"Holm-adjusted {adjusted}"] if adjusted else [])]))
    coverage = found.verdict == "regressed (coverage)"
    if coverage and found.comparison and found.comparison.coverage:
        drop = found.comparison.coverage
        lines.append(
            f"coverage {formatting.signed(drop.value)}, 95 % interval {formatting.interval(drop.ci)}"
        )
    if found.comparison is not None:
        worst = worst_dialogues(found.comparison, candidate, baseline)
        listed = ", ".join(
            f"{one_line(one.dialogue)[:60]} ({one.share:+.2g}".replace("(-", "(−") + ")"
            for one in worst
        )
        lines += [f"worst dialogues: {listed}"] if worst else []
    if found.outcome == "inconclusive":
        lines += [to_decide(difference, found.margin)]
    lines += [f"note: {one_line(note)}" for note in arm.warnings]
    lines.append(f"all metrics: {compare_command(candidate, baseline, asked.folder)}")
    shown = report_command(candidate, baseline, asked.folder, sources=asked.sources)
    lines.append(f"look at them: {shown}")
    return "\n    ".join(line for line in lines if line)
