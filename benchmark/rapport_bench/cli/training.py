"""The commands that make an adapter: `rapport prepare` and `rapport train`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from rapport_bench.cli.shared import JSON_OPTION, emit

_RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
"""Where torch's launcher and MPI say which process this is."""

_SHOWN = ("parameters", "steps", "loss", "validation", "memory", "effective", "corpus", "seconds")
"""What of a training's record the command prints."""


@click.command(epilog="Example: rapport prepare SoulChatCorpus.json --topic 情绪 -o corpus")
@click.argument("sources", nargs=-1, required=True, metavar="SRC...")
@click.option("-o", "--out", required=True, metavar="DIR", help="The corpus folder to write.")
@click.option(
    "--topic", "topics", multiple=True, metavar="TOPIC", help="Only this topic; may be repeated."
)
@click.option(
    "--percent", type=float, default=100.0, show_default=True, help="Share of records, by hash."
)
@click.option(
    "--min-exchanges", type=int, default=1, show_default=True, help="Fewest answered messages."
)
@click.option(
    "--punctuation",
    type=click.Choice(["keep", "halfwidth"]),
    default="keep",
    show_default=True,
    help="halfwidth converts Chinese punctuation, as the study did.",
)
@click.option(
    "--structure",
    type=click.Choice(["mend", "strict"]),
    default="mend",
    show_default=True,
    help="mend drops a leading greeting and joins neighbours of one role; strict removes such "
    "dialogues.",
)
@click.option(
    "--emoji",
    type=click.Choice(["drop", "strip"]),
    default="drop",
    show_default=True,
    help="drop removes dialogues with emoji, as the study did; strip takes the emoji out.",
)
@click.option("--rules", metavar="FILE", help="Quality rules as TOML instead of the built-in ones.")
@click.option(
    "--near-duplicates",
    default="0.8",
    show_default=True,
    metavar="SHARE|off",
    help="Similarity that makes a copy.",
)
@click.option(
    "--anonymise/--no-anonymise", default=True, show_default=True, help="Replace identifiers."
)
@click.option(
    "--evaluation",
    multiple=True,
    metavar="FILE",
    help="Dialogues to keep out, beside the built-in evaluation.",
)
@click.option("--validation", type=float, default=0.05, show_default=True, help="Share held out.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of sample and split.")
@click.option("--workers", type=int, metavar="N", help="Processes [default: one a core].")
@click.option(
    "--memory", type=int, default=1024, show_default=True, metavar="MB", help="To stay within."
)
@JSON_OPTION
def prepare(
    sources: tuple[str, ...],
    out: str,
    rules: str | None,
    evaluation: tuple[str, ...],
    workers: int | None,
    memory: int,
    as_json: bool,
    **choices: Any,
) -> None:
    """Turn raw counselling dialogues into a clean, anonymised, split corpus with a card.

    SRC are files or folders: JSON, JSONL, CSV, TSV, Parquet or text, also .gz and .zst, in UTF-8,
    UTF-16 or GB18030 and any common format.
    """
    from rapport_bench.terminal.console import RunReporter
    from rapport_bench.terminal.training import show_card
    from rapport_tasks.dialogues.builtin import EVALUATION_ZH
    from rapport_training import prepare as preparation
    from rapport_training.prepare.quality import BUILTIN_RULES, load_rules

    choices["rules"] = load_rules(Path(rules) if rules else BUILTIN_RULES)
    choices["evaluation"] = (EVALUATION_ZH, *evaluation)
    with RunReporter(quiet=as_json) as reporter:
        card = preparation.prepare(
            sources,
            out,
            preparation.PrepareSettings.model_validate(choices),
            resources=preparation.Resources(workers or os.cpu_count() or 1, memory << 20),
            on_progress=reporter.progress,
        )
    if as_json:
        emit("prepare", card | {"out": out}, warnings=card["warnings"])
    else:
        show_card(card, out)


@click.command(epilog="Example: rapport train embedded --set train.epochs=1 -o adapters/mine")
@click.argument("recipe", required=False)
@click.option(
    "--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="Change one key."
)
@click.option(
    "-o", "--out", metavar="OUT", help="Folder of the adapter [default: adapters/RECIPE]."
)
@click.option("--restart", is_flag=True, help="Throw away the checkpoints of an interrupted run.")
@click.option("--explain", is_flag=True, help="Print what every key of a recipe means.")
@JSON_OPTION
def train(
    recipe: str | None,
    settings: tuple[str, ...],
    out: str | None,
    restart: bool,
    explain: bool,
    as_json: bool,
) -> None:
    """Train a LoRA adapter as RECIPE says: a TOML file, or the name of a shipped recipe.

    A training that was interrupted, or killed, goes on when the same command is given again.
    """
    from rapport_bench.terminal.training import TrainReporter, explain_recipes, show_trained
    from rapport_tasks.common.errors import RapportError
    from rapport_training.lora.recipe import load_recipe, parse_settings

    if explain:
        click.echo(explain_recipes())
        return
    if recipe is None:
        raise click.UsageError("RECIPE is missing; `rapport train --explain` lists shipped ones.")
    # Under `accelerate launch` only the first process shows anything, except for its own errors.
    rank = next((int(os.environ[name]) for name in _RANKS if name in os.environ), 0)
    loaded = load_recipe(recipe, parse_settings(settings))
    folder = Path(out) if out else Path("adapters") / Path(recipe).stem
    with TrainReporter(quiet=as_json or rank > 0) as reporter:
        from rapport_training.lora.train import train as run

        try:
            record = run(
                loaded,
                folder,
                on_progress=reporter.step,
                on_note=reporter.note,
                restart=restart,
            ).record
        except RapportError as error:
            if rank == 0:
                raise
            click.echo(f"rapport (process {rank}): {error.message}", err=True)
            sys.exit(error.exit_code)
    if rank > 0:
        return
    data = {"out": str(folder), "base": loaded.base.name} | {key: record[key] for key in _SHOWN}
    if as_json:
        emit("train", data, warnings=record["effective"]["fallbacks"] + record["warnings"])
    else:
        show_trained(data)
