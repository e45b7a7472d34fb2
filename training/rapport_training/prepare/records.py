"""What is cut out of a file: a record as bytes, and the chunks of bytes that it is cut from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rapport_tasks.common.errors import BadInput

CHUNK = 1 << 20
MAX_RECORD = 16 << 20
"""Bytes of the longest record that is read; a dialogue has a few thousand."""

BLANK = b" \t\r\n"
BOM = b"\xef\xbb\xbf"
PARQUET = b"PAR1"
"""How a Parquet file begins."""


class Raw(NamedTuple):
    """One record as it stands in the file.

    Attributes:
        number: Its line, or its place among the values, rows or transcripts; from 1.
        data: Its bytes; empty if `problem` is set.
        problem: Why it cannot be read: ``truncated``, ``record_too_long``, ``stray_value`` or
            ``wrong_number_of_columns``.
    """

    number: int
    data: bytes
    problem: str | None = None


def whole(chunks: Iterable[bytes], name: str, what: str, remedy: str) -> bytes:
    """Everything, which must be one record's worth.

    Raises:
        BadInput: It is more, and `what` says what that is.
    """
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > MAX_RECORD:
            raise BadInput(f"{name}: {what} of more than {MAX_RECORD >> 20} MB", remedy=remedy)
    return bytes(data)
