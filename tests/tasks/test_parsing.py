"""What JSON and TOML of others must not hold, and that readers of files refuse it by file and place."""

import json
from pathlib import Path

import pytest

from rapport_tasks.common.errors import BadInput, shown
from rapport_tasks.common.parsing import (
    DEEPEST,
    LONGEST_TOML_LINE,
    Malformed,
    NotToml,
    parse_json,
    parse_toml,
    read_json,
    read_toml,
)

SECRET = "昨晚我又哭了很久"
ENORMOUS = "1" + "0" * 400


def nested(levels: int) -> str:
    return "[" * levels + "1" + "]" * levels


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON: Expecting value at line 1, column 1"),
        ('{"a": 1}\n{', "not JSON: Extra data at line 2, column 1"),
        (f'{{"a": {nested(5000)}}}', "nested deeper than 50 levels"),
        (f'{{"a": {nested(DEEPEST + 1)}}}', "nested deeper than 50 levels"),
        ('{"a":' * 5000, "nested deeper than 50 levels"),
        (f'{{"a": [{{"b": {ENORMOUS}}}]}}', "a[0].b: a whole number beyond 64 bits"),
        (f"[{'9' * 5000}]", "a whole number beyond 64 bits"),
        ('{"a": [1, 1e999]}', "a[1]: inf is not a finite number"),
        ('{"a": [1, NaN]}', "NaN is not JSON"),
        (f'{{"a": [0, {ENORMOUS}]}}', "a[1]: a whole number beyond 64 bits"),
        ('{"a": {"b": 1, "b": 2}}', "b: a key stands twice in one object"),
        (f'{{"{SECRET}": {{"b": 1e999}}}}', "….b: inf is not a finite number"),
        ('{"a": "\\ud83d"}', "a: holds an unpaired surrogate escape"),
        ('{"\\ud83d": 1}', "…: holds an unpaired surrogate escape"),
        ("\0{}", "not JSON"),
    ],
)
def test_json_that_a_later_step_could_not_hold_is_refused_with_its_place(text, said) -> None:
    with pytest.raises(Malformed) as caught:
        parse_json(text)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_json_of_any_honest_kind_is_read() -> None:
    value = {"a": [1, -2.5, 1e308, 5e-324, 2**63 - 1, -(2**63)], "字": ["😀", None, True, [], {}]}
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False)) == value
    assert parse_json(nested(DEEPEST)) is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"a = {nested(4000)}", "nested deeper than 50 levels"),
        (f"a = {'{b = ' * 400}1{'}' * 400}", "nested deeper than 50 levels"),
        ("a" + ".a" * 200 + " = 1", "nested deeper than 50 levels"),
        (f"[t]\na = {ENORMOUS}", "t.a: a whole number beyond 64 bits"),
        (f"a = {'9' * 5000}", "a whole number beyond 64 bits"),
        (f"a = 0x{'f' * 40}", "a: a whole number beyond 64 bits"),
        ("[t]\na = [1, inf]", "t.a[1]: inf is not a finite number"),
        ("a = 1e999", "a: inf is not a finite number"),
        (f"b = 1\na = '{'x' * LONGEST_TOML_LINE}'", "line 2: longer than 10,000 characters"),
    ],
)
def test_toml_that_a_later_step_could_not_hold_is_refused_with_its_place(text, said) -> None:
    with pytest.raises(Malformed) as caught:
        parse_toml(text)
    assert said in str(caught.value)
    assert not isinstance(caught.value, NotToml)


@pytest.mark.parametrize(
    "text", ["a", "a = ", "a = 1\na = 2", "a = null", "a = '\0'", "\ufeffa = 1"]
)
def test_what_is_no_toml_is_told_apart(text) -> None:
    with pytest.raises(NotToml, match=r"not TOML: .*\(at "):
        parse_toml(text)


@pytest.mark.parametrize("read", [read_json, read_toml])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbfa = 1", "line 1 begins with a byte order mark"),
        (b"a = 1\nb = '\xff'", "line 2 is not UTF-8"),
        ("a = 1".encode("utf-16"), "is not UTF-8"),
    ],
)
def test_a_file_is_refused_by_its_name(tmp_path: Path, read, content, said) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said) as caught:
        read(path, remedy="Mend it.")
    assert str(path) in caught.value.message
    assert caught.value.remedy


def test_a_file_that_cannot_be_read_has_its_own_remedy(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", Path("a\0b")):
        with pytest.raises(BadInput) as caught:
            read_json(path, remedy="Mend it.", unreadable="Name a file.")
        assert caught.value.remedy == "Name a file."


def test_settings_without_end_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(1_000_001)
    with pytest.raises(BadInput, match="larger than 1 MB"):
        read_toml(path, remedy="Mend it.")


@pytest.mark.parametrize("text", [SECRET, "I cannot sleep", "a\nb", "x" * 41, "“a”", "a;b"])
def test_what_could_be_a_text_is_described_and_not_shown(text) -> None:
    assert shown(text) == f"a text of {len(text)} characters"


def test_plain_words_and_numbers_are_shown() -> None:
    values = ["d-17", "train/0001.json", "system", "", 3, 2.5, None, True, []]
    assert [shown(value) for value in values] == list(map(repr, values))
    assert shown([SECRET]) == "a list"
