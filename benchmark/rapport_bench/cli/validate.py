"""The command group `rapport validate`."""

from __future__ import annotations

import sys
from typing import Any

import click

from rapport_bench.cli.shared import ENCODER_OPTION, JSON_OPTION, RESULTS_OPTION, emit


@click.group(epilog="Example: rapport validate acts sentences.jsonl --min auc=.88")
def validate() -> None:
    """Measure how well the metrics agree with your own labelled data. Needs no model.

    Every figure has a 95 % interval and stands beside baselines that understand nothing.
    """


_FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...")
_MINIMA = click.option(
    "--min",
    "minima",
    multiple=True,
    metavar="NAME=VALUE",
    help="Exit 1 if this figure of a file is lower; may be repeated.",
)
_MAXIMA = click.option(
    "--max",
    "maxima",
    multiple=True,
    metavar="NAME=VALUE",
    help="Exit 1 if this figure of a file is higher.",
)


@validate.command("acts", epilog="Example: rapport validate acts sentences.jsonl --min auc=.88")
@_FILES
@click.option(
    "--acts",
    "plugin",
    metavar="MODULE:FUNCTION",
    help="Validate this scorer instead (list of sentences -> list of dicts with the probabilities "
    "of advice, empathy, question, other), and compare it with ours.",
)
@_MINIMA
@_MAXIMA
@RESULTS_OPTION
@JSON_OPTION
def validate_acts(files: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Advice, empathy, question, other on labelled utterances.

    FILE is JSONL: {"id": ..., "utterance": ..., "label": "advice"}. Figures: auc (advice against
    empathy), auc_length_matched, accuracy, macro_f1, coverage.
    """
    _validate("acts", files, options, as_json=as_json)


@validate.command("shifts", epilog="Example: rapport validate shifts dialogues.jsonl --max pk=.4")
@_FILES
@ENCODER_OPTION
@_MINIMA
@_MAXIMA
@RESULTS_OPTION
@JSON_OPTION
def validate_shifts(files: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Topic shifts on dialogues with labelled boundaries.

    FILE is JSONL: {"id": ..., "messages": [...], "labels": [0, 0, 1, ...]}, a label a message.
    Figures: pk, window_diff, window_f1, auc, count_r (correlation of counts, length held fixed),
    rate; assistant_pk and so on for assistant turns alone; coverage.
    """
    _validate("shifts", files, options, as_json=as_json)


@validate.command(
    "continuity", epilog="Example: rapport validate continuity dialogues.jsonl --min shuffled=.9"
)
@_FILES
@click.option("--limit", type=int, metavar="N", help="Only the first N usable dialogues.")
@ENCODER_OPTION
@_MINIMA
@_MAXIMA
@RESULTS_OPTION
@JSON_OPTION
def validate_continuity(files: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Continuity of real dialogues against corruptions of them, which it makes itself.

    FILE is a dialogue file; it needs no labels. Figures are win-rates over canned, parrot,
    half_parrot, shuffled, spliced, shuffled_in_place, foreign_half, foreign, stock_appended,
    stock_quoting; and continuity, order, coverage of the real dialogues.
    """
    _validate("continuity", files, options, as_json=as_json)


def _validate(what: str, files: tuple[str, ...], options: dict[str, Any], *, as_json: bool) -> None:
    from rapport_bench.terminal.console import RunReporter
    from rapport_bench.terminal.validity import show
    from rapport_bench.validity.run import run_validation

    with RunReporter(quiet=as_json) as reporter:
        found = run_validation(what, files, options, reporter)
    exit_code = 1 if found.missed else 0
    if as_json:
        emit("validate", found.to_json(), exit_code=exit_code)
    else:
        show(found)
    sys.exit(exit_code)
