"""Ratings in the table that was sent to a rater: a row a reply, a column a scale, headings in the first row.

Rows and columns may be in any order and have others beside them; values may be full-width, padded or
"4.0". Tables of another layout are refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapport_bench.common.escape import one_line
from rapport_bench.human.sheets.study import Study

Place = Callable[[int, int], str]
"""Row and column, from zero -> how people call that cell."""
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One rating as it was read, not yet checked against the study.

    Attributes:
        file: Its name.
        where: Row, cell or place in the file.
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
        where: File, and row or cell.
        what: In words, with the value.
        remedy: What to do.
    """

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return one_line(f"{self.where}: {self.what}. {self.remedy}")


@dataclass(frozen=True, slots=True)
class RatingTable:
    """What a table says.

    Attributes:
        entries: Its ratings; blank cells are entries without a value.
        studies: What its column "study" holds.
        problems: What is wrong with it.
    """

    entries: tuple[Entry, ...] = ()
    studies: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


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


def read_table(
    rows: Sequence[Sequence[str]], study: Study, file: str, place: Place
) -> RatingTable | None:
    """Read one table of ratings.

    Args:
        rows: All rows.
        study: Whose scales are looked for.
        file: Its name, for messages.
        place: How its cells are called.

    Returns:
        `None` if the first row holds none of the headings.
    """
    wanted = headings(study)
    head = [plain(text) for text in rows[0]] if rows else []
    if not set(wanted) & set(head):
        return None
    wrong = [name for name in wanted if head.count(name) != 1]
    if wrong:
        counts = ", ".join(f"{head.count(name) or 'no'} column {name!r}" for name in wrong)
        remedy = "Put the headings back as the sheet that was sent has them."
        return RatingTable(problems=(Problem(f"{file}, {place(0, 0)}", counts, remedy),))
    at = {name: head.index(name) for name in wanted}
    entries, problems, studies = [], [], set()
    for number, row in enumerate(rows[1:], start=1):
        cells = {name: plain(row[at[name]]) if at[name] < len(row) else "" for name in wanted}
        values = {scale.name: cells[scale.name] for scale in study.scales}
        if cells["item"]:
            studies.add(cells["study"])
            entries += [
                Entry(
                    file, place(number, at[scale]), cells["rater"], cells["item"], cells["letter"],
                    scale, value,
                )
                for scale, value in values.items()
            ]  # fmt: skip
        elif any(values.values()):  # otherwise blank, or notes below the table
            where = f"{file}, {place(number, at['item'])}"
            problems.append(Problem(where, "ratings without an item", "Fill in the item."))
    return RatingTable(tuple(entries), frozenset(studies), tuple(problems))
