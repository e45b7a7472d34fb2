"""Sheets of a workbook as rows of cells, within limits: a few kilobytes of XLSX can unfold into gigabytes.

A workbook is a ZIP archive of XML. Its size when unpacked is looked at before anything is unpacked, its
rows are read one after the other, and what it declares of itself (its dimensions) is not believed. A cell
far outside the table, as a slip of the hand leaves it, costs nothing.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any
from xml.parsers.expat import ParserCreate

from rapport_bench.human.ratings.tables import Cell
from rapport_tasks.common.errors import BadInput

MOST_CELLS = 100_000
"""Of a workbook, counted up to the last one of each row that holds something; and of merged areas."""

_MOST_EMPTY = 200 * MOST_CELLS  # a format can reach over all 16,384 columns of a row
_MOST_BYTES = 64 * 2**20  # unpacked
_MOST_TAGS = 20 * MOST_CELLS
_MOST_SHEETS = 100
_BLANK_ROWS = 500
_MERGED = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6}):([A-Z]{1,3})([1-9]\d{0,6})")


@dataclass(frozen=True, slots=True)
class Area:
    """Merged cells: rows and columns from zero, the last ones included, and what the sheet calls them."""

    top: int
    left: int
    bottom: int
    right: int
    name: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet.

    Attributes:
        title: Its name.
        rows: Each as long as its last cell that holds something, at least one cell; rows after a long
            blank stretch are left out, since a formatted column reaches down to row 1,048,576.
        merged: In order of their top-left cells, which alone hold a value; no further than the rows.
    """

    title: str
    rows: list[list[Cell]]
    merged: tuple[Area, ...]


def read_workbook(path: Path, data: bytes) -> list[Sheet]:
    """Read all sheets of a workbook.

    Args:
        path: For messages.
        data: What the file holds.

    Raises:
        BadInput: It is damaged, no workbook, or far larger than ratings are.
    """
    try:
        _check_size(path, data)
        with warnings.catch_warnings():
            # Of parts of a workbook that are not read here.
            warnings.simplefilter("ignore")
            return _sheets(path, data)
    except BadInput:
        raise
    except (
        Exception
    ) as error:  # whatever a damaged part makes zipfile, the XML parser or openpyxl trip over
        raise BadInput(
            f"{path}: not a workbook, or a damaged one ({type(error).__name__})",
            remedy="Open it in a spreadsheet program and save it as .xlsx again.",
        ) from None


def _check_size(path: Path, data: bytes) -> None:
    """Before anything is parsed; of one entry no more is unpacked than the archive says it holds."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > _MOST_BYTES:
            raise _too_large(path, f"{size:,} bytes when unpacked")
        tags = 0
        for entry in archive.infolist():
            # A font or a style costs the reader far more than a cell, and there are few of them.
            weight = 1 if re.search("worksheets/|sharedStrings", entry.filename) else 20
            with archive.open(entry) as part:
                while piece := part.read(1 << 20):
                    tags += weight * piece.count(b"<")
        if tags > _MOST_TAGS:
            raise _too_large(path, f"more than {_MOST_TAGS:,} tags of XML")


def _sheets(path: Path, data: bytes) -> list[Sheet]:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    if len(book.worksheets) > _MOST_SHEETS:
        raise _too_large(path, f"{len(book.worksheets):,} sheets")
    found = []
    cells = empty = merged = 0
    several = len(book.worksheets) > 1
    for sheet in book.worksheets:
        rows = []
        for width, row in _rows(sheet, f"{sheet.title}!" if several else ""):
            cells += len(row)
            empty += width - len(row)
            if cells > MOST_CELLS or empty > _MOST_EMPTY:
                raise _too_large(path, f"more than {MOST_CELLS:,} cells")
            rows.append(row)
        areas = []
        widest = max(map(len, rows), default=0)
        for area in sorted(_merged(sheet), key=lambda area: (area.top, area.left)):
            # Only what lies in the table is ever unfolded.
            bottom = min(area.bottom, len(rows) - 1)
            right = min(area.right, widest - 1)
            merged += max(0, bottom - area.top + 1) * max(0, right - area.left + 1)
            if merged > MOST_CELLS:
                raise _too_large(path, f"merged areas over more than {MOST_CELLS:,} cells")
            areas.append(replace(area, bottom=bottom, right=right))
        found.append(Sheet(sheet.title, rows, tuple(areas)))
    return found


def _too_large(path: Path, what: str) -> BadInput:
    return BadInput(
        f"{path}: {what}: no file of ratings",
        remedy="Copy the table of ratings into a new workbook, and save that.",
    )


def _rows(sheet: Any, prefix: str) -> Iterator[tuple[int, list[Cell]]]:
    """Each row with the width that the file gives it, down to a long blank stretch."""
    from openpyxl.utils import get_column_letter

    sheet.reset_dimensions()
    blank = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        width = len(row)
        while width > 1 and row[width - 1] in (None, ""):
            width -= 1
        texts = [as_text(value) for value in row[:width]] or [""]
        blank = 0 if any(texts) else blank + 1
        if blank > _BLANK_ROWS:
            return
        places = (f"{prefix}{get_column_letter(column)}{number}" for column in count(1))
        yield len(row), list(map(Cell, texts, places))


def _merged(sheet: Any) -> list[Area]:
    """Openpyxl does not tell of merged cells when it reads row by row; so its part is read for them."""
    from openpyxl.utils import column_index_from_string

    areas = []

    def begun(name: str, attributes: Mapping[str, str]) -> None:
        found = _MERGED.fullmatch(attributes.get("ref", ""))
        if name.rpartition("}")[2] != "mergeCell" or not found:
            return
        left, right = (column_index_from_string(found[n]) - 1 for n in (1, 3))
        top, bottom = (int(found[n]) - 1 for n in (2, 4))
        if top <= bottom and left <= right:
            areas.append(Area(top, left, bottom, right, found[0]))

    parser = ParserCreate(namespace_separator="}")
    parser.StartElementHandler = begun
    with sheet._get_source() as part:
        parser.ParseFile(part)
    return areas


def as_text(value: Any) -> str:
    """A value of a workbook, or of JSON, as text; whole numbers without a fraction."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
