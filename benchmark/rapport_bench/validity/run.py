"""A validation: files to reports, saved and held against thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rapport_bench.running.config import Reporter
from rapport_bench.validity import acts, continuity, shifts
from rapport_bench.validity.figures import Progress, Report, save
from rapport_bench.validity.thresholds import Threshold, parse_thresholds
from rapport_tasks.common.errors import BadInput

FIGURES = {"acts": acts.FIGURES, "shifts": shifts.FIGURES, "continuity": continuity.FIGURES}


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
    what: str, files: Sequence[str], options: Mapping[str, Any], reporter: Reporter
) -> Validation:
    """Validate file after file and save each report.

    Args:
        what: ``acts``, ``shifts`` or ``continuity``.
        files: One report each.
        options: ``minima``, ``maxima``, ``results``; ``plugin`` of acts, ``encoder`` of the others,
            ``limit`` of continuity.
        reporter: Told how it goes.

    Raises:
        BadInput: A file or an option cannot be used; no report is written before all are made.
    """
    thresholds = parse_thresholds(options["minima"], options["maxima"], FIGURES[what])
    for file in files:
        if files.count(file) > 1:
            raise BadInput(f"{file}: named twice", remedy="Name every file once.")
    reports = []
    for number, file in enumerate(files):
        reporter.arm(Path(file).stem, number, len(files))
        reports.append(_validator(what, options, reporter.progress)(Path(file)))
    paths = [save(report, Path(options["results"])) for report in reports]
    return Validation(reports, paths, thresholds)


def _validator(
    what: str, options: Mapping[str, Any], on_progress: Progress
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
