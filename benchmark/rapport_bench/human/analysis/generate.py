"""Ratings that nobody gave: drawn from stated variances, for planning, simulation and demo data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapport_bench.statistics.clusters import Floats


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations of what moves one rating, in points of the scale, before rounding.

    The defaults are assumptions, not measurements: with five raters they give single ratings a
    standard deviation of about 1.1 and an ordinal alpha near .35, as hard scales have it. Put in
    what a pilot shows (`rapport human score` prints them).
    """

    item: float = 0.5
    """Dialogues differ, for both arms alike; cancels in differences."""
    item_arm: float = 0.35
    """An arm does well on this dialogue and badly on that, each arm by itself."""
    rater: float = 0.4
    """Severity; cancels in differences."""
    rater_arm: float = 0.15
    """Taste: a rater likes this arm more than others do, each arm by itself."""
    residual: float = 0.75
    """The same rater on the same reply on another day."""


@dataclass(frozen=True, slots=True)
class Design:
    """How many rate how much. Every rater rates all arms of an item."""

    raters: int
    items: int
    per_item: int | None = None
    """Raters of each item, in a cycle over the raters; `None` is all of them."""
    points: int = 5

    def rated(self) -> NDArray[np.bool_]:
        """(items, raters): who rates what."""
        each = self.per_item or self.raters
        place = (np.arange(self.raters) - np.arange(self.items)[:, None] * each) % self.raters
        return place < each


def draw(
    design: Design,
    spread: Spread,
    *,
    effects: Sequence[float],
    rng: np.random.Generator,
    draws: int = 1,
    centre: float = 3.2,
    tastes: Floats | None = None,
) -> Floats:
    """Ratings of every arm by every rater on every item; NaN where the design has none.

    ``centre + effect + item + item x arm + rater + rater x arm + residual``, all normal, rounded
    to the nearest point of the scale, ends included: what raters do at the ends is then in the
    data, and an effect before rounding comes out a little smaller.

    Args:
        design: Who rates what, and on how many points.
        spread: Standard deviations.
        effects: Of each arm, in points before rounding.
        rng: The only source of randomness.
        draws: How many studies.
        centre: What an average rating is without an effect.
        tastes: (arms, raters) of chosen raters, or (draws, arms, raters), added to what ``spread``
            draws.

    Returns:
        (draws, arms, items, raters) values 1 to ``points``.
    """
    shape = (draws, len(effects), design.items, design.raters)
    values = spread.residual * rng.standard_normal(shape)
    values += opinions(design, spread, effects=effects, rng=rng, draws=draws)
    values += centre
    if tastes is not None:
        values += tastes[..., None, :]
    return rounded(values, design)


def opinions(
    design: Design,
    spread: Spread,
    *,
    effects: Sequence[float],
    rng: np.random.Generator,
    draws: int = 1,
) -> Floats:
    """What each rater thinks of each reply, around 0: everything but the residual and rounding.

    Returns:
        (draws, arms, items, raters).
    """
    arms, items, raters = len(effects), design.items, design.raters

    def normal(scale: float, *shape: int) -> Floats:
        return scale * rng.standard_normal((draws, *shape))

    of_items = normal(spread.item, 1, items, 1) + normal(spread.item_arm, arms, items, 1)
    of_raters = normal(spread.rater, 1, 1, raters) + normal(spread.rater_arm, arms, 1, raters)
    found: Floats = of_items + of_raters + np.asarray(effects, dtype=np.float64)[:, None, None]
    return found


def rounded(values: Floats, design: Design) -> Floats:
    """Values as points of the scale, NaN where the design asks nobody."""
    found: Floats = np.clip(np.rint(values), 1, design.points)
    found[..., ~design.rated()] = np.nan
    return found
