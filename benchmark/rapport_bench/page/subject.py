"""Who is set against whom on the page: one suite, its baseline, its candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rapport_bench.common.escape import one_line
from rapport_bench.judging.compare import Comparison, compare
from rapport_bench.judging.leaderboard import Leaderboard, leaderboard
from rapport_bench.results.metrics import BY_NAME, CONFIRMATORY
from rapport_bench.results.result import Result
from rapport_tasks.common.errors import BadInput, close_match

MOST_CANDIDATES = 12
"""Candidates compared in detail unless they are named; a page with more cannot be read."""

_LONGEST_LABEL = 40
_METRICS = tuple(map(BY_NAME.__getitem__, CONFIRMATORY))
"""Those that give verdicts; the others are families of their own."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the page is about.

    Attributes:
        board: All arms of the suite.
        baseline: What candidates are set against; `None` without one.
        comparisons: One a candidate, in the board's order, or the order they were named in.
        not_compared: Candidates left out of the detailed part, because there are many.
        why_no_verdict: What keeps the page from a verdict; empty where there is one.
        labels: Names to show, by result id, each unique on the page.
    """

    board: Leaderboard
    baseline: Result | None
    comparisons: tuple[Comparison, ...]
    not_compared: tuple[Result, ...]
    why_no_verdict: str
    labels: dict[str, str]

    @property
    def arms(self) -> list[Result]:
        """Of the board, in its order."""
        return [row.result for row in self.board.rows]

    @property
    def candidates(self) -> list[Result]:
        """Those that are compared."""
        return [comparison.candidate for comparison in self.comparisons]

    @property
    def gold(self) -> Result | None:
        """The gold replies, if they were scored."""
        return next((arm for arm in self.arms if arm.role.gold), None)

    def label(self, result: Result) -> str:
        """How an arm is called on the page."""
        return self.labels[result.result_id]


def subject(
    results: Sequence[Result],
    *,
    by: str | None = None,
    suite: str | None = None,
    baseline: str | None = None,
    candidates: Sequence[str] = (),
) -> Subject:
    """Choose suite, baseline and candidates, and compare them.

    Args:
        results: At least one; other suites' are listed apart.
        by: Metric of the leaderboard [default: its own].
        suite: Name or start of an id [default: the suite with the most arms].
        baseline: Arm by name, start of its result id, or file [default: the suite's base].
        candidates: Likewise [default: adapters, models and imported replies, the best first].

    Raises:
        BadInput: An unknown suite or arm, or one that is its own baseline.
    """
    board = leaderboard(results, by=by, suite=suite)
    arms = [row.result for row in board.rows]
    labels = labels_of(arms)
    found = _named(baseline, arms) if baseline else _base_arm(arms)
    if candidates:
        chosen = list(
            {r.result_id: r for r in (_named(name, arms) for name in candidates)}.values()
        )
        if found is not None and found.result_id in {r.result_id for r in chosen}:
            raise BadInput(
                f"{found.name} is both candidate and baseline",
                remedy="Name another arm with --baseline or --candidate.",
            )
        rest: list[Result] = []
    else:
        possible = [
            arm
            for arm in arms
            if arm.role.candidate and (found is None or arm.result_id != found.result_id)
        ]
        chosen, rest = possible[:MOST_CANDIDATES], possible[MOST_CANDIDATES:]
    comparisons = (
        () if found is None else tuple(compare(one, found, metrics=_METRICS) for one in chosen)
    )
    return Subject(
        board, found, comparisons, tuple(rest), _why_no_verdict(arms, found, chosen), labels
    )


def _why_no_verdict(
    arms: Sequence[Result], baseline: Result | None, candidates: Sequence[Result]
) -> str:
    if baseline is None and len(arms) > 1:
        return (
            "No verdict: these arms have no base among them. Name what the others should be set "
            "against with --baseline ARM."
        )
    if not candidates or baseline is None:
        return (
            f"No verdict yet: {short_name((baseline or arms[0]).name)} has no adapter, model or "
            "replies to be compared with. Score one on the same suite with `rapport run`."
        )
    return ""


def _base_arm(arms: Sequence[Result]) -> Result | None:
    """The base; of several, the one that most arms are built on."""
    bases = [arm for arm in arms if arm.role.baseline]
    on = Counter(_weights(arm) for arm in arms)
    return min(bases, key=lambda arm: (-on[_weights(arm)], arm.name, arm.result_id), default=None)


def _weights(arm: Result) -> str:
    base = arm.arm.base
    return base.weights_sha256 if base else ""


def _named(reference: str, arms: Sequence[Result]) -> Result:
    """One arm of the suite by name, by the start of its id, or by its file."""
    found = [arm for arm in arms if arm.name == reference]
    found = found or [arm for arm in arms if str(arm.path) == reference]
    if not found and len(reference) >= 4:
        found = [arm for arm in arms if arm.result_id.startswith(reference)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(arm.result_id[:8] for arm in found)
        raise BadInput(
            f"{len(found)} results of the suite are called {reference!r}: {ids}",
            remedy="Give an id.",
        )
    raise BadInput(
        f"no arm {reference!r} in suite {arms[0].suite.name}",
        remedy=close_match(reference, [arm.name for arm in arms])
        + "Name an arm of the suite, or the start of a result id.",
    )


def short_name(name: str) -> str:
    """A name on one line, without marks that turn the direction of writing, cut where it is long."""
    line = one_line(name).strip() or "unnamed"
    return line if len(line) <= _LONGEST_LABEL else line[: _LONGEST_LABEL - 1] + "…"


def labels_of(arms: Sequence[Result]) -> dict[str, str]:
    """A name for each arm to show, by result id; with the start of the id where two are alike."""
    counts = Counter(short_name(arm.name) for arm in arms)
    return {
        arm.result_id: short_name(arm.name)
        + (f" ({arm.result_id[:8]})" if counts[short_name(arm.name)] > 1 else "")
        for arm in arms
    }
