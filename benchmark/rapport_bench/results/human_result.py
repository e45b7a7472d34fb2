"""The result of a study of human ratings: a file in git, like the results of arms.

``results/v1/<suite>/human/<study>.json``: ratings under rater codes, no text and no names, and what
follows from them. ``result_id`` is the hash of all but itself and ``volatile``. A study has one result: it
is written once and never edited.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from rapport_bench.common.files import to_json, write_atomically
from rapport_bench.common.model import read_file
from rapport_bench.results import result as results
from rapport_bench.results.human_sections import Analysis, HumanContent, RatingsSection
from rapport_bench.results.ratings import COLUMNS, Ratings
from rapport_tasks.common.errors import BadInput

SCHEMA_VERSION: Literal["1.0"] = "1.0"
FOLDER = "human"
_FROM_GIT = "Restore the file from git."


@dataclass(frozen=True, slots=True)
class HumanResult:
    """A human result with where it lies.

    Attributes:
        content: Of the file.
        path: `None` before it is saved.
    """

    content: HumanContent
    path: Path | None = None

    @property
    def result_id(self) -> str:
        """Hash of the content."""
        return self.content.result_id

    @property
    def study(self) -> str:
        """The study's name."""
        return self.content.study.name

    @property
    def simulated(self) -> bool:
        """Whether nobody gave these ratings; to be shown wherever they are."""
        return self.content.study.simulated

    @property
    def suite_id(self) -> str:
        """Of the arms' results."""
        return self.content.suite.suite_id

    @property
    def analysis(self) -> Analysis:
        """What follows from the ratings."""
        return self.content.analysis

    @property
    def scales(self) -> list[str]:
        """Their names in the study's order, which the sorted keys of a file do not keep."""
        return [scale.name for scale in self.content.scales]

    @property
    def raters(self) -> int:
        """How many raters the figures rest on."""
        return sum(rater.counts for rater in self.content.raters)


UNSEALED = "0" * 64
"""The id of a content that has none yet."""


def seal(content: HumanContent) -> HumanResult:
    """Give a result's content its id."""
    identity = results.result_id(content.to_json())
    return HumanResult(content.model_copy(update={"result_id": identity}))


def path_of(result: HumanResult, folder: str | Path) -> Path:
    """Where a human result belongs below a results folder."""
    suite, study = results.slug(result.content.suite.name), results.slug(result.study)
    return Path(folder) / "v1" / suite / FOLDER / f"{study}.json"


def save(result: HumanResult, folder: str | Path) -> tuple[HumanResult, bool]:
    """Write a human result unless the identical one is there.

    Returns:
        The result with its path, and whether the file is new.

    Raises:
        BadInput: Another result of a study of this name is there; the folder cannot be written to.
        Incomplete: The disk is full.
    """
    path = path_of(result, folder)
    if path.exists():
        there = load(path)
        if there.result_id == result.result_id:
            return there, False
        parts = [
            part
            for part in ("study", "raters", "items", "ratings", "analysis")
            if getattr(there.content, part) != getattr(result.content, part)
        ]
        raise BadInput(
            f"{path}: holds another result of study {result.study!r} "
            f"(other {', '.join(parts) or 'content'}); results are never edited",
            remedy="Move it away if it is superseded, or name another folder with --results.",
        )
    write_atomically(path, to_json(result.content.to_json()))
    return HumanResult(result.content, path), True


def load(path: str | Path) -> HumanResult:
    """Read and check one human result.

    Raises:
        BadInput: No such file, not JSON, of another type, edited by hand, of a newer version.
    """
    path = Path(path)
    content, data = read_file(
        HumanContent,
        path,
        version=SCHEMA_VERSION,
        what="a human result",
        remedy=_FROM_GIT,
        unreadable="Name a human result.",
    )
    if results.result_id(data) != content.result_id:
        raise BadInput(
            f"{path}: its content does not match its result_id {content.result_id[:8]}: edited",
            remedy="Restore the file from git, or score the study again.",
        )
    return HumanResult(content, path)


def files_in(folder: str | Path) -> list[Path]:
    """The files of human results below a results folder, in order."""
    return sorted(Path(folder).glob(f"v1/*/{FOLDER}/*.json"))


def ratings_of(result: HumanResult) -> Ratings:
    """The ratings in a result, of excluded raters too."""
    content = result.content
    return Ratings(
        tuple(rater.code for rater in content.raters),
        content.items.id,
        tuple(arm.result_id for arm in content.arms),
        tuple(result.scales),
        tuple(scale.points for scale in content.scales),
        *(np.array(column, dtype=np.int64) for _, column in content.ratings),
    )


def columns_of(ratings: Ratings) -> RatingsSection:
    """Ratings as a result holds them; what `ratings_of` reads back."""
    return RatingsSection(**{name: getattr(ratings, name).tolist() for name in COLUMNS})
