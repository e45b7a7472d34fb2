"""What is said of a study of ratings, wherever it is shown."""

from __future__ import annotations

from rapport_bench.common.escape import one_line
from rapport_bench.results import human_sections as saved
from rapport_bench.results.human_result import HumanResult

SIMULATED = "SIMULATED RATINGS (by a program, by nobody)"
THESE_RATERS: saved.These = "these raters, new dialogues"
NEW_RATERS: saved.New = "new raters and new dialogues"
EXPERTS = {"advice": 0.64, "validation": 0.41}
"""Alphas reported for experts on such scales, as points of reference; reported figures, not measured here."""


def headline(result: HumanResult) -> str:
    """What was rated by how many, and whether by anyone."""
    design = result.content.design
    text = (
        f"Study {result.study} · suite {result.content.suite.name} {result.suite_id[:8]} · "
        f"{design.items} dialogues by {result.raters} of {design.raters} raters · "
        f"{len(result.content.arms)} arms"
    )
    return one_line(f"{SIMULATED} · {text}" if result.simulated else text)


def agreement_warnings(result: HumanResult) -> list[str]:
    """What low agreement means, with points of reference."""
    found = {name: result.analysis.agreement[name] for name in result.scales}
    low = [f"{words_of(name)} {row.alpha.value:.2f}" for name, row in found.items() if row.low]
    if not low:
        return []
    experts = ", ".join(f"{name} {value:.2f}" for name, value in EXPERTS.items())
    return [
        f"raters agree little (ordinal alpha {', '.join(low)}; below .4): single ratings are mostly "
        "noise, means over few raters partly. As points of reference, figures reported for experts "
        f"(not measured here): {experts}"
    ]


def words_of(name: str) -> str:
    """A scale's name for people."""
    return name.replace("_", " ")
