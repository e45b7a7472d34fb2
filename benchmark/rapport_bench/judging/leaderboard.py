"""The leaderboard: arms of one suite, sorted by one metric, in tiers on it. From saved results.

Reference arms (gold, bots) stand at their place as marked rows: they have no rank, lead no tier and
put nobody off the Pareto front. Arms of other suites are listed apart, with what differs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rapport_bench.common.shown import Shown
from rapport_bench.judging.compare import arm_json, difference_json
from rapport_bench.judging.field import Field, Standing
from rapport_bench.results.columns import has
from rapport_bench.results.comparable import metric_gap
from rapport_bench.results.metrics import BY_NAME, CONFIRMATORY, METRICS, Metric
from rapport_bench.results.result import (
    Result,
    load,
    require_comparable,
    result_files,
)
from rapport_bench.results.sections import SuiteSection
from rapport_bench.statistics.paired import Difference
from rapport_bench.statistics.tiers import tiers
from rapport_tasks.common.errors import BadInput, Incomplete, NotComparable, close_match

DEFAULT_BY = "aer_share"


@dataclass(frozen=True, slots=True)
class Row:
    """One arm on the board.

    Attributes:
        standings: By the metric's name.
        rank: From 1; `None` for reference arms and arms without the metric.
        tier: From 1, likewise.
        pareto: Whether no other ranked arm is at least as good on every metric of `Leaderboard.front` and
            better on one.
        behind: Difference to the first arm on the board's metric (distances, for a band), paired;
            positive is further from the band, otherwise as the metric. `None` for the first itself.
        note: Why there is no rank.
    """

    result: Result
    standings: dict[str, Standing]
    rank: int | None = None
    tier: int | None = None
    pareto: bool = False
    behind: Difference | None = None
    note: str = ""


@dataclass(frozen=True, repr=False)
class Leaderboard(Shown):
    """Arms of one suite, sorted by one metric, in tiers on it.

    Attributes:
        suite: Of every row.
        by: What it is sorted by and tiered on.
        front: Metrics of the Pareto front: the confirmatory ones that every ranked arm has.
        rows: Best first; arms without the metric last.
        apart: Arms of other suites, with what differs.
    """

    suite: SuiteSection
    by: Metric
    front: tuple[str, ...]
    rows: tuple[Row, ...]
    apart: tuple[tuple[Result, str], ...]

    def title(self) -> str:
        """Suite and sorting."""
        return f"{self.suite.name} {self.suite.suite_id[:8]} by {self.by.name}"

    def to_rows(self) -> list[dict[str, Any]]:
        """One row an arm: rank, tier, and its value of the metric and of the confirmatory ones.

        Of a metric with a gold band the distance to it is given.
        """
        names = dict.fromkeys((self.by.name, *CONFIRMATORY))
        return [
            {"rank": row.rank, "tier": row.tier, "arm": row.result.name, "kind": row.result.kind}
            | {name: _sorted_by(row, BY_NAME[name]) for name in names}
            | {"note": row.note}
            for row in self.rows
        ]

    def to_dict(self) -> dict[str, Any]:
        """As ``rapport leaderboard --json`` prints it, without studies and published figures."""
        return {
            "suite": self.suite.to_json(),
            "by": self.by.name,
            "direction": self.by.direction,
            "pareto_metrics": list(self.front),
            "rows": [
                arm_json(row.result)
                | {
                    "rank": row.rank,
                    "tier": row.tier,
                    "pareto": row.pareto,
                    "note": row.note or None,
                    "behind_first": difference_json(row.behind),
                    "metrics": {
                        name: standing.to_json(BY_NAME[name])
                        for name, standing in row.standings.items()
                    },
                }
                for row in self.rows
            ],
            "apart": [arm_json(result) | {"differs": why} for result, why in self.apart],
        }


def load_results(folder: str | Path) -> tuple[list[Result], list[str]]:
    """Every readable result below a folder, and a line for each file that is not.

    Raises:
        BadInput: No result there.
    """
    found, problems = [], []
    for path in result_files(folder):
        try:
            found.append(load(path))
        except (BadInput, Incomplete) as error:
            problems.append(f"left out: {error.message}")
    if not found:
        broken = f" ({len(problems)} broken)" if problems else ""
        raise BadInput(
            f"{folder}: no results{broken}",
            remedy="Make some with `rapport run`, or name a folder.",
        )
    return found, problems


def metric_named(name: str) -> Metric:
    """A metric that arms can be sorted by.

    Raises:
        BadInput: There is none of that name, or none of its values is better than another.
    """
    sortable = [metric.name for metric in METRICS if metric.direction != "none"]
    if name not in sortable:
        problem = "says nothing about better or worse" if name in BY_NAME else "is no metric"
        raise BadInput(
            f"--by {name}: {problem}",
            remedy=close_match(name, sortable) + f"Choose one of {', '.join(sortable)}.",
        )
    return BY_NAME[name]


def leaderboard(
    results: Sequence[Result],
    *,
    by: str | None = None,
    suite: str | None = None,
) -> Leaderboard:
    """Sort the arms of one suite by one metric, then by continuity, then by name.

    Args:
        results: At least one.
        by: Name of a metric with a direction; a band metric sorts by the distance to its band.
            [default: ``aer_share``, or where no arm has it the next confirmatory metric, or else any
            other, that one has]
        suite: Name or start of the id of the suite [default: the one with the most arms].

    Raises:
        BadInput: An unknown metric or suite, or no arm of the suite has the metric.
    """
    named = None if by is None else metric_named(by)
    chosen = _chosen_suite(results, suite)
    arms, apart = [], []
    first = next(r for r in results if r.suite_id == chosen)
    for result in sorted(results, key=lambda r: (r.name, r.result_id)):
        try:
            require_comparable(result, first)
            arms.append(result)
        except NotComparable as error:
            apart.append((result, error.message))
    field = Field(arms)
    metric = named or _first_of(field)
    if all(field.badness(arm, metric) is None for arm in range(len(arms))):
        there = [m.name for m in METRICS if m.direction != "none" and has(first.columns, m)]
        raise BadInput(
            f"no arm of suite {first.suite.name} has {metric.name}",
            remedy=f"Sort --by one of {', '.join(there)}.",
        )
    rows, front = _rows(field, metric)
    return Leaderboard(first.suite, metric, front, rows, tuple(apart))


def _first_of(field: Field) -> Metric:
    """What a board is sorted by that nobody chose a metric for: a run may leave tasks out."""
    sortable = [metric.name for metric in METRICS if metric.direction != "none"]
    for name in (DEFAULT_BY, *CONFIRMATORY, *sortable):
        if any(field.badness(arm, BY_NAME[name]) is not None for arm in range(len(field.arms))):
            return BY_NAME[name]
    return BY_NAME[DEFAULT_BY]


def _chosen_suite(results: Sequence[Result], wanted: str | None) -> str:
    if wanted is None:
        counts = Counter(result.suite_id for result in results)
        return min(counts, key=lambda identity: (-counts[identity], identity))
    matching = {
        r.suite_id for r in results if r.suite.name == wanted or r.suite_id.startswith(wanted)
    }
    if len(matching) != 1:
        there = sorted({f"{r.suite_id[:8]} ({r.suite.name})" for r in results})
        raise BadInput(
            f"--suite {wanted}: {len(matching)} suites match",
            remedy=f"Give the start of one id: {', '.join(there)}.",
        )
    return matching.pop()


def _rows(field: Field, metric: Metric) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    continuity = BY_NAME["continuity"]

    def key(arm: int) -> tuple[float, float, str, str]:
        result = field.arms[arm]
        found = [field.badness(arm, m) for m in (metric, continuity)]
        first, second = (math.inf if value is None else value for value in found)
        return first, second, result.name, result.result_id

    order = sorted(range(len(field.arms)), key=key)
    notes = {arm: _unranked(field, arm, metric) for arm in order}
    if same := field.alike(metric, [arm for arm in order if not notes[arm]]):
        notes |= {
            arm: notes[arm] or metric_gap(metric, field.arms[arm], field.arms[min(same)])
            for arm in order
            if arm not in same
        }
    ranked = [arm for arm in order if not notes[arm]]
    tier = tiers(ranked, lambda arm, leader: field.difference(metric, arm, leader))
    front = tuple(name for name in CONFIRMATORY if _in_front(field, ranked, BY_NAME[name]))
    best = _pareto({a: [field.badness(a, BY_NAME[name]) or 0.0 for name in front] for a in ranked})
    first = ranked[0] if ranked else None
    rows = []
    for arm in order:
        comparable = first not in (None, arm) and notes[arm] in ("", "reference")
        behind = None
        if comparable and first is not None and field.badness(arm, metric) is not None:
            behind = field.difference(metric, arm, first)
        shown = [m for m in METRICS if has(field.arms[arm].columns, m)]
        rows.append(
            Row(
                field.arms[arm],
                {m.name: field.standing(arm, m) for m in shown},
                rank=ranked.index(arm) + 1 if arm in tier else None,
                tier=tier.get(arm),
                pareto=arm in best,
                behind=behind,
                note=notes[arm],
            )
        )
    return tuple(rows), front


def _unranked(field: Field, arm: int, metric: Metric) -> str:
    if field.arms[arm].role.reference:
        return "reference"
    return f"no {metric.name}" if field.badness(arm, metric) is None else ""


def _in_front(field: Field, ranked: Sequence[int], metric: Metric) -> bool:
    if any(field.badness(arm, metric) is None for arm in ranked):
        return False
    return len(field.alike(metric, ranked)) == len(ranked)


def _sorted_by(row: Row, metric: Metric) -> float | None:
    found = row.standings.get(metric.name)
    return None if found is None else found.distance if metric.gold else found.value


def _pareto(badness: dict[int, list[float]]) -> set[int]:
    """Arms that no other arm equals or beats everywhere and beats somewhere."""
    if not badness:
        return set()
    arms = list(badness)
    table = np.array([badness[arm] for arm in arms])
    kept = set()
    for place, arm in enumerate(arms):
        nowhere_worse = (table <= table[place]).all(axis=1)
        somewhere_better = (table < table[place]).any(axis=1)
        if not (nowhere_worse & somewhere_better).any():
            kept.add(arm)
    return kept
