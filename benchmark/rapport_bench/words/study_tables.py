"""A study's outcome as tables of text, from the saved result alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rapport_bench.common.escape import one_line
from rapport_bench.results import human_sections as saved
from rapport_bench.results.human_result import HumanResult
from rapport_bench.results.metrics import BY_NAME
from rapport_bench.words import formatting
from rapport_bench.words.study import NEW_RATERS, SIMULATED, THESE_RATERS, words_of
from rapport_bench.words.tables import TextTable


def tables(result: HumanResult) -> Iterator[TextTable]:
    """Everything that was found; where nobody gave the ratings, every title says so."""
    for table in _tables(result):
        title = f"{SIMULATED} · {table.title}" if result.simulated else table.title
        yield replace(table, title=title)


def _tables(result: HumanResult) -> Iterator[TextTable]:
    yield _means(result)
    pairs: dict[tuple[int, int], list[saved.Comparison]] = {}
    for row in result.analysis.comparisons:
        pairs.setdefault((row.candidate, row.baseline), []).append(row)
    for (candidate, baseline), rows in pairs.items():
        names = f"{_arm(result, candidate)} − {_arm(result, baseline)}"
        yield _these_raters(names, rows)
        yield _new_raters(names, rows)
    yield _agreement(result)
    yield _raters(result)
    if result.analysis.metrics:
        yield _metrics(result, result.analysis.metrics)


def _means(result: HumanResult) -> TextTable:
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
    header = ("arm", *map(words_of, result.scales))
    return _table("Ratings by arm", header, rows, notes)


def _these_raters(names: str, rows: Sequence[saved.Comparison]) -> TextTable:
    cells = [
        (
            words_of(row.scale),
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
    return _table(f"{names} · {THESE_RATERS}", header, cells, notes)


def _new_raters(names: str, rows: Sequence[saved.Comparison]) -> TextTable:
    cells = [
        (
            words_of(row.scale),
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
    return _table(f"{names} · {NEW_RATERS}", header, cells, notes)


def _deviations(parts: saved.Variances | None) -> str:
    """Of one arm: a difference of two independent arms has twice the variance."""
    if parts is None:
        return "–"
    return " / ".join(
        "–" if variance is None else f"{(max(variance, 0.0) / 2) ** 0.5:.2f}"
        for variance in (parts.item, parts.rater, parts.residual)
    )


def _agreement(result: HumanResult) -> TextTable:
    found = {name: result.analysis.agreement[name] for name in result.scales}
    rows = tuple(
        (words_of(name), *map(_quantity, (row.alpha, row.icc_single, row.icc_average)))
        for name, row in found.items()
    )
    reasons = [part.reason for row in found.values() for part in (row.alpha, row.icc_average)]
    notes = (
        "Krippendorff's alpha of single ratings, intervals by bootstrap over dialogues; ICC(2,k) is "
        "what the mean over all k raters is worth. 1 is perfect, 0 chance.",
        *(f"Undefined: {reason}." for reason in dict.fromkeys(reasons) if reason is not None),
    )
    header = ("scale", "alpha (ordinal)", "ICC(2,1)", "ICC(2,k)")
    return _table("Agreement between raters", header, rows, notes)


def _raters(result: HumanResult) -> TextTable:
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
    return _table("Raters", header, rows, notes)


def _repeats(found: saved.SelfAgreement | None) -> str:
    if found is None or not found.pairs:
        return ""
    kappa = "" if found.kappa is None else f", κ {found.kappa:.2f}"
    return f"{found.exact:.0%}, ±1 {found.within_one:.0%}{kappa}"


def _metrics(result: HumanResult, found: Sequence[saved.MetricOnScale]) -> TextTable:
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
        over_arms = f"Over the means of {arms} arms, which are far too few, nothing can be said."
    notes = (
        "Spearman correlation over dialogues with 95 % intervals (bootstrap over dialogues). within: "
        "inside an arm, averaged over the arms in which both vary; between: of differences between two "
        "arms, which is what a comparison rests on. People rated one turn, a metric's value is of the "
        "whole dialogue; for metrics with a gold band neither end is good.",
        over_arms,
    )
    heads = [f"{_lines(s)}\n{what}" for s in result.scales for what in ("within", "between")]
    return _table("Do the metrics agree with the ratings?", ("metric", *heads), rows, notes)


def _table(
    title: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]], notes: Sequence[str]
) -> TextTable:
    return TextTable(title, header, tuple(rows), tuple(notes), left=header[:1])


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


def _lines(name: str) -> str:
    return name.replace("_", "\n")
