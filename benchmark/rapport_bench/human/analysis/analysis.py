"""Everything that follows from a study's ratings, as the result file holds it and tables print it.

One representation for all: computed here, saved in the result, printed from there, and computed again
when a result is verified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from rapport_bench.human.analysis.agreement import (
    LOW_ALPHA,
    consistency_of,
    intraclass,
    ordinal_alpha,
    severity,
)
from rapport_bench.human.analysis.contrast import contrast, rater_means
from rapport_bench.human.analysis.crossed import crossed_difference
from rapport_bench.human.analysis.metric_agreement import metric_agreement
from rapport_bench.results import human_sections as saved
from rapport_bench.results.ratings import Ratings
from rapport_bench.results.result import Result
from rapport_bench.statistics.clusters import Floats, cluster_se, t_interval
from rapport_bench.statistics.paired import Difference
from rapport_bench.statistics.verdicts import holm
from rapport_bench.words.study import NEW_RATERS, THESE_RATERS

VERSION = "1.0"
"""Of the analysis; changes when any figure may."""


def analyse(
    ratings: Ratings, results: Sequence[Result], dialogues: Sequence[str]
) -> saved.Analysis:
    """Tables, comparisons, agreement, and how metrics go with ratings.

    Args:
        ratings: Of the raters that count.
        results: Of the arms, in order; empty if they are not at hand, and nothing is said of
            metrics then.
        dialogues: Of the items.
    """
    cells = {name: ratings.cells(place) for place, name in enumerate(ratings.scales)}
    means = {name: rater_means(of) for name, of in cells.items()}
    return saved.Analysis(
        version=VERSION,
        populations=saved.Populations(items=THESE_RATERS, crossed=NEW_RATERS),
        table=tuple(
            _arm_row(cells[name][arm], arm, name)
            for arm in range(len(ratings.arms))
            for name in ratings.scales
        ),
        comparisons=tuple(_comparisons(cells, len(ratings.arms))),
        agreement={
            name: _agreement(cells[name], points, ratings.raters)
            for name, points in zip(ratings.scales, ratings.points, strict=True)
        },
        consistency=saved.ConsistencySection(
            all=consistency_of(ratings),
            raters={
                rater: consistency_of(ratings, place) for place, rater in enumerate(ratings.raters)
            },
        ),
        metrics=tuple(metric_agreement(means, results, dialogues)) if results else None,
    )


def _arm_row(cells: Floats, arm: int, scale: str) -> saved.ArmOnScale:
    """Mean and spread of one arm on one scale, for both populations."""
    values = cells[~np.isnan(cells)]
    means = rater_means(cells)
    means = means[~np.isnan(means)]
    mean = float(means.mean()) if len(means) else None
    sd_items = interval = None
    if mean is not None and len(means) > 1:
        sd_items = float(means.std(ddof=1))
        se = cluster_se((means - mean) / len(means))
        interval = t_interval(mean, se, df=len(means) - 1, level=0.95) if se > 0 else None
    return saved.ArmOnScale(
        arm=arm,
        scale=scale,
        ratings=len(values),
        items=len(means),
        mean=mean,
        sd=float(values.std(ddof=1)) if len(values) > 1 else None,
        sd_items=sd_items,
        ci=interval,
        ci_new_raters=crossed_difference(cells).difference.ci,
    )


def _comparisons(cells: Mapping[str, Floats], arms: int) -> list[saved.Comparison]:
    """Every later arm against every earlier one; Holm over the scales of each pair of arms."""
    rows = []
    for baseline, candidate in combinations(range(arms), 2):
        found = {name: contrast(of[candidate], of[baseline]) for name, of in cells.items()}
        ranks = holm({name: c.signed_rank.p_value for name, c in found.items()})
        items = holm({name: c.items.p_value for name, c in found.items()})
        crossed = holm({name: c.crossed.difference.p_value for name, c in found.items()})
        for name, one in found.items():
            parts = one.crossed.components
            rows.append(
                saved.Comparison(
                    candidate=candidate,
                    baseline=baseline,
                    scale=name,
                    cells=one.cells,
                    incomplete=one.incomplete,
                    items=saved.ItemsDifference(
                        **_difference(one.items, items[name]), n=one.items.clusters
                    ),
                    wilcoxon=saved.SignedRank(
                        p=one.signed_rank.p_value,
                        p_adjusted=ranks[name],
                        ranked=one.signed_rank.ranked,
                        zeros=one.signed_rank.zeros,
                        method=one.signed_rank.method,
                    ),
                    rank_biserial=saved.Quantity.of(one.effect),
                    crossed=saved.CrossedDifference(
                        **_difference(one.crossed.difference, crossed[name]),
                        raters=one.crossed.difference.clusters,
                        df=one.crossed.df,
                        variances=None if parts is None else saved.Variances(**asdict(parts)),
                    ),
                )
            )
    return rows


def _difference(found: Difference, p_adjusted: float | None) -> dict[str, Any]:
    return {
        "value": found.value,
        "se": found.se,
        "ci": found.ci,
        "p": found.p_value,
        "p_adjusted": p_adjusted,
        "minimum_detectable_effect": found.mde,
        "exactly_equal": found.exactly_equal,
        "reason": found.reason,
    }


def _agreement(cells: Floats, points: int, raters: Sequence[str]) -> saved.ScaleAgreement:
    alpha = ordinal_alpha(cells, points=points)
    table = intraclass(cells.reshape(-1, cells.shape[2]))
    return saved.ScaleAgreement(
        alpha=saved.Quantity.of(alpha),
        low=alpha.value is not None and alpha.value < LOW_ALPHA,
        icc_single=saved.Quantity.of(table.single),
        icc_average=saved.Quantity.of(table.average),
        severity=dict(zip(raters, severity(cells), strict=True)),
    )
