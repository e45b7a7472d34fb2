"""The commands `rapport results verify`, `show` and `list`."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from rapport_bench.cli.shared import JSON_OPTION, RESULTS_OPTION, emit, warn


@click.group(epilog="Example: rapport results verify results --base-ref origin/main")
def results() -> None:
    """Look at saved results, and check a folder of them before a merge. Needs no model."""


@results.command(epilog="Example: rapport results verify results --base-ref origin/main")
@click.argument("paths", nargs=-1, metavar="[RESULTS|FILE]...")
@click.option(
    "--base-ref",
    metavar="REF",
    help="A git revision: what was there when the present branch left it must be unchanged.",
)
@click.option("--allow-deletions", is_flag=True, help="Files of --base-ref may be gone.")
@click.option(
    "--max-mb",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    metavar="MB",
    help="Larger files are refused unread.",
)
@JSON_OPTION
def verify(
    *,
    paths: tuple[str, ...],
    base_ref: str | None,
    allow_deletions: bool,
    max_mb: float,
    as_json: bool,
) -> None:
    """Check a results folder, or single files of one [default: results].

    Every result must be complete, unedited, at its place, without text, and its figures must follow
    from its columns; no two files may hold one content, no other file may lie among them. Validity
    reports and baselines.toml are checked too. Exit codes: 0 all well, 2 something must not be
    merged, 4 nothing worse than unfinished results.
    """
    from rapport_bench.verify.folder import verify as verify_paths
    from rapport_bench.words.formatting import count

    found = verify_paths(
        paths or ("results",),
        limit=int(max_mb * 1_000_000),
        base_ref=base_ref,
        allow_deletions=allow_deletions,
    )
    warnings = [f"not checked: {path}" for path in found.unchecked]
    if as_json:
        data = {"files": found.files, "problems": list(map(asdict, found.problems))}
        emit("results", data, warnings=warnings, exit_code=found.exit_code)
        sys.exit(found.exit_code)
    for problem in found.problems:
        click.echo(f"{problem.file}: {problem.message}. {problem.remedy}")
    broken = len({problem.file for problem in found.problems})
    if found.problems:
        click.echo(f"{count(len(found.problems), 'problem')} in {broken} of {found.files} files")
    else:
        click.echo(f"{count(found.files, 'file')} checked, no problem")
    warn(warnings)
    sys.exit(found.exit_code)


@results.command(epilog="Example: rapport results show my-adapter")
@click.argument("arm")
@RESULTS_OPTION
@JSON_OPTION
def show(arm: str, results: str, as_json: bool) -> None:
    """Show one result: what was scored on what, every figure, and how it was made.

    ARM is an arm's name, the start of a result id, or a file.
    """
    from rapport_bench.results.result import find
    from rapport_bench.terminal import result as result_view

    result = find(arm, results)
    if as_json:
        emit("results", result_view.to_json(result))
    else:
        result_view.show(result)


@results.command("list", epilog="Example: rapport results list results")
@click.argument("folder", default="results", required=False, metavar="[RESULTS]")
@JSON_OPTION
def list_results(folder: str, as_json: bool) -> None:
    """List every result of a folder, one line each."""
    from rapport_bench.judging.leaderboard import load_results
    from rapport_bench.terminal import result as result_view

    found, problems = load_results(folder)
    if as_json:
        rows = [result_view.listed(result) for result in found]
        emit("results", {"results": rows}, warnings=problems)
        return
    result_view.show_list(found)
    warn(problems)
