"""What raters were shown, read back from a study's rating pages.

The pages hold exactly the words that were judged, and ``study.json`` holds their hashes: no response store
is needed, and text that was changed afterwards is recognised.
"""

from __future__ import annotations

import re
from pathlib import Path

from rapport_bench.common.model import parsed
from rapport_bench.human.sheets.sheet import Sheet, SheetItem
from rapport_bench.human.sheets.study import SHEETS, Study
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import parse_json

_CONTENT = re.compile(r'<script type="application/json" id="sheet">(.*?)</script>', re.DOTALL)


def shown_items(folder: str | Path, study: Study) -> dict[str, SheetItem]:
    """Every item that some rater was shown, by id; replies are sorted by letter.

    Raises:
        BadInput: A page that is needed is missing, or is not the one that was written.
    """
    found: dict[str, SheetItem] = {}
    for rater in study.raters:
        if not set(study.assignments[rater]) <= found.keys():
            sheet = _sheet(Path(folder) / SHEETS / f"{rater}.html", study.sheets[rater])
            found |= {item.id: item.in_order("".join(study.shown_letters)) for item in sheet.items}
    return found


def _sheet(path: Path, sha256: str) -> Sheet:
    remedy = "Put the study's sheets back as they were written."
    try:
        content = _CONTENT.search(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        what = "cannot be read; it holds the words that were rated"
        raise BadInput(f"{path}: {what}", remedy=remedy) from None
    try:
        sheet = parsed(Sheet, parse_json(content.group(1))) if content else None
    except ValueError:  # pydantic's errors are such, too
        sheet = None
    if sheet is None or sheet.sha256 != sha256:
        raise BadInput(f"{path}: not the page that was written for this study", remedy=remedy)
    return sheet
