"""The policy of a gate (`gate.toml`): which metrics count, which way is better, what change matters.

    [policy]
    alpha = 0.05
    [metrics.nll_per_token]
    direction = "lower"        # lower | higher | band (gold band)
    margin = 0.02              # in the metric's units; or margin_percent = 2.0

Nothing is guessed: a metric without direction or margin, or a key that nobody reads, is an error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rapport_bench.results.metrics import BY_NAME, Metric
from rapport_tasks.common.errors import BadInput, close_match, shown
from rapport_tasks.common.parsing import read_toml

ALPHA = 0.05
"""Level of the Holm family unless the policy says otherwise."""

SMALLEST_MARGIN, LARGEST_MARGIN = 1e-9, 1e9
"""Beyond these no data decide, and what is computed from a margin leaves the range of numbers."""
_DIRECTIONS = ("lower", "higher", "band")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a policy asks of one metric.

    Attributes:
        metric: The metric with the policy's direction; its gold band only where that is ``band``.
        margin: Smallest change that matters, in the metric's units; `None` with a percentage.
        margin_percent: The same in percent of the baseline's value; `None` with a margin.
    """

    metric: Metric
    margin: float | None = None
    margin_percent: float | None = None

    def margin_for(self, baseline_value: float | None) -> float | None:
        """The margin in the metric's units.

        A percentage is of the baseline's value of the metric, also where the distance to the gold
        band is what is compared: that distance is often 0. `None` without that value.
        """
        if self.margin is not None:
            return self.margin
        assert self.margin_percent is not None
        if baseline_value is None:
            return None
        return abs(baseline_value) * self.margin_percent / 100


@dataclass(frozen=True, slots=True)
class Policy:
    """A gate's policy.

    Attributes:
        rules: One a metric, in the file's order; at least one.
        alpha: Level of the family of tests that can call a metric regressed.
    """

    rules: tuple[Rule, ...]
    alpha: float = ALPHA


def read_policy(path: str | Path) -> Policy:
    """Read and check a policy file.

    Raises:
        BadInput: No such file, not TOML, an unknown metric or key, a missing, negative or doubled
            margin, a missing or impossible direction, no metric at all.
    """
    path = Path(path)
    unreadable = "Name a policy file with --policy."
    data = read_toml(path, remedy="Correct the file.", unreadable=unreadable)
    _known(data, ("policy", "metrics"), f"{path}")
    settings = _table(data.get("policy", {}), f"{path}: [policy]")
    _known(settings, ("alpha",), f"{path}: [policy]")
    alpha = _number(settings.get("alpha", ALPHA), f"{path}: [policy] alpha")
    if not 0 < alpha < 1:
        raise BadInput(f"{path}: [policy] alpha = {alpha:g}", remedy="Between 0 and 1, like 0.05.")
    metrics = _table(data.get("metrics", {}), f"{path}: [metrics]")
    if not metrics:
        raise BadInput(
            f"{path}: no metric: an empty policy would let everything pass",
            remedy="Add a table like [metrics.aer_share] with direction and margin.",
        )
    rules = []
    for name, table in metrics.items():
        place = f"[metrics.{name}]" if name in BY_NAME else "[metrics]"
        rules.append(make_rule(name, table, f"{path}: {place}"))
    return Policy(tuple(rules), alpha)


def make_rule(name: str, table: Any, where: str) -> Rule:
    """What is asked of one metric, from a table with direction and margin or margin_percent.

    Args:
        name: The metric.
        table: As in a policy file.
        where: Begins every message.

    Raises:
        BadInput: As `read_policy`.
    """
    if name not in BY_NAME:
        raise BadInput(
            f"{where}: unknown metric {shown(name)}",
            remedy=close_match(name, BY_NAME) + f"Metrics are {', '.join(BY_NAME)}.",
        )
    table = _table(table, where)
    _known(table, ("direction", "margin", "margin_percent"), where)
    metric, direction = BY_NAME[name], table.get("direction")
    if direction is None:
        raise BadInput(f"{where}: direction is missing", remedy=f"One of {', '.join(_DIRECTIONS)}.")
    if direction not in _DIRECTIONS:
        raise BadInput(
            f"{where}: direction = {shown(direction)}",
            remedy=close_match(str(direction), _DIRECTIONS) + f"One of {', '.join(_DIRECTIONS)}.",
        )
    if direction == "band" and metric.gold is None:
        banded = [m.name for m in BY_NAME.values() if m.gold is not None]
        raise BadInput(
            f"{where}: there is no gold band for {name}",
            remedy=f"Only {', '.join(banded)} have one; choose lower or higher.",
        )
    given = [key for key in ("margin", "margin_percent") if key in table]
    if len(given) != 1:
        problem = "margin is missing" if not given else "both margin and margin_percent"
        raise BadInput(f"{where}: {problem}", remedy="Give margin or margin_percent.")
    size = _number(table[given[0]], f"{where} {given[0]}")
    if not (size == 0 or SMALLEST_MARGIN <= size <= LARGEST_MARGIN):
        raise BadInput(
            f"{where}: {given[0]} = {size:g}",
            remedy=f"A margin is 0 or more: 0, or {SMALLEST_MARGIN:g} to {LARGEST_MARGIN:g}.",
        )
    metric = replace(
        metric,
        direction=direction,
        gold=metric.gold if direction == "band" else None,
        family="confirmatory",
    )
    return Rule(metric, **{given[0]: size})


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{where}: not a table", remedy="Write it as in results/gate.toml.")
    return value


def _known(table: dict[str, Any], keys: Iterable[str], where: str) -> None:
    for key in table:
        if key not in keys:
            raise BadInput(
                f"{where}: unknown key {shown(key)}",
                remedy=close_match(key, keys) + f"Keys are {', '.join(keys)}.",
            )


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadInput(
            f"{where}: {shown(value)} is not a number", remedy="Write a number like 0.02."
        )
    return float(value)
