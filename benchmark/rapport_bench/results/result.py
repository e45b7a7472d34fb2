"""Result files: what one arm did on one suite, versioned, without text, never edited.

``results/v1/<suite name>/<base slug>/<arm slug>@<first 8 of result_id>.json``, of the form that
`sections` says on every write and read. ``result_id`` is the hash of everything but itself and
``volatile``, so an edited file is recognised, and an identical run finds its file there.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rapport_bench.common.files import to_json, write_atomically
from rapport_bench.common.identity import digest
from rapport_bench.common.model import breaches
from rapport_bench.common.shown import Shown, ends
from rapport_bench.results.checks import figures_problem
from rapport_bench.results.roles import ROLES, Role
from rapport_bench.results.sections import UNDEFINED, Content, SavedMetric
from rapport_tasks.common.errors import (
    BadInput,
    Incomplete,
    NotComparable,
    RapportError,
    close_match,
)
from rapport_tasks.common.parsing import read_json

SCHEMA_VERSION = "1.0"
_NOT_HASHED = ("volatile", "result_id")


class Result(Shown, Content):
    """A result with where it lies."""

    _path: Path | None = None

    @property
    def path(self) -> Path | None:
        """`None` before it is saved."""
        return self._path

    @property
    def name(self) -> str:
        """The arm's name."""
        return self.arm.name

    @property
    def kind(self) -> str:
        """The arm's kind, as a word; what follows from it is its `role`."""
        return self.arm.kind

    @property
    def role(self) -> Role:
        """What an arm of this kind is to a reader."""
        return ROLES[self.arm.kind]

    @property
    def suite_id(self) -> str:
        """What it may be compared with."""
        return self.suite.suite_id

    @property
    def asked(self) -> str | None:
        """Hash of its prompts, or of its template where an older version made it; `None` without a model."""
        return self.arm.prompts_sha256 or self.arm.chat_template_sha256

    @property
    def columns(self) -> dict[str, list[float]]:
        """Sufficient statistics, one entry a dialogue."""
        return self.dialogues.columns

    @property
    def dialogue_ids(self) -> list[str]:
        """In suite order."""
        return self.dialogues.id

    @property
    def created(self) -> datetime.datetime | None:
        """When it was made, in UTC; `None` if the file does not say."""
        try:
            made = datetime.datetime.fromisoformat(self.volatile.created or "")
        except ValueError:
            return None
        return made.astimezone(datetime.UTC) if made.tzinfo else made.replace(tzinfo=datetime.UTC)

    def title(self) -> str:
        """Whose it is, and of what."""
        return (
            f"{self.name} ({self.kind}) · {self.suite.name} {self.suite_id[:8]} · "
            f"{self.suite.dialogues} dialogues · result {self.result_id[:8]}"
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """One row a saved metric, with its 95 % interval clustered by dialogue."""
        return [
            {"metric": name, "value": saved.value}
            | ends(saved.ci)
            | {"n": saved.n, "coverage": saved.coverage}
            for name, saved in self.metrics.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """As the file holds it."""
        return self.to_json()

    def metric(self, name: str) -> SavedMetric:
        """A saved metric; one without a value where the result lacks it."""
        return self.metrics.get(name, UNDEFINED)

    def at(self, path: Path) -> Result:
        """The same result, lying there."""
        found = self.model_copy()
        found._path = path
        return found


def result_id(data: dict[str, Any]) -> str:
    """Hash of a result without ``volatile`` and ``result_id``."""
    return digest({key: value for key, value in data.items() if key not in _NOT_HASHED})


def seal(data: dict[str, Any]) -> Result:
    """Add the version, the status and the hash to a result's content, and check it."""
    data = data | {"schema_version": SCHEMA_VERSION, "status": "complete"}
    data["result_id"] = result_id(data)
    try:
        return Result.model_validate(data)
    except ValidationError as error:
        problem = breaches(error, data)[0]
        raise ValueError(f"a result against its own schema: {problem}") from None


def path_of(result: Result, folder: str | Path) -> Path:
    """Where a result belongs below a results folder."""
    return (
        Path(folder)
        / "v1"
        / slug(result.suite.name)
        / (_base_folder(result.arm.base.name) if result.arm.base else "reference")
        / f"{slug(result.name)}@{result.result_id[:8]}.json"
    )


def _base_folder(name: str) -> str:
    """A base's folder; that of studies of ratings is not for a base of the same name."""
    folder = slug(name)
    return f"{folder}-" if folder == "human" else folder


def save(result: Result, folder: str | Path) -> tuple[Result, bool]:
    """Write a result unless an identical one is there.

    Returns:
        The result with its path, and whether the file is new.

    Raises:
        BadInput: The folder cannot be written to, or the file there is not this result.
        Incomplete: The disk is full.
    """
    path = path_of(result, folder)
    if path.exists():
        there = load(path)
        if there.result_id != result.result_id:
            raise BadInput(
                f"{path}: holds another result than its name says", remedy="Move it away."
            )
        return there, False
    write_atomically(path, to_json(result.to_json()))
    return result.at(path), True


def load(path: str | Path) -> Result:
    """Read and check one result file.

    Raises:
        BadInput: No such file, not JSON, against the schema, edited by hand, of a newer version.
        Incomplete: It says of itself that it is not complete.
    """
    path = Path(path)
    data = read_json(
        path,
        remedy="Restore the file from git.",
        unreadable="Name a result file.",
        what="a result",
    )
    return checked(data, path)


def checked(data: Any, path: Path) -> Result:
    """The result that a file's parsed content is.

    Raises:
        BadInput: Against the schema, edited by hand, of a newer version, or with figures that do not
            follow from its columns.
        Incomplete: It says of itself that it is not complete.
    """
    version = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(version, str) and _newer(version):
        raise BadInput(
            f"{path}: schema version {version}, this program reads {SCHEMA_VERSION}",
            remedy="Update rapport-bench.",
        )
    status = data.get("status") if isinstance(data, dict) else None
    if isinstance(status, str) and status != "complete":
        raise Incomplete(
            f"{path}: not a result: its status is not complete", remedy="Run the arm again."
        )
    try:
        result = Result.model_validate(data).at(path)
    except ValidationError as error:
        problem = breaches(error, data)[0]
        remedy = "Restore the file from git."
        raise BadInput(f"{path}: not a result: {problem}", remedy=remedy) from None
    if result_id(data) != result.result_id:
        raise BadInput(
            f"{path}: its content does not match its result_id {result.result_id[:8]}: edited",
            remedy="Restore the file from git, or run the arm again.",
        )
    wrong = figures_problem(result)
    if wrong:
        remedy = "Restore the file from git, or run the arm again."
        raise BadInput(f"{path}: {wrong}", remedy=remedy)
    return result


def find(reference: str, folder: str | Path) -> Result:
    """A result by path, by its arm's name, or by the first four or more characters of its id.

    Raises:
        BadInput: None matches, or several do.
    """
    with suppress(OSError):  # a name too long for a file is still a name
        if Path(reference).is_file():
            return load(reference)
    paths = result_files(folder)
    found = _named(reference, files_called(reference, paths))
    if not found and re.fullmatch("[0-9a-f]{4,64}", reference):
        by_id = [p for p in paths if p.stem.rsplit("@", 1)[-1].startswith(reference[:8])]
        found = [result for result in map(load, by_id) if result.result_id.startswith(reference)]
    if len(found) == 1:
        return found[0]
    if found:
        listing = ", ".join(f"{r.result_id[:8]} ({r.suite.name})" for r in found)
        raise BadInput(
            f"{len(found)} results are called {reference!r}: {listing}", remedy="Give an id."
        )
    names = {p.stem.rsplit("@", 1)[0] for p in paths}
    raise BadInput(
        f"no result {reference!r} in {folder}",
        remedy=close_match(reference, names) + "Name a file, an id or an arm.",
    )


def _named(name: str, paths: Sequence[Path]) -> list[Result]:
    """The results of an arm's name; a file that cannot be read may be the one that is meant.

    Raises:
        RapportError: Of the first such file, with what else can be asked for.
    """
    found, broken = [], []
    for path in paths:
        try:
            found.append(load(path))
        except RapportError as error:
            broken.append(error)
    found = [result for result in found if result.name == name]
    if broken and found:
        ids = ", ".join(result.result_id[:8] for result in found)
        remedy = f"{broken[0].remedy} Or ask for {ids}, which is called so too."
        raise type(broken[0])(broken[0].message, remedy=remedy)
    if broken:
        raise broken[0]
    return found


def load_all(folder: str | Path) -> Iterator[Result]:
    """Every result below a folder, in path order."""
    for path in result_files(folder):
        yield load(path)


def result_files(folder: str | Path) -> list[Path]:
    """The files of a folder of results, in path order."""
    return sorted(Path(folder).glob("v1/*/*/*@*.json"))


def files_called(name: str, files: Sequence[Path]) -> list[Path]:
    """Those that are named after an arm of this name."""
    return [path for path in files if path.stem.rsplit("@", 1)[0] == slug(name)]


def require_comparable(one: Result, other: Result) -> None:
    """Refuse to set results of different suites against each other.

    Raises:
        NotComparable: With the list of what differs.
    """
    if one.suite_id == other.suite_id:
        if one.dialogue_ids != other.dialogue_ids:
            raise NotComparable(
                f"{one.name} and {other.name}: one suite, but other dialogue ids",
                remedy="Run both arms again.",
            )
        return
    differing = "; ".join(_differences(one.suite.to_json(), other.suite.to_json(), ""))
    raise NotComparable(
        f"{one.name} and {other.name} were scored on different suites: {differing}",
        remedy="Score both with the same data, protocol and version of rapport-bench.",
    )


def _differences(one: Any, other: Any, where: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            if key != "suite_id":
                yield from _differences(one.get(key), other.get(key), f"{where}.{key}".lstrip("."))
    elif one != other:
        short = [str(v)[:12] if where.endswith("sha256") else str(v) for v in (one, other)]
        yield f"{where} {short[0]} / {short[1]}"


def slug(name: str) -> str:
    """A name as a safe file name: letters and digits of any script, ``-``, ``_`` and ``.``."""
    kept = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFKC", name)).strip("-._")
    # File names are limited in bytes, and cutting bytes may cut a character.
    kept = kept[:80].encode()[:160].decode(errors="ignore")
    return kept.rstrip("-._") or "unnamed"


def _newer(version: str) -> bool:
    try:
        given = tuple(int(part) for part in version.split("."))
    except ValueError:
        return False
    return given > tuple(int(part) for part in SCHEMA_VERSION.split("."))
