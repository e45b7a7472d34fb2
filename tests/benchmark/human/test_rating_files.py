"""Files of ratings that are damaged, of another format, or not ratings at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from made_study import SCALES, Made, made_study
from rapport_bench.human.ratings.files import listed, read_ratings
from rapport_bench.human.sheets.table import FIXED
from rapport_tasks.common.errors import BadInput


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Made:
    return made_study(tmp_path_factory.mktemp("study"), raters=2, items=6, repeats=1, attention=1)


def test_files_that_programs_leave_beside_ratings_are_passed_over(tmp_path) -> None:
    for name in ("r01.csv", "~$r01.csv", "._r01.csv", ".~lock.r01.csv#", "notes.txt"):
        (tmp_path / name).touch()
    assert listed([tmp_path]) == [tmp_path / "r01.csv"]


@pytest.mark.parametrize("name", ["r01.xlsx", "r01.XLS", "r01.ods"])
def test_a_workbook_in_a_folder_is_refused_and_not_passed_over(study, tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b"PK\3\4")
    (path,) = listed([tmp_path])
    with pytest.raises(BadInput, match="not a file of ratings") as caught:
        read_ratings(path, study.study)
    assert "save a workbook as CSV" in caught.value.remedy


def test_wide_and_empty_rows_change_nothing(study, tmp_path) -> None:
    items = study.study.assignments["r01"]
    rows = [
        ["pilot", "r01", item, letter, "", "", "3", "3", "3"] for item in items for letter in "AB"
    ]
    rows = [[*FIXED, *SCALES], *rows]

    def read(more: str, path: Path) -> object:
        path.write_text("\n".join(",".join(row) + more for row in rows), encoding="utf-8")
        return read_ratings(path, study.study)

    expected = read("", tmp_path / "a.csv")
    assert len(expected.entries) == 3 * (len(rows) - 1)
    assert read("," * 500 + "\n" + "," * 9, tmp_path / "a.csv").studies == {"pilot"}
    assert len(read("," * 500 + "\n" + "," * 9, tmp_path / "a.csv").entries) == 3 * (len(rows) - 1)
