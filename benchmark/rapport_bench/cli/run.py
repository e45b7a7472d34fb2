"""The commands `rapport run` and `rapport compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rapport_bench.cli.shared import (
    ENCODER_OPTION,
    JSON_OPTION,
    RESULTS_OPTION,
    STORE_OPTION,
    emit,
)
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.protocol import Generation

if TYPE_CHECKING:
    from rapport_bench.running.config import RunConfig


@click.command(epilog="Example: rapport run --base embedded --adapter demo/adapter --bots")
@click.option(
    "--base", metavar="MODEL", help="Hub id or folder of the base; 'embedded' needs no network."
)
@click.option(
    "--adapter", "adapters", multiple=True, metavar="[NAME=]PATH", help="LoRA adapter on the base."
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="[NAME=]MODEL",
    help="Another full model, loaded in turn.",
)
@click.option(
    "--replies",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Imported replies as JSONL; needs no model.",
)
@click.option("--bots", is_flag=True, help="Also score the gold replies and the reference bots.")
@click.option("--data", metavar="FILE", help="Dialogues as JSONL instead of the built-in ones.")
@click.option("--limit", type=int, metavar="N", help="Only the first N dialogues (another suite).")
@click.option("--tasks", metavar="A,B", default="", help="Only these tasks; see `rapport tasks`.")
@click.option(
    "--seed", type=int, metavar="N", help="Draw one reply a turn with this seed [default: 0]."
)
@click.option("--seeds", metavar="N,N", help="Draw one reply a turn and seed, for example 0,1,2.")
@click.option(
    "--method",
    type=click.Choice(["coupled-top-p", "greedy"]),
    default="coupled-top-p",
    show_default=True,
    help="How replies are drawn.",
)
@click.option(
    "--max-new-tokens",
    type=int,
    default=128,
    show_default=True,
    metavar="N",
    help="Length of a reply at most.",
)
@click.option(
    "--template",
    default="base",
    show_default=True,
    metavar="base|adapter|FILE",
    help="Whose chat template all arms of the base are asked with; a name where it has several.",
)
@click.option(
    "--template-arg",
    "template_args",
    multiple=True,
    metavar="KEY=VALUE",
    help="Given to the chat template, as JSON; for example enable_thinking=false.",
)
@click.option(
    "--system",
    metavar="TEXT|FILE",
    help="System message of every dialogue, '' for none [default: the data's] (another suite).",
)
@ENCODER_OPTION
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    default="auto",
    show_default=True,
    help="auto: bfloat16 on CUDA, else float32.",
)
@click.option(
    "--nf4", is_flag=True, help="Load the base in 4-bit NF4 (bitsandbytes), if that works here."
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="DEVICE",
    help="Such as cpu or cuda:0; auto: a GPU if there is one.",
)
@click.option(
    "--batch-tokens",
    type=int,
    default=4096,
    show_default=True,
    metavar="N",
    help="Tokens a forward pass; less takes less memory.",
)
@RESULTS_OPTION
@STORE_OPTION
@click.option("--all-metrics", is_flag=True, help="Also show markers that never occur.")
@JSON_OPTION
def run(as_json: bool, all_metrics: bool, **options: Any) -> None:
    """Score a base, its adapters and other arms into versioned results.

    Finished batches are durable: after an interruption the same command does only what is missing.
    """
    from rapport_bench.arms.text_sources import Sources
    from rapport_bench.running.run import run as run_arms
    from rapport_bench.terminal import console, summary

    config = run_config(options)
    with console.RunReporter(quiet=as_json) as reporter:
        outcome = run_arms(config, reporter)
    comparisons = summary.compare_with_baseline(outcome.results)
    if as_json:
        emit("run", summary.to_json(outcome, comparisons), warnings=reporter.warnings)
    else:
        replies = tuple(path for _, path in config.replies)
        summary.show_outcome(
            outcome,
            comparisons,
            config.results,
            everything=all_metrics,
            sources=Sources(config.data, config.store, replies),
        )


@click.command(epilog="Example: rapport compare empathy-r16 base --svg compare.svg")
@click.argument("candidate")
@click.argument("baseline")
@click.option("--svg", metavar="FILE", help="Also draw what is printed, 120 columns wide, as SVG.")
@RESULTS_OPTION
@JSON_OPTION
def compare(candidate: str, baseline: str, svg: str | None, results: str, as_json: bool) -> None:
    """Compare two saved results, paired by dialogue. Needs no model.

    CANDIDATE and BASELINE are arm names, the first characters of result ids, or files.
    """
    from rapport_bench import api
    from rapport_bench.terminal import comparison as comparison_view
    from rapport_bench.terminal import console
    from rapport_bench.terminal import svg as svg_record

    found = api.compare(candidate, baseline, results=results)
    if svg:
        svg_record.write_comparison(found, results, svg)
    if as_json:
        emit("compare", found.to_dict(), warnings=found.warnings)
        return
    comparison_view.show(found, results, console.output())


def run_config(options: dict[str, Any]) -> RunConfig:
    """The options of `rapport run`, checked, as a configuration.

    Raises:
        BadInput: Options that exclude each other or are out of range.
    """
    from rapport_bench.running.config import RunConfig

    shown = ("as_json", "all_metrics")
    config = {name: value for name, value in options.items() if name not in shown}
    seed, listed = config.pop("seed"), config.pop("seeds")
    if seed is not None and listed:
        raise BadInput("--seed and --seeds exclude each other", remedy="Give one of them.")
    try:
        seeds = tuple(int(s) for s in (listed or str(seed or 0)).split(","))
    except ValueError:
        raise BadInput(f"--seeds {listed}: not numbers", remedy="Like 0,1,2.") from None
    config["generation"] = Generation(
        config.pop("method"), max_new_tokens=config.pop("max_new_tokens"), seeds=seeds
    )
    config["tasks"] = tuple(t.strip() for t in config["tasks"].split(",") if t.strip())
    config["quantization"] = "nf4" if config.pop("nf4") else "none"
    return RunConfig(**config)
