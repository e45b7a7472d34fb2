"""Tiers of a ranking: which neighbours the data can tell apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rapport_bench.statistics.paired import Difference
from rapport_bench.statistics.verdicts import holm

ALPHA = 0.05


def tiers(order: Sequence[int], difference: Callable[[int, int], Difference]) -> dict[int, int]:
    """The tier, from 1, of every arm of a ranking.

    An arm joins the tier of the first arm above it (the tier's leader) from which its paired
    difference is not significant; otherwise it opens a new tier. Leader by leader, so that the
    tests against one leader are a family and are Holm-adjusted: comparisons grow with arms x
    tiers, not arms squared. A pair without a p-value cannot be told apart. A noisy arm may join a
    higher tier than an arm ranked above it.

    Args:
        order: Arms, best first.
        difference: Of an arm and a leader, paired by dialogue.

    Example:
        >>> far = Difference(0.5, p_value=0.001)
        >>> near = Difference(0.01, p_value=0.6)
        >>> tiers([0, 1, 2], lambda arm, leader: near if arm - leader == 1 else far)
        {0: 1, 1: 1, 2: 2}
    """
    found: dict[int, int] = {}
    remaining, tier = list(order), 0
    while remaining:
        leader, tier = remaining[0], tier + 1
        p_values = {str(arm): difference(arm, leader).p_value for arm in remaining[1:]}
        adjusted = holm(p_values)
        apart = [a for a in remaining[1:] if (p := adjusted[str(a)]) is not None and p < ALPHA]
        found.update({arm: tier for arm in remaining if arm not in apart})
        remaining = apart
    return {arm: found[arm] for arm in order}
