"""Files of ratings as they come back from raters: JSON of the rating page, CSV, XLSX.

CSV may be UTF-8 with or without mark, UTF-16, or GBK as Excel writes it in China, separated by commas,
semicolons or tabs. A workbook may hold several sheets. A merged cell's value belongs to its top-left cell;
only for columns that say what is rated (item, letter, rater) it counts for all its rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rapport_bench.human.ratings.tables import Cell, Entry, Problem, plain, read_table
from rapport_bench.human.ratings.workbooks import Sheet, as_text, read_workbook
from rapport_bench.human.sheets.study import Study
from rapport_bench.results.result import slug
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import parse_json

SUFFIXES = (".json", ".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
"""Files in a folder that may hold ratings."""

LAYOUTS = (
    "Use the sheet as it was sent, or columns item, letter, scale, value; or item, letter and one "
    "a scale; or item and A:scale, B:scale, ..."
)
_TOO_LARGE = 64 * 2**20


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
        words = (as_text(row[name]) for name in ("item", "letter", "scale", "value"))
        entries.append(Entry(path.name, f"rating {number}", as_text(rater), *map(plain, words)))
    sheet = content.get("sheet_sha256")
    return RatingFile(
        path.name,
        tuple(entries),
        studies=frozenset({as_text(content.get("study"))} - {""}),
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
    entries: list[Entry] = []
    problems: list[Problem] = []
    notes: list[str] = []
    studies: set[str] = set()
    read = 0
    for sheet in read_workbook(path, data):
        notes += _unmerge(sheet, path.name, study)
        rater = rater_in(sheet.title, study) or rater_in(path.stem, study)
        found = read_table(sheet.rows, study, path.name, rater=rater)
        if found is None:
            continue
        read += 1
        entries += found[0]
        problems += found[1]
        studies |= _studies(sheet.rows, study)
    if not read:
        raise BadInput(f"{path}: no sheet with the headings of ratings", remedy=LAYOUTS)
    return RatingFile(
        path.name,
        tuple(entries),
        studies=frozenset(studies),
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _unmerge(sheet: Sheet, file: str, study: Study) -> list[str]:
    """Repeat merged item, letter and rater cells down their rows; say which values were merged."""
    known = {*(i.casefold() for ids in study.assignments.values() for i in ids)}
    known |= {rater.casefold() for rater in study.raters} | {chr(97 + i) for i in range(26)}
    notes = []
    for area in sheet.merged:
        rows = sheet.rows[area.top : area.bottom + 1]
        first = rows[0][area.left] if rows and area.left < len(rows[0]) else Cell("", "")
        text = plain(first.text)
        repeated = first.text if text.casefold() in known else ""
        for row in rows:
            blank = Cell("", row[0].where)
            row += [blank] * (area.right + 1 - len(row) if repeated else 0)
            for column in range(area.left, min(area.right + 1, len(row))):
                if row[column] is not first:
                    row[column] = Cell(repeated, row[column].where)
        if not repeated and re.fullmatch(r"\d+(\.0+)?", text):
            notes.append(
                f"{file}, {area.name}: merged cells; their value {text} counts for "
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
            # Beside a file that is open lies one that begins with ~$, and with ._ what macOS adds.
            inside = sorted(
                p
                for p in path.iterdir()
                if p.suffix.lower() in SUFFIXES and not p.name.startswith(("~$", "._"))
            )
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
