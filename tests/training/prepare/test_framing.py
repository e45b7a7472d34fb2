from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_tasks.common.errors import BadInput
from rapport_training.prepare import records as records_module
from rapport_training.prepare.brackets import split_values
from rapport_training.prepare.encoding import decoded
from rapport_training.prepare.framing import read_records
from rapport_training.prepare.records import Raw

HARD_TEXT = st.text(st.sampled_from('"\\[]{},:a声\n\t /'), max_size=12)
VALUES = st.lists(
    st.recursive(
        st.dictionaries(HARD_TEXT, HARD_TEXT, max_size=3),
        lambda inner: st.dictionaries(HARD_TEXT, st.lists(inner, max_size=3), max_size=2),
        max_leaves=6,
    ),
    min_size=1,
    max_size=6,
)


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    return iter(partial(io.BytesIO(data).read, size), b"")


def records(data: bytes, size: int = 1 << 20) -> list[Raw]:
    text, _ = decoded(chunks(data, size), "sample")
    return list(read_records(text, "sample"))


def values(data: bytes) -> list[Any]:
    return [orjson.loads(record.data) for record in records(data)]


@pytest.mark.parametrize("indent", [None, 1])
@given(items=VALUES, chunk=st.integers(1, 40))
def test_an_array_is_cut_into_its_elements_at_any_chunk_size(
    indent: int | None, items: list[Any], chunk: int
) -> None:
    text = json.dumps(items, ensure_ascii=False, indent=indent).encode()
    found = list(split_values(chunks(text, chunk), "x", base=1))
    assert [orjson.loads(record.data) for record in found] == items
    assert [record.number for record in found] == list(range(1, len(items) + 1))


def test_lines_keep_their_numbers_and_broken_ones_hide_nothing() -> None:
    data = b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": [tru\n  {"a": 2}\n'
    assert [(r.number, r.data.strip()) for r in records(data)] == [
        (1, b'{"a": 1}'),
        (3, b'{"a": [tru'),
        (4, b'{"a": 2}'),
    ]


def test_a_broken_first_line_does_not_make_an_array_of_lines() -> None:
    assert [r.number for r in records(b'{"a": "x\n{"a": 1}\n{"a": 2}\n')] == [1, 2, 3]


def test_lines_of_arrays_and_pretty_objects_one_after_another() -> None:
    assert values(b'[{"role": "a"}]\n[{"role": "b"}]\n') == [[{"role": "a"}], [{"role": "b"}]]
    assert values(b'{\n "a": 1\n}\n{\n "a": 2\n}') == [{"a": 1}, {"a": 2}]


def test_an_array_of_messages_or_of_strings_is_one_dialogue() -> None:
    messages = [{"role": "client", "content": "a"}, {"role": "counselor", "content": "b"}]
    assert values(json.dumps(messages, indent=1).encode()) == [messages]
    assert values(json.dumps(messages).encode() + b"\n") == [messages]
    assert values(b'["x: a",\n "y: b"]') == [["x: a", "y: b"]]


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (b'[{"a": 1}, {"a": ', [None, "truncated"]),
        (b'[{"a": 1}, {"a": 2},\n', [None, None, "truncated"]),
        (b'[{"a": 1}, 7, {"a": 2}]', [None, "stray_value", None]),
        (b'[{"a": 1}, {"a": 2}] rest', [None, None, "stray_value"]),
    ],
)
def test_what_is_no_record_is_reported(data: bytes, problems: list[str | None]) -> None:
    assert [record.problem for record in records(data)] == problems


def test_a_missing_quote_cannot_swallow_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "MAX_RECORD", 4096)
    data = b'[{"a": 1},\n{"a": "x},\n' + b'{"a": 1},\n' * 1001 + b"{}]"
    with pytest.raises(BadInput, match="begins at byte 11 does not end"):
        records(data, 512)


def test_a_line_that_never_ends_is_counted_and_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "MAX_RECORD", 4096)
    data = b'{"a": 1}\n' + b"x" * 20_000 + b'\n{"a": 2}\n'
    assert [(r.number, r.problem) for r in records(data, 512)] == [
        (1, None),
        (2, "record_too_long"),
        (3, None),
    ]


def test_transcripts_are_apart_at_separator_lines() -> None:
    data = "来访者：你好\n\n咨询师：你好呀\n-----\n来访者：嗯\n咨询师：我在听\n".encode()
    found = records(data)
    assert [r.number for r in found] == [1, 2]
    assert found[1].data.decode().startswith("来访者：嗯")


def test_nothing_gives_nothing() -> None:
    assert records(b"") == records(b" \n\t") == records(b"[]") == []
