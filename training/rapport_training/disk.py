"""Writing folders so that a reader never sees half of one, and saying so when the disk refuses."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rapport_tasks.errors import BadInput

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_TEXTS = ("No space left", "Disk quota exceeded", "File too large", "failed writing file",
               "unexpected pos")  # fmt: skip


@contextmanager
def new_folder(final: Path, *, remedy_if_full: str) -> Iterator[Path]:
    """Yield a folder beside `final` to write into; it becomes `final` in one move at the end.

    If anything fails on the way, nothing is left of it.

    Raises:
        BadInput: The disk is full, or the place cannot be written to.
    """
    part: Path | None = None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{final.name.lstrip('.')[:40]}.unfinished-"
        part = Path(tempfile.mkdtemp(dir=final.parent, prefix=prefix))
        yield part
        sync(part)
        part.replace(final)
    except BaseException as error:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
        refused = disk_problem(error, final, remedy_if_full)
        if refused is not None:
            raise refused from None
        raise


def sync(folder: Path) -> None:
    """Flush every file to disk, with the permissions that new files usually have."""
    umask = os.umask(0)
    os.umask(umask)
    for file in folder.iterdir():
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())
        file.chmod(0o666 & ~umask)
    folder.chmod(0o777 & ~umask)


def disk_problem(error: BaseException, path: Path, remedy_if_full: str) -> BadInput | None:
    """The error to show if `error` comes from the disk; safetensors and torch hide an `OSError`."""
    code = error.errno if isinstance(error, OSError) else None
    wrapped = not isinstance(error, OSError) and any(text in str(error) for text in _FULL_TEXTS)
    if code in _FULL or wrapped:
        return BadInput(
            f"{path}: the disk is full; nothing of it was written", remedy=remedy_if_full
        )
    if isinstance(error, OSError):
        return BadInput(
            f"{path}: {error.strerror}", remedy="Choose a folder that you can write to."
        )
    return None
