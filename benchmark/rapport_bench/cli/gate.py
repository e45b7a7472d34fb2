"""The command `rapport gate`, and `rapport gate bless`."""

from __future__ import annotations

import os
import sys

import click

from rapport_bench.cli.shared import JSON_OPTION, RESULTS_OPTION, emit
from rapport_tasks.common.errors import BadInput

_NAME = click.option(
    "--baseline-name",
    default="main",
    show_default=True,
    metavar="NAME",
    help="Which baseline of baselines.toml in the results folder.",
)


@click.group(
    invoke_without_command=True,
    epilog="Example: rapport gate --candidate my-adapter --baseline base --policy gate.toml",
)
@click.option(
    "--candidate",
    "candidates",
    multiple=True,
    metavar="ARM",
    help="Arm name, start of a result id, or file; may be repeated.",
)
@click.option("--baseline", metavar="ARM", help="Likewise [default: the named baseline].")
@_NAME
@click.option(
    "--policy",
    default="gate.toml",
    show_default=True,
    metavar="FILE",
    help="Metrics with direction and margin, as TOML.",
)
@click.option("--allow-inconclusive", is_flag=True, help="Exit 0 where the data cannot decide.")
@click.option("--junit", metavar="FILE", help="Also write JUnit XML, a case a metric and arm.")
@RESULTS_OPTION
@JSON_OPTION
@click.pass_context
def gate(
    context: click.Context,
    *,
    candidates: tuple[str, ...],
    baseline: str | None,
    baseline_name: str,
    policy: str,
    allow_inconclusive: bool,
    junit: str | None,
    results: str,
    as_json: bool,
) -> None:
    """Stop a candidate that regressed against a baseline. Needs no model.

    Exit codes: 0 pass, 1 fail, 3 inconclusive or not comparable. Under GitHub Actions the outcome
    is added to the step summary.
    """
    if context.invoked_subcommand is not None:
        return
    if not candidates:
        raise click.UsageError("Missing option '--candidate'.", context)
    from rapport_bench import api
    from rapport_bench.terminal import gate as gate_report

    found = api.gate(
        candidates, baseline, baseline_name=baseline_name, policy=policy, results=results
    )
    exit_code = found.exit_code(allow_inconclusive=allow_inconclusive)
    if not as_json:
        gate_report.show(found)
    if junit:
        gate_report.write_junit(found, junit, allow_inconclusive=allow_inconclusive)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        gate_report.append_step_summary(found, summary)
    if as_json:
        warnings = list(dict.fromkeys(note for arm in found.arms for note in arm.warnings))
        emit("gate", found.to_dict(), warnings=warnings, exit_code=exit_code)
    sys.exit(exit_code)


@gate.command("bless", epilog='Example: rapport gate bless my-adapter --reason "release 3"')
@click.argument("arm")
@click.option("--reason", required=True, metavar="TEXT", help="Why it is the baseline now.")
@click.option("--blessed-by", metavar="NAME", help="Who says so [default: the user's name].")
@_NAME
@RESULTS_OPTION
@JSON_OPTION
def bless_baseline(
    *,
    arm: str,
    reason: str,
    blessed_by: str | None,
    baseline_name: str,
    results: str,
    as_json: bool,
) -> None:
    """Make a saved result the named baseline that gates use."""
    from rapport_bench.judging.compare import arm_json
    from rapport_bench.results.baselines import FILE, bless
    from rapport_bench.results.result import find

    result = find(arm, results)
    before = bless(
        result,
        results,
        name=baseline_name,
        blessed_by=blessed_by or _user(),
        reason=reason,
    )
    if as_json:
        emit("gate", {"name": baseline_name, "baseline": arm_json(result), "before": before})
        return
    replaced = f", before {before[:8]}" if before else ""
    click.echo(
        f"{results}/{FILE}: {baseline_name} is {result.name} ({result.result_id[:8]}){replaced}"
    )


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        raise BadInput("this user has no name", remedy="Give --blessed-by.") from None
