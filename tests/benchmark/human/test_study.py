"""A study and its key: written, read back, and recognised when they were changed."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from rapport_bench.human.sheets.study import (
    Attention,
    Key,
    KeyArm,
    KeyItem,
    Scale,
    Study,
    read_key,
    read_study,
    write_study,
)
from rapport_tasks.common.errors import BadInput

ONE, TWO = "1" * 64, "2" * 64
KEY = Key(
    study="pilot",
    suite_id="0" * 64,
    arms=(KeyArm("base", "base", ONE, ONE), KeyArm("new", "adapter", TWO, TWO)),
    items={
        "i001": KeyItem("d-1", 3, "家庭", {"A": ONE, "B": TWO}),
        "i002": KeyItem("d-2", 1, None, {"A": TWO, "B": ONE}),
    },
    repeats={"i003": "i001"},
    attention={"i004": Attention("B", "empathic_resonance", 2)},
)
STUDY = Study(
    study="pilot",
    seed=7,
    simulated=False,
    language=("zh", "en"),
    scales=(
        Scale(
            "empathic_resonance",
            5,
            {"en": "empathy"},
            {"en": "what it is"},
            {"1": {"en": "low"}, "5": {"en": "high"}},
        ),
    ),
    raters=("r01", "r02"),
    per_item=2,
    items=("i001", "i002"),
    letters=2,
    assignments={"r01": ("i002", "i001", "i004", "i003"), "r02": ("i001", "i002")},
    orders={"r01": ("AB", "BA", "AB", "BA"), "r02": ("BA", "AB")},
    sheets={"r01": "a" * 64, "r02": "b" * 64},
    key_sha256=KEY.sha256,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_study(tmp_path / "s", STUDY, KEY)
    return tmp_path / "s"


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


def test_both_come_back_as_they_were(folder) -> None:
    assert read_study(folder) == STUDY
    assert read_key(folder) == KEY
    assert read_key(folder, STUDY) == KEY
    assert read_study(folder).scale("empathic_resonance").points == 5


def test_they_are_their_owners_alone_and_the_public_one_names_no_arm(folder) -> None:
    before = os.umask(0)
    try:
        write_study(folder, STUDY, KEY)
    finally:
        os.umask(before)
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}
    public = (folder / "study.json").read_text(encoding="utf-8")
    data = json.loads(public)
    assert "arms" not in data
    assert '"new"' not in public
    assert not [word for word in (ONE, TWO, "d-1", "adapter") if word in public]


def test_an_edited_key_is_recognised(folder) -> None:
    letters = json.loads((folder / "key.json").read_text())["items"]
    letters["i001"]["letters"] = {"A": TWO, "B": ONE}
    edit(folder / "key.json", items=letters)
    with pytest.raises(BadInput, match="edited or exchanged") as caught:
        read_key(folder)
    assert caught.value.exit_code == 2
    assert "key back" in caught.value.remedy


def test_the_key_of_another_study_is_recognised(folder, tmp_path) -> None:
    other = replace(KEY, study="other")
    write_study(tmp_path / "o", replace(STUDY, study="other", key_sha256=other.sha256), other)
    (folder / "key.json").write_bytes((tmp_path / "o" / "key.json").read_bytes())
    with pytest.raises(BadInput, match="key of study 'other'"):
        read_key(folder)


def test_layout_of_the_file_is_not_its_identity(folder) -> None:
    path = folder / "key.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4), encoding="utf-8")
    assert read_key(folder) == KEY


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"per_item": 1}, "item i001 has 2 raters, not 1"),
        ({"raters": ["r01"]}, "assignments does not list exactly the raters"),
        ({"items": ["i001", "i001"]}, "items holds one entry twice"),
        ({"orders": {"r01": ["AB"], "r02": ["BA", "AB"]}}, "orders of r01"),
        ({"orders": {"r01": ["AC", "BA", "AB", "BA"], "r02": ["BA", "AB"]}}, "orders of r01"),
        ({"letters": 1}, "letters"),
        ({"arms": []}, "arms"),
        ({"schema_version": "2.0"}, "this program reads 1.0"),
        ({"key_sha256": "short"}, "key_sha256"),
        ({"assignments": {"r01": ["=cmd()"], "r02": []}}, "assignments/r01/0"),
    ],
)
def test_a_damaged_study_is_refused(folder, changes, message) -> None:
    edit(folder / "study.json", **changes)
    with pytest.raises(BadInput, match=message) as caught:
        read_study(folder)
    assert "study.json" in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (replace(KEY, items={"i001": KEY.items["i001"]}), "not those"),
        (replace(KEY, repeats={"i003": "i009"}), "no item"),
        (replace(KEY, repeats={"i001": "i002"}), "two meanings"),
        (replace(KEY, attention={"i004": Attention("B", "empathic_resonance", 6)}), "no scale"),
        (replace(KEY, attention={"i004": Attention("B", "warmth", 2)}), "no scale"),
        (replace(KEY, attention={"i004": Attention("C", "empathic_resonance", 2)}), "no scale"),
        (replace(KEY, attention={}), "i004, which the key does not know"),
        (replace(KEY, arms=KEY.arms[:1] * 2), "1 arms"),
        (
            replace(KEY, items=KEY.items | {"i001": KeyItem("d", 1, None, {"A": ONE, "B": ONE})}),
            "letters of item i001",
        ),
    ],
)
def test_what_does_not_fit_is_never_written(tmp_path, key, message) -> None:
    with pytest.raises(ValueError, match=message):
        write_study(tmp_path / "x", replace(STUDY, key_sha256=key.sha256), key)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"study": 1}'])
def test_what_is_no_study_is_refused(tmp_path, content) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_study(tmp_path)
    (tmp_path / "study.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=r"study\.json"):
        read_study(tmp_path)
