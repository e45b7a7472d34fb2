"""A study and its key: written, read back, and recognised when they were changed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from rapport_bench.human.sheets.sheet import Sheet
from rapport_bench.human.sheets.study import (
    Attention,
    Key,
    KeyItem,
    Scale,
    Study,
    read_key,
    read_study,
    write_study,
)
from rapport_bench.results.human_sections import RatedArm
from rapport_tasks.common.errors import BadInput

ONE, TWO = "1" * 64, "2" * 64
KEY = Key(
    schema_version="1.0",
    study="pilot",
    suite_id="0" * 64,
    arms=(
        RatedArm(name="base", kind="base", result_id=ONE, arm_id=ONE),
        RatedArm(name="new", kind="adapter", result_id=TWO, arm_id=TWO),
    ),
    items={
        "i001": KeyItem(dialogue="d-1", turn=3, domain="家庭", letters={"A": ONE, "B": TWO}),
        "i002": KeyItem(dialogue="d-2", turn=1, domain=None, letters={"A": TWO, "B": ONE}),
    },
    repeats={"i003": "i001"},
    attention={"i004": Attention(letter="B", scale="empathic_resonance", expected=2)},
)
STUDY = Study(
    schema_version="1.0",
    study="pilot",
    seed=7,
    simulated=False,
    language=("zh", "en"),
    scales=(
        Scale(
            name="empathic_resonance",
            points=5,
            label={"en": "empathy"},
            definition={"en": "what it is"},
            anchors={"1": {"en": "low"}, "5": {"en": "high"}},
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

CHECK = KEY.attention["i004"]


def replace(model, **changes):
    return model.model_copy(update=changes)


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
        ({"arms": []}, "a key that does not belong there"),
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
        (replace(KEY, attention={"i004": CHECK.model_copy(update={"expected": 6})}), "no scale"),
        (
            replace(KEY, attention={"i004": CHECK.model_copy(update={"scale": "warmth"})}),
            "no scale",
        ),
        (replace(KEY, attention={"i004": CHECK.model_copy(update={"letter": "C"})}), "no scale"),
        (replace(KEY, attention={}), "i004, which the key does not know"),
        (replace(KEY, arms=KEY.arms[:1] * 2), "1 arms"),
        (
            replace(
                KEY,
                items=KEY.items
                | {"i001": KEY.items["i001"].model_copy(update={"letters": {"A": ONE, "B": ONE}})},
            ),
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


def test_the_files_bytes_stay(folder) -> None:
    """Hashes of what version 0.1 wrote: a study's ratings outlive the program that made its sheets."""
    hashes = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("study.json", "key.json")]  # fmt: skip
    assert hashes == [
        "23311a48efaab78a75f271bbdf73a9dbbc69031d9797b237d1c1079e91291aeb",
        "49347aa63b7ea58ccd20371a7424e4fad2e260540f691954169365ea8ef66c55",
    ]
    item = {
        "id": "i001",
        "context": [{"role": "user", "content": "累。"}],
        "replies": [{"letter": "B", "content": "嗯。"}],
    }
    sheet = Sheet(study="pilot", rater="r01", scales=STUDY.scales, items=[item])
    assert sheet.sha256 == "f04d2c989229d8ade2f5e1c00e32c33d6fb9bf738efccd10de07d9e498f5c18d"


@pytest.mark.parametrize("name", [*json.loads(STUDY.model_dump_json())])
def test_nothing_may_be_missing(folder, name) -> None:
    data = json.loads((folder / "study.json").read_text())
    del data[name]
    (folder / "study.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(BadInput, match=f"{name} is missing"):
        read_study(folder)


def test_a_free_key_is_not_repeated(folder) -> None:
    edit(folder / "study.json", sheets={"昨天我又哭了": "short"})
    with pytest.raises(BadInput, match="sheets/…: not of the form") as caught:
        read_study(folder)
    assert "哭" not in caught.value.message
