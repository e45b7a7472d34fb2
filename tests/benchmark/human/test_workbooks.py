"""Workbooks that are damaged, hostile or only clumsy: read within limits, or refused."""

from __future__ import annotations

import io
import random
import re
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pytest

from made_study import SCALES, Made, made_study
from rapport_bench.cli.main import _run
from rapport_bench.human.ratings.files import RatingFile, listed, read_ratings
from rapport_bench.human.ratings.workbooks import read_workbook
from rapport_bench.human.sheets.workbook import FIXED
from rapport_tasks.common.errors import BadInput

SHEET = "xl/worksheets/sheet1.xml"
STYLES = "xl/styles.xml"
NAME = "ratings-pilot-r01.xlsx"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Made:
    return made_study(tmp_path_factory.mktemp("study"), raters=2, items=6, repeats=1, attention=1)


@pytest.fixture(scope="module")
def rows(study) -> list[list[object]]:
    items = study.study.assignments["r01"]
    found = [["pilot", "r01", item, letter, "", "", 3, 3, 3] for item in items for letter in "AB"]
    return [[*FIXED, *SCALES], *found]


def saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.fixture
def book(rows) -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    return made


def rewritten(data: bytes, changes: dict[str, bytes | None]) -> bytes:
    """The archive with some parts replaced, added, or left out."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in dict.fromkeys([*old.namelist(), *changes]):
            content = changes.get(name, b"") if name in changes else old.read(name)
            if content is not None:
                new.writestr(name, content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def part(data: bytes, name: str = SHEET) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def read(study: Made, data: bytes, folder: Path) -> RatingFile:
    path = folder / NAME
    path.write_bytes(data)
    return read_ratings(path, study.study)


# --- clumsy ------------------------------------------------------------------------------------


def test_a_cell_far_outside_costs_nothing_and_changes_nothing(study, rows, book, tmp_path) -> None:
    expected = read(study, saved(book), tmp_path)
    assert len(expected.table.entries) == 3 * (len(rows) - 1)
    book.active.cell(1_048_576, 16_384, "x")
    tracemalloc.start()
    found = read(study, saved(book), tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == expected
    assert peak < 30e6


@pytest.mark.parametrize("declared", ["A1:XFD1048576", "A1", "A1:A2", "XFD1:A1"])
def test_what_a_sheet_declares_of_its_size_is_not_believed(study, book, declared, tmp_path) -> None:
    data = saved(book)
    sheet = re.sub(rb'<dimension ref="[^"]*"', f'<dimension ref="{declared}"'.encode(), part(data))
    assert declared.encode() in sheet
    expected = read(study, data, tmp_path)
    assert read(study, rewritten(data, {SHEET: sheet}), tmp_path) == expected


def test_merged_cells_are_refused(study, book, tmp_path) -> None:
    """Which of its replies a merged value is for, and what lies hidden under it, nobody can tell."""
    book.active.merge_cells("G2:G3")
    with pytest.raises(BadInput, match="merged cells") as caught:
        read(study, saved(book), tmp_path)
    assert "Unmerge" in caught.value.remedy


def test_wide_empty_rows_cost_nothing(study, rows, book, tmp_path) -> None:
    found = read(study, rewritten(saved(book), {SHEET: widened(part(saved(book)))}), tmp_path)
    assert found == read(study, saved(book), tmp_path)


def widened(sheet: bytes) -> bytes:
    """Every row ends with an empty cell in the last column that there can be."""
    counted = iter(range(1, 10_000))
    return re.sub(rb"</row>", lambda _: b'<c r="XFD%d"/></row>' % next(counted), sheet)


def test_files_that_programs_leave_beside_ratings_are_passed_over(tmp_path) -> None:
    for name in ("r01.xlsx", "~$r01.xlsx", "._r01.xlsx", ".~lock.r01.xlsx#"):
        (tmp_path / name).touch()
    assert listed([tmp_path]) == [tmp_path / "r01.xlsx"]


# --- hostile -----------------------------------------------------------------------------------


def grid(cell: bytes, rows: int) -> bytes:
    """A sheet of a hundred columns that holds a cell everywhere."""
    head = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    row = b"<row>" + cell * 100 + b"</row>"
    return head + row * rows + b"</sheetData></worksheet>"


HOSTILE = {
    "unpacks to much more": lambda data: rewritten(data, {"xl/media/a.bin": bytes(65 * 2**20)}),
    "many tags": lambda data: rewritten(data, {SHEET: grid(b"<c/>", 21_000)}),
    "many fonts": lambda data: rewritten(
        data, {STYLES: part(data, STYLES).replace(b"</fonts>", b"<font/>" * 110_000 + b"</fonts>")}
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_would_unfold_into_gigabytes_is_refused(study, book, kind, tmp_path) -> None:
    with pytest.raises(BadInput, match=f"{NAME}: .*: no file of ratings") as caught:
        read(study, HOSTILE[kind](saved(book)), tmp_path)
    assert "new workbook" in caught.value.remedy


def entities(data: bytes) -> bytes:
    """Ten entities, each ten times the one before."""
    lines = [b'<!ENTITY e0 "' + b"x" * 100 + b'">']
    lines += [b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10)]
    return b"<!DOCTYPE worksheet [" + b"".join(lines) + b"]>" + data.replace(b">3<", b">&e9;<", 1)


RELATIONS = "xl/_rels/workbook.xml.rels"
DAMAGED = {
    "no archive": lambda data: b"item,letter,scale,value\n",
    "half": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "empty archive": lambda data: b"PK\5\6" + bytes(18),
    "another archive": lambda data: rewritten(data, {"[Content_Types].xml": None}),
    "no sheet": lambda data: rewritten(data, {SHEET: None}),
    "empty sheet": lambda data: rewritten(data, {SHEET: b""}),
    "half a sheet": lambda data: rewritten(data, {SHEET: part(data)[:300]}),
    "no XML": lambda data: rewritten(data, {SHEET: b"\0\xff" * 50}),
    "entities": lambda data: rewritten(data, {SHEET: entities(part(data))}),
    "a file of the machine": lambda data: rewritten(
        data, {RELATIONS: part(data, RELATIONS).replace(b"/xl/worksheets/sheet1.xml", b"/etc/passwd")}
    ),
    "another part": lambda data: rewritten(
        data, {RELATIONS: part(data, RELATIONS).replace(b"/xl/worksheets/sheet1.xml", b"/xl/styles.xml")}
    ),
    "no relations": lambda data: rewritten(data, {RELATIONS: None}),
    "a reference beyond": lambda data: rewritten(
        data, {SHEET: part(data).replace(b'r="A1"', b'r="ZZZZZ99999999999"')}
    ),
    "a string beyond": lambda data: rewritten(
        data, {SHEET: part(data).replace(b't="n"', b't="s"').replace(b">3<", b">99999999<")}
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_workbook_is_refused(study, book, kind, tmp_path, capsys) -> None:
    path = tmp_path / NAME
    path.write_bytes(DAMAGED[kind](saved(book)))
    assert _run(["human", "score", str(study.folder), str(path), "--no-save"]) == 2
    error = capsys.readouterr().err
    assert re.match(
        rf"rapport: {re.escape(str(path))}: (not a workbook|no table of ratings)", error
    )
    assert "Traceback" not in error
    assert "passwd" not in error


def test_flipped_bits_end_in_a_table_or_a_refusal(study, book, tmp_path) -> None:
    whole = saved(book)
    stored = rewritten(whole, {})
    chance = random.Random(7)
    refused = 0
    for data in (whole, stored):
        for _ in range(60):
            content = bytearray(data)
            for _ in range(chance.randint(1, 8)):
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            try:
                read(study, bytes(content), tmp_path)
            except BadInput:
                refused += 1
    assert refused > 30


def test_limits_leave_room_for_long_studies(tmp_path) -> None:
    """A thousand items of three replies on ten scales, with contexts of five hundred characters."""
    book = openpyxl.Workbook()
    for number in range(3000):
        book.active.append([f"i{number // 3}", "ABC"[number % 3], "嗯" * 500, *range(10)])
    (sheet,) = read_workbook(tmp_path / "a.xlsx", saved(book)).values()
    assert [len(sheet), len(sheet[-1])] == [3000, 13]
