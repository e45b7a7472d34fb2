"""One record of any common format, told by its own keys, as roles and texts.

=====================  ==========================================================================
messages               ``{"messages": [{"role", "content"}, ...]}``, also under ``conversation``,
                       ``conversations``, ``dialogue`` or ``dialog``
ShareGPT               ``{"conversations": [{"from": "human", "value"}, ...]}``
EmoLLM, XTuner         ``{"conversation": [{"system", "input", "output"}, ...]}``
Alpaca                 ``{"instruction", "input", "output", "history": [[user, reply], ...]}``,
                       also ``query`` or ``prompt`` with ``response``
SMILE                  an array of ``{"role": "client" | "counselor", "content"}``
CPsyCoun               lines, or an array of strings, that begin with ``来访者：`` or ``咨询师：``
=====================  ==========================================================================
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

from rapport_tasks.dialogue import Role

_USER = (
    "user human client seeker patient usr help-seeker speaker visitor caller "
    "来访者 求助者 咨询者 用户 倾诉者 患者 提问者"
)
_ASSISTANT = (
    "assistant gpt counselor counsellor therapist supporter helper bot model chatgpt ai "
    "psychologist sys listener 心理咨询师 咨询师 支持者 助手 倾听者 治疗师 心理医生 医生 "
    "心理师 回答者 心理治疗师"
)
_ROLES: dict[str, Role] = {
    **dict.fromkeys(("system", "系统"), "system"),
    **dict.fromkeys(_USER.split(), "user"),
    **dict.fromkeys(_ASSISTANT.split(), "assistant"),
}
_LISTS = ("messages", "conversations", "conversation", "dialogue", "dialog")
_ROLE_KEYS = ("role", "from", "speaker")
_TEXT_KEYS = ("content", "value", "text", "utterance")
_ASKS = ("instruction", "query", "prompt")
_ANSWERS = ("output", "response")
_TOPICS = ("topic", "domain")
_LONGEST_TOPIC = 100
_SPEAKERS = "|".join(
    sorted((re.escape(r) for r in _ROLES if not r.isascii()), key=len, reverse=True)
)
_LABEL = re.compile(rf"(?m)^[ \t\u3000]*[*【]{{0,2}}({_SPEAKERS})[*】]{{0,2}}[ \t]*[：:][ \t]*")


class Unreadable(Exception):
    """A record that cannot be read; its only argument is the reason."""


class Parsed(NamedTuple):
    """What a record says.

    Attributes:
        messages: (role, text) in order; text is empty where the record has null.
        topic: As the record names it, or `None`.
    """

    messages: list[tuple[Role, str]]
    topic: str | None


def is_message(value: Any) -> bool:
    """Whether a JSON value is one message of a dialogue, not a dialogue."""
    return (
        isinstance(value, dict)
        and any(key in value for key in _ROLE_KEYS)
        and any(key in value for key in _TEXT_KEYS)
        and not any(isinstance(value.get(key), list) for key in _LISTS)
    )


def is_transcript(text: str) -> bool:
    """Whether a text has lines that begin with a speaker's name."""
    return _LABEL.search(text) is not None


def parse_record(data: bytes) -> Parsed:
    """Read one record.

    Raises:
        Unreadable: ``not_json``, ``not_utf8``, ``unknown_format``, ``unknown_role`` or
            ``content_not_text``.
    """
    if data.lstrip()[:1] not in (b"{", b"["):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Unreadable("not_utf8") from None
        if not is_transcript(text):
            raise Unreadable("not_json")
        return Parsed(_transcript(text), None)
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            raise Unreadable("not_utf8") from None
        raise Unreadable("not_json") from None
    if isinstance(value, list):
        return Parsed(_listed(value), None)
    return Parsed(_messages(value), _topic(value))


def _topic(record: dict[str, Any]) -> str | None:
    for key in _TOPICS:
        value = record.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()[:_LONGEST_TOPIC]
    return None


def _messages(record: dict[str, Any]) -> list[tuple[Role, str]]:
    for key in _LISTS:
        if isinstance(record.get(key), list):
            return _opening(record) + _listed(record[key])
    ask = next((key for key in _ASKS if key in record), None)
    answer = next((key for key in _ANSWERS if key in record), None)
    if ask is None or answer is None:
        raise Unreadable("unknown_format")
    messages = _opening(record)
    for pair in record.get("history") or []:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise Unreadable("unknown_format")
        messages += [("user", _text(pair[0])), ("assistant", _text(pair[1]))]
    question = _text(record[ask])
    if record.get("input"):
        question = f"{question}\n{_text(record['input'])}"
    return [*messages, ("user", question), ("assistant", _text(record[answer]))]


def _opening(record: dict[str, Any]) -> list[tuple[Role, str]]:
    """A system message that stands beside the turns."""
    text = record.get("system")
    return [("system", text)] if isinstance(text, str) and text.strip() else []


def _listed(items: list[Any]) -> list[tuple[Role, str]]:
    if items and all(isinstance(item, str) for item in items):
        return _transcript("\n".join(items))
    messages: list[tuple[Role, str]] = []
    for item in items:
        if not isinstance(item, dict):
            raise Unreadable("unknown_format")
        content = item.get("content")
        if item.get("role") in ("user", "assistant") and isinstance(content, str):
            messages.append((item["role"], content))  # nearly all there are
            continue
        role_key = next((key for key in _ROLE_KEYS if key in item), None)
        text_key = next((key for key in _TEXT_KEYS if key in item), None)
        if role_key is not None and text_key is not None:
            role = _ROLES.get(str(item[role_key]).strip().lower())
            if role is None:
                raise Unreadable("unknown_role")
            messages.append((role, _text(item[text_key])))
        elif "input" in item and "output" in item:
            if not messages:
                messages += _opening(item)
            messages += [("user", _text(item["input"])), ("assistant", _text(item["output"]))]
        else:
            raise Unreadable("unknown_format")
    return messages


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in value
    ):
        return "".join(part["text"] for part in value)
    raise Unreadable("content_not_text")


def _transcript(text: str) -> list[tuple[Role, str]]:
    labels = list(_LABEL.finditer(text))
    if not labels or text[: labels[0].start()].strip():
        raise Unreadable("unknown_role")
    ends = [label.start() for label in labels[1:]] + [len(text)]
    return [
        (_ROLES[label[1]], text[label.end() : end].strip())
        for label, end in zip(labels, ends, strict=True)
    ]
