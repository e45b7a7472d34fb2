"""The end of a run: every arm against the first one, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rapport_bench import console, dominance
from rapport_bench.compare import Comparison, compare
from rapport_bench.compare import to_json as comparison_to_json
from rapport_bench.results import Result
from rapport_bench.run import Outcome


def compare_with_baseline(arms: Sequence[Result]) -> dict[str, Comparison]:
    """Every arm against the first one, which is the base if there is one; by result id."""
    return {arm.result_id: compare(arm, arms[0]) for arm in arms[1:]}


def to_json(outcome: Outcome, comparisons: dict[str, Comparison]) -> dict[str, Any]:
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
                "metrics": result.metrics,
            }
            for result, is_new in zip(outcome.results, outcome.new, strict=True)
        ],
        "comparisons": [comparison_to_json(comparison) for comparison in comparisons.values()],
    }


def show_outcome(
    outcome: Outcome,
    comparisons: dict[str, Comparison],
    folder: str,
    *,
    everything: bool = False,
) -> None:
    """Print the summary of a run: verdicts, table, what is missing from it, where it lies."""
    out = console.output()
    arms = outcome.results
    protocol = outcome.suite.protocol()["generation"]
    out.print()
    out.print(
        f"Suite {outcome.suite.name} · {len(outcome.suite.dialogues)} dialogues · "
        f"{protocol['method']}, seeds {', '.join(map(str, protocol['seeds']))} · "
        f"suite {outcome.suite.suite_id[:8]}"
    )
    shown = [arm for arm in arms if arm.kind != "bot"]
    out.print(console.summary_table(shown, comparisons, everything=everything))
    out.print(
        "Values with 95 % intervals clustered by dialogue; differences are to "
        f"{arms[0].name}; * p < .05, ** < .01, *** < .001 after correction.",
        style="dim",
    )
    band = console.band_line(arms[0])
    if band:
        out.print(band, style="dim")
    bots = [arm for arm in arms if arm.kind in ("gold", "bot")]
    if len(bots) > 1:
        out.print(console.bots_table(bots))
        out.print(
            "Reference arms; in brackets the share of replies that could be scored.", style="dim"
        )
    for arm in arms[1:]:
        if arm.kind in ("adapter", "model", "replies"):
            out.print(console.verdict_line(comparisons[arm.result_id]))
    notes = dict.fromkeys(w for c in comparisons.values() for w in c.warnings)
    for note in notes:
        out.print(f"note: {note}", style="yellow", markup=False)
    for note in dominance.notes(arms):
        out.print(f"note: {note}", style="yellow", markup=False)
    _print_block(
        out, "Harmful replies to someone at risk", [x for a in arms if (x := console.harm_line(a))]
    )
    _print_block(out, "Not scored", console.unscored_lines(arms))
    _print_block(
        out, "Degenerate replies", [line for a in arms if (line := console.degenerate_line(a))]
    )
    kept = sum(not new for new in outcome.new)
    there = f" ({kept} were there already)" if kept else ""
    out.print(f"\n{len(arms)} results in {Path(folder) / 'v1'}{there}:", markup=False)
    for arm in arms:
        out.print(f"  {arm.result_id[:8]}  {arm.path}", markup=False, soft_wrap=True)
    out.print(f"Next: rapport compare CANDIDATE BASELINE --results {folder}", markup=False)


def _print_block(out: Any, title: str, lines: Sequence[str]) -> None:
    if lines:
        out.print(f"{title}:")
        for line in lines:
            out.print(f"  {line}", markup=False)
