"""Two results, paired by dialogue: differences, corrections, verdicts. Needs no model.

Difference = candidate - baseline. ``worse`` is the difference in the bad direction. Confirmatory
metrics get a margin, Holm-adjusted p-values and a verdict; companions and markers get
Benjamini-Hochberg-adjusted p-values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rapport_bench.common.shown import Shown, ends
from rapport_bench.results.columns import gold_sums, has, scored_sums, sums
from rapport_bench.results.comparable import metric_gap
from rapport_bench.results.metrics import METRICS, NOT_ESTIMABLE_BELOW, Metric
from rapport_bench.results.result import Result, require_comparable
from rapport_bench.statistics import paired, rates, verdicts
from rapport_bench.statistics.bands import BandArms
from rapport_bench.statistics.bootstrap import SEED
from rapport_bench.statistics.clusters import Interval


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """One metric of two arms.

    Attributes:
        metric: Which.
        difference: Candidate - baseline; for a band, of the distances to it. `None` where the two
            must not be compared on it, with `note` saying why.
        p_adjusted: Holm within the confirmatory family, Benjamini-Hochberg among the others.
        verdict: For confirmatory metrics.
        ratio: For markers: rate ratio with a cluster bootstrap.
        ratio_gee: For markers: the same by a Poisson GEE.
        wilcoxon_p: Signed-rank test on per-dialogue values, secondary, as the study used it.
        coverage: Difference of coverage.
        note: What a reader must know.
    """

    metric: Metric
    difference: paired.Difference | None
    p_adjusted: float | None = None
    verdict: verdicts.Verdict | None = None
    ratio: rates.RateRatio | None = None
    ratio_gee: rates.RateRatio | None = None
    wilcoxon_p: float | None = None
    coverage: paired.Difference | None = None
    note: str = ""

    @property
    def worse(self) -> paired.Difference | None:
        """The difference in the bad direction; `None` without one, or where neither way is better."""
        if self.difference is None or self.metric.direction == "none":
            return None
        return verdicts.orient(self.difference, self.metric.direction)

    @property
    def in_margins(self) -> tuple[float, Interval | None] | None:
        """`worse` and its 95 % interval, counted in margins; `None` where it is undefined."""
        worse, margin = self.worse, self.metric.margin
        if worse is None or worse.value is None or not margin:
            return None
        return worse.value / margin, worse.ci and (worse.ci[0] / margin, worse.ci[1] / margin)


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """A candidate against a baseline.

    Attributes:
        candidate: The one in question.
        baseline: What it is set against.
        metrics: In the table's order.
        warnings: What limits the comparison.
    """

    candidate: Result
    baseline: Result
    metrics: list[MetricComparison]
    warnings: list[str]

    def by_name(self, name: str) -> MetricComparison | None:
        """The comparison on one metric, if both results have it."""
        return next((m for m in self.metrics if m.metric.name == name), None)

    def title(self) -> str:
        """Which against which, on how much."""
        return (
            f"{self.candidate.name} against {self.baseline.name} · "
            f"{len(self.candidate.dialogue_ids)} dialogues"
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """One row a confirmatory metric: the paired difference with its interval, and the verdict.

        Where the aim is the gold band, the difference is that of the distances to it.
        """
        found = []
        for item in self.metrics:
            if item.metric.family == "confirmatory":
                difference = item.difference
                row = {"metric": item.metric.name, "difference": difference and difference.value}
                row |= ends(difference.ci if difference else None)
                found.append(
                    row | {"p_adjusted": item.p_adjusted, "verdict": item.verdict or item.note}
                )
        return found

    def to_dict(self) -> dict[str, Any]:
        """As ``rapport compare --json`` prints it."""
        rows: dict[str, Any] = {}
        for item in self.metrics:
            name = item.metric.name
            row: dict[str, Any] = {
                "candidate": self.candidate.metrics[name].to_json(),
                "baseline": self.baseline.metrics[name].to_json(),
                "family": item.metric.family,
                "direction": item.metric.direction,
                "margin": item.metric.margin if item.metric.family == "confirmatory" else None,
                "difference": difference_json(item.difference),
                "p_adjusted": item.p_adjusted,
                "wilcoxon_p": item.wilcoxon_p,
                "coverage_difference": item.coverage.value if item.coverage else None,
                "verdict": item.verdict,
                "note": item.note or None,
            }
            for key, ratio in (("rate_ratio", item.ratio), ("rate_ratio_gee", item.ratio_gee)):
                if ratio is not None:
                    row[key] = {"value": ratio.value, "ci": ratio.ci, "p": ratio.p_value}
            rows[name] = row
        return {
            "candidate": arm_json(self.candidate),
            "baseline": arm_json(self.baseline),
            "suite": self.baseline.suite.to_json(),
            "metrics": rows,
        }


def compare(
    candidate: Result, baseline: Result, *, metrics: Sequence[Metric] = METRICS
) -> Comparison:
    """Compare two results of one suite on the metrics that both have.

    Raises:
        NotComparable: Their suites differ.
    """
    require_comparable(candidate, baseline)
    found = [
        compare_metric(metric, candidate, baseline)
        for metric in metrics
        if has(candidate.columns, metric) and has(baseline.columns, metric)
    ]
    return Comparison(candidate, baseline, judge(found), warnings_of(candidate, baseline))


def compare_metric(metric: Metric, candidate: Result, baseline: Result) -> MetricComparison:
    """One metric of two results of one suite, without adjustment and verdict.

    The columns of `metric` must be there in both. With ``gold``, the difference is that of the
    distances to the band, else that of the plain ratios.
    """
    gap = metric_gap(metric, candidate, baseline)
    if gap:
        return MetricComparison(metric, None, note=gap)
    gold = gold_sums(baseline.columns, metric)
    if metric.gold is not None and gold is None:
        return MetricComparison(metric, None, note=f"no gold replies in {baseline.name}")
    c_num, c_den = sums(candidate.columns, metric)
    b_num, b_den = sums(baseline.columns, metric)
    both_arms = (c_num, c_den, b_num, b_den)
    if gold is not None:
        difference = BandArms(
            [(c_num, c_den), (b_num, b_den)],
            gold,
            floor=metric.floor,
            scale=metric.scale,
            rng=np.random.default_rng(SEED),
        ).difference(0, 1)
    else:
        difference = ratio_difference(metric, candidate, baseline)
    ratio = ratio_gee = None
    if metric.family == "marker":
        ratio = rates.rate_ratio(*both_arms, rng=np.random.default_rng(SEED))
        ratio_gee = rates.poisson_gee_rate_ratio(*both_arms)
    coverage = paired.paired_ratio_difference(
        *scored_sums(candidate.columns, metric), *scored_sums(baseline.columns, metric)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        wilcoxon_p = paired.signed_rank_test(c_num / c_den - b_num / b_den).p_value
    return MetricComparison(
        metric,
        difference,
        ratio=ratio,
        ratio_gee=ratio_gee,
        wilcoxon_p=wilcoxon_p,
        coverage=coverage,
        note=difference.reason or "",
    )


def ratio_difference(metric: Metric, candidate: Result, baseline: Result) -> paired.Difference:
    """The difference of a metric's plain ratios, in its units, whether or not it has a band."""
    both_arms = (*sums(candidate.columns, metric), *sums(baseline.columns, metric))
    difference = paired.paired_ratio_difference(*both_arms)
    scale = metric.scale
    if scale == 1 or difference.value is None:
        return difference

    def times(ends: tuple[float, float] | None) -> tuple[float, float] | None:
        return None if ends is None else (ends[0] * scale, ends[1] * scale)

    return replace(
        difference,
        value=difference.value * scale,
        se=None if difference.se is None else difference.se * scale,
        ci=times(difference.ci),
        ci90=times(difference.ci90),
        mde=None if difference.mde is None else difference.mde * scale,
    )


def judge(found: list[MetricComparison], *, alpha: float = 0.05) -> list[MetricComparison]:
    """Adjust p-values within families and give verdicts.

    A coverage test belongs to the Holm family unless coverage is exactly equal, when there is
    nothing to test.
    """
    holm: dict[str, float | None] = {}
    others: dict[str, float | None] = {}
    for item in found:
        name = item.metric.name
        if item.metric.family == "confirmatory":
            holm[name] = item.difference.p_value if item.difference else None
            if item.coverage and not item.coverage.exactly_equal:
                holm[f"coverage of {name}"] = item.coverage.p_value
        elif item.metric.family == "marker":
            others[name] = item.ratio.p_value if item.ratio else None
        else:
            others[name] = item.difference.p_value if item.difference else None
    adjusted = verdicts.holm(holm) | verdicts.benjamini_hochberg(others)
    return [_with_verdict(item, adjusted, alpha) for item in found]


def _with_verdict(
    item: MetricComparison, adjusted: dict[str, float | None], alpha: float
) -> MetricComparison:
    p_adjusted = adjusted.get(item.metric.name)
    if item.metric.family != "confirmatory" or item.worse is None:
        return replace(item, p_adjusted=p_adjusted)
    dropped = item.coverage is not None and verdicts.coverage_regressed(
        item.coverage,
        p_adjusted=adjusted.get(f"coverage of {item.metric.name}"),
        alpha=alpha,
    )
    verdict = verdicts.verdict(
        worse=item.worse,
        margin=item.metric.margin,
        p_adjusted=p_adjusted,
        coverage_regressed=dropped,
        alpha=alpha,
    )
    return replace(item, p_adjusted=p_adjusted, verdict=verdict)


def warnings_of(candidate: Result, baseline: Result) -> list[str]:
    """What limits a comparison of two results."""
    warnings = []
    ours, theirs = candidate.numerics, baseline.numerics
    if ours and theirs and ours != theirs:
        differing = sorted(k for k in {*ours, *theirs} if ours.get(k) != theirs.get(k))
        warnings.append(f"numerics differ ({', '.join(differing)}): small differences may be noise")
    if candidate.asked and baseline.asked and candidate.asked != baseline.asked:
        known = all(r.arm.prompts_sha256 for r in (candidate, baseline))
        warnings.append(
            f"{candidate.name} and {baseline.name} {'were' if known else 'may have been'} asked in "
            "other words (chat template, its arguments): figures per token are not compared, and "
            "others may differ for that reason"
        )
    for result in (candidate, baseline):
        coverage = result.metric("aer_share").coverage
        if coverage is not None and coverage < NOT_ESTIMABLE_BELOW:
            warnings.append(
                f"{result.name}: AER is not estimable, {coverage:.0%} of replies have advice or empathy"
            )
    return warnings


def arm_json(result: Result) -> dict[str, Any]:
    """Which result an arm is."""
    return {"name": result.name, "kind": result.kind, "result_id": result.result_id}


def difference_json(difference: paired.Difference | None) -> dict[str, Any] | None:
    """A difference as `--json` prints it."""
    if difference is None:
        return None
    return {
        "value": difference.value,
        "se": difference.se,
        "ci": difference.ci,
        "ci90": difference.ci90,
        "p": difference.p_value,
        "minimum_detectable_effect": difference.mde,
        "dialogues": difference.clusters,
        "exactly_equal": difference.exactly_equal,
    }
