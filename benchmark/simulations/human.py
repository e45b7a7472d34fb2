"""Type I error and power of the tests on people's ratings, beside tests that are not offered.

`human.md` holds its tables and the command that printed them. Ratings come from the generator of
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

import numpy as np
from scipy.special import ndtr
from scipy.stats import wilcoxon

from rapport_bench.clusters import Floats, t_two_sided
from rapport_bench.human.contrast import item_means, signed_rank_test
from rapport_bench.human.crossed import crossed_difference
from rapport_bench.human.generate import Design, Spread, draw
from rapport_bench.paired import paired_mean_difference

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


def signed_rank_items(cells: Floats) -> float | None:
    """The study's test."""
    return signed_rank_test(item_means(cells)).p_value


def hall_items(cells: Floats) -> float | None:
    """Hall's t on item means, whose interval is printed beside the study's test."""
    means = item_means(cells)
    return paired_mean_difference(means, np.zeros(len(means))).p_value


def crossed(cells: Floats) -> float | None:
    """The analysis for new raters and new dialogues."""
    return crossed_difference(cells).difference.p_value


def two_way_clustered(cells: Floats) -> float | None:
    """Cameron-Gelbach-Miller errors of the mean of all cells, each part with its own correction."""
    there = ~np.isnan(cells)
    n, (items, raters) = there.sum(), cells.shape
    value = float(cells[there].mean())
    left = np.where(there, cells - value, 0.0) / n
    parts = [
        (np.square(left.sum(axis=1)).sum(), items),
        (np.square(left.sum(axis=0)).sum(), raters),
        (-np.square(left).sum(), n),
    ]
    variance = sum(float(part) * count / (count - 1) for part, count in parts)
    # The difference of estimates may be negative; no interval, no claim.
    return t_two_sided(value / variance**0.5, min(items, raters) - 1) if variance > 0 else None


def mixed_model(cells: Floats) -> float | None:
    """Crossed random effects by REML with Wald's z; complete tables alone."""
    if np.isnan(cells).any():
        return None
    squares = mean_squares(cells)
    # A component whose estimate would be negative is 0, and its sum of squares joins the rest.
    pooled = {"rest"}
    while True:
        df = sum(squares[part][1] for part in pooled)
        rest = sum(squares[part][0] * squares[part][1] for part in pooled) / df
        below = {part for part in squares if part not in pooled and squares[part][0] < rest}
        if not below:
            break
        pooled |= below
    variance = rest + sum(squares[part][0] - rest for part in squares if part not in pooled)
    return 2 * float(ndtr(-abs(cells.mean()) / np.sqrt(variance / cells.size)))


def hillis(cells: Floats) -> float | None:
    """The crossed analysis as published: the raters' mean square as it is; complete tables alone."""
    if np.isnan(cells).any():
        return None
    squares = mean_squares(cells)
    rater, between = squares["rater"]
    variance = rater + max(squares["item"][0] - squares["rest"][0], 0.0)
    df = variance**2 / (rater**2 / between) if rater > 0 else np.inf
    return t_two_sided(cells.mean() / np.sqrt(variance / cells.size), df) if variance else None


def mean_squares(cells: Floats) -> dict[str, tuple[float, int]]:
    """Mean square and degrees of freedom of items, raters and the rest, of a complete table."""
    items, raters = cells.shape
    value = cells.mean()
    of_item, of_rater = cells.mean(axis=1) - value, cells.mean(axis=0) - value
    rest = cells - value - of_item[:, None] - of_rater
    both = (items - 1) * (raters - 1)
    return {
        "item": (raters * np.square(of_item).sum() / (items - 1), items - 1),
        "rater": (items * np.square(of_rater).sum() / (raters - 1), raters - 1),
        "rest": (np.square(rest).sum() / both, both),
    }


def rater_means(cells: Floats) -> float | None:
    """Student's t over the raters' mean differences: raters are a sample, dialogues are not."""
    means = np.nanmean(cells, axis=0)
    se = means.std(ddof=1) / np.sqrt(len(means))
    return t_two_sided(float(means.mean() / se), len(means) - 1) if se > 0 else None


def pooled(cells: Floats) -> float | None:
    """Wilcoxon on every rating as if it were alone: not offered."""
    values = cells[~np.isnan(cells)]
    values = values[values != 0]
    return float(wilcoxon(values, method="approx").pvalue) if len(values) else None


Test = Callable[[Floats], float | None]
TESTS: dict[str, Test] = {
    "Wilcoxon, item means": signed_rank_items,
    "Hall t, item means": hall_items,
    "crossed": crossed,
    "Hillis": hillis,
    "two-way clustered": two_way_clustered,
    "mixed model, z": mixed_model,
    "t over raters": rater_means,
    "every rating": pooled,
}


def rejected(scenario: Scenario, design: Design, draws: int, seed: Sequence[int]) -> list[str]:
    """Per cent of draws in which each test has p < .05; no p is no rejection."""
    rng = np.random.default_rng(list(seed))
    counts = dict.fromkeys(TESTS, 0)
    undefined = dict.fromkeys(TESTS, 0)
    for _ in range(draws):
        cells = differences(scenario, design, rng)
        for name, test in TESTS.items():
            p_value = test(cells)
            undefined[name] += p_value is None
            counts[name] += p_value is not None and p_value < 0.05
    return [
        "–" if undefined[name] == draws else f"{100 * counts[name] / draws:.1f}" for name in TESTS
    ]


def differences(scenario: Scenario, design: Design, rng: np.random.Generator) -> Floats:
    """(items, raters) differences of one drawn study."""
    if not scenario.cancelled:
        both = draw(design, scenario.spread, effects=(0.0, scenario.effect), rng=rng)[0]
        return both[1] - both[0]
    # Without tastes first; then tastes that sum to 0, by moving whole raters up or down.
    tastes = scenario.spread.rater_arm * rng.standard_normal((2, design.raters))
    tastes -= tastes.mean(axis=1, keepdims=True)
    plain = replace(scenario.spread, rater_arm=0.0)
    both = draw(design, plain, effects=(0.0, scenario.effect), rng=rng, tastes=tastes)[0]
    return both[1] - both[0]


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
