"""Figures that others published, shown beside a leaderboard as *reported, not measured*.

They stay text: no code ranks them, sets them in tiers or compares them with anything, and in no
format do they stand in the column of a metric, whose definition they do not share.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from rapport_bench.results.metrics import BY_NAME

STATUS = "reported, not measured"


@dataclass(frozen=True, slots=True)
class Reported:
    """One published figure.

    Attributes:
        name: As it was published.
        metric: Our metric that is nearest to it.
        base: Level of the base; `None` where only a change was published.
        adapter: Level of the adapter, likewise.
        change_percent: Change from base to adapter, where no levels were published.
        flags: What is wrong with it, or unknown.
    """

    name: str
    metric: str
    flags: tuple[str, ...]
    base: float | None = None
    adapter: float | None = None
    change_percent: float | None = None

    @property
    def text(self) -> str:
        """What was published, in a few characters."""
        if self.change_percent is not None:
            return f"{self.change_percent:+g} %".replace("-", "−")
        return f"{self.base:g} → {self.adapter:g}"


@dataclass(frozen=True, slots=True)
class Published:
    """What one publication reports.

    Attributes:
        source: Where the figures come from.
        flags: What holds for all of them.
        figures: In the order of the file.
    """

    source: str
    flags: tuple[str, ...]
    figures: tuple[Reported, ...]


def load_published() -> Published:
    """The figures of `published.toml`, which comes with the package."""
    text = (files("rapport_bench.judging") / "published.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    figures = tuple(
        Reported(**entry | {"flags": tuple(entry["flags"])}) for entry in data["figures"]
    )
    return Published(data["source"], tuple(data["flags"]), figures)


def lines(published: Published) -> Iterator[str]:
    """The block that stands below a table on the console."""
    yield f"{STATUS.capitalize()}, by {published.source}; base → adapter:"
    for figure in published.figures:
        yield f"  {figure.name}: {figure.text} (nearest: {_label(figure)})"
        for flag in figure.flags:
            yield f"    ! {flag}"
    for flag in published.flags:
        yield f"  ! {flag}"


def rows(published: Published) -> Iterator[tuple[str, str, str, str]]:
    """(name, nearest metric, figure, flags) of each, as a table of their own."""
    for figure in published.figures:
        yield figure.name, _label(figure), figure.text, "; ".join(figure.flags)


def to_json(published: Published) -> dict[str, Any]:
    """The block as `--json` prints it."""
    rows = [asdict(figure) for figure in published.figures]
    for row in rows:
        row["nearest_metric"] = row.pop("metric")
    return {
        "status": STATUS,
        "source": published.source,
        "flags": list(published.flags),
        "figures": rows,
    }


def _label(figure: Reported) -> str:
    return BY_NAME[figure.metric].label
