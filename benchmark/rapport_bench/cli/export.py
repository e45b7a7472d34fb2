"""The commands `rapport export csv`, `parquet`, `model-card` and `lm-eval`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rapport_bench.cli.shared import JSON_OPTION, RESULTS_OPTION, emit, warn
from rapport_tasks.common.errors import BadInput

if TYPE_CHECKING:
    from rapport_bench.export.table import Row

_FOLDER = click.argument("results", default="results", required=False)


@click.group(epilog="Example: rapport export parquet results -o results.parquet")
def export() -> None:
    """Saved results for other tools: tables, model cards, lm-eval's files. Needs no model."""


@export.command("csv", epilog="Example: rapport export csv results -o results.csv")
@_FOLDER
@click.option("-o", "--out", metavar="OUT", help="Write there [default: standard output].")
@JSON_OPTION
def export_csv(results: str, out: str | None, as_json: bool) -> None:
    """One tidy table of all results: a row for every arm and metric."""
    from rapport_bench.export.table import tidy_rows, to_csv
    from rapport_bench.judging.leaderboard import load_results

    if out is not None:
        _write_table(results, out, lambda rows: to_csv(rows).encode(), as_json=as_json)
        return
    if as_json:
        raise BadInput("--json says what was written; the table needs a file", remedy="Add -o OUT.")
    found, problems = load_results(results)
    click.echo(to_csv(tidy_rows(found)), nl=False)
    warn(problems)


@export.command("parquet", epilog="Example: rapport export parquet results -o results.parquet")
@_FOLDER
@click.option("-o", "--out", required=True, metavar="OUT", help="Write there.")
@JSON_OPTION
def export_parquet(results: str, out: str, as_json: bool) -> None:
    """The same table with typed columns, for pandas, datasets and databases."""
    from rapport_bench.export.table import to_parquet

    _write_table(results, out, to_parquet, as_json=as_json)


def _write_table(
    results: str, out: str, convert: Callable[[list[Row]], bytes], *, as_json: bool
) -> None:
    from rapport_bench.common.files import write_atomically
    from rapport_bench.export.table import tidy_rows
    from rapport_bench.judging.leaderboard import load_results

    found, problems = load_results(results)
    rows = list(tidy_rows(found))
    write_atomically(Path(out), convert(rows))
    said = f"{len(rows)} rows, {len(found)} results → {out}"
    _say(said, as_json, problems, rows=len(rows), out=out)


@export.command("model-card", epilog="Example: rapport export model-card ./my-adapter")
@click.argument("adapter")
@click.option(
    "--result",
    "chosen",
    multiple=True,
    metavar="ARM",
    help="Arm name, start of a result id, or file; may be repeated [default: by the weights].",
)
@click.option("--all-metrics", is_flag=True, help="Also write the markers.")
@RESULTS_OPTION
@JSON_OPTION
def export_model_card(
    *, adapter: str, chosen: tuple[str, ...], all_metrics: bool, results: str, as_json: bool
) -> None:
    """Write an adapter's results into the metadata of its README, as the hub reads them.

    ADAPTER is the folder that training wrote. Results are found by the hash of its weights: the
    newest of every suite. Entries of others, and the README's text, stay as they are.
    """
    from rapport_bench.arms.adapters import identify_adapter
    from rapport_bench.export.card import belonging, require_belonging, write_card
    from rapport_bench.judging.leaderboard import load_results
    from rapport_bench.results.result import find

    if not Path(adapter).is_dir():
        raise BadInput(
            f"{adapter}: no such folder", remedy="Name the folder with adapter_config.json."
        )
    made = identify_adapter(adapter, None, None)
    notes: list[str] = []
    if chosen:
        mine = [find(reference, results) for reference in chosen]
        for result in mine:
            require_belonging(result, made)
        if len({result.suite_id for result in mine}) < len(mine):
            raise BadInput("two results of one suite", remedy="Name one result for each suite.")
    else:
        found, notes = load_results(results)
        mine, older = belonging(found, made)
        if not mine:
            raise BadInput(
                f"{results}: none of {len(found)} results is of these weights "
                f"({made.weights_sha256[:12]}, config {made.config_sha256[:12]})",
                remedy=f"Score it with `rapport run --base BASE --adapter {adapter}`.",
            )
        notes += [
            f"left out: {r.result_id[:8]}, older and of one suite; --result names it" for r in older
        ]
    written = write_card(made, mine, everything=all_metrics)
    if written.undefined:
        notes.append(f"left out as undefined: {', '.join(written.undefined)}")
    ids = [result.result_id for result in mine]
    listed = ", ".join(identity[:8] for identity in ids)
    said = f"{written.path}: {listed}" + ("" if written.changed else ", unchanged")
    kept = f"; {written.kept} of others kept" if written.kept else ""
    _say(
        f"{said} ({written.entries} of ours in model-index{kept})",
        as_json,
        notes,
        path=str(written.path),
        results=ids,
        changed=written.changed,
        entries=written.entries,
        kept=written.kept,
        undefined=list(written.undefined),
    )


@export.command("lm-eval", epilog="Example: rapport export lm-eval results -o lm-eval")
@_FOLDER
@click.option("-o", "--out", required=True, metavar="DIR", help="Folder for a file an arm.")
@JSON_OPTION
def export_lm_eval(results: str, out: str, as_json: bool) -> None:
    """Results as lm-eval's own results files, for tools that read those."""
    from rapport_bench.export.lm_eval_file import write_lm_eval
    from rapport_bench.judging.leaderboard import load_results

    found, problems = load_results(results)
    paths = [str(path) for path in write_lm_eval(found, Path(out))]
    _say(f"{len(paths)} results → {out}", as_json, problems, paths=paths)


def _say(line: str, as_json: bool, warnings: Sequence[str], **data: object) -> None:
    """The end of a command: one JSON object, or a line and its warnings."""
    from rapport_bench.common.escape import one_line

    if as_json:
        emit("export", data, warnings=warnings)
        return
    click.echo(one_line(line))
    warn(warnings)
