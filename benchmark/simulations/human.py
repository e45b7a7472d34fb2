"""Type I error and power of the tests on people's ratings, beside tests that are not offered.

docs/simulations.md holds its table and the command that printed it. Ratings come from the generator of
`rapport human plan`: normal effects of dialogue, dialogue by arm, rater, rater by arm and a residual,
rounded to five points. Every row has a seed of its own.

The candidates for "new raters and new dialogues" are the crossed analysis that `rapport human score` uses;
the same with Hillis's raw mean square of raters; two-way clustered standard errors (Cameron, Gelbach & Miller 2011, J. Bus. Econ. Stat. 29, 238-249), t with
min(raters, items) - 1 degrees of freedom; a mixed model with crossed random effects, fitted by REML (in closed
form on complete tables, which is what a library converges to) and tested as such models are printed, by
Wald's z; and t over the raters' own means.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr, stdtr
from scipy.stats import wilcoxon

from rapport_bench.human.analysis.contrast import DECIMALS
from rapport_bench.human.analysis.crossed import crossed_p_values
from rapport_bench.human.analysis.generate import Design, Spread, draw
from rapport_bench.human.analysis.power import signed_rank_p_values
from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.paired import paired_mean_difference

CHUNK = 500
"""Studies held at a time."""
NO_TASTE = replace(Spread(), rater_arm=0.0)
STRONG_TASTE = replace(Spread(), rater_arm=0.3)


@dataclass(frozen=True)
class Scenario:
    """A world to draw ratings from.

    Attributes:
        name: As the table calls it.
        effect: Of the candidate, in points before rounding.
        spread: Standard deviations.
        cancelled: Whether the tastes of the raters at hand cancel exactly, so that "these raters"
            have no preference although each of them has.
    """

    name: str
    effect: float
    spread: Spread
    cancelled: bool = False


SCENARIOS = (
    Scenario("no difference, no tastes", 0.0, NO_TASTE),
    Scenario("no difference, tastes .15 that cancel", 0.0, Spread(), cancelled=True),
    Scenario("no difference, tastes .15", 0.0, Spread()),
    Scenario("no difference, tastes .30", 0.0, STRONG_TASTE),
    Scenario("difference .2, no tastes", 0.2, NO_TASTE),
    Scenario("difference .3, no tastes", 0.3, NO_TASTE),
    Scenario("difference .3, tastes .15", 0.3, Spread()),
    Scenario("difference .3, tastes .30", 0.3, STRONG_TASTE),
)

DESIGNS = (
    Design(5, 100),
    Design(8, 100),
    Design(8, 100, per_item=3),
)


def hall_items(cells: Floats) -> Floats:
    """Hall's t on item means, whose interval is printed beside the study's test."""
    means = np.round(np.nanmean(cells, axis=2), DECIMALS)
    found = [paired_mean_difference(row, np.zeros(len(row))).p_value for row in means]
    return np.array(found, dtype=np.float64)


def crossed(cells: Floats) -> Floats:
    """The analysis for new raters and new dialogues."""
    return crossed_p_values(cells)[0]


def two_way_clustered(cells: Floats) -> Floats:
    """Cameron-Gelbach-Miller errors of the mean of all cells, each part with its own correction."""
    there = ~np.isnan(cells[0])
    n, (items, raters) = int(there.sum()), there.shape
    value = np.nanmean(cells, axis=(1, 2))
    left = np.where(there, cells - value[:, None, None], 0.0) / n
    variance = (
        np.square(left.sum(axis=2)).sum(axis=1) * items / (items - 1)
        + np.square(left.sum(axis=1)).sum(axis=1) * raters / (raters - 1)
        - np.square(left).sum(axis=(1, 2)) * n / (n - 1)
    )
    # A difference of estimates may be negative: no interval then, and no claim.
    return student(value, variance, min(items, raters) - 1)


def mixed_model(cells: Floats) -> Floats | None:
    """Crossed random effects by REML with Wald's z; complete tables alone."""
    squares = mean_squares(cells)
    if squares is None:
        return None
    (item, rater, rest), dfs = squares
    # A component that would come out negative is 0, and its sum of squares joins the rest.
    order = np.argsort(np.stack([item, rater]), axis=0)
    for place in range(2):
        for part, (square, df) in enumerate(((item, dfs[0]), (rater, dfs[1]))):
            joins = (order[place] == part) & (square < rest)
            pooled_df = dfs[2] + np.where(joins, df, 0)
            rest = np.where(joins, (rest * dfs[2] + square * df) / pooled_df, rest)
            dfs = (dfs[0], dfs[1], pooled_df)
    variance = rest + np.maximum(item - rest, 0) + np.maximum(rater - rest, 0)
    size = cells[0].size
    return 2 * ndtr(-np.abs(cells.mean(axis=(1, 2))) / np.sqrt(variance / size))


def hillis(cells: Floats) -> Floats | None:
    """The crossed analysis as published: the raters' mean square as it is; complete tables alone."""
    squares = mean_squares(cells)
    if squares is None:
        return None
    (item, rater, rest), dfs = squares
    variance = rater + np.maximum(item - rest, 0.0)
    with np.errstate(divide="ignore"):
        df = variance**2 / (rater**2 / dfs[1])
    return student(cells.mean(axis=(1, 2)), variance / cells[0].size, df)


def mean_squares(cells: Floats) -> tuple[list[Floats], tuple[Any, ...]] | None:
    """Mean squares of items, raters and the rest with their degrees of freedom."""
    if np.isnan(cells[0]).any():
        return None
    items, raters = cells.shape[1:]
    value = cells.mean(axis=(1, 2))
    of_item, of_rater = cells.mean(axis=2) - value[:, None], cells.mean(axis=1) - value[:, None]
    rest = cells - value[:, None, None] - of_item[:, :, None] - of_rater[:, None, :]
    dfs = (items - 1, raters - 1, (items - 1) * (raters - 1))
    sums = (
        raters * np.square(of_item).sum(axis=1),
        items * np.square(of_rater).sum(axis=1),
        np.square(rest).sum(axis=(1, 2)),
    )
    return [total / df for total, df in zip(sums, dfs, strict=True)], dfs


def rater_means(cells: Floats) -> Floats:
    """Student's t over the raters' mean differences: raters are a sample, dialogues are not."""
    means = np.nanmean(cells, axis=1)
    raters = means.shape[1]
    return student(means.mean(axis=1), means.var(axis=1, ddof=1) / raters, raters - 1)


def pooled(cells: Floats) -> Floats:
    """Wilcoxon on every rating as if it were alone: not offered."""
    there = ~np.isnan(cells[0])
    found: Floats = wilcoxon(cells[:, there], axis=1, method="approx").pvalue
    return found


def student(value: Floats, variance: Floats, df: Any) -> Floats:
    """Two-sided p-values; 1 without a variance."""
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = np.where(variance > 0, np.abs(value) / np.sqrt(variance), 0.0)
    found: Floats = 2 * stdtr(df, -statistic)
    return found


Test = Callable[[Floats], Floats | None]
TESTS: dict[str, Test] = {
    "Wilcoxon, item means": signed_rank_p_values,
    "Hall t, item means": hall_items,
    "crossed": crossed,
    "Hillis": hillis,
    "two-way clustered": two_way_clustered,
    "mixed model, z": mixed_model,
    "t over raters": rater_means,
    "every rating": pooled,
}


def rejected(scenario: Scenario, design: Design, draws: int, seed: Sequence[int]) -> list[str]:
    """Per cent of draws in which each test has p < .05."""
    rng = np.random.default_rng(list(seed))
    counts: dict[str, int | None] = dict.fromkeys(TESTS, 0)
    for start in range(0, draws, CHUNK):
        cells = differences(scenario, design, min(CHUNK, draws - start), rng)
        for name, test in TESTS.items():
            p_values, before = test(cells), counts[name]
            counts[name] = None
            if p_values is not None and before is not None:
                counts[name] = before + int((p_values < 0.05).sum())
    return ["–" if count is None else f"{100 * count / draws:.1f}" for count in counts.values()]


def differences(scenario: Scenario, design: Design, draws: int, rng: np.random.Generator) -> Floats:
    """(draws, items, raters) differences of drawn studies."""
    spread, tastes = scenario.spread, None
    if scenario.cancelled:
        tastes = spread.rater_arm * rng.standard_normal((draws, 2, design.raters))
        tastes -= tastes.mean(axis=2, keepdims=True)
        spread = replace(spread, rater_arm=0.0)
    effects = (0.0, scenario.effect)
    both = draw(design, spread, effects=effects, rng=rng, draws=draws, tastes=tastes)
    found: Floats = both[:, 1] - both[:, 0]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print the table."""
    parser = argparse.ArgumentParser(description="Simulated errors of tests on people's ratings.")
    parser.add_argument("--draws", type=int, default=4000, help="studies a row")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="scenarios whose name starts so")
    options = parser.parse_args(arguments)
    print(f"| scenario | raters x dialogues | {' | '.join(TESTS)} |")
    print("|---" * (len(TESTS) + 2) + "|")
    for at, scenario in enumerate(SCENARIOS):
        for where, design in enumerate(DESIGNS):
            if scenario.name.startswith(options.only):
                cells = rejected(scenario, design, options.draws, (options.seed, at, where))
                each = f", {design.per_item} each" if design.per_item else ""
                size = f"{design.raters} x {design.items}{each}"
                print(f"| {scenario.name} | {size} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
