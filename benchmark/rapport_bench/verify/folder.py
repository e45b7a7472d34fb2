"""A results folder, file by file: which check a file gets, and what belongs nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rapport_bench.common.escape import one_line
from rapport_bench.common.files import is_unfinished
from rapport_bench.verify.content import (
    check_baselines,
    check_policy,
    check_result,
    check_validity,
)
from rapport_bench.verify.history import changed_since, tracked
from rapport_bench.verify.human import check_study
from rapport_bench.verify.reading import Found, Said, Seen, read_text
from rapport_tasks.common.errors import BadInput, Incomplete, RapportError

Checker = Callable[[Found], Iterable[Said]]
"""Gives (message, remedy) for every problem; a `RapportError` that it raises is one more."""

CHECKERS: tuple[tuple[str, Checker], ...] = (
    ("v1/*/human/*.json", check_study),
    ("v1/*/*/*@????????.json", check_result),
    ("validity/*.json", check_validity),
    ("baselines.toml", check_baselines),
    ("gate.toml", check_policy),
)
"""(place below the results folder, what checks a file there); the first place that matches counts.

To let another kind of file in, add its pair here.
"""

_CHECKED_FOLDERS = ("v1", "validity")
DEFAULT_LIMIT = 5_000_000
"""Bytes. A result of the built-in 208 dialogues has about 200,000."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that must not be merged.

    Attributes:
        file: Its path, made safe to print.
        message: What is wrong.
        remedy: What to do.
        incomplete: Whether the file says of itself that it is not complete.
    """

    file: str
    message: str
    remedy: str
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check found.

    Attributes:
        files: How many were looked at.
        problems: By file.
        unchecked: What lies in a results folder and is not looked at: other files above, and what a
            killed run left before its last rename, unless git has it.
    """

    files: int
    problems: tuple[Problem, ...]
    unchecked: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 without a problem; 4 if all that is wrong is unfinished; otherwise 2."""
        if not self.problems:
            return 0
        return 4 if all(problem.incomplete for problem in self.problems) else 2


def verify(
    paths: Sequence[str | Path],
    *,
    limit: int = DEFAULT_LIMIT,
    base_ref: str | None = None,
    allow_deletions: bool = False,
) -> Verification:
    """Check results folders, or single files of one.

    Args:
        paths: Folders, or files below one.
        limit: Bytes; larger files are refused unread.
        base_ref: A git revision: what is there since must be unchanged.
        allow_deletions: Whether a file of `base_ref` may be gone.

    Raises:
        BadInput: No such path, a folder without results, a revision that git does not know.
    """
    checked: list[Path] = []
    problems: list[Problem] = []
    unchecked: list[str] = []
    seen_below: dict[Path, Seen] = {}
    for path in map(Path, paths):
        if path.is_dir():
            root, files = path, list(_walk(path))
            if not files:
                raise BadInput(
                    f"{path}: no results",
                    remedy="Make some with `rapport run`, or name the folder that holds v1.",
                )
            left = [file for file in files if is_unfinished(file.name) and not tracked(file)]
            files = [file for file in files if file not in left]
            unchecked += _unchecked(path) + [one_line(str(file)) for file in left]
        elif os.path.lexists(path):
            root, files = _root_of(path), [path]
        else:
            raise BadInput(f"{path}: no such file or folder", remedy="Name a results folder.")
        seen = seen_below.setdefault(root, {})
        for file in files:
            problems += _problems(file, root, seen, limit)
        checked += files
    for root in seen_below if base_ref is not None else ():
        for path, what in changed_since(str(base_ref), root, _CHECKED_FOLDERS):
            if what == "edited" or not allow_deletions:
                problems.append(_history_problem(path, what, str(base_ref)))
    return Verification(len(checked), tuple(sorted(problems)), tuple(unchecked))


def _problems(path: Path, root: Path, seen: Seen, limit: int) -> Iterator[Problem]:
    place = PurePosixPath(path.relative_to(root).as_posix())
    try:
        checker = _checker(place)
        text = read_text(path, limit=limit)
        for message, remedy in checker(Found(path, place, root, text, limit, seen)):
            yield _problem(path, message, remedy)
    except RapportError as error:
        message = error.message.removeprefix(f"{path}: ")
        yield _problem(path, message, error.remedy, incomplete=isinstance(error, Incomplete))


def _problem(path: Path, message: str, remedy: str, *, incomplete: bool = False) -> Problem:
    return Problem(one_line(str(path)), one_line(message)[:400], one_line(remedy), incomplete)


def _history_problem(path: Path, what: str, base_ref: str) -> Problem:
    remedies = {
        "edited": "Restore it from git: a new result is a new file.",
        "deleted": "Restore it from git, or allow it with --allow-deletions.",
    }
    return _problem(path, f"{what} since {base_ref}", remedies[what])


def _checker(place: PurePosixPath) -> Checker:
    for pattern, checker in CHECKERS:
        if len(PurePosixPath(pattern).parts) == len(place.parts) and place.match(pattern):
            return checker
    places = ", ".join(pattern for pattern, _ in CHECKERS)
    raise BadInput(
        "a foreign file",
        remedy=f"Move it out of the results; what belongs there lies at {places}.",
    )


def _walk(root: Path) -> Iterator[Path]:
    """Everything to check below a results folder, in path order; no link is followed.

    A folder that is deeper than any file may lie counts as a file.
    """
    deepest = max(len(PurePosixPath(pattern).parts) for pattern, _ in CHECKERS)
    for name in sorted(entry.name for entry in _entries(root)):
        if name in _CHECKED_FOLDERS:
            yield from _below(root / name, deepest - 1)
        elif any(place == name for place, _ in CHECKERS):
            yield root / name


def _below(path: Path, depth: int) -> Iterator[Path]:
    if depth == 0 or path.is_symlink() or not path.is_dir():
        yield path
        return
    for entry in sorted(_entries(path), key=lambda entry: entry.name):
        yield from _below(path / entry.name, depth - 1)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise BadInput(f"{folder}: {error.strerror}", remedy="Make it readable.") from None


def _unchecked(root: Path) -> list[str]:
    known = {*_CHECKED_FOLDERS, "README.md", *(place for place, _ in CHECKERS)}
    names = sorted(entry.name for entry in _entries(root))
    return [one_line(str(root / name)) for name in names if name not in known]


def _root_of(path: Path) -> Path:
    """The results folder that a file belongs to, by where it lies."""
    parents = path.parents
    for pattern, _ in CHECKERS:
        first, *below = PurePosixPath(pattern).parts
        if not below and path.name == first:
            return parents[0]
        if below and len(parents) > len(below) and parents[len(below) - 1].name == first:
            return parents[len(below)]
    for parent in parents:  # a foreign file, to be refused as such
        if parent.name in _CHECKED_FOLDERS:
            return parent.parent
    raise BadInput(
        f"{path}: in no results folder",
        remedy="Name files like results/v1/<suite>/<base>/<arm>@<id>.json, or a results folder.",
    )
