"""What became of each rater: what is missing, whether they read, whether they gave one value to all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from rapport_bench.human.ratings.tables import Entry
from rapport_bench.human.sheets.study import Key, Study
from rapport_bench.results.human_sections import AttentionSection, Flag, Rater

ATTENTION_SHARE = 2 / 3
"""A rater who gives what the checks ask for in fewer than this share of them has not read."""
SAME_VALUE = 0.9
"""Share of one value in a rater's ratings from which they are called straight-lined."""
SAME_ROW = 0.95
"""Share of replies with one value on all scales, likewise."""
MIN_FOR_FLAGS = 20
"""Ratings (or replies) under which nobody is flagged for sameness."""

Unit = tuple[str, str, str, str]
"""Rater, item as shown, letter, scale."""


def _expected(study: Study, key: Key, rater: str) -> list[tuple[str, str, str]]:
    """(item as shown, letter, scale) that a rater was asked for, without attention checks."""
    return [
        (item, letter, scale.name)
        for item in study.assignments[rater]
        if item not in key.attention
        for letter in study.shown_letters
        for scale in study.scales
    ]


def code_of(place: int) -> str:
    """A rater's code in results, by place in the study.

    >>> code_of(0)
    'r01'
    """
    return f"r{place + 1:02d}"


def rater_report(
    at: int, study: Study, key: Key, values: Mapping[Unit, int], *, keep_inattentive: bool
) -> Rater:
    """What the rater at a place of the study gave, and how attentively."""
    rater = study.raters[at]
    own = {unit[1:]: value for unit, value in values.items() if unit[0] == rater}
    checks = [
        own[name, check.letter, check.scale] == check.expected
        for name, check in key.attention.items()
        if (name, check.letter, check.scale) in own
    ]
    given = {unit: value for unit, value in own.items() if unit[0] not in key.attention}
    expected = set(_expected(study, key, rater))
    flags: list[Flag] = []
    if checks and sum(checks) / len(checks) < ATTENTION_SHARE - 1e-9:
        flags.append("attention")
    counts = Counter(given.values())
    if len(given) >= MIN_FOR_FLAGS and max(counts.values()) >= SAME_VALUE * len(given):
        flags.append("same value")
    replies: dict[tuple[str, str], list[int]] = defaultdict(list)
    for (item, letter, _), value in given.items():
        replies[item, letter].append(value)
    rows = [row for row in replies.values() if len(row) > 1]
    same = sum(len(set(row)) == 1 for row in rows)
    if len(rows) >= MIN_FOR_FLAGS and same >= SAME_ROW * len(rows) and "same value" not in flags:
        flags.append("same row")
    return Rater(
        code=code_of(at),
        expected=len(expected),
        given=len(expected & set(given)),
        attention=AttentionSection(passed=sum(checks), answered=len(checks)),
        flags=tuple(flags),
        excluded="attention" in flags and not keep_inattentive,
    )


def what_is_missing(
    study: Study, key: Key, values: Mapping[Unit, int], blank: Mapping[Unit, Entry]
) -> list[str]:
    """What the design asks for and nobody gave, and what that leaves."""
    warnings = []
    came = {unit[0] for unit in values}
    absent = [rater for rater in study.raters if rater not in came]
    for rater in study.raters:
        wanted = [(rater, *unit) for unit in _expected(study, key, rater)]
        gone = [unit for unit in wanted if unit not in values]
        if rater in absent or not gone:
            continue
        places = [f"{blank[u].file}, {blank[u].where}" for u in gone if u in blank]
        places = places or [" ".join(unit[1:]) for unit in gone]
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        warnings.append(
            f"{rater}: {len(gone)} of {len(wanted)} ratings missing: {'; '.join(places[:3])}{more}"
        )
    extra = sum(unit[1] not in study.assignments[unit[0]] for unit in values)
    if extra:
        warnings.append(f"{extra} ratings of items that their rater was not assigned; they count")
    if absent:
        left = Counter[int]()
        for item in study.items:
            left[sum(item in study.assignments[r] for r in study.raters if r not in absent)] += 1
        rated = ", ".join(f"{count} by {n}" for n, count in sorted(left.items()))
        warnings.append(
            f"no ratings by {', '.join(absent)} ({len(absent)} of {len(study.raters)} raters): of "
            f"{len(study.items)} items, rated instead of by {study.per_item}: {rated}. "
            "What is said of new raters rests on fewer of them."
        )
    return warnings


def said_of_raters(study: Study, reports: Sequence[Rater]) -> list[str]:
    """Warnings about inattentive raters and those who give one value to everything."""
    said = {
        "same value": f"gave one value to at least {SAME_VALUE:.0%} of everything",
        "same row": f"gave one value on all scales to at least {SAME_ROW:.0%} of the replies",
    }
    warnings = []
    for rater, report in zip(study.raters, reports, strict=True):
        passed, answered = report.attention.passed, report.attention.answered
        if "attention" in report.flags:
            warnings.append(f"{rater} failed the attention checks ({passed} of {answered} passed)")
        elif passed < answered:
            warnings.append(
                f"{rater} missed {answered - passed} of {answered} attention checks, "
                "which is allowed"
            )
        for flag in report.flags:
            if flag in said:
                warnings.append(f"{rater} {said[flag]}: look at these ratings before you use them")
    excluded = [report.code for report in reports if report.excluded]
    if excluded:
        warnings.append(
            f"left out for failing the attention checks: {', '.join(excluded)} "
            "(--keep-inattentive counts them)"
        )
    return warnings
