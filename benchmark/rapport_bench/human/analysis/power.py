"""How likely a study is to find a difference, and how large it must be: by simulation.

Ratings are drawn with stated variances (`generate`), rounded to the scale, and tested as
`rapport human score` tests them. What a larger study would do is first computed from the variances that the
drawn ratings showed, then simulated itself, so that every power printed is a simulated one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import nct, wilcoxon
from scipy.stats import t as student

from rapport_bench.human.analysis.contrast import DECIMALS
from rapport_bench.human.analysis.crossed import crossed_p_values
from rapport_bench.human.analysis.generate import Design, Spread, draw
from rapport_bench.statistics.clusters import Floats

Population = Literal["items", "raters-and-items"]
POPULATIONS: tuple[Population, ...] = ("items", "raters-and-items")
TARGET = 0.8
MAX_ITEMS = 1000
MAX_RATERS = 60
_CELLS = 2**21
"""Ratings drawn at a time."""
_WILCOXON = 0.955
"""Efficiency of the signed-rank test against t for normal differences (3 / pi)."""
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is planned.

    Attributes:
        effect: Candidate minus baseline, in points before rounding.
        spread: Standard deviations of ratings.
        population: Whom the claim is about.
        alpha: Two-sided level; divide .05 by the scales if Holm's first step must hold.
        draws: Studies simulated for each power.
        seed: Decides them.
    """

    effect: float
    spread: Spread
    population: Population
    alpha: float = 0.05
    draws: int = 2000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Power:
    """Share of simulated studies that find the difference.

    Attributes:
        design: How many rate how much.
        value: The share.
        error: Two standard errors of it, from the number of draws.
    """

    design: Design
    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A design's power, and smallest ones near it that reach `TARGET`.

    Attributes:
        wanted: What was asked.
        power: Of the design asked about.
        shown: Mean difference after rounding: what the study would report.
        more_items: With as many raters; `None` if no design of up to 1,000 items does.
        more_raters: With as many items; `None` if none of up to 60 raters does.
    """

    wanted: Wanted
    power: Power
    shown: float
    more_items: Power | None
    more_raters: Power | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """Means over simulated studies: the difference and its components."""

    shown: float
    item: float
    rater: float
    residual: float


def plan(design: Design, wanted: Wanted) -> Plan:
    """Simulate the power of a design, and look for the smallest that reaches .8.

    Args:
        design: At least two raters and two items.
        wanted: Effect, variances, population.
    """
    power, seen = _simulated(design, wanted)
    each = design.per_item

    def with_items(items: int) -> Design:
        return replace(design, items=items)

    def with_raters(raters: int) -> Design:
        return replace(design, raters=raters, per_item=each if each and each < raters else None)

    return Plan(
        wanted,
        power,
        seen.shown,
        _smallest(with_items, (10, MAX_ITEMS), wanted, seen),
        _smallest(with_raters, (max(2, each or 2), MAX_RATERS), wanted, seen),
    )


def _simulated(design: Design, wanted: Wanted) -> tuple[Power, _Seen]:
    rng = np.random.default_rng([wanted.seed, design.raters, design.items])
    step = max(1, _CELLS // (2 * design.items * design.raters))
    found, parts, shown = [], [], []
    for start in range(0, wanted.draws, step):
        cells = _differences(design, wanted, min(step, wanted.draws - start), rng)
        p_values, variances = crossed_p_values(cells)
        if wanted.population == "items":
            p_values = signed_rank_p_values(cells)
        found.append(p_values < wanted.alpha)
        parts.append(variances)
        shown.append(np.nanmean(cells, axis=(1, 2)))
    value = float(np.concatenate(found).mean())
    error = 2 * math.sqrt(max(value * (1 - value), 1 / wanted.draws) / wanted.draws)
    item, rater, residual = np.maximum(np.concatenate(parts).mean(axis=0), 0.0).tolist()
    seen = _Seen(float(np.concatenate(shown).mean()), item, rater, residual)
    return Power(design, value, error), seen


def _differences(design: Design, wanted: Wanted, draws: int, rng: np.random.Generator) -> Floats:
    """(draws, items, raters) candidate minus baseline.

    A claim about these raters is about their own average, tastes included. So that its true value
    is the effect, their tastes are drawn and then made to cancel.
    """
    spread, tastes = wanted.spread, None
    if wanted.population == "items":
        tastes = spread.rater_arm * rng.standard_normal((draws, 2, design.raters))
        tastes -= tastes.mean(axis=2, keepdims=True)
        spread = replace(spread, rater_arm=0.0)
    both = draw(design, spread, effects=(0.0, wanted.effect), rng=rng, draws=draws, tastes=tastes)
    differences: Floats = both[:, 1] - both[:, 0]
    return differences


def signed_rank_p_values(cells: Floats) -> Floats:
    """P-values of the signed-rank test on item means, by the normal approximation.

    Args:
        cells: (tables, items, raters) differences; every item has a cell.
    """
    averages: Floats = np.asarray(np.nanmean(cells, axis=2))
    means = np.round(averages, DECIMALS)
    nothing = (means == 0).all(axis=1)
    means[nothing, 0] = 1.0  # scipy divides by the number of differences
    found = wilcoxon(means, axis=1, method="approx").pvalue
    p_values: Floats = np.where(nothing, 1.0, found)
    return p_values


def _smallest(
    design_of: Callable[[int], Design], limits: tuple[int, int], wanted: Wanted, seen: _Seen
) -> Power | None:
    """The smallest design that the variances seen promise `TARGET` for, raised until simulated so."""
    low, high = limits
    if _computed(design_of(high), wanted, seen) < TARGET:
        return None
    while low < high:
        middle = (low + high) // 2
        if _computed(design_of(middle), wanted, seen) >= TARGET:
            high = middle
        else:
            low = middle + 1
    for _ in range(_TRIES):
        power, _ = _simulated(design_of(low), wanted)
        if power.value >= TARGET:
            return power
        low = max(low + 1, math.ceil(low * (1 + 0.6 * (TARGET - power.value) + 0.01)))
        if low > limits[1]:
            return None
    return None


def _computed(design: Design, wanted: Wanted, seen: _Seen) -> float:
    """Power by the noncentral t with the variances that simulated ratings showed."""
    raters, items = design.raters, design.items
    cells = items * (design.per_item or raters)
    if wanted.population == "items":
        variance = (seen.item / items + seen.residual / cells) / _WILCOXON
        df = items - 1.0
    else:
        of_raters = seen.rater / raters + seen.residual / cells
        variance = of_raters + seen.item / items
        df = items - 1.0
        if of_raters > 0:
            df = min(df, variance**2 / (of_raters**2 / (raters - 1)))
    if variance <= 0:
        return 1.0 if seen.shown else 0.0
    reach, ratio = student.isf(wanted.alpha / 2, df), abs(seen.shown) / math.sqrt(variance)
    return float(nct.sf(reach, df, ratio))
