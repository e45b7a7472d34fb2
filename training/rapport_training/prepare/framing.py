"""Cutting a text into records: lines, values of one JSON text, rows, or transcripts.

What a file is made of is read off its beginning; its name only says that an unknown table is one. A
huge JSON array is never held in memory (`rapport_training.prepare.brackets`). Whether a record is
good JSON, and which format it has, is decided later, record by record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from rapport_training.prepare import records
from rapport_training.prepare.brackets import split_values
from rapport_training.prepare.grouping import whole_dialogues
from rapport_training.prepare.layout import layout_of, rows_of
from rapport_training.prepare.records import BLANK, BOM, Raw, whole
from rapport_training.prepare.tables import delimiter_of, read_parquet, read_rows
from rapport_training.prepare.transcripts import is_transcript
from rapport_training.prepare.values import load, quietly

_SEPARATOR = re.compile(rb"(?m)^[ \t]*(?:-{3,}|={3,}|\*{3,}|_{3,})[ \t]*\r?$")
_SPLIT = "Split the file, or check what it is."


def read_records(chunks: Iterator[bytes], name: str, path: Path | None = None) -> Iterator[Raw]:
    """Cut a text into records.

    Args:
        chunks: UTF-8 without a mark.
        name: What errors call it.
        path: Where it lies uncompressed; a Parquet file is read there.

    Raises:
        BadInput: A bracket is not closed within `records.MAX_RECORD` bytes, or a table is damaged.
    """
    head = next(chunks, b"")
    if head.startswith(records.PARQUET):
        return whole_dialogues(read_parquet(path, name), name)
    rest = chain([head], chunks)
    lead = head.lstrip(BLANK)
    if not lead:
        return iter(())
    if lead[:1] in b"[{" and not _is_lines(lead):
        return _array(rest, lead, name) if lead.startswith(b"[") else _object(rest, lead, name)
    if lead[:1] not in b"[{":
        delimiter = delimiter_of(lead, name)
        if delimiter is not None:
            return whole_dialogues(read_rows(rest, name, delimiter), name)
        if lead[:1] != b'"' and is_transcript(lead[:65536].decode("utf-8", "ignore")):
            return _transcripts(rest, name)
    return whole_dialogues(_lines(rest), name)


def _is_lines(lead: bytes) -> bool:
    """Whether each line is a JSON text of its own; broken lines among them do not hide that."""
    lines = [line for line in lead[:-1].split(b"\n", 8)[:8] if line.strip()]
    if len(lines) < 2:
        return False
    parsed = [_parses(line) for line in lines[:-1]]
    return parsed[0] or 2 * sum(parsed) >= len(parsed)


def _parses(line: bytes) -> bool:
    complete = line.lstrip(BLANK)[:1] in b"[{" and not line.rstrip(BLANK).endswith(b",")
    return complete and isinstance(quietly(load, line), dict | list)


def _lines(rest: Iterable[bytes]) -> Iterator[Raw]:
    number, held, skipping = 0, b"", False
    for chunk in rest:
        parts = (held + chunk).split(b"\n")
        held = parts.pop()
        for line in parts:
            number += 1
            if skipping:
                skipping = False
            elif line.strip():
                yield Raw(number, line.removeprefix(BOM))
        if len(held) > records.MAX_RECORD:
            if not skipping:
                yield Raw(number + 1, b"", "record_too_long")
            held, skipping = b"", True
    if held.strip() and not skipping:
        yield Raw(number + 1, held.removeprefix(BOM))


def _transcripts(rest: Iterable[bytes], name: str) -> Iterator[Raw]:
    text = whole(rest, name, "one dialogue", _SPLIT)
    blocks = (block for block in _SEPARATOR.split(text) if block.strip())
    for number, block in enumerate(blocks, start=1):
        yield Raw(number, block.strip())


def _array(rest: Iterable[bytes], lead: bytes, name: str) -> Iterator[Raw]:
    if lead[1:].lstrip(BLANK)[:1] == b'"':
        # "speaker: text" strings: the file is one dialogue
        return iter([Raw(1, whole(rest, name, "one dialogue", _SPLIT))])
    return whole_dialogues(split_values(rest, name, base=1), name)


def _object(rest: Iterable[bytes], lead: bytes, name: str) -> Iterator[Raw]:
    layout = layout_of(lead.decode("utf-8", "ignore"))
    if layout == "columns":
        remedy = "Write one record a line (pandas: orient='records', lines=True)."
        text = whole(rest, name, "a table in columns", remedy)
        table = quietly(load, text)
        if table is None:
            return split_values([text], name, base=0)
        rows = (json.dumps(row).encode() for row in rows_of(table))
        return whole_dialogues((Raw(n, row) for n, row in enumerate(rows, start=1)), name)
    if layout == "records":
        return whole_dialogues(split_values(rest, name, base=0), name)
    base = 1 if layout == "by key" else 2
    return split_values(rest, name, base=base, keyed=True)
