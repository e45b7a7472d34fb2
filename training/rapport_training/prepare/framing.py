"""Cutting a byte stream into records: lines, values of one JSON text, or transcripts.

What a file is made of is read off its beginning, not its name. A huge JSON array is never held in
memory: its elements are found by counting brackets outside strings, a chunk at a time. Whether a
record is good JSON, and which format it has, is decided later, record by record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import orjson

from rapport_tasks.errors import BadInput
from rapport_training.prepare.formats import is_message, is_transcript

CHUNK = 1 << 20
MAX_RECORD = 16 << 20
"""Bytes of the longest record that is read; a dialogue has a few thousand."""

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_OPEN, _CLOSE = 1, 2
_BRACKETS = np.zeros(256, np.uint8)
_BRACKETS[list(b"[{")] = _OPEN
_BRACKETS[list(b"]}")] = _CLOSE
_SEPARATOR = re.compile(rb"(?m)^[ \t]*(?:-{3,}|={3,}|\*{3,}|_{3,})[ \t]*\r?$")


class Raw(NamedTuple):
    """One record as it stands in the file.

    Attributes:
        number: Its line, or its place among the values or transcripts; from 1.
        data: Its bytes; empty if `problem` is set.
        problem: Why it cannot be read: ``truncated``, ``record_too_long`` or ``stray_value``.
    """

    number: int
    data: bytes
    problem: str | None = None


class Readable(Protocol):
    """What is needed of a stream."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


def read_records(stream: Readable, name: str) -> Iterator[Raw]:
    """Cut a stream into records.

    Args:
        stream: Decompressed bytes, read once, from the start.
        name: What errors call it.

    Raises:
        BadInput: It is UTF-16, or a bracket is not closed within `MAX_RECORD` bytes.
    """
    head = _read(stream, CHUNK)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput(f"{name}: UTF-16", remedy="Convert the file to UTF-8.")
    rest = _Rest(head.removeprefix(_BOM), stream)
    lead = rest.head.lstrip(_BLANK)
    if not lead:
        return iter(())
    if lead[:1] in b"[{" and not _is_lines(lead):
        return _values(rest, name, array=lead.startswith(b"["))
    if lead[:1] not in b"[{" and is_transcript(lead[:65536].decode("utf-8", "ignore")):
        return _transcripts(rest, name)
    return _lines(rest)


class _Rest:
    """A stream with its first bytes put back."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self.head = head
        self._given = False
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        if self.head:
            yield self.head
        while chunk := self._stream.read(CHUNK):
            yield chunk

    def whole(self, name: str) -> bytes:
        """Everything, which must be one record's worth."""
        parts: list[bytes] = []
        size = 0
        for chunk in self:
            size += len(chunk)
            if size > MAX_RECORD:
                raise BadInput(
                    f"{name}: one dialogue of more than {MAX_RECORD >> 20} MB",
                    remedy="Split the file, or check what it is.",
                )
            parts.append(chunk)
        return b"".join(parts)


def _read(stream: Readable, size: int) -> bytes:
    """Read so many bytes unless the stream ends first (decompressors return less at a time)."""
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _is_lines(lead: bytes) -> bool:
    """Whether each line is a JSON text of its own; broken lines among them do not hide that."""
    lines = [line for line in lead[:-1].split(b"\n", 8)[:8] if line.strip()]
    if len(lines) < 2:
        return False
    return any(line.lstrip(_BLANK)[:1] in b"[{" and _parses(line) for line in lines[:-1])


def _parses(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line.rstrip(b",\r ")), dict | list) and not line.rstrip(
            _BLANK
        ).endswith(b",")
    except orjson.JSONDecodeError:
        return False


def _lines(rest: _Rest) -> Iterator[Raw]:
    number, held, skipping = 0, b"", False
    for chunk in rest:
        parts = (held + chunk).split(b"\n")
        held = parts.pop()
        for line in parts:
            number += 1
            if skipping:
                skipping = False
            elif line.strip():
                yield Raw(number, line)
        if len(held) > MAX_RECORD:
            if not skipping:
                yield Raw(number + 1, b"", "record_too_long")
            held, skipping = b"", True
    if held.strip() and not skipping:
        yield Raw(number + 1, held)


def _transcripts(rest: _Rest, name: str) -> Iterator[Raw]:
    blocks = (block for block in _SEPARATOR.split(rest.whole(name)) if block.strip())
    for number, block in enumerate(blocks, start=1):
        yield Raw(number, block.strip())


def _values(rest: _Rest, name: str, *, array: bool) -> Iterator[Raw]:
    """Elements of one array, or JSON values one after another."""
    if array and rest.head.lstrip(_BLANK)[1:].lstrip(_BLANK)[:1] == b'"':
        yield Raw(1, rest.whole(name))  # "speaker: text" strings: the file is one dialogue
        return
    records = _split_values(rest, name, base=1 if array else 0)
    first = next(records, None)
    if first is None:
        return
    if array and first.problem is None and _is_one_message(first.data):
        yield _joined(first, records, name)
        return
    yield first
    yield from records


def _is_one_message(data: bytes) -> bool:
    try:
        return is_message(orjson.loads(data))
    except orjson.JSONDecodeError:
        return False


def _joined(first: Raw, others: Iterator[Raw], name: str) -> Raw:
    """An array of messages is one dialogue."""
    parts, size = [first.data], 0
    for record in others:
        if record.problem is not None:
            return Raw(1, b"", record.problem)
        size += len(record.data)
        if size > MAX_RECORD:
            raise BadInput(
                f"{name}: an array of messages of more than {MAX_RECORD >> 20} MB",
                remedy="An array of messages is one dialogue; put one array on each line.",
            )
        parts.append(record.data)
    return Raw(1, b"[" + b",".join(parts) + b"]")


def _split_values(rest: _Rest, name: str, *, base: int) -> Iterator[Raw]:
    scanner = _Brackets()
    number = size = begun = passed = 0
    held: list[bytes] = []
    for chunk in rest:
        starts, ends = scanner.scan(chunk, base)
        if held:
            starts.insert(0, 0)
        before = 0
        for start, end in zip(starts, ends, strict=False):
            if chunk[before:start].strip(b"[], \t\r\n"):
                number += 1
                yield Raw(number, b"", "stray_value")
            number += 1
            yield Raw(number, b"".join([*held, chunk[start:end]]) if held else chunk[start:end])
            held, size, before = [], 0, end
        if len(starts) > len(ends):
            if not held:
                begun = passed + starts[-1]
            held.append(chunk[starts[-1] :])
            size += len(held[-1])
            if size > MAX_RECORD:
                raise BadInput(
                    f"{name}: what begins at byte {begun} does not end within "
                    f"{MAX_RECORD >> 20} MB",
                    remedy="A quote or bracket is missing there; mend the file, or give JSONL.",
                )
        elif chunk[before:].strip(b"[], \t\r\n"):
            number += 1
            yield Raw(number, b"", "stray_value")
        passed += len(chunk)
    if held or scanner.depth != 0:
        yield Raw(number + 1, b"", "truncated")


class _Brackets:
    """Where values of a given depth begin and end, chunk after chunk."""

    def __init__(self) -> None:
        self.depth = 0
        self._in_string = False
        self._escaped = False

    def scan(self, chunk: bytes, base: int) -> tuple[list[int], list[int]]:
        """Offsets of opening brackets that leave depth `base`, and just after those that return."""
        codes = np.frombuffer(chunk, np.uint8)
        quotes = codes == ord('"')
        self._drop_escaped(codes, quotes)
        inside = np.cumsum(quotes, dtype=np.uint8)
        inside += self._in_string
        inside &= 1
        self._in_string = bool(inside[-1])
        kinds = _BRACKETS[codes]
        places = np.flatnonzero(kinds)
        places = places[inside[places] == 0]
        opening = kinds[places] == _OPEN
        depths = self.depth + np.cumsum(np.where(opening, 1, -1))
        if len(depths):
            self.depth = int(depths[-1])
        starts = places[opening & (depths == base + 1)]
        ends = places[~opening & (depths == base)] + 1
        return starts.tolist(), ends.tolist()

    def _drop_escaped(self, codes: np.ndarray, quotes: np.ndarray) -> None:
        """A quote after an odd run of backslashes does not end a string."""
        slashes = np.flatnonzero(codes == ord("\\"))
        carried = self._escaped
        self._escaped = False
        if carried and not (len(slashes) and slashes[0] == 0):
            quotes[0] = False
        if not len(slashes):
            return
        breaks = np.flatnonzero(np.diff(slashes) != 1)
        first = slashes[np.concatenate(([0], breaks + 1))]
        after = slashes[np.concatenate((breaks, [len(slashes) - 1]))] + 1
        lengths = after - first
        if carried and first[0] == 0:
            lengths[0] -= 1  # the first of them is itself escaped
        escaped = after[lengths % 2 == 1]
        if len(escaped) and escaped[-1] == len(codes):
            self._escaped = True
            escaped = escaped[:-1]
        quotes[escaped] = False
