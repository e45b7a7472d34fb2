"""Values of a JSON text cut out by counting brackets outside strings, a chunk at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rapport_tasks.common.errors import BadInput
from rapport_training.prepare import records
from rapport_training.prepare.records import BOM, Raw

_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([\[\]{}])', re.DOTALL)
"""All that stands before a bracket, strings as wholes, and the bracket."""

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
    text = b""  # from the beginning of a value, or from the end of the last one
    number = depth = at = passed = 0
    begin: int | None = None
    for chunk in chunks:
        text += chunk
        kept = 0
        while found := _BRACKET.match(text, at):
            at = found.end()
            if found[1] in b"[{":
                depth += 1
                if depth == base + 1:
                    begin = at - 1
                    if not keyed and text[kept:begin].strip(_BETWEEN):
                        number += 1
                        yield Raw(number, b"", "stray_value")
            else:
                depth -= 1
                if depth == base and begin is not None:
                    number += 1
                    yield Raw(number, text[begin:at])
                    begin, kept = None, at
        if begin is not None:
            kept, begin = begin, 0
        elif keyed:
            kept = at
        text, passed, at = text[kept:], passed + kept, at - kept
        if len(text) > records.MAX_RECORD:
            raise BadInput(
                f"{name}: what begins at byte {passed} does not end within "
                f"{records.MAX_RECORD >> 20} MB",
                remedy="A quote or bracket is missing there; mend the file, or give JSONL.",
            )
    if begin is None and not keyed and text.strip(_BETWEEN):
        number += 1
        yield Raw(number, b"", "stray_value")
    if begin is not None or depth != 0:
        yield Raw(number + 1, b"", "truncated")
