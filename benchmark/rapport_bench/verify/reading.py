"""Reading a file that anyone may have written: nothing is followed, no huge file is read whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import Malformed, parse_json

Seen = dict[tuple[str, str], tuple[str, Path]]
"""What the checks of other files of a folder left: (what, key) -> (value, path)."""

Said = tuple[str, str]
"""(message, remedy)"""

_BOM = b"\xef\xbb\xbf"
FROM_GIT = "Restore the file from git."


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a results folder.

    Attributes:
        path: As it was found.
        place: Below the results folder.
        root: The results folder.
        text: Its content.
        limit: Bytes that a file may have.
        seen: Shared by the files of one folder.
    """

    path: Path
    place: PurePosixPath
    root: Path
    text: str
    limit: int
    seen: Seen


def misplaced(found: Found, where: Path) -> Iterator[Said]:
    """Whether a file lies elsewhere than its content says."""
    belongs = where.relative_to(found.root).as_posix()
    if belongs != str(found.place):
        yield f"belongs at {belongs}", "Move it there: a result's place follows from it."


def read_text(path: Path, *, limit: int) -> str:
    """A regular file's UTF-8 text.

    Args:
        path: No link is followed.
        limit: Bytes; a larger file is not read.

    Raises:
        BadInput: A link or device, too large, unreadable, not UTF-8, or with a byte order mark.
    """
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise BadInput("a symbolic link", remedy="Put the file itself there.")
        if not stat.S_ISREG(status.st_mode):
            raise BadInput("not a regular file", remedy="Move it out of the results folder.")
        # Between the two looks a file may become a link, or grow.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, "rb") as file:
            data = file.read(limit + 1) if status.st_size <= limit else b""
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", remedy="Make it readable.") from None
    size = max(len(data), status.st_size)
    if size > limit:
        raise BadInput(
            f"{size / 1e6:.1f} MB, the limit is {limit / 1e6:g} MB",
            remedy="Score fewer dialogues, or raise --max-mb for everyone.",
        )
    if data.startswith(_BOM):
        raise BadInput("begins with a byte order mark", remedy=FROM_GIT)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput("not UTF-8", remedy=FROM_GIT) from None


def strict_json(text: str) -> Any:
    """The value of a file's text.

    Raises:
        BadInput: As `rapport_tasks.common.parsing` says.
    """
    try:
        return parse_json(text)
    except Malformed as error:
        raise BadInput(str(error), remedy=FROM_GIT) from None
