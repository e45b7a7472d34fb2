"""Files of ratings as they come back from raters: JSON of the rating page, CSV, XLSX.

CSV may be UTF-8 with or without mark, UTF-16, or GBK as Excel writes it in China, separated by commas,
semicolons or tabs. A workbook may hold several sheets. A merged cell's value belongs to its top-left cell;
only for columns that say what is rated (item, letter, rater) it counts for all its rows.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapport_bench.human.rating_tables import Cell, Entry, Problem, plain, read_table
from rapport_bench.human.study import Study
from rapport_bench.results import slug
from rapport_tasks.errors import BadInput
from rapport_tasks.parsing import parse_json

SUFFIXES = (".json", ".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
"""Files in a folder that may hold ratings."""

LAYOUTS = (
    "Use the sheet as it was sent, or columns item, letter, scale, value; or item, letter and one "
    "a scale; or item and A:scale, B:scale, ..."
)
_TOO_LARGE = 64 * 2**20
_BLANK_ROWS = 500


@dataclass(frozen=True, slots=True)
class RatingFile:
    """What one file says.

    Attributes:
        name: Without folder.
        entries: Its ratings; blank cells are entries without a value.
        studies: Names of studies it says it belongs to.
        simulated: Whether it says that a program made it.
        sheet_sha256: Of the sheet it was filled in on; `None` if it does not say.
        problems: What is wrong with it.
        notes: What was read in a way its writer may not have meant.
    """

    name: str
    entries: tuple[Entry, ...]
    studies: frozenset[str] = frozenset()
    simulated: bool = False
    sheet_sha256: str | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default=())


def read_ratings(path: str | Path, study: Study) -> RatingFile:
    """Read one file of ratings, by its suffix.

    Raises:
        BadInput: It cannot be read at all; single bad entries are in ``problems``.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}", remedy="Name a file of ratings.") from None
    if len(data) > _TOO_LARGE:
        raise BadInput(f"{path}: {len(data)} bytes", remedy="A file of ratings is far smaller.")
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _from_json(path, data)
    if suffix in (".csv", ".tsv", ".txt"):
        return _from_csv(path, data, study)
    if suffix in (".xlsx", ".xlsm"):
        return _from_xlsx(path, data, study)
    raise BadInput(
        f"{path}: {suffix or 'no suffix'}: not a file of ratings",
        remedy="Give the page's .json, or .csv or .xlsx (save .xls and .ods as .xlsx).",
    )


def _from_json(path: Path, data: bytes) -> RatingFile:
    try:
        content = parse_json(data.decode("utf-8-sig"))
    except ValueError:
        raise BadInput(
            f"{path}: not JSON, or only part of it", remedy="Export the ratings once more."
        ) from None
    rows = content.get("ratings") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise BadInput(
            f"{path}: no list of ratings in it", remedy="Give the file that the page exported."
        )
    rater = content.get("rater")
    entries, problems = [], []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not {"item", "letter", "scale", "value"} <= set(row):
            problems.append(
                Problem(
                    f"{path.name}, rating {number}",
                    "not an item, a letter, a scale and a value",
                    "Export the ratings once more.",
                )
            )
            continue
        words = (_text(row[name]) for name in ("item", "letter", "scale", "value"))
        entries.append(Entry(path.name, f"rating {number}", _text(rater), *map(plain, words)))
    sheet = content.get("sheet_sha256")
    return RatingFile(
        path.name,
        tuple(entries),
        studies=frozenset({_text(content.get("study"))} - {""}),
        simulated=content.get("simulated") is True,
        sheet_sha256=sheet if isinstance(sheet, str) else None,
        problems=tuple(problems),
    )


def _from_csv(path: Path, data: bytes, study: Study) -> RatingFile:
    text = _decoded(path, data)
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t，", key=head.count)
    rows: list[list[Cell]] = []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        for number, row in enumerate(reader, start=1):
            where = f"row {number}"
            rows.append([Cell(value, where) for value in row] or [Cell("", where)])
    except csv.Error as error:
        raise BadInput(
            f"{path}, row {reader.line_num}: {error}", remedy="Save it as CSV again."
        ) from None
    found = read_table(rows, study, path.name, rater=rater_in(path.stem, study))
    if found is None:
        raise BadInput(f"{path}: no row with the headings of ratings", remedy=LAYOUTS)
    entries, problems = found
    return RatingFile(
        path.name, tuple(entries), studies=_studies(rows, study), problems=tuple(problems)
    )


def _from_xlsx(path: Path, data: bytes, study: Study) -> RatingFile:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, TypeError):
        raise BadInput(
            f"{path}: not a workbook, or only part of one", remedy="Save it as .xlsx again."
        ) from None
    entries: list[Entry] = []
    problems: list[Problem] = []
    notes: list[str] = []
    studies: set[str] = set()
    read = 0
    for sheet in book.worksheets:
        several = len(book.worksheets) > 1
        rows = _rows(sheet, f"{sheet.title}!" if several else "")
        notes += _unmerge(rows, sheet, path.name, study)
        rater = rater_in(sheet.title, study) or rater_in(path.stem, study)
        found = read_table(rows, study, path.name, rater=rater)
        if found is None:
            continue
        read += 1
        entries += found[0]
        problems += found[1]
        studies |= _studies(rows, study)
    if not read:
        raise BadInput(f"{path}: no sheet with the headings of ratings", remedy=LAYOUTS)
    return RatingFile(
        path.name,
        tuple(entries),
        studies=frozenset(studies),
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _rows(sheet: Any, prefix: str) -> list[list[Cell]]:
    """The rows down to a long blank stretch: a formatted column reaches down to row 1,048,576."""
    rows: list[list[Cell]] = []
    blank = 0
    for row in sheet.iter_rows():
        rows.append([Cell(_text(cell.value), f"{prefix}{cell.coordinate}") for cell in row])
        blank = 0 if any(cell.text for cell in rows[-1]) else blank + 1
        if blank > _BLANK_ROWS:
            break
    return rows


def _unmerge(rows: list[list[Cell]], sheet: Any, file: str, study: Study) -> list[str]:
    """Repeat merged item, letter and rater cells down their rows; say which values were merged."""
    names = {plain(cell.text).casefold() for row in rows for cell in row}
    if not names:
        return []
    known = {*(i.casefold() for ids in study.assignments.values() for i in ids)}
    known |= {rater.casefold() for rater in study.raters} | {chr(97 + i) for i in range(26)}
    notes = []
    for area in sorted(sheet.merged_cells.ranges, key=lambda a: (a.min_row, a.min_col)):
        if area.min_row > len(rows):
            break
        first = rows[area.min_row - 1][area.min_col - 1]
        text = plain(first.text)
        if not text:
            continue
        if text.casefold() in known:
            for row in rows[area.min_row - 1 : area.max_row]:
                for column in range(area.min_col - 1, area.max_col):
                    row[column] = Cell(first.text, row[column].where)
        elif re.fullmatch(r"\d+(\.0+)?", text):
            notes.append(
                f"{file}, {area.coord}: merged cells; their value {text} counts for "
                f"{first.where.rpartition('!')[2]} alone, the others are missing. "
                "Unmerge them and fill each one in."
            )
    return notes


def _decoded(path: Path, data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: Sequence[str] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput(f"{path}: neither UTF-8 nor GBK", remedy="Save it as CSV in UTF-8.")


def listed(paths: Sequence[str | Path]) -> list[Path]:
    """Files as they are, folders as the files of ratings in them.

    Raises:
        BadInput: A folder without any.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise BadInput(f"{path}: no files of ratings", remedy="Name the files.")
            found += inside
        else:
            found.append(path)
    return found


def rater_in(name: str, study: Study) -> str:
    """The rater code that a file's or sheet's name holds as a word of its own; "" if none or two.

    The study's own name, which may hold such a word too, is taken off the front of an export's.
    """
    for prefix in (study.study, slug(study.study)):
        name = name.removeprefix(f"ratings-{prefix}-")
    words = re.split(r"[^\w]+|_", plain(name))
    found = {rater for rater in study.raters if rater.casefold() in map(str.casefold, words)}
    return found.pop() if len(found) == 1 else ""


def _studies(rows: Sequence[Sequence[Cell]], study: Study) -> frozenset[str]:
    """What a column headed "study" holds."""
    for place, row in enumerate(rows[:20]):
        for column, cell in enumerate(row):
            if plain(cell.text).casefold() in ("study", "研究", "研究名称"):
                below = (r[column].text for r in rows[place + 1 :] if column < len(r))
                return frozenset(plain(text) for text in below if plain(text))
    return frozenset()


def _text(value: Any) -> str:
    """A value of JSON or of a workbook as text; whole numbers without a fraction."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
