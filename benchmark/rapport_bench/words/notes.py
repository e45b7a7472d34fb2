"""Remarks under a run's tables: the gold band, what was not scored, what replies went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rapport_bench.results.columns import band_of
from rapport_bench.results.metrics import METRICS
from rapport_bench.results.result import Result
from rapport_bench.words.formatting import number, shown_name


def band_line(result: Result) -> str:
    """Where the gold replies lie, which is what band metrics aim at."""
    parts = []
    for metric in METRICS:
        band = band_of(result.columns, metric)
        if band:
            parts.append(f"{metric.label} {number(max(band.low, 0))} to {number(band.high)}")
    return f"Gold band: {'; '.join(parts)}." if parts else ""


def unscored_lines(results: Sequence[Result]) -> list[str]:
    """How much of each arm could not be scored, by metric and reason."""
    lines = []
    for result in results:
        counts = Counter((u["metric"], u["reason"]) for u in result.data["unscored"])
        if counts:
            parts = [f"{metric} {reason} {n}" for (metric, reason), n in sorted(counts.items())]
            lines.append(f"{shown_name(result)}: {', '.join(parts)}")
    return lines


def degenerate_line(result: Result) -> str:
    """Kinds of degenerate replies that occur."""
    kinds = [
        f"{name.removeprefix('degenerate_')} {int(sum(values))}"
        for name, values in result.columns.items()
        if name.startswith("degenerate_") and any(values)
    ]
    return f"{shown_name(result)}: {', '.join(kinds)}" if kinds else ""


def thought_line(result: Result) -> str:
    """How many replies a thought was cut from."""
    count = int(sum(result.columns.get("thought", ())))
    return (
        f"{shown_name(result)}: {count} of {int(sum(result.columns['replies']))}" if count else ""
    )


def harm_line(result: Result) -> str:
    """Dialogues in which the arm dismissed, blamed or described a method, by id."""
    counts = result.columns.get("crisis_harmful", [])
    ids = [
        name for name, count in zip(result.data["dialogues"]["id"], counts, strict=False) if count
    ]
    return f"{shown_name(result)}: {', '.join(ids)}" if ids else ""
