"""One saved result for a person, and the list of all: names that others chose stay harmless text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from rapport_bench.common.escape import one_line
from rapport_bench.results.figures import NamedFigure, figures
from rapport_bench.results.result import Result
from rapport_bench.results.sections import GenerationSection, VolatileSection
from rapport_bench.terminal import console
from rapport_bench.terminal.arms import FAMILIES
from rapport_bench.terminal.layout import simple_table
from rapport_bench.words import formatting
from rapport_bench.words import notes as run_notes


def show(result: Result) -> None:
    """Print what was scored on what, its figures, what is missing, and how it was made."""
    out = console.output()
    title = f"{one_line(result.name)} · {result.kind} · result {result.result_id[:8]}"
    out.print(Text(title, style="bold"))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for what, said in _lines(result):
        table.add_row(what, Text(one_line(said)))
    out.print(table)
    out.print(_figures_table(list(figures(result))))
    band = run_notes.band_line(result)
    if band:
        out.print(band, style="dim", markup=False)
    for title, note in run_notes.ABOUT_REPLIES.items():
        if said := note(result):
            out.print(f"{title}: {one_line(said)}", markup=False)


def _lines(result: Result) -> Iterator[tuple[str, str]]:
    suite, arm, made = result.suite, result.arm, result.volatile
    yield (
        "suite",
        f"{suite.name} {suite.version} · {suite.dialogues} dialogues · "
        f"suite {suite.suite_id[:8]} · data {suite.data_sha256[:8]}",
    )
    yield "protocol", _protocol(suite.protocol.generation)
    tasks = (f"{name} {task.version}" for name, task in sorted(suite.tasks.items()))
    yield "tasks", ", ".join(tasks)
    base, adapter = arm.base, arm.adapter
    if base:
        quantised = "" if base.quantization == "none" else f" · {base.quantization}"
        weights = f"weights {base.weights_sha256[:8]}"
        yield "base", f"{base.name} · {weights} · {base.dtype}{quantised}"
    if adapter:
        change = formatting.number(adapter.proof.max_logit_change)
        yield (
            "adapter",
            f"rank {adapter.rank} · weights {adapter.weights_sha256[:8]} · config "
            f"{adapter.config_sha256[:8]} · largest change of a logit {change}, base restored "
            "exactly",
        )
    prompt = [
        f"{what} {sha256[:8]}"
        for what, sha256 in (
            ("tokenizer", arm.tokenizer_sha256),
            ("chat template", arm.chat_template_sha256),
            ("prompts", arm.prompts_sha256),
        )
        if sha256
    ]
    yield "answers as", " · ".join([f"arm {arm.arm_id[:8]}", *prompt])
    if result.numerics:
        numerics = sorted(result.numerics.items())
        yield "numerics", " · ".join(f"{name} {value}" for name, value in numerics)
    if made.to_json():
        yield "made", _made(made)
    if made.command:
        yield "command", made.command
    if result.path is not None:
        yield "file", str(result.path)


def _protocol(generation: GenerationSection) -> str:
    parts: list[str] = [generation.method]
    if generation.top_p is not None:
        parts.append(f"top_p {generation.top_p:g}")
    if generation.temperature is not None:
        parts.append(f"temperature {generation.temperature:g}")
    seeds = ", ".join(map(str, generation.seeds))
    return ", ".join([*parts, f"{generation.max_new_tokens} new tokens", f"seeds {seeds}"])


def _made(made: VolatileSection) -> str:
    parts = [] if made.created is None else [made.created]
    if made.rapport is not None:
        parts.append(f"rapport-bench {made.rapport}")
    if made.git is not None:
        dirty = ", with changes that are not committed" if made.git.dirty else ""
        parts.append(f"commit {str(made.git.commit)[:12]}{dirty}")
    if made.seconds is not None:
        parts.append(f"{made.seconds:,.0f} s")
    return " · ".join(parts)


def _figures_table(rows: Sequence[NamedFigure]) -> Table:
    header = ("metric", "value", "95 %", "to gold band", "turns", "dialogues", "coverage")
    table = simple_table(header, left=("metric",))
    before = ""
    for row in sorted(rows, key=lambda row: FAMILIES.index(row.family)):
        if before and row.family != before:
            table.add_section()
        before = row.family
        table.add_row(*map(Text, _cells(row)))
    return table


def _cells(row: NamedFigure) -> list[str]:
    saved, distance = row.saved, ""
    if row.distance is not None:
        ends = formatting.interval(row.distance.ci)
        distance = f"{formatting.number(row.distance.value)} {ends}".rstrip()
    coverage = "–" if saved.coverage is None else f"{saved.coverage:.0%}"
    return [
        formatting.labelled(row.label, row.direction),
        formatting.number(saved.value),
        formatting.interval(saved.ci),
        distance,
        f"{saved.n:,}",
        f"{saved.clusters:,}",
        coverage,
    ]


def to_json(result: Result) -> dict[str, Any]:
    """A result without its columns, as `--json` prints it."""
    counts = Counter((item.metric, item.reason) for item in result.unscored)
    return {
        "result_id": result.result_id,
        "path": None if result.path is None else str(result.path),
        "suite": result.suite.to_json(),
        "arm": result.arm.to_json(),
        "numerics": result.numerics,
        "metrics": {row.name: _figure_json(row) for row in figures(result)},
        "unscored": [
            {"metric": metric, "reason": reason, "count": count}
            for (metric, reason), count in sorted(counts.items())
        ],
        "made": result.volatile.to_json(),
    }


def _figure_json(row: NamedFigure) -> dict[str, Any]:
    found: dict[str, Any] = row.saved.to_json() | {"direction": row.direction}
    if row.distance is not None:
        found |= {"distance": row.distance.value, "distance_ci": row.distance.ci}
    return found


def show_list(results: Sequence[Result]) -> None:
    """Print one line a result, by suite, base and name."""
    header = ("result", "arm", "kind", "base", "suite", "created")
    table = simple_table(header, left=header)
    for result in results:
        row = listed(result)
        suite = f"{row['suite']} {row['suite_id'][:8]}"
        cells = (row["result_id"][:8], row["name"], row["kind"], row["base"] or "–", suite)
        table.add_row(*(Text(one_line(cell)) for cell in (*cells, row["created"] or "–")))
    console.output().print(table)


def listed(result: Result) -> dict[str, Any]:
    """A result's line, as `--json` prints it."""
    base = result.arm.base
    return {
        "result_id": result.result_id,
        "name": result.name,
        "kind": result.kind,
        "base": base.name if base else None,
        "suite": result.suite.name,
        "suite_id": result.suite_id,
        "created": result.volatile.created,
        "path": None if result.path is None else str(result.path),
    }
