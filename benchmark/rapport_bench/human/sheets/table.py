"""A sheet as CSV, for raters who cannot use the page: a row a reply, a column a scale, in the order shown.

Text of others never becomes a formula: it gets an apostrophe before ``= + - @``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from rapport_bench.common.escape import csv_text, one_line
from rapport_bench.human.sheets.sheet import Sheet, SheetItem
from rapport_bench.human.sheets.wording import NOTICE, ROLES, TABLE_HELP

FIXED = ("study", "rater", "item", "letter", "conversation", "text")
"""Columns before the scales."""
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
