"""The command `rapport report`."""

from __future__ import annotations

from typing import Any

import click

from rapport_bench.cli.shared import JSON_OPTION, emit
from rapport_bench.common.escape import one_line
from rapport_tasks.common.errors import BadInput

_WITH_TEXT = (
    "this page quotes intimate dialogues: what people wrote and what models replied. It is readable "
    "by you alone (mode 0600); do not share it, publish it or put it into a repository."
)


@click.command(epilog="Example: rapport report results -o report.html --adapter ./my-adapter")
@click.argument("results", default="results", required=False)
@click.option(
    "-o", "--out", default="report.html", show_default=True, metavar="FILE", help="The page."
)
@click.option("--suite", metavar="SUITE", help="Name or start of an id [default: most arms].")
@click.option("--baseline", metavar="ARM", help="What is compared with [default: the base].")
@click.option(
    "--candidate",
    "candidates",
    multiple=True,
    metavar="ARM",
    help="What is compared [default: adapters, models, replies; the first 12 of the leaderboard].",
)
@click.option(
    "--with-text",
    is_flag=True,
    help="Quote the dialogues and replies in the case studies. The page then holds intimate words "
    "and is written for you alone (mode 0600): do not share it.",
)
@click.option(
    "--store",
    metavar="FILE",
    help="Response store, for --with-text [default: as of `rapport run`].",
)
@click.option(
    "--data",
    metavar="FILE",
    help="Dialogues that were scored, for --with-text [default: built-in].",
)
@click.option(
    "--replies",
    multiple=True,
    metavar="FILE",
    help="Imported replies that were scored, for --with-text.",
)
@click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="PATH",
    help="Folder of an adapter, for its training curves.",
)
@click.option("--pictures", metavar="DIR", help="Write the pictures there too, as PNG and SVG.")
@JSON_OPTION
def report(as_json: bool, **options: Any) -> None:
    """Make one self-contained HTML page of saved results. Needs no model and no network.

    The verdict first, then pictures, leaderboard, case studies dialogue by dialogue, and where every
    number comes from. RESULTS is a folder of result files [default: results].
    """
    from rapport_bench.arms.text_sources import Sources
    from rapport_bench.judging.compare import arm_json
    from rapport_bench.page.make import Request, make_report
    from rapport_bench.terminal import console

    sources = Sources(options.pop("data"), options.pop("store"), options.pop("replies"))
    request = Request(sources=sources, **options)
    if not request.with_text and sources != Sources():
        raise BadInput(
            "--data, --store and --replies say where text is, and the page has none",
            remedy="Leave them out, or add --with-text.",
        )
    with console.RunReporter(quiet=as_json) as reporter:
        if request.with_text:
            reporter.warn(_WITH_TEXT)
        reporter.arm("report", 0, 1)
        made = make_report(request, reporter.progress)
        for warning in made.warnings:
            reporter.warn(one_line(warning))
    if as_json:
        found = made.subject
        emit(
            "report",
            {
                "files": [str(path) for path in made.files],
                "suite": found.board.suite.to_json(),
                "baseline": arm_json(found.baseline) if found.baseline else None,
                "verdict": _plain(made.words.headline),
                "comparisons": [comparison.to_dict() for comparison in found.comparisons],
                "with_text": request.with_text,
            },
            warnings=reporter.warnings,
        )
        return
    output = console.output()
    output.print(_plain(made.words.headline), markup=False)
    for sign, sentence in made.words.each:
        output.print(f"  {sign} {_plain(sentence)}", markup=False)
    for path in made.files:
        output.print(f"wrote {path}", markup=False, soft_wrap=True)


def _plain(sentence: str) -> str:
    """A sentence of the page without the marks around names, which a terminal would show."""
    return sentence.replace("\u2068", "").replace("\u2069", "")
