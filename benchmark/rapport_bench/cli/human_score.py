"""The commands `rapport human score` and `rapport human plan`."""

from __future__ import annotations

import math
from typing import Any

import click

from rapport_bench.cli.shared import JSON_OPTION, emit, warn
from rapport_tasks.common.errors import BadInput


@click.command("score", epilog="Example: rapport human score study ratings/*.json")
@click.argument("folder", metavar="DIR")
@click.argument("ratings", nargs=-1, required=True)
@click.option(
    "-o",
    "--results",
    default="results",
    show_default=True,
    metavar="RESULTS",
    help="Folder where the arms' results lie and the study's result goes.",
)
@click.option(
    "--keep-inattentive", is_flag=True, help="Also count raters who failed the attention checks."
)
@click.option("--no-save", is_flag=True, help="Only print: ratings are still coming in.")
@JSON_OPTION
def score(
    *,
    folder: str,
    ratings: tuple[str, ...],
    results: str,
    keep_inattentive: bool,
    no_save: bool,
    as_json: bool,
) -> None:
    """Unblind the ratings of a study and say what they show. Needs no model.

    DIR is the study's folder with its key. RATINGS are what came back: the page's JSON files, or the
    CSV sheets, or folders of them. Anything doubtful (two values for one reply, an unknown item, a
    changed key) stops it, with file and place; what is missing is said. The result goes to
    RESULTS/v1/SUITE/human/STUDY.json, without text and names.
    """
    from rapport_bench.human.analysis.scoring import score as score_study
    from rapport_bench.terminal.study import show
    from rapport_bench.words.study import agreement_warnings

    found = score_study(
        folder,
        ratings,
        results_folder=results,
        keep_inattentive=keep_inattentive,
        keep=not no_save,
    )
    result = found.result
    if as_json:
        left_out = {"schema_version", "status", "items", "ratings", "volatile"}
        data = result.content.model_dump(mode="json", exclude=left_out) | {
            "path": None if result.path is None else str(result.path),
            "new": found.new,
        }
        emit("human", data, warnings=[*found.warnings, *agreement_warnings(result)])
        return
    warn(found.warnings)
    show(result)
    if result.path is None:
        click.echo("\nNot saved.")
    else:
        there = "" if found.new else " (was there already)"
        click.echo(f"\n{result.result_id[:8]}  {result.path}{there}")


_DEVIATIONS = (
    ("item", 0.5, "dialogues differ, for both arms alike"),
    ("item-arm", 0.35, "an arm does well on one dialogue and badly on another"),
    ("rater", 0.4, "severity of raters"),
    ("rater-arm", 0.15, "taste: raters differ in how much they like an arm"),
    ("residual", 0.75, "one rater on one reply on another day"),
)
"""(option, default, meaning); the defaults are those of `generate.Spread`, which is slow to import."""


def _with_deviations(command: Any) -> Any:
    for name, default, meaning in reversed(_DEVIATIONS):
        command = click.option(
            f"--sd-{name}",
            type=click.FloatRange(min=0),
            default=default,
            show_default=True,
            metavar="SD",
            help=f"Standard deviation: {meaning}.",
        )(command)
    return command


@click.command(
    "plan",
    epilog="Example: rapport human plan --raters 5 --items 100 --effect 0.3 --sd-rater-arm 0.2",
)
@click.option(
    "--raters", type=click.IntRange(2, 60), required=True, metavar="N", help="People who judge."
)
@click.option(
    "--items", type=click.IntRange(2, 1000), required=True, metavar="N", help="Dialogues rated."
)
@click.option(
    "--effect",
    type=float,
    required=True,
    metavar="POINTS",
    help="True difference between two arms, in points of the scale before rounding.",
)
@click.option(
    "--per-item",
    type=click.IntRange(min=1),
    metavar="N",
    help="Raters of each dialogue [default: all].",
)
@click.option(
    "--population",
    type=click.Choice(["items", "raters-and-items", "both"]),
    default="both",
    show_default=True,
    help="items: these raters, new dialogues. raters-and-items: new raters, too.",
)
@_with_deviations
@click.option(
    "--points",
    type=click.IntRange(2, 9),
    default=5,
    show_default=True,
    metavar="N",
    help="Points of the scale.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=0.05,
    show_default=True,
    help="Two-sided level; .0167 is the first step of Holm over three scales.",
)
@click.option(
    "--draws",
    type=click.IntRange(100, 100_000),
    default=1000,
    show_default=True,
    metavar="N",
    help="Studies simulated for each power.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Of every draw.",
)
@JSON_OPTION
def plan(
    *,
    raters: int,
    items: int,
    effect: float,
    per_item: int | None,
    population: str,
    points: int,
    alpha: float,
    draws: int,
    seed: int,
    as_json: bool,
    **deviations: float,
) -> None:
    """How likely a study of two arms is to find a difference, and how large it must be.

    Studies are simulated with the standard deviations given, in points of the scale, and tested as
    `rapport human score` tests them. The defaults are assumptions: a pilot shows better ones.
    """
    from rapport_bench.human.analysis.generate import Design, Spread
    from rapport_bench.human.analysis.power import POPULATIONS, Wanted
    from rapport_bench.human.analysis.power import plan as make_plan
    from rapport_bench.terminal import plan as plan_report

    if per_item is not None and per_item > raters:
        raise BadInput(
            f"--per-item {per_item} with {raters} raters", remedy="Give at most --raters."
        )
    if per_item is not None and items * per_item < raters:
        raise BadInput(
            f"--items {items} with --per-item {per_item} leave some of {raters} raters without one",
            remedy="Give more --items or --per-item, or fewer --raters.",
        )
    if not math.isfinite(effect):
        raise BadInput(f"--effect {effect}: not a number", remedy="Like 0.3 points.")
    spread = Spread(**{name.removeprefix("sd_"): value for name, value in deviations.items()})
    design = Design(raters, items, None if per_item == raters else per_item, points)
    plans = [
        make_plan(design, Wanted(effect, spread, one, alpha=alpha, draws=draws, seed=seed))
        for one in POPULATIONS
        if population in (one, "both")
    ]
    if as_json:
        emit("human", plan_report.to_json(plans))
    else:
        plan_report.show(plans)
