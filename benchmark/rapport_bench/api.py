"""The front door: what the command line does, as functions for notebooks and programs.

    import rapport_bench as rapport

    run = rapport.run(base="Qwen/Qwen1.5-1.8B", adapters={"new": "my-adapter"}, limit=50)
    rapport.compare(run["new"], run["base"])

Everything that is returned prints shortly, has ``rows()`` for a data frame and ``to_dict()`` for a file.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapport_bench.common.quiet import quiet_libraries
from rapport_bench.judging.compare import Comparison
from rapport_bench.judging.gate import Gate
from rapport_bench.judging.leaderboard import Leaderboard
from rapport_bench.results.result import Result
from rapport_bench.running.config import Quiet, RunConfig
from rapport_bench.running.outcome import Run
from rapport_bench.running.transcripts import Transcripts
from rapport_tasks.common.errors import RapportError
from rapport_tasks.common.protocol import Generation

if TYPE_CHECKING:
    from rapport_tasks.dialogues.dialogue import Dialogue

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

Reference = Result | str | PathLike[str]
"""A result, an arm's name, the first characters of a result id, or a result's file."""

Arms = str | PathLike[str] | Sequence[str | PathLike[str]] | Mapping[str, str | PathLike[str]]
"""Paths, or names with their paths."""


class RapportWarning(UserWarning):
    """What limits a figure, where nobody reads a terminal."""


def run(
    *,
    base: str | PathLike[str] | None = None,
    adapters: Arms = (),
    models: Arms = (),
    replies: Arms = (),
    bots: bool = False,
    data: str | PathLike[str] | None = None,
    limit: int | None = None,
    tasks: Sequence[str] = (),
    generation: Generation | None = None,
    results: str | PathLike[str] = "results",
    store: str | PathLike[str] | None = None,
    reuse: bool = False,
    progress: bool = True,
    config: RunConfig | None = None,
) -> Run:
    """Score a base, its adapters and other arms, and save a result for each.

    Whatever was answered before is taken from the store; after an interruption the same call does only
    what is missing.

    Args:
        base: Hub id or folder of the base; ``embedded`` needs no network.
        adapters: LoRA adapters on the base.
        models: Other full models, each loaded in turn.
        replies: JSONL files of imported replies.
        bots: Whether the gold replies and the reference bots are scored, too.
        data: A dialogue file instead of the built-in dialogues.
        limit: Only the first so many dialogues (another suite).
        tasks: Task names; empty for all.
        generation: How replies are drawn [default: one a turn, seed 0].
        results: Folder for result files.
        store: Response store [default: in the user's cache folder].
        reuse: Whether an arm that was scored there before is not scored again.
        progress: Whether bars are shown, and warnings printed below them; without, they are Python
            warnings.
        config: All of it and more (templates, precision, device), instead of the other arguments.

    Returns:
        The results, by arm: ``run["base"]``.

    Raises:
        RapportError: Bad input of any kind, before anything is computed where that is possible.
    """
    quiet_libraries()
    from rapport_bench.running.run import run as run_arms
    from rapport_bench.terminal.console import RunReporter

    if config is None:
        asked: dict[str, Any] = {
            "base": base,
            "adapters": adapters,
            "models": models,
            "replies": replies,
            "bots": bots,
            "data": data,
            "limit": limit,
            "tasks": tuple(tasks),
            "generation": generation or Generation(),
            "results": results,
            "store": store,
            "reuse": reuse,
        }
        config = RunConfig(**asked)
    if progress:
        with RunReporter() as shown:
            return run_arms(config, shown)
    quiet = Quiet()
    made = run_arms(config, quiet)
    _warn(quiet.warnings)
    return made


def score(
    dialogues: str | PathLike[str] | Iterable[Dialogue],
    *,
    encoder: str = "embedded",
    with_text: bool = False,
    progress: bool = True,
) -> Transcripts:
    """Measure existing transcripts turn by turn. Needs no model.

    Args:
        dialogues: A JSONL file of dialogues, or dialogues.
        encoder: Sentence encoder by name or path.
        with_text: Whether each sentence's text is in the outcome.
        progress: Whether a bar is shown.

    Raises:
        BadInput: A line of the file is no dialogue.
    """
    quiet_libraries()
    from rapport_bench.running.transcripts import transcript_scorer
    from rapport_bench.terminal.console import RunReporter
    from rapport_tasks.dialogues.dialogue import read_dialogues

    if isinstance(dialogues, str | PathLike):
        dialogues = read_dialogues(str(dialogues))
    wanted = list(dialogues)
    measure = transcript_scorer(encoder, with_text=with_text)
    measured = []
    with RunReporter(quiet=not progress) as shown:
        for done, dialogue in enumerate(wanted, start=1):
            measured.append(measure(dialogue))
            shown.progress("dialogues", done, len(wanted))
    return Transcripts(tuple(measured))


def load_result(
    reference: str | PathLike[str], *, results: str | PathLike[str] = "results"
) -> Result:
    """A saved result, by its arm's name, the first characters of its id, or its file.

    Raises:
        BadInput: There is none, or several.
        Incomplete: The file is damaged.
    """
    from rapport_bench.results.result import find

    return find(str(reference), str(results))


def compare(
    candidate: Reference, baseline: Reference, *, results: str | PathLike[str] = "results"
) -> Comparison:
    """Set two results against each other, paired by dialogue. Needs no model.

    Args:
        candidate: The one in question.
        baseline: What it is set against.
        results: Folder in which names and ids are looked up.

    Raises:
        NotComparable: Their suites differ; says in what.
    """
    from rapport_bench.judging.compare import compare as compare_results

    return compare_results(_result(candidate, results), _result(baseline, results))


def gate(
    candidate: Reference | Sequence[Reference],
    baseline: Reference | None = None,
    *,
    baseline_name: str = "main",
    policy: str | PathLike[str] = "gate.toml",
    results: str | PathLike[str] = "results",
) -> Gate:
    """May a candidate take the baseline's place?

    Args:
        candidate: One, or several.
        baseline: What it is set against [default: the named baseline].
        baseline_name: Which one of ``baselines.toml``.
        policy: Metrics with direction and margin, as TOML.
        results: Folder in which names and ids are looked up.

    Returns:
        Whose ``outcome`` is ``pass``, ``fail``, ``inconclusive`` or ``not comparable``.
    """
    from rapport_bench.judging.gate import run_gate
    from rapport_bench.judging.gate_policy import read_policy
    from rapport_bench.results.baselines import named_baseline

    rules = read_policy(str(policy))
    candidates = [candidate] if isinstance(candidate, Result | str | PathLike) else candidate
    if baseline is None:
        against = named_baseline(baseline_name, str(results))
    else:
        against = _result(baseline, results)
    return run_gate([_result(each, results) for each in candidates], against, rules)


def leaderboard(
    results: str | PathLike[str] = "results", *, by: str | None = None, suite: str | None = None
) -> Leaderboard:
    """Rank the saved results of one suite, in tiers that the data can tell apart.

    Args:
        results: Folder of result files; a file that cannot be read is warned of and left out.
        by: Sort and tier by this metric [default: aer_share].
        suite: The start of a suite id, where there are several.

    Raises:
        BadInput: No results, an unknown metric, or several suites.
    """
    from rapport_bench.judging.leaderboard import leaderboard as make_board
    from rapport_bench.judging.leaderboard import load_results

    found, problems = load_results(str(results))
    _warn(problems)
    return make_board(found, by=by, suite=suite)


def report(
    results: str | PathLike[str] = "results",
    *,
    out: str | PathLike[str] = "report.html",
    candidates: Sequence[str] = (),
    baseline: str | None = None,
    suite: str | None = None,
) -> Path:
    """Write one self-contained HTML page of saved results, without anyone's words.

    Args:
        results: Folder of result files.
        out: The page.
        candidates: Names or ids [default: adapters, models and replies, the first 12].
        baseline: Name or id [default: the base].
        suite: The start of a suite id, where there are several.

    Returns:
        The page's path.
    """
    from rapport_bench.page.make import Request, make_report

    request = Request(
        str(results), str(out), suite=suite, baseline=baseline, candidates=tuple(candidates)
    )
    make_report(request)
    return Path(out)


def _result(reference: Reference, results: str | PathLike[str]) -> Result:
    return reference if isinstance(reference, Result) else load_result(reference, results=results)


def _warn(messages: Iterable[str]) -> None:
    for message in messages:
        warnings.warn(message, RapportWarning, stacklevel=3)
