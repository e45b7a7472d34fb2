"""Where an arm without understanding does as well as people: a check of the metrics, not of the arm.

A bot **dominates** the gold replies if it is at least as good on every confirmatory metric that it has, on
grounded empathy, help compliance, degeneration and coverage, and better on one of them. That must not
happen; and where a bot beats gold on a single metric beyond its margin, that metric says less there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapport_bench.results.columns import band_of
from rapport_bench.results.metrics import BESIDE_BOTS, BY_NAME, CONFIRMATORY, Metric
from rapport_bench.results.result import Result
from rapport_bench.statistics.bands import band_distance


@dataclass(frozen=True, slots=True)
class AgainstGold:
    """A bot set against the gold replies of the same suite.

    Attributes:
        bot: Its name.
        beaten: Confirmatory metrics on which it is better than gold by more than the margin.
        dominates: Whether it is nowhere worse and somewhere better.
    """

    bot: str
    beaten: tuple[str, ...]
    dominates: bool


def against_gold(bot: Result, gold: Result) -> AgainstGold:
    """Compare a bot's point values with gold's.

    Args:
        bot: A reference arm.
        gold: The gold replies, scored on the same suite.
    """
    gains: dict[str, float] = {}
    for name in (*CONFIRMATORY, *BESIDE_BOTS):
        gain = _gain(bot, gold, BY_NAME[name])
        if gain is not None:
            gains[name] = gain
    for name in CONFIRMATORY:
        ours, theirs = (r.metric(name).coverage for r in (bot, gold))
        if ours is not None and theirs is not None:
            gains[f"{name} (coverage)"] = ours - theirs
    beaten = tuple(n for n in CONFIRMATORY if gains.get(n, 0.0) > BY_NAME[n].margin)
    dominates = all(g >= 0 for g in gains.values()) and any(g > 0 for g in gains.values())
    return AgainstGold(bot.name, beaten, dominates)


def _gain(bot: Result, gold: Result, metric: Metric) -> float | None:
    """How much better the bot is, in the metric's units; `None` if neither has it."""
    values = [r.metric(metric.name).value for r in (bot, gold)]
    if values == [None, None] or metric.name not in bot.metrics:
        return None
    if values[0] is None:
        return -float("inf")  # gold can be scored and the bot cannot
    if values[1] is None:
        return float("inf")
    if metric.direction == "band":
        ours, theirs = (_distance(r, metric) for r in (bot, gold))
        return None if ours is None or theirs is None else theirs - ours
    gain = float(values[0]) - float(values[1])
    return -gain if metric.direction == "lower" else gain


def _distance(result: Result, metric: Metric) -> float | None:
    band = band_of(result.columns, metric)
    value = result.metric(metric.name).value
    return None if band is None or value is None else band_distance(value, band)


def notes(results: Sequence[Result]) -> list[str]:
    """What the summary says about bots that beat gold, one sentence each."""
    gold = next((r for r in results if r.role.gold), None)
    if gold is None:
        return []
    lines = []
    for bot in (r for r in results if r.role.bot):
        found = against_gold(bot, gold)
        if found.dominates:
            lines.append(
                f"{bot.name} dominates the gold replies: on this data the metrics cannot tell it from "
                "understanding; trust none of them alone"
            )
        for name in found.beaten:
            lines.append(
                f"{bot.name}, which understands nothing, beats gold on {BY_NAME[name].label}: a high "
                "value there is no evidence of quality by itself"
            )
    return lines
