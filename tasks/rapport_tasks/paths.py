"""Paths as people write them."""

from __future__ import annotations

import os
from pathlib import Path


def local_path(name: str | Path) -> Path:
    """A path with ``~`` and ``~user`` expanded; where nobody has that name, or no home, as it is.

    Example:
        >>> local_path("~nobody-of-that-name/x")
        PosixPath('~nobody-of-that-name/x')
    """
    return Path(os.path.expanduser(name))  # noqa: PTH111 - Path's own raises where there is no home


def encodable(name: str) -> str:
    """A name from a path as text that a file can hold: bytes that are no UTF-8 become ``?``.

    Example:
        >>> encodable(os.fsdecode("咨询-1".encode("gbk")))
        '????-1'
    """
    return name.encode("utf-8", "replace").decode()
