"""A study's outcome as tables of text, from the saved result alone."""

from __future__ import annotations

from rapport_bench.common.escape import one_line
from rapport_bench.results.human_result import HumanResult

SIMULATED = "SIMULATED RATINGS (by a program, by nobody)"


def headline(result: HumanResult) -> str:
    """What was rated by how many, and whether by anyone."""
    data = result.data
    raters = sum(not rater["excluded"] and rater["given"] > 0 for rater in data["raters"])
    text = (
        f"Study {result.study} · suite {data['suite']['name']} {result.suite_id[:8]} · "
        f"{data['design']['items']} dialogues by {raters} of {data['design']['raters']} raters · "
        f"{len(data['arms'])} arms"
    )
    return one_line(f"{SIMULATED} · {text}" if result.simulated else text)


def agreement_warnings(result: HumanResult) -> list[str]:
    """What low agreement means, with points of reference."""
    rows = result.analysis["agreement"]
    low = [name for name in scale_names(result) if rows[name]["low"]]
    if not low:
        return []
    listed = ", ".join(f"{words_of(name)} {rows[name]['alpha']['value']:.2f}" for name in low)
    return [
        f"raters agree little (ordinal alpha {listed}; below .4): single ratings are mostly noise, "
        "means over few raters partly. As points of reference, figures reported for experts (not "
        f"measured here): advice {EXPERTS['advice_appropriateness']:.2f}, validation "
        f"{EXPERTS_VALIDATION:.2f}"
    ]


def scale_names(result: HumanResult) -> list[str]:
    """In the study's order, which the sorted keys of a file do not keep."""
    return [scale["name"] for scale in result.data["scales"]]


def words_of(name: str) -> str:
    """A scale's name as words."""
    return name.replace("_", " ")


THESE_RATERS = "these raters, new dialogues"


NEW_RATERS = "new raters and new dialogues"


EXPERTS = {"advice_appropriateness": 0.64}


EXPERTS_VALIDATION = 0.41
"""Alphas reported for experts on such scales (advice, validation of feelings), as points of reference;
reported figures, not measured here."""
