"""What a validation finds: figures of several scorers on one file, as a report without text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapport_bench.common.files import to_json, write_atomically
from rapport_bench.common.identity import digest
from rapport_bench.results.result import slug
from rapport_bench.statistics.figure import Figure
from rapport_bench.statistics.resampling import Sampled

SCHEMA_VERSION = "1.0"
OURS = "rapport"
"""The arm of this package's own scorer."""

VERSION = "1.0"
"""Of the measures of agreement, baselines and corruptions; changes when any figure may."""


Figures = dict[str, Figure]
Progress = Callable[[str, int, int], None]
"""Told what is counted, how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one command found in one file.

    Attributes:
        what: ``acts``, ``shifts`` or ``continuity``.
        name: Of the data: the file's name without folder and suffix.
        data: sha256 of the file, how many lines were used and how many left out, why.
        scorer: Name and versions of what was validated.
        settings: What else the figures depend on.
        arms: Scorer name -> figures. The first is what is validated, the last ones are baselines.
        differences: Other scorer -> the first one's figures minus its, paired.
        details: Tables beside the figures, such as a confusion matrix.
    """

    what: str
    name: str
    data: Mapping[str, Any]
    scorer: Mapping[str, Any]
    settings: Mapping[str, Any]
    arms: Mapping[str, Figures]
    differences: Mapping[str, Figures]
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> Figures:
        """The figures of what is validated."""
        return next(iter(self.arms.values()))

    def content(self) -> dict[str, Any]:
        """The report as JSON; the same data, versions and settings give the same."""

        def plain(arms: Mapping[str, Figures]) -> dict[str, Any]:
            return {
                arm: {name: figure.to_json() for name, figure in figures.items()}
                for arm, figures in arms.items()
            }

        return {
            "schema_version": SCHEMA_VERSION,
            "what": self.what,
            "data": {"name": self.name, **self.data},
            "scorer": dict(self.scorer),
            "settings": dict(self.settings),
            "validated": next(iter(self.arms)),
            "figures": plain(self.arms),
            "differences": plain(self.differences),
            **self.details,
        }


def compared(
    sampled: Mapping[str, Mapping[str, Sampled]],
) -> tuple[dict[str, Figures], dict[str, Figures]]:
    """The figures of all scorers, and the first one's minus each other's, paired."""
    first, *others = sampled
    figures = {
        arm: {name: value.figure() for name, value in row.items()} for arm, row in sampled.items()
    }
    differences = {
        arm: {name: sampled[first][name].minus(value) for name, value in sampled[arm].items()}
        for arm in others
    }
    return figures, differences


def encoder_name(encoder: str) -> str:
    """An encoder as results name it: without the folder it lies in."""
    return Path(encoder).name if Path(encoder).exists() else encoder


def save(report: Report, results: Path) -> Path:
    """Write ``<results>/validity/<what>-<name>-<first 8 of the content's sha256>.json``."""
    content = report.content()
    name = f"{report.what}-{slug(report.name)}-{digest(content)[:8]}.json"
    path = results / "validity" / name
    write_atomically(path, to_json(content))
    return path
