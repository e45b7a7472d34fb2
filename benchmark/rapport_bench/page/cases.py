"""Case studies: the dialogues one by one, arms side by side, for the page's script to sort and show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapport_bench.arms.texts import Found
from rapport_bench.common.escape import one_line
from rapport_bench.common.identity import digest
from rapport_bench.page.case_text import ArmText, case_texts
from rapport_bench.page.subject import Subject
from rapport_bench.results.columns import has, sums
from rapport_bench.results.metrics import METRICS, Metric
from rapport_bench.results.result import Result
from rapport_tasks.acts.classifier import ACTS
from rapport_tasks.acts.markers import MARKERS
from rapport_tasks.metrics.scorers import act_classifier, boundary_scorer

_SHOWN = (
    *(metric for metric in METRICS if metric.family == "confirmatory"),
    *(metric for metric in METRICS if metric.by_dialogue),
)
_NO_MARGIN_SCALE = 1e-12
_OTHER_ACTS = (
    "The suite was scored with another act classifier than this program has: colours may differ from "
    "the counts."
)
_OTHER_SHIFTS = (
    "The suite was scored with another boundary scorer than this program has: topic boundaries are "
    "not shown."
)


@dataclass(frozen=True, slots=True)
class Cases:
    """What the script is given.

    Attributes:
        data: The JSON beside the page.
        domains: For the filter.
        arms: Labels in the script's order.
        metrics: Labels in the script's order.
        notes: What a reader of this section must know.
        with_text: Whether dialogues are quoted.
    """

    data: dict[str, Any]
    domains: tuple[str, ...]
    arms: tuple[str, ...]
    metrics: tuple[str, ...]
    notes: tuple[str, ...]
    with_text: bool


def case_arms(found: Subject) -> list[Result]:
    """Baseline, candidates and gold, each once; without a verdict the first arms of the board."""
    gold = [found.gold] if found.gold else []
    chosen = [found.baseline, *found.candidates] if found.baseline else found.arms[:4]
    return list({arm.result_id: arm for arm in (*chosen, *gold) if arm is not None}.values())


def cases(
    found: Subject, texts: Found | None, progress: Callable[[int, int], None] = lambda _, __: None
) -> Cases:
    """Numbers of every dialogue for each arm, and with `texts` what was said."""
    arms = case_arms(found)
    metrics = [metric for metric in _SHOWN if any(has(arm.columns, metric) for arm in arms)]
    values = np.array([[_values(arm, metric) for metric in metrics] for arm in arms])
    first = arms[0].dialogues
    domains = [one_line(domain or "")[:60] for domain in first.group.domain]
    listed = tuple(sorted({domain for domain in domains if domain}))
    notes: list[str] = []
    rows: list[dict[str, Any]] = [
        {
            "id": one_line(identity),
            "d": listed.index(domain) if domain else -1,
            "c": int(crisis),
            "v": [[_rounded(value) for value in arm] for arm in values[:, :, place]],
        }
        for place, (identity, domain, crisis) in enumerate(
            zip(first.id, domains, first.group.crisis, strict=True)
        )
    ]
    if texts is not None:
        acts = _scored_with(arms[0], "rapport_aer", act_classifier().version)
        shifts = _scored_with(arms[0], "rapport_topic_shift", boundary_scorer().identity)
        shown = [ArmText(arm, shifts) for arm in arms]
        for row, case in zip(rows, case_texts(shown, texts, progress), strict=True):
            row |= case
        notes += texts.missing
        notes += [] if acts else [_OTHER_ACTS]
        notes += [] if shifts else [_OTHER_SHIFTS]
    data = {
        "arms": [[found.label(arm), _role(found, arm)] for arm in arms],
        "metrics": [[m.label, m.direction, _scale(m, values[:, i])] for i, m in enumerate(metrics)],
        "domains": list(listed),
        "acts": list(ACTS),
        "markers": [family.replace("_", " ") for family in MARKERS],
        "cases": rows,
    }
    labels = tuple(found.label(arm) for arm in arms)
    return Cases(
        data, listed, labels, tuple(m.label for m in metrics), tuple(notes), texts is not None
    )


def _role(found: Subject, arm: Result) -> str:
    if found.baseline is not None and arm.result_id == found.baseline.result_id:
        return "baseline"
    return arm.kind


def _values(arm: Result, metric: Metric) -> NDArray[np.float64]:
    """The metric in every dialogue, NaN where it is undefined there."""
    if not has(arm.columns, metric):
        return np.full(len(arm.dialogue_ids), np.nan)
    above, below = sums(arm.columns, metric)
    with np.errstate(invalid="ignore", divide="ignore"):
        values: NDArray[np.float64] = np.where(below == 0, np.nan, metric.scale * above / below)
    return values


def _scale(metric: Metric, values: Any) -> float:
    """What a difference is divided by, so that metrics can be added up: the spread of all arms."""
    known = values[np.isfinite(values)]
    spread = float(known.std()) if len(known) else 0.0
    return float(f"{spread if spread > _NO_MARGIN_SCALE else metric.margin or 1.0:.4g}")


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None


def _scored_with(arm: Result, task: str, identity: str) -> bool:
    """Whether a task of the suite was scored with this program's scorer."""
    found = arm.suite.tasks.get(task)
    return found is not None and found.metric_sha256 == digest([task, found.version, identity])
