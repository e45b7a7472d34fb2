"""The `rapport` command: arguments in, one message or one JSON object out, an exit code always.

Heavy imports stay inside the commands, so that `rapport --help` is instant. Exit codes: 0 ok, 1 regression
or missed threshold, 2 usage or bad input, 3 inconclusive or not comparable, 4 incomplete run, 70 a fault
of this program, 130 interrupted (Ctrl-C), 143 terminated (SIGTERM).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import click

from rapport_bench.cli import ends as cli_ends
from rapport_bench.cli.export import export
from rapport_bench.cli.gate import gate
from rapport_bench.cli.human import human
from rapport_bench.cli.leaderboard import leaderboard
from rapport_bench.cli.report import report
from rapport_bench.cli.results import results
from rapport_bench.cli.run import compare, run
from rapport_bench.cli.shared import ENCODER_OPTION, JSON_OPTION, emit, json_line
from rapport_bench.cli.training import prepare, train
from rapport_bench.cli.validate import validate
from rapport_bench.common import standard_streams
from rapport_bench.common.quiet import quiet_libraries
from rapport_bench.common.signals import follow_launcher, watch_sigterm
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.paths import expand_home


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: rapport run --base Qwen/Qwen1.5-1.8B --adapter ./my-adapter --bots",
)
@click.version_option(package_name="rapport-bench", prog_name="rapport")
def cli() -> None:
    """Score adapters against their base: advice, empathy, continuity, topic shifts, perplexity.

    Every figure comes with an error bar, every difference is paired by dialogue.
    """


cli.add_command(run)
cli.add_command(compare)
cli.add_command(prepare)
cli.add_command(train)
cli.add_command(validate)
cli.add_command(gate)
cli.add_command(leaderboard)
cli.add_command(human)
cli.add_command(report)
cli.add_command(results)
cli.add_command(export)


@cli.command(epilog="Example: rapport score transcripts.jsonl -o scored.jsonl")
@click.argument("file")
@click.option("-o", "--out", metavar="OUT", help="Write JSONL there [default: standard output].")
@ENCODER_OPTION
@click.option("--with-text", is_flag=True, help="Put each sentence's text into the output.")
@JSON_OPTION
def score(file: str, out: str | None, encoder: str, with_text: bool, as_json: bool) -> None:
    """Measure existing transcripts turn by turn. Needs no model.

    Without --with-text the output holds offsets and numbers, none of the text.
    """
    from rapport_bench import api
    from rapport_bench.common.files import write_atomically
    from rapport_bench.terminal import console
    from rapport_bench.words import formatting

    if as_json and out is None:
        raise BadInput(
            "--json prints a summary; the measurements need a file", remedy="Add -o OUT."
        )
    measured = api.score(file, encoder=encoder, with_text=with_text, progress=not as_json)
    if out is None:
        click.echo("\n".join(map(json_line, measured.dialogues)))
        return
    lines = [
        json.dumps(m, ensure_ascii=False, sort_keys=True, allow_nan=False)
        for m in measured.dialogues
    ]
    write_atomically(Path(out), "\n".join(lines) + "\n")
    found = measured.to_dict()
    if as_json:
        emit("score", found | {"out": out})
        return
    stdout = console.output()
    stdout.print(f"{found['dialogues']} dialogues, {found['assistant_turns']} replies → {out}")
    for name, figure in found["metrics"].items():
        value, ends = formatting.number(figure["value"]), formatting.interval(figure["ci"])
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
    from rapport_tasks import lm_tasks, registry

    folder = str(Path(lm_tasks.__file__).parent)
    listing = {task.name: task.summary for task in registry.tasks().values()}
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
    from rapport_bench.cli.doctor import examine

    checks = examine()
    failed = any(not check.ok and check.required for check in checks)
    if as_json:
        emit("doctor", {"checks": list(map(asdict, checks))}, exit_code=2 if failed else 0)
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
    """The whole loop on the embedded base: train an adapter, score it, compare it, make a report.

    Needs no network and no GPU.
    """
    from rapport_bench.arms.text_sources import Sources
    from rapport_bench.cli.demo import STORE, run_demo
    from rapport_bench.terminal import console, summary

    with console.RunReporter(quiet=as_json) as reporter:
        outcome, page = run_demo(Path(out), reporter)
    comparisons = summary.compare_with_baseline(outcome.results)
    if as_json:
        data = summary.to_json(outcome, comparisons) | {"report": str(page)}
        emit("demo", data, warnings=reporter.warnings)
    else:
        sources = Sources(store=str(Path(out) / STORE))
        summary.show_outcome(outcome, comparisons, str(Path(out) / "results"), sources=sources)
        click.echo(f"Open {page} in a browser: the same with pictures, and dialogue by dialogue")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; every way out has its exit code."""
    stopped = watch_sigterm()
    follow_launcher()
    try:
        standard_streams.settle()
        code = _run(list(sys.argv[1:] if arguments is None else arguments), stopped)
    except KeyboardInterrupt:  # during the last message
        code = 143 if stopped() else 130
    sys.exit(code)


def _run(arguments: list[str], stopped: Callable[[], bool] = lambda: False) -> int:
    quiet_libraries()
    arguments = list(map(expand_home, arguments))
    try:
        cli_ends.require_working_folder()
        code = cli.main(args=arguments, standalone_mode=False)
        return code if isinstance(code, int) else 0  # of --help; commands return nothing
    except SystemExit as done:
        return int(done.code or 0)
    except BaseException as error:
        if stopped():
            return cli_ends.fail(arguments, "Terminated", "terminated", cli_ends.KEPT, 143)
        return cli_ends.failed(arguments, error)
