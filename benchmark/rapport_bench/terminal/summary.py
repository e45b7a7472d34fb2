"""The end of a run: every arm against the first one, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from rapport_bench.arms.text_sources import Sources
from rapport_bench.common.escape import one_line
from rapport_bench.judging import dominance
from rapport_bench.judging.compare import Comparison, compare
from rapport_bench.results.result import Result
from rapport_bench.running.outcome import Run
from rapport_bench.terminal import arms as arm_tables
from rapport_bench.terminal import comparison as comparison_view
from rapport_bench.terminal import console
from rapport_bench.words import formatting, next_steps
from rapport_bench.words import notes as run_notes


def compare_with_baseline(arms: Sequence[Result]) -> dict[str, Comparison]:
    """Every arm against the first one, which is the base if there is one; by result id."""
    return {arm.result_id: compare(arm, arms[0]) for arm in arms[1:]}


def to_json(outcome: Run, comparisons: dict[str, Comparison]) -> dict[str, Any]:
    """The run as `--json` prints it."""
    return {
        "suite": outcome.suite.to_json(),
        "results": [
            {
                "name": result.name,
                "kind": result.kind,
                "result_id": result.result_id,
                "path": str(result.path),
                "new": is_new,
                "metrics": {name: m.to_json() for name, m in result.metrics.items()},
            }
            for result, is_new in zip(outcome.results, outcome.new, strict=True)
        ],
        "comparisons": [comparison.to_dict() for comparison in comparisons.values()],
    }


def show_outcome(
    outcome: Run,
    comparisons: dict[str, Comparison],
    folder: str,
    *,
    everything: bool = False,
    sources: Sources | None = None,
) -> None:
    """Print the summary of a run: tables, what limits them, where results lie, verdicts, what next."""
    out = console.output()
    arms = outcome.results
    protocol = outcome.suite.protocol()["generation"]
    out.print()
    out.print(
        one_line(
            f"Suite {outcome.suite.name} · {len(outcome.suite.dialogues)} dialogues · "
            f"{protocol['method']}, seeds {', '.join(map(str, protocol['seeds']))} · "
            f"suite {outcome.suite.suite_id[:8]}"
        ),
        markup=False,
    )
    shown = [arm for arm in arms if not arm.role.bot]
    for table in arm_tables.summary_tables(
        shown, comparisons, width=out.width, everything=everything
    ):
        out.print(table)
    out.print(
        "Values with 95 % intervals clustered by dialogue; differences are to "
        f"{formatting.shown_name(arms[0])}; * p < .05, ** < .01, *** < .001 after correction.",
        style="dim",
        markup=False,
    )
    band = run_notes.band_line(arms[0])
    if band:
        out.print(band, style="dim", markup=False)
    bots = [arm for arm in arms if arm.role.reference]
    if len(bots) > 1:
        for table in arm_tables.bots_tables(bots, width=out.width):
            out.print(table)
        out.print(
            "Reference arms; in brackets the share of replies that could be scored.", style="dim"
        )
    for note in dict.fromkeys(w for c in comparisons.values() for w in c.warnings):
        out.print(f"note: {one_line(note)}", style="yellow", markup=False)
    for note in dominance.notes(arms):
        out.print(f"note: {one_line(note)}", style="yellow", markup=False)
    for title, about in run_notes.ABOUT_REPLIES.items():
        lines = [f"{formatting.shown_name(arm)}: {said}" for arm in arms if (said := about(arm))]
        _print_block(out, title, lines)
    kept = sum(not new for new in outcome.new)
    there = f" ({kept} were there already)" if kept else ""
    out.print(f"\n{len(arms)} results in {Path(folder) / 'v1'}{there}:", markup=False)
    for arm in arms:
        out.print(f"  {arm.result_id[:8]}  {arm.path}", markup=False, soft_wrap=True)
    out.print()
    for arm in arms[1:]:
        if arm.role.candidate:
            out.print(comparison_view.verdict_lines(comparisons[arm.result_id]))
    for line in next_steps.after_run(arms, comparisons, folder, sources=sources or Sources()):
        out.print(line, markup=False, soft_wrap=line.startswith(("Next:", " ")))


def _print_block(out: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        out.print(f"{title}:")
        for line in lines:
            out.print(f"  {one_line(line)}", markup=False)
