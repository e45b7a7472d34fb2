"""The command `rapport leaderboard`."""

from __future__ import annotations

import click

from rapport_bench.cli.shared import JSON_OPTION, emit, warn


@click.command(epilog="Example: rapport leaderboard results --by continuity --format md")
@click.argument("results", default="results", required=False)
@click.option(
    "--by",
    metavar="METRIC",
    help="Sort and tier by this metric; one with a gold band by the distance to it "
    "[default: aer_share, or what there is without it].",
)
@click.option("--suite", metavar="SUITE", help="Name or start of an id [default: most arms].")
@click.option(
    "--format",
    "form",
    type=click.Choice(["console", "md"]),
    default="console",
    show_default=True,
    help="md is a Markdown table.",
)
@JSON_OPTION
def leaderboard(
    results: str,
    *,
    by: str | None,
    suite: str | None,
    form: str,
    as_json: bool,
) -> None:
    """Rank saved results of one suite, in tiers that the data can tell apart. Needs no model.

    RESULTS is a folder of result files [default: results]. Studies of ratings by people stand below
    the table and change nothing in it.
    """
    from rapport_bench.judging.leaderboard import leaderboard as make_board
    from rapport_bench.judging.leaderboard import load_results
    from rapport_bench.terminal import leaderboard as report
    from rapport_bench.words.studies import studies_of, to_json

    found, problems = load_results(results)
    board = make_board(found, by=by, suite=suite)
    studies, broken = studies_of(results, board.suite.suite_id)
    problems += broken
    if as_json:
        data = board.to_dict() | {"human": [to_json(study) for study in studies]}
        emit("leaderboard", data, warnings=problems)
        return
    if form == "md":
        click.echo(report.to_markdown(board, studies), nl=False)
    else:
        report.show(board, studies)
    warn(problems)
