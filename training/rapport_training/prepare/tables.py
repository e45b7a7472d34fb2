"""Tables of dialogues: CSV and its kin, and Parquet; each row becomes a JSON object."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rapport_tasks.common.errors import BadInput
from rapport_training.prepare import records
from rapport_training.prepare.formats import tells_a_format
from rapport_training.prepare.records import Raw

_NAMED = (".csv", ".tsv")
_ROWS = 64


def delimiter_of(lead: bytes, name: str) -> str | None:
    """The delimiter of a table whose first line names its columns, or `None` if it is none."""
    line = re.split(rb"[\r\n]", lead, maxsplit=1)[0].decode("utf-8", "ignore")
    found = {delimiter: _cells(line, delimiter) for delimiter in ",\t;|"}
    named = any(
        name.lower().removesuffix(packed).endswith(_NAMED) for packed in ("", ".gz", ".zst")
    )
    for delimiter, cells in found.items():
        if (len(cells) > 1 or named) and tells_a_format(cells):
            return delimiter
    return max(found, key=lambda delimiter: len(found[delimiter])) if named else None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def read_rows(chunks: Iterable[bytes], name: str, delimiter: str) -> Iterator[Raw]:
    """Rows of a table with a line of column names, as JSON objects.

    Raises:
        BadInput: A quote is not closed, or the like.
    """
    csv.field_size_limit(records.MAX_RECORD)
    reader = csv.reader(_text_lines(chunks), delimiter=delimiter)
    number = 0
    try:
        head = [column.strip() for column in next(reader)]
        for number, row in enumerate(reader, start=1):
            if not any(map(str.strip, row)) or row == head:
                continue
            if len(row) < len(head) or any(map(str.strip, row[len(head) :])):
                yield Raw(number, b"", "wrong_number_of_columns")
                continue
            cells = {key: value for key, value in zip(head, row, strict=False) if key}
            text = json.dumps(cells, ensure_ascii=False)
            yield Raw(number, text.encode("utf-8", "surrogateescape"))
    except csv.Error as error:
        raise BadInput(
            f"{name}: row {number + 1}: {error}",
            remedy="Close the quotes, or double those within a cell; or give JSONL.",
        ) from None


def _text_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    held = ""
    # Bytes that are no UTF-8 come out again as they are: they make one row unreadable.
    for text in codecs.iterdecode(chunks, "utf-8", "surrogateescape"):
        *lines, held = (held + newlines.decode(text)).split("\n")
        yield from (f"{line}\n" for line in lines)
    yield held + newlines.decode("", final=True)


def read_parquet(path: Path | None, name: str) -> Iterator[Raw]:
    """Rows of a Parquet file, some at a time.

    Raises:
        BadInput: It is damaged, or compressed as a whole.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        # Otherwise a row group, which may be the whole file, is held in memory.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16) as file:
            for batch in file.iter_batches(batch_size=_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield Raw(number, json.dumps(row, default=_nothing).encode())
    except (pa.ArrowException, OSError) as error:
        raise BadInput(
            f"{name}: no readable Parquet file ({type(error).__name__})",
            remedy="Unpack it if it is compressed as a whole, or fetch it again.",
        ) from None


def _nothing(value: Any) -> None:
    """Dates, bytes and the like hold no message."""
