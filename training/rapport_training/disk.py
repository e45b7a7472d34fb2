"""Writing folders so that a reader never sees half of one, and saying so when the disk refuses."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rapport_tasks.common.errors import FULL_DISK, BadInput, Incomplete, RapportError

_FULL_TEXTS = ("No space left", "Disk quota exceeded", "File too large", "failed writing file",
               "unexpected pos")  # fmt: skip


def refuse_taken(out: Path) -> None:
    """Make sure that a folder can be written without touching what somebody has there.

    Raises:
        BadInput: It is a file, or a folder that is not empty.
    """
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise BadInput(
            f"{out}: exists already and is never overwritten",
            remedy="Name a new folder, or remove this one.",
        )


@contextmanager
def new_folder(final: Path, *, remedy_if_full: str) -> Iterator[Path]:
    """Yield a folder beside `final` to write into; it becomes `final` in one move at the end.

    If anything fails on the way, nothing is left of it.

    Raises:
        BadInput: The place cannot be written to.
        Incomplete: The disk is full.
    """
    # Named before it is made, so that a signal at any moment finds it.
    name = f".{final.name.lstrip('.')[:40]}.unfinished-{secrets.token_hex(6)}"
    part = final.parent / name
    try:
        part.mkdir(parents=True, mode=0o700)
        yield part
        sync(part)
        part.replace(final)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        refused = disk_problem(error, final, remedy_if_full)
        if refused is not None:
            raise refused from None
        raise


def open_private(path: Path) -> BinaryIO:
    """Begin a file that its owner alone may read, from the first byte on; `sync` opens it to others."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def sync(folder: Path) -> None:
    """Flush every file to disk, with the permissions that new files usually have."""
    umask = os.umask(0)
    os.umask(umask)
    for file in folder.iterdir():
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())
        file.chmod(0o666 & ~umask)
    folder.chmod(0o777 & ~umask)


def is_full(error: BaseException) -> bool:
    """Whether an error says that there is no room left; safetensors and torch hide an `OSError`."""
    if isinstance(error, OSError):
        return error.errno in FULL_DISK
    return isinstance(error, Exception) and any(text in str(error) for text in _FULL_TEXTS)


def disk_full(path: Path, remedy: str) -> Incomplete:
    """The error to show where there is no room for what was to be written."""
    return Incomplete(f"{path}: the disk is full; nothing of it was written", remedy=remedy)


def disk_problem(error: BaseException, path: Path, remedy_if_full: str) -> RapportError | None:
    """The error to show if `error` comes from the disk."""
    if is_full(error):
        return disk_full(path, remedy_if_full)
    if isinstance(error, OSError):
        return BadInput(
            f"{path}: {error.strerror}", remedy="Choose a folder that you can write to."
        )
    return None
