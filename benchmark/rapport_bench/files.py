"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from rapport_tasks.errors import BadInput, Incomplete


def write_atomically(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write bytes, or text as UTF-8: temporary file, fsync, rename.

    Args:
        path: Its folder is made if it is missing.
        content: All of it.
        private: For the owner's eyes alone (mode 0600), whatever the umask says.

    Raises:
        BadInput: The folder cannot be written to.
        Incomplete: The disk is full; nothing was left behind.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o600 if private else 0o666 & ~umask)
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
