"""Scores adapters against their base, on one loaded base, into versioned results.

The functions and classes of `__all__` are the public interface; everything else may change. They are
imported when they are first asked for, so that the command line starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rapport_bench.api import (
        Comparison,
        Gate,
        Generation,
        Leaderboard,
        RapportError,
        RapportWarning,
        Result,
        Run,
        RunConfig,
        Transcripts,
        compare,
        gate,
        leaderboard,
        load_result,
        report,
        run,
        score,
    )

__all__ = [
    "Comparison",
    "Gate",
    "Generation",
    "Leaderboard",
    "RapportError",
    "RapportWarning",
    "Result",
    "Run",
    "RunConfig",
    "Transcripts",
    "compare",
    "gate",
    "leaderboard",
    "load_result",
    "report",
    "run",
    "score",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rapport_bench import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted(__all__)
