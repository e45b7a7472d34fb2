from __future__ import annotations

import json
from typing import Any

import pytest

from rapport_training.prepare.formats import parse_record
from rapport_training.prepare.transcripts import Messages
from rapport_training.prepare.values import Unreadable

TURNS = [("user", "睡不着"), ("assistant", "多久了？")]


def encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def messages_of(data: bytes) -> Messages:
    [parsed] = parse_record(data)
    return parsed.messages


def plain(*roles: str) -> list[dict[str, str]]:
    return [{"role": r, "content": t} for r, (_, t) in zip(roles, TURNS, strict=True)]


@pytest.mark.parametrize(
    "record",
    [
        {"id": 0, "topic": "情绪", "messages": plain("user", "assistant")},
        {"messages": plain("client", "counselor")},
        {
            "dialog": [
                {"speaker": "seeker", "text": "睡不着"},
                {"speaker": "supporter", "text": "多久了？"},
            ]
        },
        plain("client", "counselor"),
        {
            "conversations": [
                {"from": "human", "value": "睡不着"},
                {"from": "gpt", "value": "多久了？"},
            ]
        },
        {"conversation": [{"input": "睡不着", "output": "多久了？"}]},
        {"instruction": "睡不着", "input": "", "output": "多久了？", "history": []},
        {"prompt": "睡不着", "response": "多久了？"},
        {"query": "睡不着", "response": "多久了？", "history": None},
        ["求助者：睡不着", "支持者：多久了？"],
        {
            "messages": [
                {"role": "USER", "content": [{"type": "text", "text": "睡不着"}]},
                {"role": "Assistant", "content": "多久了？"},
            ]
        },
    ],
    ids=lambda record: ",".join(record) if isinstance(record, dict) else "list",
)
def test_every_format_says_the_same(record: Any) -> None:
    assert messages_of(encode(record)) == TURNS


def test_transcripts_hold_messages_of_several_lines() -> None:
    text = "来访者：睡不着\n还头疼\n\n**心理咨询师**: 多久了？\n"
    assert messages_of(text.encode()) == [
        ("user", "睡不着\n还头疼"),
        ("assistant", "多久了？"),
    ]


def test_alpaca_history_comes_first_and_input_joins_the_instruction() -> None:
    record = {
        "instruction": "c",
        "input": "d",
        "output": "e",
        "history": [["a", "b"]],
        "system": "s",
    }
    assert messages_of(encode(record)) == [
        ("system", "s"),
        ("user", "a"),
        ("assistant", "b"),
        ("user", "c\nd"),
        ("assistant", "e"),
    ]


def test_a_system_text_that_every_turn_repeats_stands_once() -> None:
    turn = {"system": "s", "input": "a", "output": "b"}
    assert [role for role, _ in messages_of(encode({"conversation": [turn, turn]}))] == [
        "system",
        *("user", "assistant") * 2,
    ]


@pytest.mark.parametrize(
    ("record", "topic"),
    [
        ({"topic": " 婚恋 "}, "婚恋"),
        ({"topic": None, "domain": "家庭"}, "家庭"),
        ({"topic": 7}, None),
        ({"topic": "x" * 300}, "x" * 100),
    ],
)
def test_topics(record: dict[str, Any], topic: str | None) -> None:
    [parsed] = parse_record(encode(record | {"messages": []}))
    assert parsed.topic == topic


def test_null_content_is_blank_not_lost() -> None:
    assert messages_of(encode({"messages": [{"role": "user", "content": None}]})) == [("user", "")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"messages": [', "not_json"),
        (b"plain words", "not_json"),
        ("来访者：嗯".encode("gbk"), "not_utf8"),
        (b'{"messages": "\xff"}', "not_utf8"),
        (encode({"text": "x"}), "unknown_format"),
        (encode({"messages": ["x", {}]}), "unknown_format"),
        (encode({"instruction": "a", "output": "b", "history": [["c"]]}), "unknown_format"),
        (encode({"messages": [{"role": "tool", "content": "x"}]}), "unknown_role"),
        (encode(["nobody says this"]), "unknown_role"),
        (encode({"messages": [{"role": "user", "content": 7}]}), "content_not_text"),
        (encode([]), ""),
    ],
)
def test_what_cannot_be_read_has_a_reason(data: bytes, reason: str) -> None:
    if not reason:
        assert messages_of(data) == []
        return
    with pytest.raises(Unreadable, match=f"^{reason}$"):
        parse_record(data)
