"""The command group `rapport human`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from rapport_bench.cli.human_score import plan, score
from rapport_bench.cli.shared import JSON_OPTION, RESULTS_OPTION, STORE_OPTION, emit


@click.group(
    epilog="Example: rapport human sheet --result base --result my-adapter -o study --raters 5"
)
def human() -> None:
    """Ask people: blinded rating sheets out, ratings in.

    `plan` says how many raters and dialogues it takes, `sheet` draws dialogues and writes what raters
    get, `score` reads, unblinds and analyses what they send back, and `export-preferences` turns it
    into pairs for preference tuning.
    """


human.add_command(plan)
human.add_command(score)


@human.command(
    "sheet",
    epilog="Example: rapport human sheet --result base --result my-adapter -o study --raters 8 "
    "--per-item 3",
)
@click.option(
    "--result",
    "references",
    multiple=True,
    required=True,
    metavar="ARM",
    help="Arm name, start of a result id, or file; give it for each arm.",
)
@click.option("-o", "--out", required=True, metavar="DIR", help="The study's folder, a new one.")
@click.option("--items", default=100, show_default=True, metavar="N", help="Dialogues to judge.")
@click.option("--raters", default=5, show_default=True, metavar="N", help="People who judge.")
@click.option(
    "--per-item", type=int, metavar="K", help="Raters of each item [default: all of them]."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Of every draw.",
)
@click.option(
    "--repeats",
    type=int,
    metavar="N",
    help="Items each rater judges twice [default: 5, or a third of a short sheet].",
)
@click.option(
    "--attention", default=2, show_default=True, metavar="N", help="Attention checks a sheet."
)
@click.option(
    "--turns",
    type=click.Choice(["later", "any", "last"]),
    default="later",
    show_default=True,
    help="Which reply of a dialogue: any but the first where there is another, any, or the last.",
)
@click.option(
    "--include-crisis",
    is_flag=True,
    help="Also draw dialogues with someone at risk; the notice tells raters so.",
)
@click.option("--study", metavar="NAME", help="Name of the study [default: the folder's].")
@RESULTS_OPTION
@STORE_OPTION
@click.option(
    "--data", metavar="FILE", help="Dialogues that were scored [default: the built-in ones]."
)
@click.option("--replies", multiple=True, metavar="FILE", help="Imported replies that were scored.")
@JSON_OPTION
def sheet(as_json: bool, references: tuple[str, ...], out: str, **options: Any) -> None:
    """Write blinded rating sheets for people: a page and a CSV file for each rater.

    Draws dialogues by domain and one reply of each, hides the arms behind letters that change from
    item to item, and balances which arm comes first, for each rater and each item. With --per-item,
    pairs of raters share items as evenly as the numbers allow. DIR/sheets is for the raters;
    DIR/key.json says which letter is which arm and stays with you. All of it quotes dialogues and
    is written for you alone (mode 0600).
    """
    from rapport_bench.arms.text_sources import Sources
    from rapport_bench.human.sheets.build import Request
    from rapport_bench.human.sheets.make import make_sheets, study_name

    sources = Sources(options.pop("data"), options.pop("store"), options.pop("replies"))
    results = options.pop("results")
    asked = Request(**options | {"study": study_name(options["study"], out)})
    made = make_sheets(references, out, asked=asked, results=results, sources=sources)
    if as_json:
        emit("human", made.to_json(), warnings=made.warnings)
        return
    _show(made.summary(), made.warnings)


@human.command(
    "export-preferences",
    epilog="Example: rapport human export-preferences study ratings -o pairs.jsonl --margin 1",
)
@click.argument("folder", metavar="DIR")
@click.argument("ratings", nargs=-1, required=True)
@click.option("-o", "--out", required=True, metavar="FILE", help="The pairs, as JSONL.")
@click.option(
    "--scale",
    default="mean",
    show_default=True,
    metavar="NAME",
    help="One scale, or mean for the mean of all.",
)
@click.option(
    "--margin",
    type=float,
    default=1.0,
    show_default=True,
    metavar="POINTS",
    help="Smallest mean preference that makes a pair.",
)
@click.option(
    "--min-raters",
    type=int,
    default=2,
    show_default=True,
    metavar="N",
    help="Fewest raters who judged both replies.",
)
@click.option(
    "--allow-simulated", is_flag=True, help="Export ratings that a program made, marked as such."
)
@click.option(
    "--keep-inattentive", is_flag=True, help="Also count raters who failed the attention checks."
)
@JSON_OPTION
def export_preferences(
    folder: str, ratings: tuple[str, ...], out: str, as_json: bool, **options: Any
) -> None:
    """Turn ratings into (prompt, chosen, rejected) for preference tuning, as TRL's DPOTrainer reads it.

    DIR is the study's folder with its key and sheets; RATINGS are files as raters sent them, or folders
    of them.

    The rule: for every item and two of its replies, each rater who rated both has a preference, the
    difference of the two scores; the pair is exported if --min-raters or more have one and the mean is
    at least --margin. Nothing tied or under the margin is exported, nor attention checks, second
    showings, or two replies of the same text. FILE's card, beside it, says so again with the counts.
    The file quotes dialogues and is written for you alone (mode 0600).
    """
    from rapport_bench.human.ratings import pairs as export_command
    from rapport_bench.human.ratings.preferences import Rule

    flags = {name: options.pop(name) for name in ("allow_simulated", "keep_inattentive")}
    done = export_command.export_preferences(folder, ratings, out, rule=Rule(**options), **flags)
    if as_json:
        emit("human", done.to_json(), warnings=done.warnings)
        return
    _show(export_command.summary(done), done.warnings)


def _show(lines: Iterable[str], warnings: Iterable[str]) -> None:
    from rapport_bench.terminal import console

    printed = console.output()
    for line in lines:
        printed.print(line, markup=False, soft_wrap=True)
    for warning in warnings:
        printed.print(f"note: {warning}", style="yellow", markup=False)
