"""Ratings in a table that a person kept: which column is what, and what each cell says.

Three layouts are read, columns and rows in any order: *long* (``item, letter, scale, value``), *wide by
reply* (``item, letter`` and a column a scale) and *wide by item* (``item`` and columns like
``A:empathic_resonance``), each with ``rater`` and ``study`` beside it if wanted. Headings may be Chinese,
values full-width, padded or "4.0", and a title may stand above the headings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from rapport_bench.common.escape import one_line
from rapport_bench.human.sheets.study import Study

HEADER_ROWS = 20
"""Headings are looked for in this many rows from the top."""

_ALIASES = {
    "item": ("item", "item id", "id", "条目", "条目编号", "题号", "编号", "项目", "序号", "对话", "对话编号"),
    "letter": ("letter", "reply", "response", "字母", "回复", "回答", "回应", "选项"),
    "scale": ("scale", "dimension", "criterion", "量表", "维度", "指标", "评分维度"),
    "value": ("value", "score", "rating", "评分", "分数", "得分", "打分", "分值", "值"),
    "rater": ("rater", "rater id", "annotator", "评分者", "评分员", "评分人", "评委", "评估者", "标注者"),
    "study": ("study", "研究", "研究名称"),
}  # fmt: skip
_SCALES = {
    "empathic_resonance": ("empathy", "empathic", "共情", "共情共鸣", "共鸣", "同理心"),
    "conversational_coherence": ("coherence", "连贯", "连贯性", "对话连贯性", "会话连贯性"),
    "advice_appropriateness": ("advice", "建议适当性", "建议恰当性", "建议适宜性"),
}
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell of a table holds, and where it is (``row 3`` or ``Sheet1!C3``)."""

    text: str
    where: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One rating as it was read, not yet checked against the study.

    Attributes:
        file: Its name.
        where: Row, cell or place in the file.
        rater: As the file says; "" if it does not.
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


def _key(text: str) -> str:
    return re.sub(r"[\s_\-]+", " ", plain(text).casefold()).strip()


def scale_names(study: Study) -> dict[str, str]:
    """Every spelling of a scale -> its name."""
    found: dict[str, str] = {}
    for scale in study.scales:
        for spelling in (scale.name, *scale.label.values(), *_SCALES.get(scale.name, ())):
            found.setdefault(_key(spelling), scale.name)
    return found


def as_scale(text: str, study: Study) -> str | None:
    """The scale that a text names, or `None`."""
    return scale_names(study).get(_key(text))


@dataclass(frozen=True, slots=True)
class _Header:
    """Columns by role; scale columns by (letter or None, scale)."""

    row: int
    roles: Mapping[str, int]
    scales: Mapping[tuple[str | None, str], int]

    @property
    def long(self) -> bool:
        return "scale" in self.roles and "value" in self.roles


def read_table(
    rows: Sequence[Sequence[Cell]], study: Study, file: str, *, rater: str = ""
) -> tuple[list[Entry], list[Problem]] | None:
    """Read one table of ratings.

    Args:
        rows: All rows, blank ones too.
        study: Whose scales and letters are looked for.
        file: Its name, for messages.
        rater: Of rows that do not say.

    Returns:
        What it says, and what is wrong with it; `None` if no row holds the headings of a layout.
    """
    problems: list[Problem] = []
    header = _find_header(rows, study, file, problems)
    if header is None:
        return None
    entries: list[Entry] = []
    for row in rows[header.row + 1 :]:
        if not any(plain(cell.text) for cell in row):
            continue
        entries += _entries(row, header, file, rater, problems)
    return entries, problems


def _entries(
    row: Sequence[Cell], header: _Header, file: str, rater: str, problems: list[Problem]
) -> list[Entry]:
    def cell(column: int | None) -> Cell:
        return row[column] if column is not None and column < len(row) else Cell("", row[0].where)

    def text(role: str) -> str:
        return plain(cell(header.roles.get(role)).text)

    who, item, letter = text("rater") or rater, text("item"), text("letter")
    if header.long:
        value = cell(header.roles["value"])
        found = [Entry(file, value.where, who, item, letter, text("scale"), plain(value.text))]
    else:
        found = [
            Entry(file, there.where, who, item, of or letter, scale, plain(there.text))
            for (of, scale), column in header.scales.items()
            for there in [cell(column)]
        ]
    # A row of notes below the table, or lines drawn for raters who never came: no rating in it.
    if not item and any(entry.value for entry in found):
        where = cell(header.roles["item"]).where
        problems.append(Problem(f"{file}, {where}", "ratings without an item", "Fill in the item."))
    return found if item else []


def _find_header(
    rows: Sequence[Sequence[Cell]], study: Study, file: str, problems: list[Problem]
) -> _Header | None:
    for place, row in enumerate(rows[:HEADER_ROWS]):
        roles: dict[str, int] = {}
        scales: dict[tuple[str | None, str], int] = {}
        doubled: list[Cell] = []
        unread: list[Cell] = []
        for column, cell in enumerate(row):
            role, scale = _role(cell.text, study)
            if role:
                doubled += [cell] if role in roles else []
                roles[role] = column
            elif scale:
                doubled += [cell] if scale in scales else []
                scales[scale] = column
            elif plain(cell.text):
                unread.append(cell)
        paired = any(letter for letter, _ in scales)
        by_reply = "letter" in roles and any(letter is None for letter, _ in scales)
        long = {"letter", "scale", "value"} <= set(roles)
        if "item" not in roles or not (long or by_reply or paired):
            continue
        for cell in doubled:
            problems.append(
                Problem(
                    f"{file}, {cell.where}",
                    f"two columns are headed {quoted(plain(cell.text))}",
                    "Delete or rename one.",
                )
            )
        if not long:
            problems += _mistyped(unread, study, file)
            scales = {key: at for key, at in scales.items() if bool(key[0]) == (not by_reply)}
        return _Header(place, roles, scales)
    return None


def _role(text: str, study: Study) -> tuple[str | None, tuple[str | None, str] | None]:
    """The role of a heading, or the (letter, scale) whose values stand below it."""
    heading = _key(text)
    letter, colon, rest = heading.partition(":")
    if colon and re.fullmatch("[a-z]", letter.strip()):
        scale = as_scale(rest, study)
        return None, (letter.strip().upper(), scale) if scale else None
    scale = as_scale(text, study)
    if scale:
        return None, (None, scale)
    for role, aliases in _ALIASES.items():
        if heading in aliases:
            return role, None
    return None, None


def _mistyped(unread: Sequence[Cell], study: Study, file: str) -> list[Problem]:
    """Headings that nearly name a scale: their column must not be passed over in silence."""
    # Two characters are like too many other words.
    known = {text: name for text, name in scale_names(study).items() if len(text) > 3}
    found = []
    for cell in unread:
        near = get_close_matches(_key(cell.text).rpartition(":")[2].strip(), known, 1, 0.8)
        if near:
            found.append(
                Problem(
                    f"{file}, {cell.where}",
                    f"no scale is called {quoted(plain(cell.text))}",
                    f"Did you mean {known[near[0]]!r}?",
                )
            )
    return found
