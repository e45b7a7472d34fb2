"""Sheets of a workbook as rows of text, within limits: a few kilobytes of XLSX can unfold into gigabytes.

A workbook is a ZIP archive of XML. Its size and its tags are counted before anything is parsed, its rows are
read one after the other and no further than a sheet of ratings is wide, and what it declares of itself (its
dimensions) is not believed.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

from rapport_tasks.common.errors import BadInput

_MOST_BYTES = 64 * 2**20  # unpacked
_MOST_TAGS = 2_000_000
_COLUMNS = 64
_BLANK_ROWS = 500  # a formatted column reaches down to row 1,048,576


def read_workbook(path: Path, data: bytes) -> dict[str, list[list[str]]]:
    """All sheets of a workbook by title, each row as long as its last cell that holds something.

    Args:
        path: For messages.
        data: What the file holds.

    Raises:
        BadInput: It is damaged, no workbook, far larger than ratings are, or has merged cells.
    """
    try:
        _check(path, data)
        with warnings.catch_warnings():
            # Of parts of a workbook that are not read here.
            warnings.simplefilter("ignore")
            return _sheets(data)
    except BadInput:
        raise
    except Exception as error:  # whatever zipfile, the XML parser or openpyxl trip over
        raise BadInput(
            f"{path}: not a workbook, or a damaged one ({type(error).__name__})",
            remedy="Open it in a spreadsheet program and save it as .xlsx again.",
        ) from None


def _check(path: Path, data: bytes) -> None:
    """Before anything is parsed; of one entry no more is unpacked than the archive says it holds."""
    remedy = "Copy the table of ratings into a new workbook, and save that."
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > _MOST_BYTES:
            what = f"{size:,} bytes when unpacked: no file of ratings"
            raise BadInput(f"{path}: {what}", remedy=remedy)
        tags = 0
        for entry in archive.infolist():
            content = archive.read(entry)
            # A font or a style costs the reader far more than a cell, and there are few of them.
            in_table = re.search("worksheets/|sharedStrings", entry.filename)
            tags += content.count(b"<") * (1 if in_table else 20)
            if re.search(rb"<(\w+:)?mergeCell\b", content):
                raise BadInput(
                    f"{path}: merged cells: which replies a value is for cannot be told",
                    remedy="Unmerge them, fill in what is blank then, and save the workbook.",
                )
        if tags > _MOST_TAGS:
            what = f"more than {_MOST_TAGS:,} tags of XML: no file of ratings"
            raise BadInput(f"{path}: {what}", remedy=remedy)


def _sheets(data: bytes) -> dict[str, list[list[str]]]:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    return {sheet.title: _rows(sheet) for sheet in book.worksheets}


def _rows(sheet: Any) -> list[list[str]]:
    """Rows down to a long blank stretch."""
    sheet.reset_dimensions()
    rows: list[list[str]] = []
    blank = 0
    for row in sheet.iter_rows(max_col=_COLUMNS, values_only=True):
        texts = [as_text(value) for value in row]
        while texts and not texts[-1]:
            texts.pop()
        blank = 0 if texts else blank + 1
        if blank > _BLANK_ROWS:
            break
        rows.append(texts)
    return rows


def as_text(value: Any) -> str:
    """A value of a workbook, or of JSON, as text; whole numbers without a fraction."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
