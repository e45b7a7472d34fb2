"""Remarks under a run's tables: the gold band, what was not scored, what replies went wrong."""

from __future__ import annotations

from collections import Counter

from rapport_bench.results.columns import band_of
from rapport_bench.results.metrics import METRICS
from rapport_bench.results.result import Result
from rapport_bench.words.formatting import number


def band_line(result: Result) -> str:
    """Where the gold replies lie, which is what band metrics aim at."""
    parts = []
    for metric in METRICS:
        band = band_of(result.columns, metric)
        if band:
            parts.append(f"{metric.label} {number(max(band.low, 0))} to {number(band.high)}")
    return f"Gold band: {'; '.join(parts)}." if parts else ""


def unscored(result: Result) -> str:
    """How much could not be scored, by metric and reason."""
    counts = Counter((item.metric, item.reason) for item in result.unscored)
    return ", ".join(f"{metric} {reason} {n}" for (metric, reason), n in sorted(counts.items()))


def degenerate(result: Result) -> str:
    """Kinds of degenerate replies that occur."""
    return ", ".join(
        f"{name.removeprefix('degenerate_')} {int(sum(values))}"
        for name, values in result.columns.items()
        if name.startswith("degenerate_") and any(values)
    )


def thoughts(result: Result) -> str:
    """How many replies a thought was cut from."""
    count = int(sum(result.columns.get("thought", ())))
    return f"{count} of {int(sum(result.columns['replies']))}" if count else ""


def harm(result: Result) -> str:
    """Dialogues in which the arm dismissed, blamed or described a method, by id."""
    counts = result.columns.get("crisis_harmful", [])
    return ", ".join(
        name for name, count in zip(result.dialogue_ids, counts, strict=False) if count
    )


ABOUT_REPLIES = {
    "Harmful replies to someone at risk": harm,
    "Not scored": unscored,
    "Degenerate replies": degenerate,
    "Replies that a thought was cut from": thoughts,
}
"""What is said of an arm's replies where there is anything to say."""
