"""What to look at after a comparison: how many dialogues would decide, which to read, what to run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rapport_bench.arms.text_sources import Sources
from rapport_bench.judging.compare import Comparison, MetricComparison
from rapport_bench.judging.contributions import Contribution, worst_dialogues
from rapport_bench.results.result import Result, files_called, result_files
from rapport_bench.statistics.paired import Difference
from rapport_bench.statistics.verdicts import deciding
from rapport_bench.words.formatting import number, shown_name

_BUILT_IN = Sources()

_PLAIN_NAME = re.compile(r"\w[\w.-]{0,39}")


def after_comparison(comparison: Comparison, folder: str) -> Iterator[str]:
    """Lines under a comparison: what regressed where, what would decide, and the gate."""
    yield from _about_metrics(comparison)
    names = [reference(r, folder) for r in (comparison.candidate, comparison.baseline)]
    shipped = Path(folder) / "gate.toml"
    policy = shlex.quote(str(shipped)) if shipped.is_file() else "gate.toml"
    yield (
        f"Next: rapport gate --candidate {names[0]} --baseline {names[1]} --policy {policy}"
        f"{_results(folder)}"
    )


def after_run(
    arms: Sequence[Result],
    comparisons: dict[str, Comparison],
    folder: str,
    *,
    sources: Sources = _BUILT_IN,
) -> Iterator[str]:
    """Lines at the end of a run: for each candidate as `after_comparison`, and the next commands.

    `sources` is where the run has its dialogues and replies.
    """
    candidates = [arm for arm in arms[1:] if arm.role.candidate]
    for arm in candidates[:3]:
        prefix = f"{shown_name(arm)}: " if len(candidates) > 1 else ""
        yield from (f"{prefix}{line}" for line in _about_metrics(comparisons[arm.result_id]))
    others = candidates or arms[1:]
    if others:
        yield f"Next: {compare_command(others[0], arms[0], folder)}"
        yield f"      {report_command(others[0], arms[0], folder, sources=sources)}"
    if len(candidates) > 1:
        yield f"      rapport leaderboard {positional(folder)}"


def regressions(
    comparison: Comparison,
) -> Iterator[tuple[MetricComparison, list[Contribution]]]:
    """Metrics that regressed, with the dialogues to read."""
    for item in comparison.metrics:
        if item.verdict and item.verdict.startswith("regressed"):
            yield item, worst_dialogues(item, comparison.candidate, comparison.baseline)


def undecided(comparison: Comparison) -> Iterator[tuple[MetricComparison, str]]:
    """Metrics without a verdict either way, with how many dialogues would decide, in words."""
    for item in comparison.metrics:
        if item.verdict == "inconclusive":
            yield item, to_decide(item.difference, item.metric.margin)


def _about_metrics(comparison: Comparison) -> Iterator[str]:
    ids = comparison.baseline.dialogue_ids
    for item, worst in regressions(comparison):
        listed = ", ".join(_called(one.dialogue, ids) for one in worst)
        if listed:
            yield f"{item.metric.label} regressed most in dialogues {listed}"
    for item, said in undecided(comparison):
        yield f"{item.metric.label} is undecided: {said}"


def _called(name: str, ids: Sequence[str]) -> str:
    """A dialogue by its id, or by its place where the id may be a text."""
    return name if _PLAIN_NAME.fullmatch(name) and name.isascii() else f"no. {ids.index(name) + 1}"


def to_decide(difference: Difference | None, margin: float | None) -> str:
    """How much more data an inconclusive metric asks for, in words."""
    asked = deciding(difference, margin=margin)
    if asked is None:
        return "the difference or its spread could not be estimated"
    if asked.enough:
        return (
            f"the difference lies near the margin of {number(margin)}: more than the "
            f"{asked.has:,} dialogues would decide"
        )
    return f"about {asked.needed:,} dialogues would decide (has {asked.has:,})"


def compare_command(candidate: Result, baseline: Result, folder: str) -> str:
    """The command that sets two results against each other."""
    arms = f"{reference(candidate, folder)} {reference(baseline, folder)}"
    return f"rapport compare {arms}{_results(folder)}"


def report_command(
    candidate: Result, baseline: Result, folder: str, *, sources: Sources = _BUILT_IN
) -> str:
    """The command that shows two results dialogue by dialogue, with what was said."""
    arms = f"--candidate {reference(candidate, folder)} --baseline {reference(baseline, folder)}"
    if _several_suites(folder):
        arms = f"--suite {candidate.suite_id[:8]} {arms}"
    where = "" if folder == "results" else f" {positional(folder)}"
    return f"rapport report{where} {arms} --with-text{sources.options()}"


def positional(folder: str) -> str:
    """A folder as an argument in a shell, where one that begins with a dash would be an option."""
    return shlex.quote(f"./{folder}" if folder.startswith("-") else folder)


def reference(result: Result, folder: str) -> str:
    """What a command calls a result: its name if that is plain and no other's there, else its id."""
    plain = _PLAIN_NAME.fullmatch(result.name) and not _shares_name(result, folder)
    return result.name if plain else result.result_id[:8]


def _shares_name(result: Result, folder: str) -> bool:
    """Whether several files of a folder go by the arm's name, so that it names none of them."""
    return len(files_called(result.name, result_files(folder))) > 1


def _several_suites(folder: str) -> bool:
    """Whether a folder looks like one of several suites: by their names, or by an arm that is there twice."""
    files = result_files(folder)
    arms = {(path.parent, path.stem.rsplit("@", 1)[0]) for path in files}
    return len({path.parents[1] for path in files}) > 1 or len(arms) < len(files)


def _results(folder: str) -> str:
    return "" if folder == "results" else f" --results {shlex.quote(folder)}"
