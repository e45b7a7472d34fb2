"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from rapport_tasks.common.errors import FULL_DISK, BadInput, Incomplete

_UNFINISHED = re.compile(r"\..{1,60}\.([0-9a-f]{12}|[a-z0-9_]{8})", re.DOTALL)


def is_unfinished(name: str) -> bool:
    """Whether a file's name is that of `write_atomically` before the rename; a killed run leaves such."""
    return _UNFINISHED.fullmatch(name) is not None


def write_atomically(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write text as UTF-8, or bytes: temporary file, fsync, rename.

    What came into the text from a path that is no UTF-8 becomes ``?``.

    Args:
        path: The file; missing folders are made.
        content: What it holds from now on.
        private: Whether it is for its owner alone (mode 0600), and a folder made for it, too.

    Raises:
        BadInput: The folder cannot be written to.
        Incomplete: The disk is full; nothing was left behind.
    """
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    # Named before it is made, so that a signal at any moment finds it.
    temporary = path.parent / f".{path.name[:40]}.{secrets.token_hex(6)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not private:
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if not isinstance(error, OSError):
            raise
        if error.errno in FULL_DISK:
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
