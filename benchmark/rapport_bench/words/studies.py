"""Ratings by people beside a leaderboard: the studies of a suite, each as a table of its own.

They never enter ranks or tiers: raters judged other things, on fewer dialogues, than metrics do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rapport_bench.common.escape import one_line
from rapport_bench.results.human_result import HumanResult, files_in, load
from rapport_bench.results.human_sections import ArmOnScale
from rapport_bench.words import formatting
from rapport_bench.words.study import (
    NEW_RATERS,
    THESE_RATERS,
    agreement_warnings,
    headline,
    words_of,
)
from rapport_bench.words.tables import TextTable
from rapport_tasks.common.errors import BadInput, Incomplete


def studies_of(folder: str | Path, suite_id: str) -> tuple[list[HumanResult], list[str]]:
    """The human results of a suite below a results folder, and a line for each broken file."""
    found, problems = [], []
    for path in files_in(folder):
        try:
            result = load(path)
        except (BadInput, Incomplete) as error:
            problems.append(f"left out: {error.message}")
            continue
        if result.suite_id == suite_id:
            found.append(result)
    return found, problems


def study_table(result: HumanResult) -> TextTable:
    """Means of every arm on every scale, with the intervals of both populations; best arm first."""
    of = {(row.arm, row.scale): row for row in result.analysis.table}
    names = [one_line(arm.name) for arm in result.content.arms]

    def rank(arm: int) -> tuple[float, str]:
        return -(of[arm, result.scales[0]].mean or 0.0), names[arm]

    rows = tuple(
        (names[arm], *(_cell(of[arm, scale]) for scale in result.scales))
        for arm in sorted(range(len(names)), key=rank)
    )
    notes = (
        f"Mean over dialogues, higher is better; 95 % intervals for {THESE_RATERS}, then in braces "
        f"for {NEW_RATERS}.",
        *agreement_warnings(result),
    )
    header = ("arm", *map(words_of, result.scales))
    return TextTable(headline(result), header, rows, notes, left=("arm",))


def _cell(row: ArmOnScale) -> str:
    if row.mean is None:
        return "–"
    new = formatting.interval(row.ci_new_raters).strip("[]")
    parts = [f"{row.mean:.2f}", formatting.interval(row.ci), f"{{{new}}}" if new else ""]
    return " ".join(filter(None, parts))


def to_json(study: HumanResult) -> dict[str, Any]:
    """A study as `rapport leaderboard --json` prints it."""
    arms = study.content.arms
    points = {scale.name: scale.points for scale in study.content.scales}
    return {
        "study": study.study,
        "simulated": study.simulated,
        "result_id": study.result_id,
        "arms": [
            {
                "arm": arms[row.arm].name,
                "result_id": arms[row.arm].result_id,
                "scale": row.scale,
                "points": points[row.scale],
                "mean": row.mean,
                "sd": row.sd,
                "ci": row.ci,
                "ci_new_raters": row.ci_new_raters,
                "dialogues": row.items,
                "raters": study.raters,
            }
            for row in study.analysis.table
        ],
    }
