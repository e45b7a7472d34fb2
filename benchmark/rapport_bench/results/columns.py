"""Per-dialogue records of one arm as columns, and the figures derived from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rapport_bench.results.metrics import METRICS, Metric
from rapport_bench.statistics import estimates as stats
from rapport_bench.statistics.bands import GoldBand, gold_band
from rapport_bench.statistics.clusters import Floats
from rapport_tasks.common.record import Record, Unscored
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.specs.specification import Derived

Columns = dict[str, list[float]]
"""Column name -> one number a dialogue, in suite order."""

_THOUGHTS = ("thought", "degenerate_thought")


def merge(dialogues: Sequence[Dialogue], records: Iterable[Mapping[str, Record]]) -> Columns:
    """Put the records of several tasks side by side; a task without a record leaves no column.

    Columns about thoughts stand in the records of dialogues with some, and are 0 in the others.
    """
    columns: Columns = {}
    for by_dialogue in records:
        thoughts = {
            name: 0 for r in by_dialogue.values() for name in r.columns if name in _THOUGHTS
        }
        for dialogue in dialogues:
            for name, value in (thoughts | by_dialogue[dialogue.id].columns).items():
                columns.setdefault(name, []).append(value)
    for name, values in columns.items():
        if len(values) != len(dialogues):
            raise ValueError(f"column {name!r} has {len(values)} entries of {len(dialogues)}")
    return columns


def unscored(records: Iterable[Mapping[str, Record]]) -> list[tuple[str, Unscored]]:
    """(dialogue id, what is missing), sorted."""
    return sorted(
        ((identity, item) for by in records for identity, r in by.items() for item in r.unscored),
        key=lambda pair: (pair[0], pair[1].metric, -1 if pair[1].turn is None else pair[1].turn),
    )


def total(columns: Mapping[str, Sequence[float]], names: Sequence[str]) -> Floats:
    """Sum of columns, one entry a dialogue."""
    summed: Floats = np.sum([np.asarray(columns[name], dtype=np.float64) for name in names], axis=0)
    return summed


def has(columns: Mapping[str, Sequence[float]], metric: Metric) -> bool:
    """Whether a result can give a metric at all."""
    return all(name in columns for name in (*metric.numerator, *metric.denominator))


def sums(columns: Mapping[str, Sequence[float]], metric: Metric) -> tuple[Floats, Floats]:
    """What a metric counts and what it counts it of, one entry a dialogue, before its scale."""
    above, below = total(columns, metric.numerator), total(columns, metric.denominator)
    # Likelihoods without token counts leave a sum above and nothing below.
    return np.where(below == 0, 0.0, above), below


def scored_sums(columns: Mapping[str, Sequence[float]], metric: Metric) -> tuple[Floats, Floats]:
    """Turns that were scored and turns that could have been, one entry a dialogue."""
    return total(columns, (metric.count,)), total(columns, (metric.scorable,))


def has_gold(columns: Mapping[str, Sequence[float]], metric: Metric) -> bool:
    """Whether a metric with a gold band finds the gold replies in a result; true for those without."""
    return all(name in columns for group in metric.gold or () for name in group)


def gold_sums(
    columns: Mapping[str, Sequence[float]], metric: Metric
) -> tuple[Floats, Floats] | None:
    """What the gold replies give a metric, as `sums`; `None` if it has no band or they are not there."""
    if metric.gold is None or not has_gold(columns, metric):
        return None
    above, below = metric.gold
    return total(columns, above), total(columns, below)


def band_of(columns: Mapping[str, Sequence[float]], metric: Metric) -> GoldBand | None:
    """The band that a metric aims at; `None` where there is none."""
    gold = gold_sums(columns, metric)
    return gold and gold_band(*gold, floor=metric.floor, scale=metric.scale)


def estimate(columns: Mapping[str, Sequence[float]], metric: Metric) -> stats.Estimate:
    """Value, linearised cluster standard error and 95 % interval of one metric."""
    above, below = sums(columns, metric)
    if metric.share:
        return stats.share(above, below)
    found = stats.ratio_of_sums(above, below)
    scale = metric.scale
    if scale == 1 or found.value is None:
        return found
    ci = None if found.ci is None else (found.ci[0] * scale, found.ci[1] * scale)
    se = None if found.se is None else found.se * scale
    return stats.Estimate(found.value * scale, se, ci, found.clusters, found.reason)


def summarise(columns: Mapping[str, Sequence[float]]) -> dict[str, dict[str, Any]]:
    """The ``metrics`` section of a result: every metric that its columns can give."""
    summary = {}
    for metric in METRICS:
        if not has(columns, metric):
            continue
        scorable = float(np.sum(columns[metric.scorable]))
        counted = float(np.sum(columns[metric.count]))
        found = estimate(columns, metric)
        summary[metric.name] = {
            "value": found.value,
            "se": found.se,
            "ci": list(found.ci) if found.ci else None,
            "n": int(counted),
            "clusters": found.clusters,
            "coverage": counted / scorable if scorable else None,
        }
    for metric in METRICS:
        for derived in metric.derived:
            if metric.name in summary:
                _add(derived, metric, summary, columns)
    return summary


def _add(
    derived: Derived,
    metric: Metric,
    summary: dict[str, dict[str, Any]],
    columns: Mapping[str, Sequence[float]],
) -> None:
    """Save what follows from a metric, where it is defined."""
    base = summary[metric.name]
    if derived.of_sums is not None and base["n"]:
        names = dict.fromkeys((*metric.numerator, *metric.denominator))
        sums = {name: float(np.sum(columns[name])) for name in names}
        summary[derived.name] = base | {"value": derived.of_sums(sums), "se": None, "ci": None}
    elif derived.of_value is not None and base["value"] is not None:
        value = derived.of_value(base["value"])
        if value is None:
            return
        ends = [derived.of_value(end) for end in base["ci"] or ()]
        slope = derived.slope(base["value"]) if derived.slope else None
        summary[derived.name] = base | {
            "value": value,
            "se": None if base["se"] is None or slope is None else slope * base["se"],
            "ci": ends if ends and None not in ends else None,
        }
