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
@click.option(
    "--published", is_flag=True, help="Add figures of the published study: reported, not measured."
)
@click.option("--suite", metavar="SUITE", help="Name or start of an id [default: most arms].")
@click.option(
    "--format",
    "form",
    type=click.Choice(["console", "md", "csv", "json", "html"]),
    default="console",
    show_default=True,
    help="html is a page that sorts.",
)
@JSON_OPTION
def leaderboard(
    results: str,
    *,
    by: str | None,
    published: bool,
    suite: str | None,
    form: str,
    as_json: bool,
) -> None:
    """Rank saved results of one suite, in tiers that the data can tell apart. Needs no model.

    RESULTS is a folder of result files [default: results]. Studies of ratings by people stand below
    the table (not in CSV) and change nothing in it.
    """
    from rapport_bench.judging.leaderboard import leaderboard as make_board
    from rapport_bench.judging.leaderboard import load_results
    from rapport_bench.judging.published import load_published
    from rapport_bench.terminal import leaderboard as report
    from rapport_bench.words.studies import studies_of

    found, problems = load_results(results)
    board = make_board(found, by=by, suite=suite)
    reported = load_published() if published else None
    studies, broken = studies_of(results, board.suite.suite_id)
    problems += broken
    if as_json or form == "json":
        emit("leaderboard", report.to_json(board, reported, studies), warnings=problems)
        return
    if form == "md":
        click.echo(report.to_markdown(board, reported, studies), nl=False)
    elif form == "csv":
        click.echo(report.to_csv(board, reported), nl=False)
    elif form == "html":
        from rapport_bench.page.board import board_page
        from rapport_bench.page.subject import labels_of

        labels = labels_of([row.result for row in board.rows])
        click.echo(board_page(board, labels, problems, reported, studies), nl=False)
    else:
        report.show(board, reported, studies)
    warn(problems)
