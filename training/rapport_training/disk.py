"""Writing folders so that a reader never sees half of one, and saying so when the disk refuses."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

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

    One process at a time works in it. If anything fails on the way, nothing is left of it; what a
    killed process left there is cleared by the next one.

    Raises:
        BadInput: The place cannot be written to, is taken meanwhile, or another process writes there.
        Incomplete: The disk is full.
    """
    # Named before it is made, so that a signal at any moment finds it.
    part, lock = (final.parent / f".{final.name}.{end}" for end in ("unfinished", "lock"))
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, timeout=0):
            shutil.rmtree(part, ignore_errors=True)
            try:
                part.mkdir(mode=0o700)
                yield part
                sync(part)
                refuse_taken(final)
                part.replace(final)
            finally:
                shutil.rmtree(part, ignore_errors=True)
                lock.unlink(missing_ok=True)
    except Timeout:
        raise BadInput(
            f"{final}: another process is writing it", remedy="Wait for it, or name another folder."
        ) from None
    except Exception as error:
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
