"""The `rapport` command: arguments in, one message or one JSON object out, an exit code always.

Heavy imports stay inside the commands, so that `rapport --help` is instant. Exit codes: 0 ok, 1 regression
or missed threshold, 2 usage or bad input, 3 inconclusive or not comparable, 4 incomplete run, 70 a fault
of this program, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from rapport_bench.cli_gate import gate
from rapport_bench.cli_human import human
from rapport_bench.cli_leaderboard import leaderboard
from rapport_bench.cli_shared import JSON_OPTION, RESULTS_OPTION, SCHEMA_VERSION, emit
from rapport_bench.cli_training import prepare, train
from rapport_bench.cli_validate import validate
from rapport_tasks.errors import BadInput, RapportError

if TYPE_CHECKING:
    from rapport_bench.run import Named, RunConfig


def _named(value: str) -> Named:
    """Split ``NAME=PATH``; a bare path, or one that exists with an ``=`` in it, has no name."""
    name, separator, path = value.partition("=")
    if separator and name and path and not Path(value).exists() and "/" not in name:
        return name, path
    return None, value


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: rapport run --base Qwen/Qwen1.5-1.8B --adapter ./my-adapter --bots",
)
@click.version_option(package_name="rapport-bench", prog_name="rapport")
def cli() -> None:
    """Score adapters against their base: advice, empathy, continuity, topic shifts, perplexity.

    Every figure comes with an error bar, every difference is paired by dialogue.
    """


cli.add_command(prepare)
cli.add_command(train)
cli.add_command(validate)
cli.add_command(gate)
cli.add_command(leaderboard)
cli.add_command(human)


@cli.command(epilog="Example: rapport run --base embedded --adapter demo/adapter --bots")
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
@click.option("--max-new-tokens", type=int, default=128, show_default=True, metavar="N")
@click.option(
    "--encoder", default="embedded", show_default=True, metavar="MODEL", help="Sentence encoder."
)
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    default="auto",
    show_default=True,
    help="auto: bfloat16 on CUDA, else float32.",
)
@click.option("--nf4", is_flag=True, help="Load the base in 4-bit NF4 (bitsandbytes).")
@click.option("--device", default="auto", show_default=True, metavar="DEVICE")
@click.option("--batch-tokens", type=int, default=4096, show_default=True, metavar="N")
@RESULTS_OPTION
@click.option(
    "--store", metavar="FILE", help="Response store [default: in the user's cache folder]."
)
@click.option("--all-metrics", is_flag=True, help="Also show markers that never occur.")
@JSON_OPTION
def run(as_json: bool, all_metrics: bool, **options: Any) -> None:
    """Score a base, its adapters and other arms into versioned results.

    Finished batches are durable: after an interruption the same command does only what is missing.
    """
    from rapport_bench import console, summary
    from rapport_bench.run import run as run_arms

    config = _run_config(options)
    with console.RunReporter(quiet=as_json) as reporter:
        outcome = run_arms(config, reporter)
    comparisons = summary.compare_with_baseline(outcome.results)
    if as_json:
        emit("run", summary.to_json(outcome, comparisons), warnings=reporter.warnings)
    else:
        summary.show_outcome(outcome, comparisons, config.results, everything=all_metrics)


def _run_config(options: dict[str, Any]) -> RunConfig:
    from rapport_bench.run import RunConfig
    from rapport_tasks.protocol import Generation

    if options["seed"] is not None and options["seeds"]:
        raise BadInput("--seed and --seeds exclude each other", remedy="Give one of them.")
    try:
        seeds = tuple(int(s) for s in (options["seeds"] or str(options["seed"] or 0)).split(","))
    except ValueError:
        raise BadInput(f"--seeds {options['seeds']}: not numbers", remedy="Like 0,1,2.") from None
    if options["batch_tokens"] < 1:
        raise BadInput("--batch-tokens must be at least 1", remedy="Try 4096.")
    generation = Generation(
        options["method"], max_new_tokens=options["max_new_tokens"], seeds=seeds
    )
    return RunConfig(
        base=options["base"],
        adapters=tuple(map(_named, options["adapters"])),
        models=tuple(map(_named, options["models"])),
        replies=tuple(map(_named, options["replies"])),
        bots=options["bots"],
        data=options["data"],
        limit=options["limit"],
        tasks=tuple(t.strip() for t in options["tasks"].split(",") if t.strip()),
        generation=generation,
        encoder=options["encoder"],
        dtype=options["dtype"],
        quantization="nf4" if options["nf4"] else "none",
        device=options["device"],
        batch_tokens=options["batch_tokens"],
        results=options["results"],
        store=options["store"],
    )


@cli.command(epilog="Example: rapport compare empathy-r16 base --results results")
@click.argument("candidate")
@click.argument("baseline")
@RESULTS_OPTION
@JSON_OPTION
def compare(candidate: str, baseline: str, results: str, as_json: bool) -> None:
    """Compare two saved results, paired by dialogue. Needs no model.

    CANDIDATE and BASELINE are arm names, the first characters of result ids, or files.
    """
    from rapport_bench import console
    from rapport_bench.compare import compare as compare_results
    from rapport_bench.compare import to_json
    from rapport_bench.results import find

    found = compare_results(find(candidate, results), find(baseline, results))
    if as_json:
        emit("compare", to_json(found), warnings=found.warnings)
        return
    out = console.output()
    out.print(console.verdict_line(found))
    out.print(console.comparison_table(found))
    out.print(
        "difference = candidate − baseline, paired by dialogue; adjusted = Holm (verdicts) or "
        "Benjamini-Hochberg; detectable = smallest true difference found with power .8",
        style="dim",
    )
    for warning in found.warnings:
        out.print(f"note: {warning}", style="yellow", markup=False)


@cli.command(epilog="Example: rapport score transcripts.jsonl -o scored.jsonl")
@click.argument("file")
@click.option("-o", "--out", metavar="OUT", help="Write JSONL there [default: standard output].")
@click.option("--encoder", default="embedded", show_default=True, metavar="MODEL")
@click.option("--with-text", is_flag=True, help="Put each sentence's text into the output.")
@JSON_OPTION
def score(file: str, out: str | None, encoder: str, with_text: bool, as_json: bool) -> None:
    """Measure existing transcripts turn by turn. Needs no model.

    Without --with-text the output holds offsets and numbers, none of the text.
    """
    from rapport_bench import console
    from rapport_bench.files import write_atomically
    from rapport_bench.score import summarise, transcript_scorer
    from rapport_tasks.dialogue import read_dialogues

    if as_json and out is None:
        raise BadInput(
            "--json prints a summary; the measurements need a file", remedy="Add -o OUT."
        )
    dialogues = read_dialogues(file)
    measure = transcript_scorer(encoder, with_text=with_text)
    measured = []
    with console.RunReporter(quiet=as_json) as reporter:
        reporter.arm("score", 0, 1)
        for done, dialogue in enumerate(dialogues, start=1):
            measured.append(measure(dialogue))
            reporter.progress("dialogues", done, len(dialogues))
    lines = [json.dumps(m, ensure_ascii=False, sort_keys=True, allow_nan=False) for m in measured]
    if out is None:
        click.echo("\n".join(lines))
        return
    write_atomically(Path(out), "\n".join(lines) + "\n")
    found = summarise(measured)
    if as_json:
        emit("score", found | {"out": out})
        return
    stdout = console.output()
    stdout.print(f"{found['dialogues']} dialogues, {found['assistant_turns']} replies → {out}")
    for name, figure in found["metrics"].items():
        value, ends = console.number(figure["value"]), console.interval(figure["ci"])
        stdout.print(f"  {name:16} {value} {ends}", markup=False)
    if found["unscored"]:
        parts = ", ".join(f"{what} {count}" for what, count in found["unscored"].items())
        stdout.print(f"  not scored: {parts}", markup=False)


@cli.command(
    epilog='Example: lm_eval run --include_path "$(rapport tasks --path)" --tasks rapport ...'
)
@click.option("--path", is_flag=True, help="Print the folder for lm-eval's --include_path.")
@JSON_OPTION
def tasks(path: bool, as_json: bool) -> None:
    """List the lm-eval tasks, or say where they lie."""
    import rapport_tasks

    folder = str(Path(rapport_tasks.__file__).parent)
    listing = {
        "rapport_perplexity": "likelihood of the gold replies given their true history",
        "rapport_aer": "advice and empathy in replies, companions, markers, degeneration",
        "rapport_continuity": "contrastive relevance of replies to their history",
        "rapport_topic_shift": "topics that the assistant opens",
        "rapport_crisis": "what replies do when someone is at risk, and when nobody is",
    }
    if path:
        click.echo(folder)
    elif as_json:
        emit("tasks", {"path": folder, "group": "rapport", "tasks": listing})
    else:
        for name, what in listing.items():
            click.echo(f"{name:22} {what}")
        click.echo(f"{'rapport':22} all of them\n\nThey lie in {folder}")


@cli.command(epilog="Example: rapport doctor --json")
@JSON_OPTION
def doctor(as_json: bool) -> None:
    """Say what is installed, what is missing, and what this machine can run."""
    from rapport_bench.doctor import examine

    checks = examine()
    failed = any(not check.ok and check.required for check in checks)
    if as_json:
        data = [
            {"name": c.name, "ok": c.ok, "required": c.required, "detail": c.detail} for c in checks
        ]
        emit("doctor", {"checks": data}, exit_code=2 if failed else 0)
    else:
        for check in checks:
            sign = "ok " if check.ok else ("NO " if check.required else "-  ")
            click.echo(f"{sign} {check.name:28} {check.detail}")
    if failed:
        sys.exit(2)


@cli.command(epilog="Example: rapport demo --out demo")
@click.option(
    "--out", default="demo", show_default=True, metavar="DIR", help="Where everything goes."
)
@JSON_OPTION
def demo(out: str, as_json: bool) -> None:
    """The whole loop on the embedded base: train an adapter, score it, compare it.

    Needs no network and no GPU.
    """
    from rapport_bench import console, summary
    from rapport_bench.demo import run_demo

    with console.RunReporter(quiet=as_json) as reporter:
        outcome = run_demo(Path(out), reporter)
    comparisons = summary.compare_with_baseline(outcome.results)
    if as_json:
        emit("demo", summary.to_json(outcome, comparisons), warnings=reporter.warnings)
    else:
        summary.show_outcome(outcome, comparisons, str(Path(out) / "results"))


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; every way out has its exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run(arguments))


def _run(arguments: list[str]) -> int:
    # Before anything imports these libraries: quiet, and no network that nobody asked for.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        cli.main(args=arguments, standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except SystemExit as done:
        return int(done.code or 0)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "rapport"
        return _fail(arguments, "Usage", error.format_message(), f"See {command} --help.", 2)
    except RapportError as error:
        return _fail(arguments, error.kind, error.message, error.remedy, error.exit_code)
    except (KeyboardInterrupt, click.exceptions.Abort):
        remedy = "Run the same command again: what was finished for good is kept."
        return _fail(arguments, "Interrupted", "interrupted", remedy, 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        traceback.print_exc()
        remedy = "This is a fault of rapport-bench: please report it with the traceback above."
        return _fail(arguments, type(error).__name__, "unexpected error", remedy, 70)
    return 0


def _fail(arguments: Sequence[str], kind: str, message: str, remedy: str, exit_code: int) -> int:
    if "--json" in arguments:
        command = next((word for word in arguments if not word.startswith("-")), "rapport")
        failure = {"kind": kind, "message": message, "remedy": remedy}
        click.echo(
            json.dumps(
                {
                    "command": command,
                    "schema_version": SCHEMA_VERSION,
                    "ok": False,
                    "exit_code": exit_code,
                    "error": failure,
                },
                ensure_ascii=False,
                sort_keys=True,
            )
        )
    else:
        click.echo(f"rapport: {message}" + (f"\n  {remedy}" if remedy else ""), err=True)
    return exit_code
