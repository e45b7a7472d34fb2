"""Everything that follows from a study's ratings, as the result file holds it and tables print it.

One representation for all: computed here, saved in the result, printed from there, and computed again
when a result is verified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from rapport_bench.common.rounding import ends, number, p_value
from rapport_bench.human.analysis.agreement import (
    LOW_ALPHA,
    Consistency,
    consistency_of,
    intraclass,
    ordinal_alpha,
    severity,
)
from rapport_bench.human.analysis.contrast import Contrast, contrast
from rapport_bench.human.analysis.crossed import Crossed, crossed_difference
from rapport_bench.human.analysis.metric_agreement import metric_agreement
from rapport_bench.results.ratings import Ratings
from rapport_bench.results.result import Result
from rapport_bench.statistics.clusters import Floats, cluster_se, t_interval
from rapport_bench.statistics.figure import Figure
from rapport_bench.statistics.paired import Difference
from rapport_bench.statistics.verdicts import holm
from rapport_bench.words.study import NEW_RATERS, THESE_RATERS

VERSION = "1.0"
"""Of the analysis; changes when any figure may."""


Json = dict[str, Any]


def analyse(ratings: Ratings, results: Sequence[Result], dialogues: Sequence[str]) -> Json:
    """Tables, comparisons, agreement, and how metrics go with ratings.

    Args:
        ratings: Of the raters that count.
        results: Of the arms, in order; empty if they are not at hand, and nothing is said of
            metrics then.
        dialogues: Of the items.
    """
    scales = range(len(ratings.scales))
    cells = {ratings.scales[scale]: ratings.cells(scale) for scale in scales}
    found: Json = {
        "version": VERSION,
        "populations": {"items": THESE_RATERS, "crossed": NEW_RATERS},
        "table": [
            _arm_row(cells[name][arm], arm, name)
            for arm in range(len(ratings.arms))
            for name in ratings.scales
        ],
        "comparisons": _comparisons(cells, len(ratings.arms)),
        "agreement": {
            name: _agreement(cells[name], points, ratings.raters)
            for name, points in zip(ratings.scales, ratings.points, strict=True)
        },
        "consistency": {
            "all": _consistency(consistency_of(ratings)),
            "raters": {
                rater: _consistency(consistency_of(ratings, place))
                for place, rater in enumerate(ratings.raters)
            },
        },
        "metrics": None,
    }
    if results:
        found["metrics"] = _metrics(cells, results, dialogues)
    return found


def _arm_row(cells: Floats, arm: int, scale: str) -> Json:
    """Mean and spread of one arm on one scale, for both populations."""
    there = ~np.isnan(cells)
    values = cells[there]
    counts = there.sum(axis=1)
    sums = np.where(there, cells, 0.0).sum(axis=1)
    means = sums[counts > 0] / counts[counts > 0]
    row: Json = {"arm": arm, "scale": scale, "ratings": len(values), "items": len(means)}
    row |= {"mean": None, "sd": None, "sd_items": None, "ci": None, "ci_new_raters": None}
    if not len(means):
        return row
    mean = float(means.mean())
    row["mean"] = number(mean)
    row["sd"] = number(float(values.std(ddof=1))) if len(values) > 1 else None
    if len(means) > 1:
        row["sd_items"] = number(float(means.std(ddof=1)))
        se = cluster_se((means - mean) / len(means))
        row["ci"] = ends(t_interval(mean, se, df=len(means) - 1, level=0.95)) if se > 0 else None
    row["ci_new_raters"] = ends(crossed_difference(cells).difference.ci)
    return row


def _comparisons(cells: Mapping[str, Floats], arms: int) -> list[Json]:
    """Every later arm against every earlier one; Holm over the scales of each pair of arms."""
    rows = []
    for baseline, candidate in combinations(range(arms), 2):
        found = {name: contrast(of[candidate], of[baseline]) for name, of in cells.items()}
        adjusted = (
            holm({name: c.signed_rank.p_value for name, c in found.items()}),
            holm({name: c.items.p_value for name, c in found.items()}),
            holm({name: c.crossed.difference.p_value for name, c in found.items()}),
        )
        rows += [
            {"candidate": candidate, "baseline": baseline, "scale": name}
            | _contrast(one, *(of[name] for of in adjusted))
            for name, one in found.items()
        ]
    return rows


def _contrast(
    found: Contrast,
    p_signed_rank: float | None,
    p_items: float | None,
    p_crossed: float | None,
) -> Json:
    test, effect = found.signed_rank, found.effect
    return {
        "cells": found.cells,
        "incomplete": found.incomplete,
        "items": _difference(found.items, p_items) | {"n": found.items.clusters},
        "wilcoxon": {
            "p": p_value(test.p_value),
            "p_adjusted": p_value(p_signed_rank),
            "ranked": test.ranked,
            "zeros": test.zeros,
            "method": test.method,
        },
        "rank_biserial": _figure(effect),
        "crossed": _crossed(found.crossed, p_crossed),
    }


def _difference(found: Difference, p_adjusted: float | None) -> Json:
    return {
        "value": number(found.value),
        "se": number(found.se),
        "ci": ends(found.ci),
        "p": p_value(found.p_value),
        "p_adjusted": p_value(p_adjusted),
        "minimum_detectable_effect": number(found.mde),
        "exactly_equal": found.exactly_equal,
        "reason": found.reason,
    }


def _crossed(found: Crossed, p_adjusted: float | None) -> Json:
    parts = found.components
    return _difference(found.difference, p_adjusted) | {
        "raters": found.difference.clusters,
        "df": number(found.df),
        "variances": None
        if parts is None
        else {
            "item": number(parts.item),
            "rater": number(parts.rater),
            "residual": number(parts.residual),
        },
    }


def _agreement(cells: Floats, points: int, raters: Sequence[str]) -> Json:
    alpha = ordinal_alpha(cells, points=points)
    table = intraclass(cells.reshape(-1, cells.shape[2]))
    return {
        "alpha": _figure(alpha),
        "low": alpha.value is not None and alpha.value < LOW_ALPHA,
        "icc_single": _figure(table.single),
        "icc_average": _figure(table.average),
        "severity": {
            rater: {"value": number(found.value), "ratings": found.ratings}
            for rater, found in zip(raters, severity(cells), strict=True)
        },
    }


def _consistency(found: Consistency) -> Json:
    return {
        "pairs": found.pairs,
        "exact": number(found.exact),
        "within_one": number(found.within_one),
        "kappa": number(found.kappa),
    }


def _metrics(
    cells: Mapping[str, Floats], results: Sequence[Result], dialogues: Sequence[str]
) -> list[Json]:
    means = {}
    for name, of in cells.items():
        there = ~np.isnan(of)
        with np.errstate(invalid="ignore"):
            sums = np.where(there, of, 0.0).sum(axis=2)
            means[name] = sums / there.sum(axis=2)
    return [
        {
            "metric": row.metric,
            "scale": row.scale,
            "within": _figure(row.within),
            "between": _figure(row.between),
            "arms": _figure(row.arms),
        }
        for row in metric_agreement(means, results, dialogues)
    ]


def _figure(figure: Figure) -> Json:
    return {
        "value": number(figure.value),
        "ci": ends(figure.ci),
        "n": figure.clusters,
        "reason": figure.reason,
    }
