"""What raters were shown, read back from a study's rating pages.

The pages hold exactly the words that were judged, and ``study.json`` holds their hashes: no response store
is needed, and text that was changed afterwards is recognised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rapport_bench.common.identity import digest
from rapport_bench.human.sheets.sheet import Line, Reply, SheetItem
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
        if set(study.assignments[rater]) <= found.keys():
            continue
        path = Path(folder) / SHEETS / f"{rater}.html"
        for item in _items(path, study.sheets[rater]):
            found[item.id] = item
    return found


def _items(path: Path, sha256: str) -> list[SheetItem]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            f"{path}: cannot be read; it holds the words that were rated",
            remedy="Put the study's sheets back as they were written.",
        ) from None
    content = _CONTENT.search(text)
    try:
        sheet = parse_json(content.group(1)) if content else None
    except ValueError:
        sheet = None
    if not isinstance(sheet, Mapping) or digest(sheet) != sha256:
        raise BadInput(
            f"{path}: not the page that was written for this study",
            remedy="Put the study's sheets back as they were written.",
        )
    return [
        SheetItem(
            item["id"],
            tuple(Line(**line) for line in item["context"]),
            tuple(sorted((Reply(**r) for r in item["replies"]), key=lambda r: r.letter)),
        )
        for item in sheet["items"]
    ]
