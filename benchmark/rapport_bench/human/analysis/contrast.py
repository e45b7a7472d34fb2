"""Two arms on one scale, for two populations: "these raters, new dialogues" and "new raters, too".

The study's own test is the first kind: Wilcoxon's signed-rank on item means, an item's mean being over
its raters. It says what these raters would find on other dialogues. Whether other raters would agree is
another question, which `crossed` answers. Taking every single rating as independent answers none and
is not offered: see `docs/simulations.md` for its false alarms.

Severity needs no correction here: a rater's difference between two arms on one item does not hold it.
So a cell counts only where its rater rated both arms, in unbalanced designs too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport_bench.human.analysis.crossed import Crossed, crossed_difference
from rapport_bench.statistics.bootstrap import multinomial_weights
from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.figure import Figure
from rapport_bench.statistics.paired import (
    Difference,
    SignedRankTest,
    paired_mean_difference,
    signed_rank_test,
)
from rapport_bench.statistics.resampling import DRAWS, Sampled

DECIMALS = 9
"""Item means are rounded to this: .8 - .6 and .4 - .2 are one difference, and must tie in ranks."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Candidate minus baseline on one scale.

    Attributes:
        items: Mean difference over items with Hall's t interval: these raters, new dialogues.
        signed_rank: The study's test, for the same population.
        effect: Matched-pairs rank-biserial correlation: -1 to 1, above 0 for the candidate.
        crossed: The difference for new raters and new dialogues.
        cells: Ratings compared, one a rater and item that has both arms.
        incomplete: Cells left out because one arm's rating is missing.
    """

    items: Difference
    signed_rank: SignedRankTest
    effect: Figure
    crossed: Crossed
    cells: int
    incomplete: int


def contrast(candidate: Floats, baseline: Floats) -> Contrast:
    """Compare two arms on one scale.

    Args:
        candidate: (items, raters) ratings; NaN where there is none.
        baseline: The same items and raters.

    Example:
        >>> found = contrast(np.array([[4.0, 5.0], [3.0, 4.0]]), np.array([[3.0, 3.0], [3.0, 3.0]]))
        >>> found.items.value, found.effect.value, found.signed_rank.ranked
        (1.0, 1.0, 2)
    """
    differences = candidate - baseline
    either = int(np.sum(~np.isnan(candidate) | ~np.isnan(baseline)))
    both = int(np.sum(~np.isnan(differences)))
    means = item_means(differences)
    return Contrast(
        items=paired_mean_difference(means, np.zeros(len(means))),
        signed_rank=signed_rank_test(means),
        effect=rank_biserial(means),
        crossed=crossed_difference(differences),
        cells=both,
        incomplete=either - both,
    )


def item_means(cells: Floats) -> Floats:
    """Mean of each item's cells, items without any left out; rounded so that ties are ties.

    >>> item_means(np.array([[4.0, 5.0], [np.nan, 2.0], [np.nan, np.nan]])).tolist()
    [4.5, 2.0]
    """
    means = rater_means(cells)
    return np.round(means[~np.isnan(means)], DECIMALS)


def rater_means(cells: Floats) -> Floats:
    """Means over raters, the last axis; NaN where nobody rated."""
    there = ~np.isnan(cells)
    with np.errstate(invalid="ignore"):
        means: Floats = np.where(there, cells, 0.0).sum(axis=-1) / there.sum(axis=-1)
    return means


def rank_biserial(differences: Floats) -> Figure:
    """Matched-pairs rank-biserial correlation with a bootstrap interval over items.

    ``(W+ - W-) / (W+ + W-)``: of the ranks of all differences, the share for the candidate less the
    share against it; zeros are left out, as in the test. 1 when every item favours the candidate.

    Source: Kerby (2014), Comprehensive Psychology 3, 11.IT.3.1; King, Rosopa & Minium (2011).

    Example:
        >>> rank_biserial(np.array([1.0, 2.0, -3.0, 0.0])).value  # (1 + 2 - 3) / 6
        0.0
    """
    # In a fixed order, so that the draws do not depend on the order of a file.
    kept = np.sort(differences[differences != 0])
    if not len(kept):
        return Figure(None, None, 0, "no item differs")
    found = _rank_biserial(kept, multinomial_weights(len(kept), draws=DRAWS))
    return Sampled(float(found[0]), found[1:], len(kept)).figure()


def _rank_biserial(differences: Floats, weights: Floats) -> Floats:
    """The effect under each row of (draws, items) weights: how often each item counts."""
    sizes = np.unique(np.abs(differences), return_inverse=True)[1]
    group = np.eye(sizes.max() + 1)[sizes]
    favour = weights @ (group * np.sign(differences)[:, None])
    counts = weights @ group
    ranks = np.cumsum(counts, axis=1) - (counts - 1) / 2
    found: Floats = (favour * ranks).sum(axis=1) / (counts * ranks).sum(axis=1)
    return found
