"""What `rapport validate` prints: figures beside those of baselines, and thresholds."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.table import Table

from rapport_bench.statistics.figure import Figure
from rapport_bench.terminal.console import output
from rapport_bench.validity.figures import Report
from rapport_bench.validity.run import Validation

_LOWER = ("pk", "window_diff")
_NEITHER = ("rate",)


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


def _table(first: str, columns: Iterable[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(first, overflow="fold")
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _figures_table(report: Report) -> Table:
    table = _table("figure, 95 % interval", report.arms)
    line = "\n" if len(report.arms) > 4 else " "  # five intervals do not fit beside each other
    for name in report.subject:
        cells = [_cell(figures.get(name), line) for figures in report.arms.values()]
        table.add_row(name + _direction(name), *cells)
    return table


def _differences_table(report: Report) -> Table:
    table = _table(f"{next(iter(report.arms))} minus", report.differences)
    for name in report.subject:
        row = [figures.get(name) for figures in report.differences.values()]
        if any(figure is not None for figure in row):
            table.add_row(name, *map(_difference, row))
    return table


def _confusion_table(arm: str, rows: dict[str, dict[str, int]]) -> Table:
    table = _table(f"labelled \\ {arm}", rows)
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
