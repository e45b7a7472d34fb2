"""Ratings in the table that was sent to a rater: a row a reply, a column a scale, headings in the first row.

Rows and columns may be in any order and have others beside them; values may be full-width, padded or
"4.0". Tables of another layout are refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rapport_bench.common.escape import one_line
from rapport_bench.human.sheets.study import Study

_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One rating as it was read, not yet checked against the study.

    Attributes:
        file: Its name.
        where: Row, or place in the file.
        value: As text; "" for a cell left blank.
    """

    file: str
    where: str
    rater: str
    item: str
    letter: str
    scale: str
    value: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a file.

    Attributes:
        where: File, and row.
        what: In words, with the value.
        remedy: What to do.
    """

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return one_line(f"{self.where}: {self.what}. {self.remedy}")


@dataclass(frozen=True, slots=True)
class RatingFile:
    """What one file says.

    Attributes:
        name: Without folder.
        entries: Its ratings; blank cells are entries without a value.
        studies: Of which studies it says that they are.
        problems: What is wrong with it.
        simulated: Whether it says that a program made it.
        sheet_sha256: Of the sheet it was filled in on; `None` if it does not say.
    """

    name: str
    entries: tuple[Entry, ...] = ()
    studies: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    simulated: bool = False
    sheet_sha256: str | None = None


def quoted(text: str) -> str:
    """A cell for an error message: a code or a word as it is, of anything longer only its length.

    A column of remarks taken for codes would otherwise put a rater's words into a log.
    """
    if re.fullmatch(r"[\w.:+-]{0,24}", text) and len(text.encode()) <= 32:
        return repr(text)
    return f"(a text of {len(text)} characters)"


def plain(text: str) -> str:
    """Text as a person means it: half-width, no blanks around it, nothing invisible in it.

    >>> plain(" ５\u200b ")
    '5'
    """
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).split())


def headings(study: Study) -> list[str]:
    """The columns of a sheet that say what is rated by whom, and with which values."""
    return ["study", "rater", "item", "letter", *(scale.name for scale in study.scales)]


def read_table(rows: Sequence[Sequence[str]], study: Study, file: str) -> RatingFile:
    """Read one table of ratings.

    Args:
        rows: All rows.
        study: Whose scales are looked for.
        file: Its name, for messages.
    """
    wanted = headings(study)
    head = [plain(text) for text in rows[0]] if rows else []
    wrong = [name for name in wanted if head.count(name) != 1]
    if wrong:
        counts = ", ".join(f"{head.count(name) or 'no'} column {name!r}" for name in wrong)
        remedy = f"Use the sheet as it was sent, with columns {', '.join(wanted)}."
        return RatingFile(file, problems=(Problem(f"{file}, row 1", counts, remedy),))
    at = {name: head.index(name) for name in wanted}
    entries, problems, studies = [], [], set()
    for number, row in enumerate(rows[1:], start=2):
        cells = {name: plain(row[at[name]]) if at[name] < len(row) else "" for name in wanted}
        values = {scale.name: cells[scale.name] for scale in study.scales}
        where = f"row {number}"
        if cells["item"]:
            studies.add(cells["study"])
            entries += [
                Entry(file, where, cells["rater"], cells["item"], cells["letter"], scale, value)
                for scale, value in values.items()
            ]
        elif any(values.values()):  # otherwise blank, or notes below the table
            what = "ratings without an item"
            problems.append(Problem(f"{file}, {where}", what, "Fill in the item."))
    return RatingFile(file, tuple(entries), frozenset(studies), tuple(problems))
