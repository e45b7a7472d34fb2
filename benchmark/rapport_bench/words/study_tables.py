"""A study's outcome as tables of text, from the saved result alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rapport_bench.common.escape import one_line
from rapport_bench.results.human_result import HumanResult
from rapport_bench.results.metrics import BY_NAME
from rapport_bench.words import formatting
from rapport_bench.words.study import (
    NEW_RATERS,
    SIMULATED,
    THESE_RATERS,
    scale_names,
    words_of,
)
from rapport_bench.words.tables import TextTable


def tables(result: HumanResult) -> Iterator[TextTable]:
    """Everything that was found; where nobody gave the ratings, every title says so."""
    for table in _tables(result):
        title = f"{SIMULATED} · {table.title}" if result.simulated else table.title
        yield replace(table, title=title)


def _tables(result: HumanResult) -> Iterator[TextTable]:
    yield _means(result)
    pairs = dict.fromkeys(
        (row["candidate"], row["baseline"]) for row in result.analysis["comparisons"]
    )
    for candidate, baseline in pairs:
        rows = [
            row
            for row in result.analysis["comparisons"]
            if (row["candidate"], row["baseline"]) == (candidate, baseline)
        ]
        names = f"{_arm(result, candidate)} − {_arm(result, baseline)}"
        yield _these_raters(names, rows)
        yield _new_raters(names, rows)
    yield _agreement(result)
    yield _raters(result)
    if result.analysis["metrics"]:
        yield _metrics(result)


def _means(result: HumanResult) -> TextTable:
    scales = scale_names(result)
    header = ("arm", *map(words_of, scales))
    shown: list[tuple[str, ...]] = []
    rows = {(row["arm"], row["scale"]): row for row in result.analysis["table"]}
    for arm in range(len(result.data["arms"])):
        cells = []
        for scale in scales:
            row = rows[arm, scale]
            spread = f" ± {row['sd']:.2f}" if row["sd"] is not None else ""
            mean = "–" if row["mean"] is None else f"{row['mean']:.2f}{spread}"
            cells.append(f"{mean}\n{formatting.interval(row['ci'])}".rstrip())
        shown.append((_arm(result, arm), *cells))
    points = "/".join(dict.fromkeys(str(s["points"]) for s in result.data["scales"]))
    notes = (
        f"Mean over dialogues (1 to {points}, higher is better) ± sd of single ratings, with 95 % "
        f"interval for {THESE_RATERS}.",
    )
    return _table("Ratings by arm", header, shown, notes)


def _these_raters(names: str, rows: Sequence[Mapping[str, Any]]) -> TextTable:
    header = ("scale", "difference", "Wilcoxon", "adjusted", "rank-biserial", "detectable")
    shown: list[tuple[str, ...]] = []
    for row in rows:
        items, test = row["items"], row["wilcoxon"]
        shown.append(
            (
                words_of(row["scale"]),
                _difference(items),
                formatting.p_value(test["p"]) or "–",
                formatting.p_value(test["p_adjusted"]) or "–",
                f"{formatting.signed(row['rank_biserial']['value'])} "
                f"{formatting.interval(row['rank_biserial']['ci'])}",
                formatting.number(items["minimum_detectable_effect"]),
            )
        )
    zeros = ", ".join(str(row["wilcoxon"]["zeros"]) for row in rows)
    methods = ", ".join(str(row["wilcoxon"]["method"] or "none") for row in rows)
    notes = [
        f"Speaks of {THESE_RATERS}. Item means over raters; interval: Hall's t. Wilcoxon "
        f"signed-rank is the study's test; dialogues without a difference ({zeros}) are left out of "
        f"its ranks; p-values: {methods}. Adjusted: Holm over the scales.",
    ]
    left_out = sum(row["incomplete"] for row in rows)
    if left_out:
        notes.append(f"{left_out} ratings are left out: their rater did not rate both arms.")
    return _table(f"{names} · {THESE_RATERS}", header, shown, notes)


def _new_raters(names: str, rows: Sequence[Mapping[str, Any]]) -> TextTable:
    header = (
        "scale",
        "difference",
        "p",
        "adjusted",
        "df",
        "detectable",
        "sd: dialogue / rater / rest",
    )
    shown: list[tuple[str, ...]] = []
    for row in rows:
        found = row["crossed"]
        parts = found["variances"]
        shown.append(
            (
                words_of(row["scale"]),
                _difference(found),
                formatting.p_value(found["p"]) or "–",
                formatting.p_value(found["p_adjusted"]) or "–",
                formatting.number(found["df"]),
                formatting.number(found["minimum_detectable_effect"]),
                "–" if parts is None else _deviations(parts),
            )
        )
    reasons = dict.fromkeys(row["crossed"]["reason"] for row in rows if row["crossed"]["reason"])
    notes = (
        f"Speaks of {NEW_RATERS}: raters and dialogues both count as samples (crossed "
        "random effects, t). Claims about the arms as such rest on this table. Adjusted: Holm over "
        "the scales. sd: of one arm, for --sd-item-arm, --sd-rater-arm and --sd-residual of `rapport "
        "human plan`.",
        *(f"Without an interval: {reason}." for reason in reasons),
    )
    return _table(f"{names} · {NEW_RATERS}", header, shown, notes)


def _deviations(parts: Mapping[str, float | None]) -> str:
    """Of one arm: a difference of two independent arms has twice the variance."""
    halves = [
        "–" if parts[name] is None else f"{(max(parts[name] or 0.0, 0.0) / 2) ** 0.5:.2f}"
        for name in ("item", "rater", "residual")
    ]
    return " / ".join(halves)


def _agreement(result: HumanResult) -> TextTable:
    header = ("scale", "alpha (ordinal)", "ICC(2,1)", "ICC(2,k)")
    shown: list[tuple[str, ...]] = []
    reasons: dict[str, None] = {}
    for name in scale_names(result):
        row = result.analysis["agreement"][name]
        shown.append(
            (
                words_of(name),
                *(_figure(row[part]) for part in ("alpha", "icc_single", "icc_average")),
            )
        )
        reasons |= {
            row[part]["reason"]: None
            for part in ("alpha", "icc_average")
            if row[part]["reason"] is not None
        }
    notes = (
        "Krippendorff's alpha of single ratings, intervals by bootstrap over dialogues; ICC(2,k) is "
        "what the mean over all k raters is worth. 1 is perfect, 0 chance.",
        *(f"Undefined: {reason}." for reason in reasons),
    )
    return _table("Agreement between raters", header, shown, notes)


def _raters(result: HumanResult) -> TextTable:
    scales = scale_names(result)
    heads = [f"severity\n{_lines(scale)}" for scale in scales]
    header = ("rater", "ratings", *heads, "repeats", "note")
    shown: list[tuple[str, ...]] = []
    analysis = result.analysis
    for rater in result.data["raters"]:
        code = rater["code"]
        again = analysis["consistency"]["raters"].get(code)
        passed, answered = rater["attention"]["passed"], rater["attention"]["answered"]
        remarks = [f"attention {passed}/{answered}"] if answered else []
        remarks += [flag for flag in rater["flags"] if flag != "attention"]
        remarks += ["left out"] if rater["excluded"] else []
        severities = [
            analysis["agreement"][scale]["severity"].get(code, {"value": None})["value"]
            for scale in scales
        ]
        shown.append(
            (
                code,
                f"{rater['given']} of {rater['expected']}",
                *("–" if value is None else f"{value:+.2f}" for value in severities),
                _repeats(again) if again else "",
                ", ".join(remarks),
            )
        )
    notes = (
        "Severity: points above the raters' average on the same replies. Repeats: share alike, at most "
        "one point apart, and weighted kappa, on dialogues shown twice "
        f"(all raters: {_repeats(analysis['consistency']['all']) or 'none'}).",
    )
    return _table("Raters", header, shown, notes)


def _repeats(row: Mapping[str, Any]) -> str:
    if not row["pairs"]:
        return ""
    kappa = "" if row["kappa"] is None else f", κ {row['kappa']:.2f}"
    return f"{row['exact']:.0%}, ±1 {row['within_one']:.0%}{kappa}"


def _metrics(result: HumanResult) -> TextTable:
    scales = scale_names(result)
    heads = [f"{_lines(scale)}\n{what}" for scale in scales for what in ("within", "between")]
    header = ("metric", *heads)
    shown: list[tuple[str, ...]] = []
    rows = {(row["metric"], row["scale"]): row for row in result.analysis["metrics"]}
    for metric in dict.fromkeys(row["metric"] for row in result.analysis["metrics"]):
        cells = [
            _correlation(rows[metric, scale][what]) if (metric, scale) in rows else "–"
            for scale in scales
            for what in ("within", "between")
        ]
        shown.append((BY_NAME[metric].label if metric in BY_NAME else metric, *cells))
    said = [
        "Spearman correlation over dialogues with 95 % intervals (bootstrap over dialogues). within: "
        "inside an arm, averaged over the arms in which both vary; between: of differences between two arms, which is what "
        "a comparison rests on. People rated one turn, a metric's value is of the whole dialogue; "
        "for metrics with a gold band neither end is good.",
    ]
    arms = len(result.data["arms"])
    if arms > 2:
        said.append(
            f"Over the means of {arms} arms, which are far too few to tell: "
            + "; ".join(_over_arms(result.analysis["metrics"], scale) for scale in scales)
        )
    else:
        said.append("Over the arms' means nothing can be said: two points always correlate.")
    return _table("Do the metrics agree with the ratings?", header, shown, said)


def _over_arms(rows: Sequence[Mapping[str, Any]], scale: str) -> str:
    found = [
        f"{row['metric']} {row['arms']['value']:+.2f}"
        for row in rows
        if row["scale"] == scale and row["arms"]["value"] is not None
    ]
    return f"{words_of(scale)}: {', '.join(found) or 'undefined'}"


def _table(
    title: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]], notes: Sequence[str]
) -> TextTable:
    return TextTable(title, header, tuple(rows), tuple(notes), left=header[:1])


def _difference(row: Mapping[str, Any]) -> str:
    if row["exactly_equal"]:
        return "equal"
    return f"{formatting.signed(row['value'])} {formatting.interval(row['ci'])}".rstrip()


def _figure(row: Mapping[str, Any], line: str = " ") -> str:
    return f"{formatting.number(row['value'])}{line}{formatting.interval(row['ci'])}".rstrip()


def _correlation(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return "–"
    ends = f"\n[{row['ci'][0]:.2f}, {row['ci'][1]:.2f}]" if row["ci"] else ""
    return f"{row['value']:+.2f}{ends}"


def _arm(result: HumanResult, place: int) -> str:
    return one_line(str(result.data["arms"][place]["name"]))


def _lines(name: str) -> str:
    return name.replace("_", "\n")
