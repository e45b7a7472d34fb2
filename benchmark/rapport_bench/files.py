"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import errno
import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from rapport_tasks.errors import BadInput, Incomplete

_UNFINISHED = re.compile(r"\..{1,60}\.[a-z0-9_]{8}", re.DOTALL)


def is_unfinished(name: str) -> bool:
    """Whether a file's name is that of `write_atomically` before the rename; a killed run leaves such."""
    return _UNFINISHED.fullmatch(name) is not None


def write_atomically(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write text as UTF-8, or bytes: temporary file, fsync, rename.

    Args:
        path: The file; missing folders are made.
        content: What it holds from now on.
        private: Whether it is for its owner alone (mode 0600).

    Raises:
        BadInput: The folder cannot be written to.
        Incomplete: The disk is full; nothing was left behind.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not private:
            umask = os.umask(0)
            os.umask(umask)
            Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Incomplete(
                f"{path}: the disk is full; nothing was written",
                remedy="Free disk space and run the same command again: responses are kept.",
            ) from None
        raise BadInput(
            f"{path}: {error.strerror}", remedy="Choose a folder that you can write to."
        ) from None


def to_json(value: Any) -> str:
    """Sorted, readable JSON that refuses NaN and infinities."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
