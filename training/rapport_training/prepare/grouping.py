"""Files with one message a record: the messages of a dialogue are put together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby
from typing import Any

import orjson

from rapport_tasks.common.errors import BadInput
from rapport_training.prepare import records
from rapport_training.prepare.formats import is_message, topic_of
from rapport_training.prepare.records import Raw
from rapport_training.prepare.roles import folded
from rapport_training.prepare.values import load, quietly

_IDS = (
    "dialogueid", "dialogid", "conversationid", "convid", "transcriptid", "sessionid", "chatid",
    "对话id",
)  # fmt: skip


def whole_dialogues(raws: Iterator[Raw], name: str) -> Iterator[Raw]:
    """Records as they are, unless the first is a single message.

    Then neighbours with one ``dialogue_id`` (or its like) are a dialogue; without any such key, the
    whole file is one.

    Raises:
        BadInput: A dialogue is longer than `records.MAX_RECORD`.
    """
    first = next(raws, None)
    if first is None:
        return
    value = _value(first)
    if not is_message(value):
        yield first
        yield from raws
        return
    key = next((key for key in value if folded(key) in _IDS), None)
    for identity, group in groupby(chain([first], raws), lambda raw: _identity(raw, key)):
        if identity is None:
            yield from group
        else:
            yield _joined(group, name)


def _value(raw: Raw) -> Any:
    return quietly(load, raw.data) if raw.problem is None else None


def _identity(raw: Raw, key: str | None) -> Any:
    if key is None:
        return ""
    value = _value(raw)
    return str(value[key]) if isinstance(value, dict) and key in value else None


def _joined(group: Iterator[Raw], name: str) -> Raw:
    parts: list[bytes] = []
    number = size = 0
    for raw in group:
        number = number or raw.number
        if raw.problem is not None:
            return Raw(number, b"", raw.problem)
        size += len(raw.data)
        if size > records.MAX_RECORD:
            raise BadInput(
                f"{name}: messages of one dialogue of more than {records.MAX_RECORD >> 20} MB",
                remedy="Records of single messages are one dialogue unless a dialogue_id tells them "
                "apart; put one dialogue on each line.",
            )
        parts.append(raw.data)
    topic = topic_of(load(parts[0]))
    messages = b"[" + b",".join(parts) + b"]"
    if topic is None:
        return Raw(number, messages)
    return Raw(number, b'{"topic":' + orjson.dumps(topic) + b',"messages":' + messages + b"}")
