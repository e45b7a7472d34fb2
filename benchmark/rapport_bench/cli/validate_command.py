"""`rapport validate`: options to reports, files and thresholds, and the tables of a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from rapport_bench.statistics.figure import Figure
from rapport_bench.terminal.console import RunReporter, output
from rapport_bench.validity import acts, continuity, shifts
from rapport_bench.validity.figures import Progress, Report, save
from rapport_bench.validity.thresholds import Threshold, parse_thresholds
from rapport_tasks.common.errors import BadInput

FIGURES = {"acts": acts.FIGURES, "shifts": shifts.FIGURES, "continuity": continuity.FIGURES}
_LOWER = ("pk", "window_diff")
_NEITHER = ("rate",)


@dataclass(frozen=True, slots=True)
class Validation:
    """What a command has to say: reports, where each was written, and the thresholds."""

    reports: list[Report]
    paths: list[Path]
    thresholds: list[Threshold]

    @property
    def missed(self) -> list[tuple[Report, Threshold]]:
        """Thresholds that a file misses; every file must meet every one."""
        return [(r, t) for r in self.reports for t in self.thresholds if not t.met(r.subject)]

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "reports": [
                report.content()
                | {"path": str(path)}
                | {"thresholds": [t.to_json(report.subject) for t in self.thresholds]}
                for report, path in zip(self.reports, self.paths, strict=True)
            ]
        }


def run_validation(
    what: str, files: Sequence[str], options: dict[str, Any], *, quiet: bool
) -> Validation:
    """Validate file after file and save each report.

    Args:
        what: ``acts``, ``shifts`` or ``continuity``.
        files: One report each.
        options: ``minima``, ``maxima``, ``results``; ``plugin`` of acts, ``encoder`` of the others,
            ``limit`` of continuity.
        quiet: Without progress bars.

    Raises:
        BadInput: A file or an option cannot be used; no report is written before all are made.
    """
    thresholds = parse_thresholds(options["minima"], options["maxima"], FIGURES[what])
    for file in files:
        if files.count(file) > 1:
            raise BadInput(f"{file}: named twice", remedy="Name every file once.")
    reports = []
    with RunReporter(quiet=quiet) as reporter:
        for number, file in enumerate(files):
            reporter.arm(Path(file).stem, number, len(files))
            validate = _validator(what, options, reporter.progress)
            reports.append(validate(Path(file)))
    paths = [save(report, Path(options["results"])) for report in reports]
    return Validation(reports, paths, thresholds)


def _validator(
    what: str, options: dict[str, Any], on_progress: Progress
) -> Callable[[Path], Report]:
    if what == "acts":
        return partial(acts.validate_acts, plugin=options["plugin"])
    if what == "shifts":
        return partial(shifts.validate_shifts, encoder=options["encoder"], on_progress=on_progress)
    return partial(
        continuity.validate_continuity,
        limit=options["limit"],
        encoder=options["encoder"],
        on_progress=on_progress,
    )


def show(validation: Validation) -> None:
    """Print every report, and which thresholds are missed."""
    out = output()
    for report, path in zip(validation.reports, validation.paths, strict=True):
        show_report(report)
        out.print(f"Written to {path}", markup=False)
    for threshold in validation.thresholds:
        for report in validation.reports:
            value = report.subject[threshold.figure].value
            word = "met" if threshold.met(report.subject) else "MISSED"
            sign = "≥" if threshold.kind == "min" else "≤"
            out.print(
                f"{word}: {report.name}: {threshold.figure} {_three(value)} {sign} {threshold.limit:g}",
                markup=False,
            )


def show_report(report: Report) -> None:
    """Print one report: figures beside those of baselines, then the paired differences."""
    out = output()
    out.print()
    out.print(f"{report.what} · {report.name} · {_counts(report)}", markup=False)
    out.print(_figures_table(report))
    out.print(_differences_table(report))
    for arm, rows in report.details.get("confusion", {}).items():
        if arm == next(iter(report.arms)):
            out.print(_confusion_table(arm, rows))
    notes: dict[str, list[str]] = {}
    for name, figure in report.subject.items():
        if figure.reason is not None:
            notes.setdefault(figure.reason, []).append(name)
    for reason, names in notes.items():
        out.print(f"note: {', '.join(names)}: {reason}", markup=False, style="dim")


def _figures_table(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("figure, 95 % interval")
    for arm in report.arms:
        table.add_column(arm, justify="right")
    line = "\n" if len(report.arms) > 4 else " "  # five intervals do not fit beside each other
    for name in report.subject:
        cells = [_cell(figures.get(name), line) for figures in report.arms.values()]
        table.add_row(name + _direction(name), *cells)
    return table


def _differences_table(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(f"{next(iter(report.arms))} minus", overflow="fold")
    for arm in report.differences:
        table.add_column(arm, justify="right")
    for name in report.subject:
        row = [figures.get(name) for figures in report.differences.values()]
        if any(figure is not None for figure in row):
            table.add_row(name, *map(_difference, row))
    return table


def _confusion_table(arm: str, rows: dict[str, dict[str, int]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(f"labelled \\ {arm}")
    for act in rows:
        table.add_column(act, justify="right")
    for label, counts in rows.items():
        table.add_row(label, *(str(counts[act]) for act in rows))
    return table


def _counts(report: Report) -> str:
    """The counts of the data, without their hash."""
    parts = []
    for name, value in report.data.items():
        if isinstance(value, int):
            parts.append(f"{name.replace('_', ' ')} {value:,}")
        elif isinstance(value, dict) and any(value.values()):
            inside = ", ".join(f"{key} {count:,}" for key, count in value.items())
            parts.append(f"{name.replace('_', ' ')}: {inside}")
    return " · ".join(parts)


def _direction(name: str) -> str:
    bare = name.removeprefix("assistant_")
    return "" if bare in _NEITHER else " ↓" if bare in _LOWER else " ↑"


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _cell(figure: Figure | None, line: str) -> str:
    return "" if figure is None else line.join([_three(figure.value), *_ends(figure)])


def _ends(figure: Figure) -> list[str]:
    return [] if figure.ci is None else [f"\\[{figure.ci[0]:.3f}, {figure.ci[1]:.3f}]"]


def _difference(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "–"
    sign = "−" if figure.value < 0 else "+" if figure.value > 0 else ""
    return " ".join([sign + _three(abs(figure.value)), *_ends(figure)])
