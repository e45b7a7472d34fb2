"""A sheet as a workbook and as CSV: one row a reply, one column a scale, in the order shown.

Text of others never becomes a formula: in a workbook it is stored as text, in CSV it gets an apostrophe
before ``= + - @``. The same sheet gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rapport_bench.common.escape import csv_text, one_line, xml_text
from rapport_bench.human.sheets.sheet import Sheet, SheetItem
from rapport_bench.human.sheets.wording import NOTICE, ROLES, TABLE_HELP

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

FIXED = ("study", "rater", "item", "letter", "conversation", "text")
"""Columns before the scales."""
_CELL = 32_767  # characters that a cell of a workbook can hold
_CUT = "\n… ✂ {cut} characters are left out; the rating page shows all."
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ENCODED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_LANGUAGES = ("zh", "en")


def notice_lines(sheet: Sheet) -> list[str]:
    """The notice and the scales, in both languages, for raters who do not use the page."""
    lines = []
    for language in _LANGUAGES:
        names = [name for name in NOTICE if name not in ("title", "crisis")]
        lines.append(NOTICE["title"][language])
        for name in names:
            more = NOTICE["crisis"][language] if name == "content" and sheet.crisis else ""
            lines.append(" ".join(filter(None, (NOTICE[name][language], more))))
        lines.append(TABLE_HELP[language])
        for scale in sheet.scales:
            lines += ["", f"{scale.name}: {scale.label[language]}", scale.definition[language]]
            lines += [
                f"{value} = {text[language]}" for value, text in sorted(scale.anchors.items())
            ]
        lines.append("")
    return lines[:-1]


def to_csv(sheet: Sheet) -> str:
    """The sheet as CSV, with a mark that tells Excel that it is UTF-8."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([*FIXED, *(scale.name for scale in sheet.scales)])
    for row in _rows(sheet):
        writer.writerow([*map(_csv_lines, row), *("" for _ in sheet.scales)])
    return "\ufeff" + file.getvalue()


def to_xlsx(sheet: Sheet) -> bytes:
    """The sheet as a workbook: the notice first, then the ratings."""
    from openpyxl import Workbook

    book = Workbook()
    notice = book.worksheets[0]
    notice.title = "notice"
    _fill_notice(notice, sheet)
    _fill_ratings(book.create_sheet("ratings"), sheet)
    return _without_times(book)


def _rows(sheet: Sheet) -> Iterator[tuple[str, ...]]:
    for item in sheet.items:
        for reply in item.replies:
            context = _context(item)
            yield (sheet.study, sheet.rater, item.id, reply.letter, context, reply.content)


def _context(item: SheetItem) -> str:
    lines = []
    for line in item.context:
        who = " / ".join(ROLES[line.role][language] for language in _LANGUAGES)
        lines.append(f"[{who}] {line.content}")
    return "\n".join(lines)


def _csv_lines(text: str) -> str:
    """`csv_text` that keeps line breaks, which a quoted field may hold."""
    first, *others = re.split("\r\n|[\r\n]", text)
    kept = "\n".join(map(one_line, [first, *others]))
    return f"'{kept}" if csv_text(kept.lstrip()[:1]).startswith("'") else kept


def _fill_notice(page: Worksheet, sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Font

    titles = {NOTICE["title"][language] for language in _LANGUAGES}
    page.column_dimensions["A"].width = 100
    for row, line in enumerate(notice_lines(sheet), start=1):
        _put(page, row, 1, line)
        page.cell(row, 1).alignment = Alignment(wrap_text=True, vertical="top")
        if line in titles or re.match(r"\w+: ", line):
            page.cell(row, 1).font = Font(bold=True)


def _fill_ratings(page: Worksheet, sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    headings = [*FIXED, *(scale.name for scale in sheet.scales)]
    for column, heading in enumerate(headings, start=1):
        _put(page, 1, column, heading)
        page.cell(1, column).font = Font(bold=True)
        page.cell(1, column).alignment = Alignment(wrap_text=True, vertical="top")
    wrapped = Alignment(wrap_text=True, vertical="top")
    open_fill = PatternFill("solid", fgColor="FFF7E6")
    last = 1
    for last, row in enumerate(_rows(sheet), start=2):
        for column, text in enumerate(row, start=1):
            _put(page, last, column, text)
            page.cell(last, column).alignment = wrapped
        for column in range(len(FIXED) + 1, len(headings) + 1):
            page.cell(last, column).fill = open_fill
            page.cell(last, column).protection = Protection(locked=False)
    for place, scale in enumerate(sheet.scales, start=len(FIXED) + 1):
        whole = DataValidation(
            type="whole", operator="between", formula1="1", formula2=str(scale.points)
        )
        whole.showErrorMessage = True
        whole.errorTitle = "1–" + str(scale.points)
        whole.error = f"1, 2, … {scale.points}"
        letter = get_column_letter(place)
        whole.add(f"{letter}2:{letter}{last}")
        page.add_data_validation(whole)
        page.column_dimensions[letter].width = 16
    for letter, width in zip("ABCDEF", (12, 7, 8, 7, 70, 60), strict=True):
        page.column_dimensions[letter].width = width
    page.freeze_panes = "E2"


def _put(page: Worksheet, row: int, column: int, text: str) -> None:
    """Store text as text, whatever it looks like, within what a cell can hold."""
    plain = xml_text(text.replace("\r\n", "\n").replace("\r", "\n"))
    # Workbooks read _x0041_ as an escaped character; the underscore itself must be escaped then.
    plain = _ENCODED.sub("_x005F_", plain)
    if len(plain.encode("utf-16-le")) // 2 > _CELL:
        note = _CUT.format(cut=f"{len(plain):,}")
        # In the worst case every character takes two units.
        kept = plain.encode("utf-16-le")[: 2 * (_CELL - len(note) - 20)].decode(
            "utf-16-le", errors="ignore"
        )
        plain = kept + _CUT.format(cut=f"{len(plain) - len(kept):,}")
    cell = page.cell(row, column)
    cell.value = plain
    cell.data_type = "s"
    cell.quotePrefix = True


def _without_times(book: Workbook) -> bytes:
    """The saved workbook without the time of saving, which is in its properties and in every entry."""
    saved, fixed = io.BytesIO(), io.BytesIO()
    book.properties.creator = "rapport-bench"
    book.save(saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(fixed, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "docProps/core.xml":
                content = re.sub(rb"<dcterms:(created|modified).*?</dcterms:\1>", b"", content)
            info = zipfile.ZipInfo(entry.filename, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, content)
    return fixed.getvalue()
