"""What is cut out of a file: a record as bytes, and the stream that it is cut from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

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


class Readable(Protocol):
    """What is needed of a stream."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


class Rest:
    """A stream with its first bytes put back."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self.head = head
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        if self.head:
            yield self.head
        while chunk := self._stream.read(CHUNK):
            yield chunk

    def whole(self, name: str, what: str, remedy: str) -> bytes:
        """Everything, which must be one record's worth.

        Raises:
            BadInput: It is more, and `what` says what that is.
        """
        parts: list[bytes] = []
        size = 0
        for chunk in self:
            size += len(chunk)
            if size > MAX_RECORD:
                raise BadInput(f"{name}: {what} of more than {MAX_RECORD >> 20} MB", remedy=remedy)
            parts.append(chunk)
        return b"".join(parts)


def read_fully(stream: Readable, size: int) -> bytes:
    """Read so many bytes unless the stream ends first (decompressors return less at a time)."""
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
