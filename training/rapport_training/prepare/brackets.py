"""Values of a JSON text cut out by counting brackets outside strings, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from rapport_tasks.common.errors import BadInput
from rapport_training.prepare import records
from rapport_training.prepare.records import BOM, Raw

_OPEN, _CLOSE = 1, 2
_BRACKETS = np.zeros(256, np.uint8)
_BRACKETS[list(b"[{")] = _OPEN
_BRACKETS[list(b"]}")] = _CLOSE
_BETWEEN = b"[], \t\r\n" + BOM


def split_values(
    chunks: Iterable[bytes], name: str, *, base: int, keyed: bool = False
) -> Iterator[Raw]:
    """Cut out the objects and arrays of a given depth.

    Args:
        chunks: The text.
        name: What errors call it.
        base: How many brackets stand around each.
        keyed: Whether an object stands around them, so that keys and other values lie between.

    Raises:
        BadInput: A bracket is not closed within `MAX_RECORD` bytes.
    """
    scanner = _Brackets()
    number = size = begun = passed = 0
    held: list[bytes] = []
    for chunk in chunks:
        starts, ends = scanner.scan(chunk, base)
        if held:
            starts.insert(0, 0)
        before = 0
        for start, end in zip(starts, ends, strict=False):
            if not keyed and chunk[before:start].strip(_BETWEEN):
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
            if size > records.MAX_RECORD:
                raise BadInput(
                    f"{name}: what begins at byte {begun} does not end within "
                    f"{records.MAX_RECORD >> 20} MB",
                    remedy="A quote or bracket is missing there; mend the file, or give JSONL.",
                )
        elif not keyed and chunk[before:].strip(_BETWEEN):
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
