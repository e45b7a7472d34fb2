"""Files of ratings as they come back from raters: JSON of the rating page, or CSV.

CSV may be UTF-8 with or without mark, UTF-16, or GBK as Excel writes it in China, separated by commas,
semicolons or tabs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from pydantic import ConfigDict, ValidationError

from rapport_bench.common import model
from rapport_bench.human.ratings.tables import Entry, RatingFile, plain, read_table
from rapport_bench.human.sheets.study import Study
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import parse_json

SUFFIXES = (".json", ".csv")
_ALIKE = (*SUFFIXES, ".xlsx", ".xls", ".ods")
"""What may come back: a table in another format is refused, not passed over."""
_TOO_LARGE = 64 * 2**20


class Given(model.FileModel):
    """One rating as the page exports it."""

    model_config = ConfigDict(extra="ignore")

    item: str
    letter: str
    scale: str
    value: int | float | str | bool | None


class Export(model.FileModel):
    """What the rating page exports."""

    model_config = ConfigDict(extra="ignore")

    study: str
    rater: str
    sheet_sha256: str
    """Of the sheet it was filled in on."""
    ratings: tuple[Given, ...]
    simulated: bool = False
    """Whether a program made the ratings."""


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
    if suffix not in SUFFIXES:
        raise BadInput(
            f"{path}: {suffix or 'no suffix'}: not a file of ratings",
            remedy="Give the page's .json, or .csv (save a workbook as CSV).",
        )
    return _from_csv(path, data, study)


def _from_json(path: Path, data: bytes) -> RatingFile:
    remedy = "Give the file that the page exported, or export it once more."
    try:
        content = parse_json(data.decode("utf-8-sig"))
    except ValueError:
        raise BadInput(f"{path}: not JSON, or only part of it", remedy=remedy) from None
    try:
        export = model.parsed(Export, content)
    except ValidationError as error:
        said = model.breaches(error, content)[0]
        raise BadInput(f"{path}: not what the page exports: {said}", remedy=remedy) from None
    entries = tuple(
        Entry(
            path.name,
            f"rating {number}",
            export.rater,
            *(plain(_as_text(value)) for value in (row.item, row.letter, row.scale, row.value)),
        )
        for number, row in enumerate(export.ratings, start=1)
    )
    studies = frozenset({export.study})
    return RatingFile(path.name, entries, studies, (), export.simulated, export.sheet_sha256)


def _as_text(value: float | str | bool | None) -> str:
    """A value of JSON as text; whole numbers without a fraction."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _from_csv(path: Path, data: bytes, study: Study) -> RatingFile:
    text = _decoded(path, data)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise BadInput(
            f"{path}, row {reader.line_num}: {error}", remedy="Save it as CSV again."
        ) from None
    return read_table(rows, study, path.name)


def _decoded(path: Path, data: bytes) -> str:
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
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
        inside = [path]
        if path.is_dir():
            inside = [file for file in sorted(path.iterdir()) if _may_hold_ratings(file.name)]
        if not inside:
            raise BadInput(f"{path}: no files of ratings", remedy="Name the files.")
        found += inside
    return found


def _may_hold_ratings(name: str) -> bool:
    # Beside a file that is open lies one that begins with ~$, and with ._ what macOS adds.
    return name.lower().endswith(_ALIKE) and not name.startswith(("~$", "._"))
