"""The gate: may this candidate take the baseline's place? From saved results alone.

Every metric of a policy gets a verdict (Holm over the policy's metrics) and is, or is not,
non-inferior. **fail** if any regressed; **pass** if every one is non-inferior; else
**inconclusive**. What could not be compared (a metric that a result lacks, an undefined value,
another suite) never passes, and no option waives it: **not comparable**, unless another metric
regressed already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from rapport_bench.common.shown import Shown
from rapport_bench.judging.compare import (
    MetricComparison,
    arm_json,
    compare_metric,
    difference_json,
    judge,
    warnings_of,
)
from rapport_bench.judging.gate_policy import Policy, Rule
from rapport_bench.results.columns import has_gold
from rapport_bench.results.metrics import Metric
from rapport_bench.results.result import Result, require_comparable
from rapport_bench.statistics import verdicts
from rapport_bench.statistics.paired import Difference
from rapport_tasks.common.errors import NotComparable

GateOutcome = Literal["pass", "inconclusive", "not comparable", "fail"]

_FROM_BEST: tuple[GateOutcome, ...] = ("pass", "inconclusive", "not comparable", "fail")
"""The worst decides: over metrics and over arms. A pass asks for every metric, an intersection-union
test that needs no correction (Berger 1982, Technometrics 24, 295-300)."""


@dataclass(frozen=True, slots=True)
class MetricGate:
    """One metric of the policy for one candidate.

    Attributes:
        rule: What the policy asks.
        comparison: Difference and verdict; `None` where there is none.
        margin: In the metric's units; `None` if it is a share of a value that is undefined.
        non_inferior: Whether the one-sided 95 % bound of ``worse`` lies below the margin.
        problem: Why it could not be compared; empty where it could.
    """

    rule: Rule
    comparison: MetricComparison | None = None
    margin: float | None = None
    non_inferior: bool = False
    problem: str = ""

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.rule.metric.name

    @property
    def verdict(self) -> verdicts.Verdict | None:
        """The verdict, where there is one."""
        return self.comparison.verdict if self.comparison else None

    @property
    def difference(self) -> Difference | None:
        """Candidate - baseline; for a band, of the distances to it."""
        return self.comparison.difference if self.comparison else None

    @property
    def outcome(self) -> GateOutcome:
        """What this metric alone would make of the gate."""
        if self.verdict and self.verdict.startswith("regressed"):
            return "fail"
        if self.problem:
            return "not comparable"
        return "pass" if self.non_inferior else "inconclusive"

    @property
    def deciding(self) -> verdicts.Deciding | None:
        """How many dialogues would decide."""
        return verdicts.deciding(self.difference, margin=self.margin)


@dataclass(frozen=True, slots=True)
class ArmGate:
    """One candidate before the gate."""

    candidate: Result
    metrics: tuple[MetricGate, ...]
    warnings: tuple[str, ...] = ()

    @property
    def outcome(self) -> GateOutcome:
        """The worst of the metrics."""
        return _worst(metric.outcome for metric in self.metrics)


@dataclass(frozen=True, repr=False)
class Gate(Shown):
    """Every candidate against one baseline under one policy."""

    policy: Policy
    baseline: Result
    arms: tuple[ArmGate, ...]

    @property
    def outcome(self) -> GateOutcome:
        """The worst of the arms."""
        return _worst(arm.outcome for arm in self.arms)

    def title(self) -> str:
        """The outcome."""
        return f"gate against {self.baseline.name}: {self.outcome}"

    def to_rows(self) -> list[dict[str, Any]]:
        """One row a candidate and metric of the policy."""
        return [
            {
                "candidate": arm.candidate.name,
                "metric": found.name,
                "difference": found.difference and found.difference.value,
                "margin": found.margin,
                "verdict": found.verdict or found.problem,
                "outcome": found.outcome,
            }
            for arm in self.arms
            for found in arm.metrics
        ]

    def to_dict(self) -> dict[str, Any]:
        """As ``rapport gate --json`` prints it."""
        return {
            "outcome": self.outcome,
            "policy": {
                "alpha": self.policy.alpha,
                "metrics": {
                    rule.metric.name: {
                        "direction": rule.metric.direction,
                        "margin": rule.margin,
                        "margin_percent": rule.margin_percent,
                    }
                    for rule in self.policy.rules
                },
            },
            "suite": self.baseline.suite.to_json(),
            "baseline": arm_json(self.baseline),
            "candidates": [
                arm_json(arm.candidate)
                | {
                    "outcome": arm.outcome,
                    "metrics": {m.name: _metric_json(m) for m in arm.metrics},
                }
                for arm in self.arms
            ],
        }

    def exit_code(self, *, allow_inconclusive: bool = False) -> int:
        """0 pass, 1 fail, 3 inconclusive (0 where that is allowed) or not comparable."""
        if self.outcome == "inconclusive" and allow_inconclusive:
            return 0
        return {"pass": 0, "fail": 1}.get(self.outcome, 3)


def run_gate(candidates: Sequence[Result], baseline: Result, policy: Policy) -> Gate:
    """Set every candidate against the baseline; Holm's family is the policy, for each candidate.

    Raises:
        ValueError: No candidate.
    """
    if not candidates:
        raise ValueError("a gate needs a candidate")
    return Gate(policy, baseline, tuple(_arm(c, baseline, policy) for c in candidates))


def _arm(candidate: Result, baseline: Result, policy: Policy) -> ArmGate:
    try:
        require_comparable(candidate, baseline)
    except NotComparable as error:
        refused = tuple(MetricGate(rule, problem="not of one suite") for rule in policy.rules)
        return ArmGate(candidate, refused, (error.message,))
    problems: dict[str, str] = {}
    found = []
    margins: dict[str, float | None] = {}
    for rule in policy.rules:
        name = rule.metric.name
        margins[name] = rule.margin_for(baseline.metric(name).value)
        problems[name] = _missing(rule.metric, candidate, baseline)
        if not problems[name]:
            # Without a margin there is no verdict but the coverage rule's; `_gated` says why.
            metric = replace(rule.metric, margin=margins[name] or 0.0)
            found.append(compare_metric(metric, candidate, baseline))
    by_name = {item.metric.name: item for item in judge(found, alpha=policy.alpha)}
    metrics = tuple(
        _gated(rule, by_name.get(rule.metric.name), margins[rule.metric.name], problems)
        for rule in policy.rules
    )
    warnings = warnings_of(candidate, baseline)
    if candidate.result_id == baseline.result_id:
        warnings.append(f"{candidate.name} was set against itself: the same result")
    return ArmGate(candidate, metrics, tuple(warnings))


def _gated(
    rule: Rule, item: MetricComparison | None, margin: float | None, problems: dict[str, str]
) -> MetricGate:
    if item is None:
        return MetricGate(rule, problem=problems[rule.metric.name])
    worse = item.worse
    if worse is None or worse.value is None or margin is None:
        problem = item.note or "its value is undefined"
        return MetricGate(rule, item, margin, problem=problem)
    return MetricGate(rule, item, margin, verdicts.non_inferior(worse, margin=margin))


def _worst(outcomes: Iterable[GateOutcome]) -> GateOutcome:
    return max(outcomes, key=_FROM_BEST.index)


def _missing(metric: Metric, candidate: Result, baseline: Result) -> str:
    """Which of two results cannot give a metric, in words; empty if both can."""
    needed = {*metric.numerator, *metric.denominator, metric.count, metric.scorable}
    lacking = [r.name for r in (candidate, baseline) if not needed <= r.columns.keys()]
    if lacking:
        return f"missing in {' and '.join(lacking)}"
    return "" if has_gold(baseline.columns, metric) else f"no gold replies in {baseline.name}"


def _metric_json(metric: MetricGate) -> dict[str, Any]:
    item = metric.comparison
    return {
        "outcome": metric.outcome,
        "verdict": metric.verdict,
        "non_inferior": metric.non_inferior,
        "margin": metric.margin,
        "difference": difference_json(metric.difference),
        "p_adjusted": item.p_adjusted if item else None,
        "coverage_difference": item.coverage.value if item and item.coverage else None,
        "deciding_dialogues": metric.deciding.needed if metric.deciding else None,
        "problem": metric.problem or None,
    }
