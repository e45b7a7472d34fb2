"""The result of a study of human ratings: a file in git, like the results of arms.

``results/v1/<suite>/human/<study>.json``: ratings under rater codes, no text and no names, and what
follows from them. ``result_id`` is the hash of all but itself and ``volatile``. A study has one result: it
is written once and never edited.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from rapport_bench.common.files import to_json, write_atomically
from rapport_bench.results import result as results
from rapport_bench.results.ratings import Ratings
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import read_json

SCHEMA_VERSION = "1.0"
FOLDER = "human"
_FROM_GIT = "Restore the file from git."
COLUMNS = ("rater", "item", "arm", "scale", "value", "again")


@dataclass(frozen=True, slots=True)
class HumanResult:
    """A human result with where it lies.

    Attributes:
        data: The file's content; valid by the schema.
        path: `None` before it is saved.
    """

    data: dict[str, Any]
    path: Path | None = None

    @property
    def result_id(self) -> str:
        """Hash of the content."""
        return str(self.data["result_id"])

    @property
    def study(self) -> str:
        """The study's name."""
        return str(self.data["study"]["name"])

    @property
    def simulated(self) -> bool:
        """Whether nobody gave these ratings; to be shown wherever they are."""
        return bool(self.data["study"]["simulated"])

    @property
    def suite_id(self) -> str:
        """Of the arms' results."""
        return str(self.data["suite"]["suite_id"])

    @property
    def analysis(self) -> dict[str, Any]:
        """What follows from the ratings."""
        analysis: dict[str, Any] = self.data["analysis"]
        return analysis


@dataclass(frozen=True, slots=True)
class ArmScore:
    """One arm on one scale.

    Attributes:
        study: Of which it is the outcome.
        simulated: Whether nobody gave these ratings.
        result_id: Of the arm's result.
        arm: Its name.
        scale: Name of the scale.
        points: Its highest value; the lowest is 1, higher is better.
        mean: Over dialogues of the mean over raters.
        sd: Of single ratings.
        ci: 95 %, for these raters and new dialogues.
        ci_new_raters: 95 %, for new raters and new dialogues.
        items: Dialogue contexts rated.
        raters: Who rated and counted.
    """

    study: str
    simulated: bool
    result_id: str
    arm: str
    scale: str
    points: int
    mean: float | None
    sd: float | None
    ci: tuple[float, float] | None
    ci_new_raters: tuple[float, float] | None
    items: int
    raters: int


def arm_scores(result: HumanResult) -> list[ArmScore]:
    """What a leaderboard or a report shows of a study: every arm on every scale."""
    data = result.data
    points = {scale["name"]: scale["points"] for scale in data["scales"]}
    raters = sum(not rater["excluded"] and rater["given"] > 0 for rater in data["raters"])
    return [
        ArmScore(
            study=result.study,
            simulated=result.simulated,
            result_id=data["arms"][row["arm"]]["result_id"],
            arm=data["arms"][row["arm"]]["name"],
            scale=row["scale"],
            points=points[row["scale"]],
            mean=row["mean"],
            sd=row["sd"],
            ci=_pair(row["ci"]),
            ci_new_raters=_pair(row["ci_new_raters"]),
            items=row["items"],
            raters=raters,
        )
        for row in result.analysis["table"]
    ]


def _pair(ends: Sequence[float] | None) -> tuple[float, float] | None:
    return (ends[0], ends[1]) if ends else None


def seal(data: Mapping[str, Any]) -> HumanResult:
    """Add version, status and hash to a result's content, and check it."""
    sealed = {**data, "schema_version": SCHEMA_VERSION, "status": "complete"}
    sealed["result_id"] = results.result_id(sealed)
    problem = _schema_problem(sealed)
    if problem:
        raise ValueError(f"a human result against its own schema: {problem}")
    return HumanResult(sealed)


def path_of(result: HumanResult, folder: str | Path) -> Path:
    """Where a human result belongs below a results folder."""
    suite, study = results.slug(result.data["suite"]["name"]), results.slug(result.study)
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
            if there.data[part] != result.data[part]
        ]
        raise BadInput(
            f"{path}: holds another result of study {result.study!r} "
            f"(other {', '.join(parts) or 'content'}); results are never edited",
            remedy="Move it away if it is superseded, or name another folder with --results.",
        )
    write_atomically(path, to_json(result.data))
    return HumanResult(result.data, path), True


def load(path: str | Path) -> HumanResult:
    """Read and check one human result.

    Raises:
        BadInput: No such file, not JSON, against the schema, edited by hand, of a newer version.
    """
    path = Path(path)
    data = read_json(
        path, remedy=_FROM_GIT, unreadable="Name a human result.", what="a human result"
    )
    version = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(version, str) and version != SCHEMA_VERSION:
        raise BadInput(
            f"{path}: a schema version that this program does not read ({SCHEMA_VERSION} it does)",
            remedy="Update rapport-bench.",
        )
    problem = _schema_problem(data)
    if problem:
        raise BadInput(f"{path}: not a human result: {problem}", remedy=_FROM_GIT)
    if results.result_id(data) != data["result_id"]:
        raise BadInput(
            f"{path}: its content does not match its result_id {data['result_id'][:8]}: edited",
            remedy="Restore the file from git, or score the study again.",
        )
    return HumanResult(data, path)


def load_all(folder: str | Path) -> Iterator[HumanResult]:
    """Every human result below a results folder, in path order."""
    for path in sorted(Path(folder).glob(f"v1/*/{FOLDER}/*.json")):
        yield load(path)


def ratings_of(result: HumanResult) -> Ratings:
    """The ratings in a result, of excluded raters too."""
    data = result.data
    columns = {name: np.array(data["ratings"][name], dtype=np.int64) for name in COLUMNS}
    return Ratings(
        tuple(rater["code"] for rater in data["raters"]),
        tuple(data["items"]["id"]),
        tuple(arm["result_id"] for arm in data["arms"]),
        tuple(scale["name"] for scale in data["scales"]),
        tuple(scale["points"] for scale in data["scales"]),
        columns["rater"],
        columns["item"],
        columns["arm"],
        columns["scale"],
        columns["value"],
        columns["again"].astype(np.bool_),
    )


def columns_of(ratings: Ratings) -> dict[str, list[Any]]:
    """Ratings as a result holds them; what `ratings_of` reads back."""
    return {name: getattr(ratings, name).tolist() for name in COLUMNS}


@lru_cache(maxsize=1)
def _validator() -> Any:
    import jsonschema

    schema = files("rapport_bench.results") / "human_result.schema.json"
    return jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def _schema_problem(data: Any) -> str | None:
    """Where the schema is broken and by which rule; never the value, which may be anyone's words."""
    error = next(iter(_validator().iter_errors(data)), None)
    if error is None:
        return None
    where = "/".join(str(part)[:40] for part in error.absolute_path) or "top level"
    return f"{where} breaks the rule {error.validator!r} of the schema"
