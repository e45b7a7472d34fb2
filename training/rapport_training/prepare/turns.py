"""What one element of a dialogue says, told by its own keys: a message, or a question and its answer.

Keys and roles are looked up folded (`rapport_training.prepare.roles.folded`), so ``answerText``,
``answer_text`` and ``Answer Text`` are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapport_tasks.dialogues.dialogue import Role
from rapport_training.prepare.roles import folded, role_of, role_of_key
from rapport_training.prepare.transcripts import Messages, read_transcript, without_label
from rapport_training.prepare.values import Unreadable

LISTS = (
    "messages", "conversations", "conversation", "dialogue", "dialog", "chats", "chat", "turns",
)  # fmt: skip
"""Of a list of messages, the likeliest first."""

ROLE_KEYS = (
    "role", "from", "speaker", "sender", "interlocutor", "participant", "author", "角色", "说话人",
)  # fmt: skip
TEXT_KEYS = ("content", "value", "text", "utterance", "utterancetext", "message", "内容")
ASKS = (
    "instruction", "query", "prompt", "question", "questions", "questiontitle", "questiontext",
    "context", "input", "userinput", "userquery", "usermessage", "seekerpost", "patientquestion",
    "ask", "q", "source", "title", "问题", "提问", "问", "标题",
)  # fmt: skip
MORE = (
    "input", "description", "questiontext", "questiondescription", "desc", "body", "content",
    "描述", "问题描述", "内容",
)  # fmt: skip
"""What may stand beside a question and belongs to it."""

ANSWERS = (
    "output", "response", "answer", "answers", "answertext", "answertexts", "bestanswer", "reply",
    "completion", "target", "chosen", "responsepost", "botresponse", "assistantresponse",
    "modelresponse", "counselorresponse", "therapistresponse", "doctoranswer", "a",
    "回答", "答案", "回复", "答",
)  # fmt: skip
HISTORIES = ("history", "dialoghistory", "dialoguehistory", "conversationhistory", "context")

LIST_KEYS = frozenset(LISTS)
FIELD_KEYS = frozenset((*ASKS, *MORE, *ANSWERS, *HISTORIES))


def fold(record: dict[str, Any]) -> dict[str, Any]:
    """A record with folded keys; of two that become one, the first."""
    fields: dict[str, Any] = {}
    for key, value in record.items():
        fields.setdefault(folded(key), value)
    return fields


def key_of(fields: dict[str, Any], names: Sequence[str]) -> str | None:
    """The first of these names that is a key."""
    return next((name for name in names if name in fields), None)


def listed(items: Sequence[Any]) -> Messages:
    """The messages of a list of turns, or of strings that begin with a speaker's name.

    Raises:
        Unreadable: An element is none.
    """
    if items and all(isinstance(item, str) for item in items):
        return read_transcript("\n".join(items))
    messages: Messages = []
    for item in items:
        if isinstance(item, dict):
            content = item.get("content")
            if item.get("role") in ("user", "assistant") and isinstance(content, str):
                messages.append((item["role"], content))  # nearly all there are
                continue
        said = turn(item)
        if messages and said[:1] == messages[:1] and said[0][0] == "system":
            said = said[1:]  # every turn repeats it
        messages += said
    return messages


def turn(item: Any) -> Messages:
    """What one element of a dialogue or of a history says.

    Raises:
        Unreadable: Its speaker is unknown, or it is no turn.
    """
    if isinstance(item, list | tuple) and len(item) == 2:
        return _pair(item[0], item[1])
    if not isinstance(item, dict):
        raise Unreadable("unknown_format")
    fields = fold(item)
    said = message(fields)
    if said is not None:
        return [(said[0], text_of(said[1]))]
    ask, answer = key_of(fields, ASKS), key_of(fields, ANSWERS)
    if ask and answer:
        return opening(fields) + _pair(fields[ask], fields[answer])
    if found := by_role(fields):
        return found
    told = key_of(fields, ROLE_KEYS) and key_of(fields, TEXT_KEYS)
    raise Unreadable("unknown_role" if told else "unknown_format", tuple(item))


def message(fields: dict[str, Any]) -> tuple[Role, Any] | None:
    """Role and content of an object that has both, or `None`."""
    key = key_of(fields, TEXT_KEYS)
    roles = (role_of(fields[name]) for name in ROLE_KEYS if name in fields)
    role = next((role for role in roles if role), None)
    return None if key is None or role is None else (role, fields[key])


def by_role(fields: dict[str, Any]) -> Messages:
    """Messages whose keys are their speakers, in the order in which they stand."""
    found: Messages = []
    for key, value in fields.items():
        role = role_of_key(key)
        if role and (value is None or isinstance(value, str)):
            found.append((role, text_of(value)))
    return found


def key_of_role(fields: dict[str, Any], role: Role) -> str | None:
    """The first key that names a speaker of this role."""
    return next((key for key in fields if role_of_key(key) == role), None)


def opening(fields: dict[str, Any]) -> Messages:
    """A system message that stands beside the turns."""
    text = fields.get("system", fields.get("systemprompt"))
    return before(text) if isinstance(text, str) else []


def before(text: str) -> Messages:
    """A system message of this text, unless it is blank."""
    return [("system", text)] if text.strip() else []


def text_of(value: Any) -> str:
    """A text as a string, or as the parts of a message; empty where there is none.

    Raises:
        Unreadable: ``content_not_text``.
    """
    if value is None or value != value:  # NaN, where a table has no value
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in value
    ):
        return "".join(part["text"] for part in value)
    raise Unreadable("content_not_text")


def _pair(ask: Any, answer: Any) -> Messages:
    reply: Messages = [("assistant", without_label("assistant", text_of(answer)))]
    # A chat window writes its greeting as the answer to nothing.
    return reply if ask is None else [("user", without_label("user", text_of(ask))), *reply]
