"""Workbook and CSV: the same blinded rows, no formula whatever the text, the same bytes."""

from __future__ import annotations

import csv
import io
import zipfile

import openpyxl
import pytest

from rapport_bench.human.sheets.scales import NAMES, SCALES
from rapport_bench.human.sheets.sheet import Line, Reply, Sheet, SheetItem
from rapport_bench.human.sheets.workbook import FIXED, notice_lines, to_csv, to_xlsx

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


def book(made: Sheet):
    return openpyxl.load_workbook(io.BytesIO(to_xlsx(made)))


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
    page = book(sheet("一", "二"))["ratings"]
    assert [[c.value or "" for c in row] for row in page.iter_rows()][1:] == [
        ["=pilot", *row[1:]] for row in rows[1:]
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_becomes_a_formula(text) -> None:
    made = sheet(text)
    rows = list(csv.reader(io.StringIO(to_csv(made).lstrip("\ufeff"))))
    assert len(rows) == 3
    for row in rows[1:]:
        assert not [cell for cell in row if cell.lstrip()[:1] in ("=", "+", "-", "@")]
        assert not [c for cell in row for c in cell if c < " " and c != "\n"]
    page = book(made)["ratings"]
    cells = [cell for row in page.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(len(cell.value.encode("utf-16-le")) // 2 <= 32_767 for cell in cells)
    with zipfile.ZipFile(io.BytesIO(to_xlsx(made))) as packed:
        assert not [name for name in packed.namelist() if b"<f>" in packed.read(name)]


def test_text_stays_what_it_was() -> None:
    page = book(sheet("_x0041_ 不是 A", "一\n二"))["ratings"]
    # How a workbook writes an underscore that would begin an escape; openpyxl reads it raw.
    assert page["F2"].value == "_x005F_x0041_ 不是 A"
    assert page["F4"].value == "一\n二"
    rows = list(csv.reader(io.StringIO(to_csv(sheet("一\r\n=二")).lstrip("\ufeff"))))
    assert rows[1][5] == "一\n=二"  # within a field a line is no cell


def test_a_text_too_long_for_a_cell_says_so() -> None:
    long = "长" * 40_000
    value = book(sheet(long))["ratings"]["F2"].value
    kept = value.partition("\n… ✂")[0]
    assert long.startswith(kept)
    assert f"{40_000 - len(kept):,} characters are left out" in value
    assert len(kept) > 32_000
    rows = list(csv.reader(io.StringIO(to_csv(sheet(long)).lstrip("\ufeff"))))
    assert rows[1][5] == long


def test_the_workbook_takes_whole_numbers_of_the_scale_alone() -> None:
    page = book(sheet("一", "二"))["ratings"]
    assert page.freeze_panes == "E2"
    rules = {str(rule.sqref): rule for rule in page.data_validations.dataValidation}
    assert set(rules) == {"G2:G5", "H2:H5", "I2:I5"}
    for rule in rules.values():
        assert (rule.type, rule.operator, rule.formula1, rule.formula2) == (
            "whole",
            "between",
            "1",
            "5",
        )
        assert rule.showErrorMessage


def test_the_notice_comes_first_and_explains_every_scale_in_both_languages() -> None:
    made = book(sheet("一"))
    assert made.sheetnames == ["notice", "ratings"]
    assert made.active.title == "notice"
    text = "\n".join(str(row[0].value or "") for row in made["notice"].iter_rows())
    assert text == "\n".join(notice_lines(sheet("一")))
    for scale in SCALES:
        for language in ("zh", "en"):
            assert scale.definition[language] in text
            assert all(words[language] in text for words in scale.anchors.values())
    assert "Content notice" in text
    assert "self-harm" not in text
    assert "self-harm" in "\n".join(notice_lines(sheet("一", crisis=True)))


def test_the_same_sheet_gives_the_same_bytes_at_another_time(monkeypatch) -> None:
    one = to_xlsx(sheet("一"))
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert to_xlsx(sheet("一")) == one
    with zipfile.ZipFile(io.BytesIO(one)) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"202" not in packed.read("docProps/core.xml")
