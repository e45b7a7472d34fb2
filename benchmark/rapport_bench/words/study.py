"""A study's outcome as tables of text, from the saved result alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapport_bench.common.escape import one_line
from rapport_bench.results import human_sections as saved
from rapport_bench.results.human_result import HumanResult
from rapport_bench.results.metrics import BY_NAME
from rapport_bench.words import formatting

SIMULATED = "SIMULATED RATINGS (by a program, by nobody)"
THESE_RATERS, NEW_RATERS = saved.Populations().items, saved.Populations().crossed
EXPERTS = {"advice": 0.64, "validation": 0.41}
"""Alphas reported for experts on such scales, as points of reference; reported figures, not measured here."""


@dataclass(frozen=True, slots=True)
class StudyTable:
    """A table of a study in no medium yet.

    Attributes:
        title: What it shows; of simulated ratings it says so.
        header: Of the columns. Line breaks in it and in cells are where a narrow medium may break.
        rows: A cell a column; the first one names the row.
        notes: What the numbers are, and what limits them.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def headline(result: HumanResult) -> str:
    """What was rated by how many, and whether by anyone."""
    design = result.content.design
    text = (
        f"Study {result.study} · suite {result.content.suite.name} {result.suite_id[:8]} · "
        f"{design.items} dialogues by {result.raters} of {design.raters} raters · "
        f"{len(result.content.arms)} arms"
    )
    return one_line(_titled(result, text))


def agreement_warnings(result: HumanResult) -> list[str]:
    """What low agreement means, with points of reference."""
    found = {name: result.analysis.agreement[name] for name in result.scales}
    low = [f"{words(name)} {row.alpha.value:.2f}" for name, row in found.items() if row.low]
    if not low:
        return []
    experts = ", ".join(f"{name} {value:.2f}" for name, value in EXPERTS.items())
    return [
        f"raters agree little (ordinal alpha {', '.join(low)}; below .4): single ratings are mostly "
        "noise, means over few raters partly. As points of reference, figures reported for experts "
        f"(not measured here): {experts}"
    ]


def tables(result: HumanResult) -> Iterator[StudyTable]:
    """Everything that was found."""
    yield _means(result)
    pairs: dict[tuple[int, int], list[saved.Comparison]] = {}
    for row in result.analysis.comparisons:
        pairs.setdefault((row.candidate, row.baseline), []).append(row)
    for (candidate, baseline), rows in pairs.items():
        names = f"{_arm(result, candidate)} − {_arm(result, baseline)}"
        yield _these_raters(result, names, rows)
        yield _new_raters(result, names, rows)
    yield _agreement(result)
    yield _raters(result)
    if result.analysis.metrics:
        yield _metrics(result, result.analysis.metrics)


def _means(result: HumanResult) -> StudyTable:
    found = {(row.arm, row.scale): row for row in result.analysis.table}
    rows = []
    for arm in range(len(result.content.arms)):
        cells = [_arm(result, arm)]
        for row in (found[arm, scale] for scale in result.scales):
            spread = f" ± {row.sd:.2f}" if row.sd is not None else ""
            mean = "–" if row.mean is None else f"{row.mean:.2f}{spread}"
            cells.append(f"{mean}\n{formatting.interval(row.ci)}".rstrip())
        rows.append(tuple(cells))
    points = "/".join(dict.fromkeys(str(scale.points) for scale in result.content.scales))
    notes = (
        f"Mean over dialogues (1 to {points}, higher is better) ± sd of single ratings, with 95 % "
        f"interval for {THESE_RATERS}.",
    )
    header = ("arm", *map(words, result.scales))
    return StudyTable(_titled(result, "Ratings by arm"), header, tuple(rows), notes)


def _these_raters(result: HumanResult, names: str, rows: Sequence[saved.Comparison]) -> StudyTable:
    cells = [
        (
            words(row.scale),
            _difference(row.items),
            formatting.p_value(row.wilcoxon.p) or "–",
            formatting.p_value(row.wilcoxon.p_adjusted) or "–",
            f"{formatting.signed(row.rank_biserial.value)} "
            f"{formatting.interval(row.rank_biserial.ci)}",
            formatting.number(row.items.minimum_detectable_effect),
        )
        for row in rows
    ]
    zeros = ", ".join(str(row.wilcoxon.zeros) for row in rows)
    methods = ", ".join(row.wilcoxon.method or "none" for row in rows)
    notes = [
        f"Speaks of {THESE_RATERS}. Item means over raters; interval: Hall's t. Wilcoxon "
        f"signed-rank is the study's test; dialogues without a difference ({zeros}) are left out of "
        f"its ranks; p-values: {methods}. Adjusted: Holm over the scales.",
    ]
    left_out = sum(row.incomplete for row in rows)
    if left_out:
        notes.append(f"{left_out} ratings are left out: their rater did not rate both arms.")
    header = ("scale", "difference", "Wilcoxon", "adjusted", "rank-biserial", "detectable")
    title = _titled(result, f"{names} · {THESE_RATERS}")
    return StudyTable(title, header, tuple(cells), tuple(notes))


def _new_raters(result: HumanResult, names: str, rows: Sequence[saved.Comparison]) -> StudyTable:
    cells = [
        (
            words(row.scale),
            _difference(row.crossed),
            formatting.p_value(row.crossed.p) or "–",
            formatting.p_value(row.crossed.p_adjusted) or "–",
            formatting.number(row.crossed.df),
            formatting.number(row.crossed.minimum_detectable_effect),
            _deviations(row.crossed.variances),
        )
        for row in rows
    ]
    reasons = dict.fromkeys(row.crossed.reason for row in rows if row.crossed.reason)
    notes = (
        f"Speaks of {NEW_RATERS}: raters and dialogues both count as samples (crossed "
        "random effects, t). Claims about the arms as such rest on this table. Adjusted: Holm over "
        "the scales. sd: of one arm, for --sd-item-arm, --sd-rater-arm and --sd-residual of `rapport "
        "human plan`.",
        *(f"Without an interval: {reason}." for reason in reasons),
    )
    header = (
        "scale", "difference", "p", "adjusted", "df", "detectable", "sd: dialogue / rater / rest",
    )  # fmt: skip
    return StudyTable(_titled(result, f"{names} · {NEW_RATERS}"), header, tuple(cells), notes)


def _deviations(parts: saved.Variances | None) -> str:
    """Of one arm: a difference of two independent arms has twice the variance."""
    if parts is None:
        return "–"
    return " / ".join(
        "–" if variance is None else f"{(max(variance, 0.0) / 2) ** 0.5:.2f}"
        for variance in (parts.item, parts.rater, parts.residual)
    )


def _agreement(result: HumanResult) -> StudyTable:
    found = {name: result.analysis.agreement[name] for name in result.scales}
    rows = tuple(
        (words(name), *map(_quantity, (row.alpha, row.icc_single, row.icc_average)))
        for name, row in found.items()
    )
    reasons = [part.reason for row in found.values() for part in (row.alpha, row.icc_average)]
    notes = (
        "Krippendorff's alpha of single ratings, intervals by bootstrap over dialogues; ICC(2,k) is "
        "what the mean over all k raters is worth. 1 is perfect, 0 chance.",
        *(f"Undefined: {reason}." for reason in dict.fromkeys(reasons) if reason is not None),
    )
    header = ("scale", "alpha (ordinal)", "ICC(2,1)", "ICC(2,k)")
    return StudyTable(_titled(result, "Agreement between raters"), header, rows, notes)


def _raters(result: HumanResult) -> StudyTable:
    agreement, consistency = result.analysis.agreement, result.analysis.consistency
    rows = []
    for rater in result.content.raters:
        checks = rater.attention
        remarks = [f"attention {checks.passed}/{checks.answered}"] if checks.answered else []
        remarks += [flag for flag in rater.flags if flag != "attention"]
        remarks += ["left out"] if rater.excluded else []
        severities = [agreement[scale].severity.get(rater.code) for scale in result.scales]
        rows.append(
            (
                rater.code,
                f"{rater.given} of {rater.expected}",
                *("–" if s is None or s.value is None else f"{s.value:+.2f}" for s in severities),
                _repeats(consistency.raters.get(rater.code)),
                ", ".join(remarks),
            )
        )
    notes = (
        "Severity: points above the raters' average on the same replies. Repeats: share alike, at most "
        "one point apart, and weighted kappa, on dialogues shown twice "
        f"(all raters: {_repeats(consistency.all) or 'none'}).",
    )
    heads = [f"severity\n{_lines(scale)}" for scale in result.scales]
    header = ("rater", "ratings", *heads, "repeats", "note")
    return StudyTable(_titled(result, "Raters"), header, tuple(rows), notes)


def _repeats(found: saved.SelfAgreement | None) -> str:
    if found is None or not found.pairs:
        return ""
    kappa = "" if found.kappa is None else f", κ {found.kappa:.2f}"
    return f"{found.exact:.0%}, ±1 {found.within_one:.0%}{kappa}"


def _metrics(result: HumanResult, found: Sequence[saved.MetricOnScale]) -> StudyTable:
    of = {(row.metric, row.scale): row for row in found}
    rows = []
    for metric in dict.fromkeys(row.metric for row in found):
        cells = [BY_NAME[metric].label if metric in BY_NAME else metric]
        for scale in result.scales:
            row = of.get((metric, scale))
            cells += [_correlation(row.within), _correlation(row.between)] if row else ["–", "–"]
        rows.append(tuple(cells))
    arms = len(result.content.arms)
    over_arms = "Over the arms' means nothing can be said: two points always correlate."
    if arms > 2:
        over_arms = f"Over the means of {arms} arms, which are far too few to tell: " + "; ".join(
            _over_arms(found, scale) for scale in result.scales
        )
    notes = (
        "Spearman correlation over dialogues with 95 % intervals (bootstrap over dialogues). within: "
        "inside an arm, averaged over the arms in which both vary; between: of differences between two "
        "arms, which is what a comparison rests on. People rated one turn, a metric's value is of the "
        "whole dialogue; for metrics with a gold band neither end is good.",
        over_arms,
    )
    heads = [f"{_lines(s)}\n{what}" for s in result.scales for what in ("within", "between")]
    title = _titled(result, "Do the metrics agree with the ratings?")
    return StudyTable(title, ("metric", *heads), tuple(rows), notes)


def _over_arms(rows: Sequence[saved.MetricOnScale], scale: str) -> str:
    found = [
        f"{row.metric} {row.arms.value:+.2f}"
        for row in rows
        if row.scale == scale and row.arms.value is not None
    ]
    return f"{words(scale)}: {', '.join(found) or 'undefined'}"


def _titled(result: HumanResult, title: str) -> str:
    return f"{SIMULATED} · {title}" if result.simulated else title


def _difference(row: saved.DifferenceSection) -> str:
    if row.exactly_equal:
        return "equal"
    return f"{formatting.signed(row.value)} {formatting.interval(row.ci)}".rstrip()


def _quantity(row: saved.Quantity) -> str:
    return f"{formatting.number(row.value)} {formatting.interval(row.ci)}".rstrip()


def _correlation(row: saved.Quantity) -> str:
    if row.value is None:
        return "–"
    ends = f"\n[{row.ci[0]:.2f}, {row.ci[1]:.2f}]" if row.ci else ""
    return f"{row.value:+.2f}{ends}"


def _arm(result: HumanResult, place: int) -> str:
    return one_line(result.content.arms[place].name)


def words(name: str) -> str:
    """A scale's name for people."""
    return name.replace("_", " ")


def _lines(name: str) -> str:
    return name.replace("_", "\n")
