"""Candidate and baseline for a session of tests: found among saved results, or scored once.

Several processes of one session (pytest-xdist) share the work: the first scores under a lock and leaves
a note, the others read it. An arm whose result lies in the folder is not scored again.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from rapport_bench.cli.run import run, run_config
from rapport_bench.common.files import to_json, write_atomically
from rapport_bench.common.identity import digest
from rapport_bench.common.quiet import quiet_libraries
from rapport_bench.results.baselines import named_baseline
from rapport_bench.results.result import Result, find, load
from rapport_bench.running.config import Quiet, named
from rapport_tasks.common.errors import BadInput, RapportError


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options of a session ask for; paths are absolute.

    Attributes:
        candidate: An adapter's folder (``NAME=PATH`` names it), or an arm's name, the start of a
            result id or a result file.
        base: The base of an adapter; unused for a saved result.
        baseline: An arm of the run, or a saved result; empty for the base of the run, or else the
            named baseline.
        baseline_name: Which baseline of ``baselines.toml``.
        results: Folder of results.
        run_options: Further options of `rapport run`.
    """

    candidate: str
    base: str
    baseline: str
    baseline_name: str
    results: str
    run_options: tuple[str, ...]


def session_results(
    wanted: Wanted, shared: Path, warn: Callable[[str], None]
) -> tuple[Result, Result]:
    """Candidate and baseline, scored by the first process of the session that asks.

    Args:
        wanted: What is asked for.
        shared: A folder of this session alone, common to its processes.
        warn: Told what limits the results.

    Raises:
        RapportError: Bad input of any kind, in every process alike.
    """
    from filelock import FileLock

    note = shared / f"rapport-{digest(asdict(wanted))[:16]}.json"
    with FileLock(f"{note}.lock"):
        if not note.exists():
            _provide(wanted, note)
        found = json.loads(note.read_text(encoding="utf-8"))
    if "error" in found:
        raise RapportError(found["error"], remedy=found["remedy"])
    for message in found["warnings"]:
        warn(message)
    return load(found["candidate"]), load(found["baseline"])


def _provide(wanted: Wanted, note: Path) -> None:
    """Find or score both, and leave a note on where they lie, or on what went wrong."""
    try:
        candidate, baseline, messages = _candidate_and_baseline(wanted)
        paths = {"candidate": str(candidate.path), "baseline": str(baseline.path)}
        write_atomically(note, to_json(paths | {"warnings": messages}))
    except RapportError as error:
        write_atomically(note, to_json({"error": error.message, "remedy": error.remedy}))
    except Exception as error:
        # Hours of work that crashed in one process would crash in the others too.
        failed = f"scoring failed with {type(error).__name__}"
        remedy = "Its traceback stands at the first test that used rapport_result."
        write_atomically(note, to_json({"error": failed, "remedy": remedy}))
        raise


def _candidate_and_baseline(wanted: Wanted) -> tuple[Result, Result, list[str]]:
    _, path = named(wanted.candidate)
    if Path(path).is_dir():
        return _scored(wanted)
    try:
        candidate = find(wanted.candidate, wanted.results)
    except BadInput as error:
        remedy = f"{error.remedy} Or name an adapter's folder."
        raise BadInput(f"--rapport-candidate: {error.message}", remedy=remedy) from None
    if wanted.baseline:
        return candidate, _saved_baseline(wanted), []
    return candidate, named_baseline(wanted.baseline_name, wanted.results), []


def _scored(wanted: Wanted) -> tuple[Result, Result, list[str]]:
    if not wanted.base:
        raise BadInput(
            f"--rapport-candidate {wanted.candidate} is a folder, but there is no --rapport-base",
            remedy="Name the base that the adapter was trained on.",
        )
    try:
        options = run.make_context("run", list(wanted.run_options)).params
    except click.ClickException as error:
        remedy = "Options of the run are those of `rapport run`; see rapport run --help."
        raise BadInput(error.format_message(), remedy=remedy) from None
    options |= {"base": wanted.base, "results": wanted.results}
    options["adapters"] = (wanted.candidate, *options["adapters"])
    quiet_libraries()
    # Imported only now: it costs seconds.
    from rapport_bench.running.run import run as run_arms

    reporter = Quiet()
    with warnings.catch_warnings():
        # What libraries warn about while they are imported is not the caller's fault.
        warnings.simplefilter("ignore")
        outcome = run_arms(replace(run_config(options), reuse=True), reporter)
    base, candidate = outcome.results[:2]
    arms = {result.name: result for result in outcome.results}
    if not wanted.baseline:
        return candidate, base, reporter.warnings
    baseline = arms.get(wanted.baseline) or _saved_baseline(wanted)
    return candidate, baseline, reporter.warnings


def _saved_baseline(wanted: Wanted) -> Result:
    try:
        return find(wanted.baseline, wanted.results)
    except BadInput as error:
        raise BadInput(f"--rapport-baseline: {error.message}", remedy=error.remedy) from None
