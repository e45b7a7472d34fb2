"""Signs of verdicts and outcomes, the same in every medium: the sign alone tells them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rapport_bench.judging.compare import Comparison
from rapport_bench.judging.gate import GateOutcome
from rapport_bench.statistics.verdicts import Verdict

Tone = Literal["worse", "better", "open", "same"]
"""What a verdict comes to; pictures and pages have a colour for each."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a verdict or an outcome looks.

    Attributes:
        sign: Before its word.
        style: In the terminal.
        tone: What it comes to.
    """

    sign: str
    style: str
    tone: Tone


VERDICTS: dict[Verdict, Look] = {
    "regressed": Look("▼", "bold red", "worse"),
    "regressed (coverage)": Look("▼", "bold red", "worse"),
    # Red and green look alike to one man in twelve.
    "improved": Look("▲", "bold cyan", "better"),
    "equivalent": Look("=", "", "same"),
    "inconclusive": Look("?", "yellow", "open"),
}
"""In the order in which they are listed."""

OUTCOMES: dict[GateOutcome, Look] = {
    "pass": Look("✓", "green", "better"),
    "inconclusive": Look("?", "yellow", "open"),
    "not comparable": Look("✗", "bold red", "open"),
    "fail": Look("▼", "bold red", "worse"),
}
"""Of a gate."""

TONES: dict[Tone, str] = {look.tone: look.sign for look in VERDICTS.values()}
"""Tone -> sign."""


def by_verdict(comparison: Comparison) -> dict[Verdict, list[str]]:
    """Labels of the metrics with each verdict that was given, in the order of `VERDICTS`."""
    labels = {
        verdict: [item.metric.label for item in comparison.metrics if item.verdict == verdict]
        for verdict in VERDICTS
    }
    return {verdict: found for verdict, found in labels.items() if found}


def tone(comparison: Comparison) -> Tone:
    """``worse`` if any metric regressed, else ``better`` if one improved, else ``open`` or ``same``."""
    seen = {VERDICTS[item.verdict].tone for item in comparison.metrics if item.verdict}
    if "worse" in seen:
        return "worse"
    if "better" in seen:
        return "better"
    return "same" if seen == {"same"} else "open"
