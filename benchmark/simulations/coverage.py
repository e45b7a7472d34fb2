"""Simulated coverage and type I error of the interval methods, beside plain alternatives.

docs/simulations.md holds its table and the command that printed it. Every row has a seed of its own, so
`--only` and `--clusters` pick rows without changing them.

Dialogues are drawn with what makes real ones awkward: unequal lengths, rates that differ between
dialogues and go with their length, skewed losses, arms that share a dialogue's difficulty. The
truth of every generator is known in closed form (or by quadrature), so coverage is of the corpus
figure that the method claims to estimate.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri

from rapport_bench.statistics.bands import BandArms, band_distance, gold_band
from rapport_bench.statistics.bootstrap import bootstrap_sums, percentile_interval, tail_p_value
from rapport_bench.statistics.clusters import (
    Floats,
    Interval,
    cluster_se,
    linearise,
    t_interval,
    t_two_sided,
)
from rapport_bench.statistics.estimates import ratio_of_sums, share
from rapport_bench.statistics.paired import paired_mean_difference, paired_ratio_difference
from rapport_bench.statistics.rates import poisson_gee_rate_ratio, rate_ratio

LENGTH_TIE = 0.3
"""How strongly a dialogue's length goes with its rate (shift of the latent normal)."""
WITHIN_CORRELATION = 0.2
"""Intraclass correlation of sentences within a dialogue (beta-binomial)."""


@dataclass(frozen=True)
class Trial:
    """What one method said in one replication."""

    ci: Interval | None
    truth: float
    p_value: float | None = None


Replicate = Callable[[int, np.random.Generator], dict[str, Trial]]


@dataclass(frozen=True)
class Scenario:
    """A generator with its methods: first the one that rapport_bench uses, then others."""

    name: str
    replicate: Replicate
    null: bool = False
    bootstrap: bool = False
    """Slow: repeated `--bootstrap-replications` times."""


def latent(rng: np.random.Generator, clusters: int, correlations: Sequence[float]) -> Floats:
    """(clusters, 1 + arms) normals: a common dialogue factor, then arms tied to it."""
    common = rng.standard_normal((clusters, 1))
    ties = np.sqrt(np.asarray(correlations))
    own = rng.standard_normal((clusters, len(correlations)))
    return np.hstack([common, ties * common + np.sqrt(1 - ties**2) * own])


def lengths(rng: np.random.Generator, common: Floats) -> Floats:
    """Relative length of each dialogue: gamma-mixed, tied to the common factor."""
    return rng.gamma(2.0, 0.5, len(common)) * np.exp(LENGTH_TIE * common)


def beta_quantile(z: Floats, mean: float) -> Floats:
    """A dialogue's share at latent z."""
    concentration = 1 / WITHIN_CORRELATION - 1
    p: Floats = betaincinv(mean * concentration, (1 - mean) * concentration, ndtr(z))
    return p


@cache
def true_share(mean: float, correlation: float) -> float:
    """Ratio of expected sums: the length tie tilts the arm's latent normal by a known shift."""
    grid = ndtri((np.arange(20_000) + 0.5) / 20_000)
    return float(beta_quantile(grid + LENGTH_TIE * math.sqrt(correlation), mean).mean())


def shares(
    rng: np.random.Generator, clusters: int, arms: Sequence[tuple[float, float]], *, size: float
) -> list[Floats]:
    """Numerators and denominators, arm by arm; an arm is (mean share, tie to the dialogue)."""
    z = latent(rng, clusters, [tie for _, tie in arms])
    length = size * lengths(rng, z[:, 0])
    sums: list[Floats] = []
    for position, (mean, _) in enumerate(arms):
        trials = rng.poisson(length)
        hits = rng.binomial(trials, beta_quantile(z[:, 1 + position], mean))
        sums += [hits.astype(np.float64), trials.astype(np.float64)]
    return sums


def bootstrapped(
    columns: Sequence[Floats], rng: np.random.Generator, draws: int = 1000
) -> tuple[Interval, float]:
    """Percentile interval and p-value of a ratio, or of a difference of two."""
    sums = bootstrap_sums(np.column_stack(columns), draws=draws, rng=rng)
    rates = sums[:, 0::2] / sums[:, 1::2]
    values = rates[:, 0] - rates[:, 1] if len(columns) == 4 else rates[:, 0]
    return percentile_interval(values, level=0.95), tail_p_value(values)


def one_share(clusters: int, rng: np.random.Generator, *, mean: float) -> dict[str, Trial]:
    """One share: logit t, plain t, percentile bootstrap."""
    hits, trials = shares(rng, clusters, [(mean, 0.7)], size=10)
    truth = true_share(mean, 0.7)
    return {
        "logit t": Trial(share(hits, trials).ci, truth),
        "t": Trial(ratio_of_sums(hits, trials).ci, truth),
        "percentile": Trial(bootstrapped([hits, trials], rng)[0], truth),
    }


def one_loss(
    clusters: int, rng: np.random.Generator, *, spread: float, tie: float = 0.7
) -> dict[str, Trial]:
    """One loss per token, lognormal between dialogues; ``tie`` binds it to their length."""
    z = latent(rng, clusters, [tie])
    tokens = np.maximum(1.0, np.round(200 * lengths(rng, z[:, 0])))
    nll = tokens * 2.2 * np.exp(spread * z[:, 1] - spread**2 / 2)
    truth = 2.2 * math.exp(spread * LENGTH_TIE * math.sqrt(tie))
    return {
        "linearised t": Trial(ratio_of_sums(nll, tokens).ci, truth),
        "percentile": Trial(bootstrapped([nll, tokens], rng)[0], truth),
    }


def two_ratios(
    columns: Sequence[Floats], truth: float, rng: np.random.Generator
) -> dict[str, Trial]:
    """A paired difference of ratios: delta-method t, percentile bootstrap."""
    ours = paired_ratio_difference(*columns)
    ci, p_value = bootstrapped(columns, rng)
    return {
        "delta t": Trial(ours.ci, truth, ours.p_value),
        "percentile": Trial(ci, truth, p_value),
    }


def two_shares(
    clusters: int, rng: np.random.Generator, *, means: tuple[float, float], tie: float
) -> dict[str, Trial]:
    """Paired shares; ``tie`` is the correlation of the arms' latent shares."""
    columns = shares(rng, clusters, [(means[0], tie), (means[1], tie)], size=10)
    return two_ratios(columns, true_share(means[0], tie) - true_share(means[1], tie), rng)


def two_losses(
    clusters: int, rng: np.random.Generator, *, gain: float, spread: float, tie: float
) -> dict[str, Trial]:
    """Paired losses over the same tokens."""
    z = latent(rng, clusters, [tie, tie])
    tokens = np.maximum(1.0, np.round(200 * lengths(rng, z[:, 0])))
    loss = 2.2 * np.exp(spread * z[:, 1:] - spread**2 / 2) * [1 - gain, 1]
    truth = -gain * 2.2 * math.exp(spread * LENGTH_TIE * math.sqrt(tie))
    return two_ratios([tokens * loss[:, 0], tokens, tokens * loss[:, 1], tokens], truth, rng)


def skewed_mean(clusters: int, rng: np.random.Generator, *, spread: float) -> dict[str, Trial]:
    """Mean of skewed paired differences around 0: Hall's t, plain t."""
    baseline = rng.normal(0.3, 0.1, clusters)
    skewed = np.exp(spread * rng.standard_normal(clusters)) - math.exp(spread**2 / 2)
    candidate = baseline + 0.1 * skewed
    ours = paired_mean_difference(candidate, baseline)
    difference = candidate - baseline
    mean, se = float(difference.mean()), float(difference.std(ddof=1)) / math.sqrt(clusters)
    return {
        "Hall t": Trial(ours.ci, 0, ours.p_value),
        "t": Trial(
            t_interval(mean, se, df=clusters - 1, level=0.95),
            0,
            t_two_sided(mean / se, clusters - 1),
        ),
    }


def bands(
    clusters: int,
    rng: np.random.Generator,
    *,
    candidate: float | None,
    baseline: float | None,
    draws: int,
) -> dict[str, Trial]:
    """Distances to the band of gold (mean .35): bootstrap, and a t that ignores the kink.

    An arm of ``None`` lies on the band's upper edge, as the half-width typically comes out. The
    true distance takes the half-width that did come out: it is a tolerance, not an estimate.
    """
    edge = 0.35 + typical_half_width(clusters)
    means = [edge if mean is None else mean for mean in (candidate, baseline, 0.35)]
    columns = shares(rng, clusters, [(mean, 0.6) for mean in means], size=10)
    band = gold_band(*columns[4:], floor=0.05)
    if band is None:
        raise RuntimeError("a sample without gold denominators")
    rates = [true_share(mean, 0.6) for mean in means]
    gaps = [max(0.0, abs(rate - rates[2]) - band.half_width) for rate in rates[:2]]
    truth = gaps[0] - gaps[1]
    *arms, gold = zip(columns[0::2], columns[1::2], strict=True)
    ours = BandArms(arms, gold, floor=0.05, draws=draws, rng=rng).difference(0, 1)
    lines = [linearise(columns[at], columns[at + 1]) for at in (0, 2, 4)]
    sides = [np.sign(line[0] - band.rate) * (band_distance(line[0], band) > 0) for line in lines]
    influence = sides[0] * (lines[0][1] - lines[2][1]) - sides[1] * (lines[1][1] - lines[2][1])
    value = band_distance(lines[0][0], band) - band_distance(lines[1][0], band)
    se = cluster_se(influence)
    return {
        "bootstrap": Trial(ours.ci, truth, ours.p_value),
        "delta t": Trial(
            t_interval(value, se, df=clusters - 1, level=0.95),
            truth,
            t_two_sided(value / se, clusters - 1) if se > 0 else 1.0,
        ),
    }


@cache
def typical_half_width(clusters: int) -> float:
    """Mean half-width of the gold band in 200 samples."""
    rng = np.random.default_rng(clusters)
    samples = [shares(rng, clusters, [(0.35, 0.6)], size=10) for _ in range(200)]
    found = [gold_band(hits, trials, floor=0.05) for hits, trials in samples]
    return float(np.mean([band.half_width for band in found if band is not None]))


def markers(
    clusters: int,
    rng: np.random.Generator,
    *,
    ratio: float,
    rate: float,
    frailty: float,
    draws: int,
) -> dict[str, Trial]:
    """Counts, ``rate`` a dialogue with lognormal frailty: bootstrap, GEE, unclustered Poisson."""
    z = latent(rng, clusters, [0.7, 0.7])
    length = lengths(rng, z[:, 0])
    exposure = np.round(400 * length[:, None] * rng.gamma(10, 0.1, (clusters, 2))) + 1
    mixed = np.exp(frailty * z[:, 1:] - frailty**2 / 2)
    counts = rng.poisson(rate / 400 * exposure * mixed * [ratio, 1]).astype(np.float64)
    columns = [counts[:, 0], exposure[:, 0], counts[:, 1], exposure[:, 1]]
    ours = rate_ratio(*columns, draws=draws, rng=rng)
    gee = poisson_gee_rate_ratio(*columns)
    trials = {
        "bootstrap": Trial(ours.ci, ratio, ours.p_value),
        "GEE": Trial(gee.ci, ratio, gee.p_value),
    }
    events, exposed = counts.sum(axis=0), exposure.sum(axis=0)
    if events.all():
        centre = math.log(events[0] / exposed[0]) - math.log(events[1] / exposed[1])
        reach = 1.96 * math.sqrt(float((1 / events).sum()))
        interval = math.exp(centre - reach), math.exp(centre + reach)
        p_value = 2 * float(ndtr(-abs(centre) / (reach / 1.96)))
        trials["Poisson"] = Trial(interval, ratio, p_value)
    return trials


def scenarios(draws: int) -> list[Scenario]:
    """Everything that is simulated, in the order of the table."""
    null, slow, both = {"null": True}, {"bootstrap": True}, {"null": True, "bootstrap": True}
    loss = partial(two_losses, tie=0.9)
    band, marker = partial(bands, draws=draws), partial(markers, draws=draws)
    return [
        Scenario("share .35", partial(one_share, mean=0.35)),
        Scenario("share .87", partial(one_share, mean=0.87)),
        Scenario("loss, lengths tied", partial(one_loss, spread=0.25)),
        Scenario("loss, lengths free", partial(one_loss, spread=0.25, tie=0)),
        Scenario("loss, strong skew", partial(one_loss, spread=0.8)),
        Scenario("shares .30 - .45, r .5", partial(two_shares, means=(0.30, 0.45), tie=0.5)),
        Scenario(
            "shares .35 - .35, r .5", partial(two_shares, means=(0.35, 0.35), tie=0.5), **null
        ),
        Scenario(
            "shares .35 - .35, r .9", partial(two_shares, means=(0.35, 0.35), tie=0.9), **null
        ),
        Scenario("losses, gain 3 %, r .9", partial(loss, gain=0.03, spread=0.25)),
        Scenario("losses, strong skew, r .9", partial(loss, gain=0.03, spread=0.8)),
        Scenario("losses, no gain, r .9", partial(loss, gain=0, spread=0.25), **null),
        Scenario("mean, skewness 1.8", partial(skewed_mean, spread=0.5), **null),
        Scenario("mean, skewness 6.2", partial(skewed_mean, spread=1.0), **null),
        Scenario("band: far, farther", partial(band, candidate=0.6, baseline=0.7), **slow),
        Scenario("band: inside, far", partial(band, candidate=0.35, baseline=0.6), **slow),
        Scenario("band: edge, far", partial(band, candidate=None, baseline=0.6), **slow),
        Scenario("band: far, far", partial(band, candidate=0.6, baseline=0.6), **both),
        Scenario("band: edge, edge", partial(band, candidate=None, baseline=None), **both),
        Scenario("band: inside, inside", partial(band, candidate=0.35, baseline=0.35), **both),
        Scenario("markers x .72", partial(marker, ratio=0.72, rate=2, frailty=0.4), **slow),
        Scenario("markers x 1", partial(marker, ratio=1, rate=2, frailty=0.4), **both),
        Scenario("markers, clumped x 1", partial(marker, ratio=1, rate=2, frailty=0.8), **both),
        Scenario("markers, rare x 1", partial(marker, ratio=1, rate=0.3, frailty=0.4), **both),
    ]


def summarise(scenario: Scenario, trials: dict[str, list[Trial]], replications: int) -> str:
    """Cells of one row: every method's coverage, and type I error where nothing differs."""
    cells = []
    for method, results in trials.items():
        intervals = [(result.ci, result.truth) for result in results if result.ci is not None]
        covered = np.mean([low <= truth <= high for (low, high), truth in intervals])
        text = f"{method} {100 * covered:.1f}"
        if scenario.null:
            tests = [result.p_value for result in results if result.p_value is not None]
            text += f" ({100 * np.mean([p < 0.05 for p in tests]):.1f})"
        missing = 1 - len(intervals) / replications
        cells.append(text + (f" [none: {100 * missing:.0f}]" if missing > 0 else ""))
    return " | ".join(([*cells, "", ""])[:3])


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print the table."""
    parser = argparse.ArgumentParser(description="Simulated coverage of the interval methods.")
    parser.add_argument("--replications", type=int, default=2000, help="of closed-form methods")
    parser.add_argument("--bootstrap-replications", type=int, default=300)
    parser.add_argument("--draws", type=int, default=2000, help="of each bootstrap")
    parser.add_argument("--clusters", type=int, nargs="+", default=[26, 52, 208])
    parser.add_argument("--only", default="", help="scenarios whose name starts so")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print("| scenario | dialogues | used | beside it | |\n|---|---|---|---|---|")
    for index, scenario in enumerate(scenarios(options.draws)):
        if not scenario.name.startswith(options.only):
            continue
        replications = (
            options.bootstrap_replications if scenario.bootstrap else options.replications
        )
        for clusters in options.clusters:
            rng = np.random.default_rng([options.seed, index, clusters])
            trials: dict[str, list[Trial]] = defaultdict(list)
            for _ in range(replications):
                for method, trial in scenario.replicate(clusters, rng).items():
                    trials[method].append(trial)
            cells = summarise(scenario, trials, replications)
            print(f"| {scenario.name} | {clusters} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
