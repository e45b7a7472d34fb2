"""The CSV sheet: blinded rows in the order shown, no formula whatever the text; and the notice beside it."""

from __future__ import annotations

import csv
import io

import pytest

from rapport_bench.human.sheets.scales import NAMES, SCALES
from rapport_bench.human.sheets.sheet import Line, Reply, Sheet, SheetItem
from rapport_bench.human.sheets.table import FIXED, notice_lines, to_csv

HOSTILE = [
    '=HYPERLINK("http://x.example","点我")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "\x00\x08坏\x1b[31m字符",
    'a,b"c"\n=1+1\n第二行',
    "_x0041_ 不是 A",
    "\u202eesrever\u202c",
    "🙂" * 20_000,
    "长" * 40_000,
    "{=1}",
]


def sheet(*texts: str, crisis: bool = False) -> Sheet:
    items = tuple(
        SheetItem(
            id=f"i{n:03d}",
            context=(Line(role="user", content=text),),
            replies=(Reply(letter="B", content=text), Reply(letter="A", content="嗯。")),
        )
        for n, text in enumerate(texts, start=1)
    )
    return Sheet(study="=pilot", rater="r01", scales=SCALES, items=items, crisis=crisis)


def test_rows_are_in_the_order_shown_with_a_column_a_scale() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(sheet("一", "二")).lstrip("\ufeff"))))
    assert rows[0] == [*FIXED, *NAMES]
    assert [(row[2], row[3], row[5]) for row in rows[1:]] == [
        ("i001", "B", "一"),
        ("i001", "A", "嗯。"),
        ("i002", "B", "二"),
        ("i002", "A", "嗯。"),
    ]
    assert rows[1][4] == "[对方 / Person] 一"
    assert rows[1][6:] == ["", "", ""]
    assert {row[0] for row in rows[1:]} == {"'=pilot"}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_becomes_a_formula(text) -> None:
    made = sheet(text)
    rows = list(csv.reader(io.StringIO(to_csv(made).lstrip("\ufeff"))))
    assert len(rows) == 3
    for row in rows[1:]:
        assert not [cell for cell in row if cell.lstrip()[:1] in ("=", "+", "-", "@")]
        assert not [c for cell in row for c in cell if c < " " and c != "\n"]


def test_text_stays_what_it_was() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(sheet("一\r\n=二")).lstrip("\ufeff"))))
    assert rows[1][5] == "一\n=二"  # within a field a line is no cell


def test_the_notice_explains_every_scale_in_both_languages() -> None:
    text = "\n".join(notice_lines(sheet("一")))
    for scale in SCALES:
        for language in ("zh", "en"):
            assert scale.definition[language] in text
            assert all(words[language] in text for words in scale.anchors.values())
    assert "Content notice" in text
    assert "self-harm" not in text
    assert "self-harm" in "\n".join(notice_lines(sheet("一", crisis=True)))
