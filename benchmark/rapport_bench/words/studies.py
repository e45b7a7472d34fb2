"""Ratings by people beside a leaderboard: the studies of a suite, each as a table of its own.

They never enter ranks or tiers: raters judged other things, on fewer dialogues, than metrics do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rapport_bench.common.escape import one_line
from rapport_bench.results.human_result import ArmScore, HumanResult, arm_scores, load
from rapport_bench.words import formatting
from rapport_bench.words.study import (
    NEW_RATERS,
    THESE_RATERS,
    agreement_warnings,
    headline,
    scale_names,
    words_of,
)
from rapport_bench.words.tables import TextTable
from rapport_tasks.common.errors import BadInput, Incomplete


def studies_of(folder: str | Path, suite_id: str) -> tuple[list[HumanResult], list[str]]:
    """The human results of a suite below a results folder, and a line for each broken file."""
    found, problems = [], []
    for path in sorted(Path(folder).glob("v1/*/human/*.json")):
        try:
            result = load(path)
        except (BadInput, Incomplete) as error:
            problems.append(f"left out: {error.message}")
            continue
        if result.suite_id == suite_id:
            found.append(result)
    return found, problems


def study_table(result: HumanResult) -> TextTable:
    """Means of every arm on every scale, with the intervals of both populations."""
    scales = scale_names(result)
    by_arm: dict[str, dict[str, ArmScore]] = {}
    for score in arm_scores(result):
        by_arm.setdefault(score.result_id, {})[score.scale] = score

    def rank(scores: dict[str, ArmScore]) -> tuple[float, str]:
        first = scores[scales[0]]
        return -(first.mean or 0.0), first.arm

    rows = []
    for scores in sorted(by_arm.values(), key=rank):
        cells = [one_line(scores[scales[0]].arm), *(_cell(scores[scale]) for scale in scales)]
        rows.append(tuple(cells))
    notes = (
        f"Mean over dialogues, higher is better; 95 % intervals for {THESE_RATERS}, then in braces "
        f"for {NEW_RATERS}.",
        *agreement_warnings(result),
    )
    header = ("arm", *map(words_of, scales))
    return TextTable(headline(result), header, tuple(rows), notes, left=("arm",))


def _cell(score: ArmScore) -> str:
    if score.mean is None:
        return "–"
    new = formatting.interval(score.ci_new_raters).strip("[]")
    parts = [f"{score.mean:.2f}", formatting.interval(score.ci), f"{{{new}}}" if new else ""]
    return " ".join(filter(None, parts))


def to_json(study: HumanResult) -> dict[str, Any]:
    """A study as `rapport leaderboard --json` prints it."""
    return {
        "study": study.study,
        "simulated": study.simulated,
        "result_id": study.result_id,
        "arms": [
            {
                "arm": score.arm,
                "result_id": score.result_id,
                "scale": score.scale,
                "points": score.points,
                "mean": score.mean,
                "sd": score.sd,
                "ci": score.ci,
                "ci_new_raters": score.ci_new_raters,
                "dialogues": score.items,
                "raters": score.raters,
            }
            for score in arm_scores(study)
        ],
    }
