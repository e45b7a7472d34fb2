"""Paths as people write them."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from rapport_tasks.common.errors import BadInput


def local_path(name: str | Path) -> Path:
    """A path with ``~`` and ``~user`` expanded; where nobody has that name, or no home, as it is.

    Example:
        >>> local_path("~nobody-of-that-name/x")
        PosixPath('~nobody-of-that-name/x')
    """
    return Path(os.path.expanduser(name))  # noqa: PTH111 - Path's own raises where there is no home


def expand_home(word: str) -> str:
    """An argument as a shell would have made it, had its ``~`` not been quoted or behind an ``=``.

    Example:
        >>> expand_home("new=~nobody-of-that-name/a")
        'new=~nobody-of-that-name/a'
    """
    found = re.fullmatch(r"([^/~]*=)?(~.*)", word, re.DOTALL)
    return f"{found[1] or ''}{local_path(found[2])}" if found else word


def require_encodable(path: Path) -> None:
    """Refuse a path that libraries cannot open, before they try.

    Raises:
        BadInput: It holds bytes that are no UTF-8, which safetensors and tokenizers require.
    """
    if encodable(str(path)) != str(path):
        raise BadInput(
            f"{encodable(str(path))}: this path is not UTF-8, which weights and tokenizers need",
            remedy="Rename it, or link to it under another name: ln -s.",
        )


def encodable(name: str) -> str:
    """A name from a path as text that a file can hold: bytes that are no UTF-8 become ``?``.

    Example:
        >>> encodable(os.fsdecode("倾诉-1".encode("gbk")))
        '????-1'
    """
    return name.encode("utf-8", "replace").decode()


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
