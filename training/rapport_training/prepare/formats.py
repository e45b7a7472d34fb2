"""One record of any common format, told by its own keys, as the dialogues that it holds.

=====================  ==========================================================================
messages               ``{"messages": [{"role", "content"}, ...]}``, also under ``conversation``,
                       ``dialog``, ``chats`` or any other key, if one alone holds such a list;
                       ``from``, ``speaker``, ``sender`` and ``value``, ``text``, ``utterance`` are
                       read too; ESConv, Psy-Insight, efaqa, PsyDTCorpus, SoulChat
ShareGPT               ``{"conversations": [{"from": "human", "value"}, ...]}``
EmoLLM, XTuner         ``{"conversation": [{"system", "input", "output"}, ...]}``
pairs                  ``{"instruction", "input", "output", "history"}`` (Alpaca), also ``query``,
                       ``prompt``, ``question`` or ``Context`` with ``response``, ``answer``, ...;
                       a history is pairs, objects or messages
PsyQA                  ``{"question", "description", "answers": [{"answer_text"}, ...]}``: a
                       dialogue for each answer
SMILE                  an array of ``{"role": "client" | "counselor", "content"}``
by role                ``{"来访者": "...", "咨询师": "..."}``, as a record or as a list of them
CPsyCoun, BELLE        text in which lines begin with ``来访者：`` and ``咨询师：``, or ``Human:`` and
                       ``Assistant:``: as a file, an array of strings, or in a field
text in text           any of these as a string of JSON, or as Python prints it
=====================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from rapport_training.prepare.roles import folded, role_of_key
from rapport_training.prepare.transcripts import (
    Messages,
    is_transcript,
    read_transcript,
    speaks_alone,
    transcript_in,
    without_label,
)
from rapport_training.prepare.turns import (
    ANSWERS,
    ASKS,
    HISTORIES,
    LISTS,
    MORE,
    ROLE_KEYS,
    TEXT_KEYS,
    before,
    by_role,
    fold,
    key_of,
    key_of_role,
    listed,
    message,
    opening,
    text_of,
    turn,
)
from rapport_training.prepare.values import Unreadable, load, quietly

KNOWN_FORMATS = (
    "messages (role, content), ShareGPT (from, value), Alpaca (instruction, input, output, history), "
    "question or prompt with answer or response, PsyQA (question, answers), transcripts "
    "(来访者：, 咨询师：, Human:, Assistant:); the first line of a CSV file names the columns"
)
"""For people whose file is none of them."""

_ANSWER_TEXTS = ("answertext", "text", "content", "answer", "body", "response")
_TOPICS = ("topic", "domain", "normalizedtag", "problemtype", "主题", "话题")
_LONGEST_TOPIC = 100


class Parsed(NamedTuple):
    """One dialogue of a record.

    Attributes:
        messages: (role, text) in order; text is empty where the record has null.
        topic: As the record names it, or `None`.
    """

    messages: Messages
    topic: str | None


def parse_record(data: bytes) -> list[Parsed]:
    """Read one record.

    Returns:
        The dialogues that it holds: one, unless a question has several answers.

    Raises:
        Unreadable: ``not_json``, ``not_utf8``, ``unknown_format``, ``unknown_role`` or
            ``content_not_text``.
    """
    if data.lstrip()[:1] in (b"{", b"[", b'"'):
        try:
            return [Parsed(_unrolled(one.messages), one.topic) for one in parse_value(load(data))]
        except RecursionError:
            raise Unreadable("unknown_format") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("not_utf8") from None
    if not is_transcript(text):
        raise Unreadable("not_json")
    return [Parsed(read_transcript(text), None)]


def parse_value(value: Any) -> list[Parsed]:
    """As `parse_record`, of a value that was read already."""
    if isinstance(value, dict):
        return _record(value)
    if isinstance(value, str):
        found = _dialogue(value)
        if found is None:
            raise Unreadable("unknown_format")
        return [Parsed(found, None)]
    if not isinstance(value, list):
        raise Unreadable("unknown_format")
    if all(isinstance(item, str) for item in value) and speaks_alone(value):
        return [Parsed(read_transcript(item), None) for item in value]
    return [Parsed(listed(value), None)]


def is_message(value: Any) -> bool:
    """Whether a value is one message of a dialogue, not a dialogue."""
    return isinstance(value, dict) and message(fold(value)) is not None


def is_turn(value: Any) -> bool:
    """Whether a value is an element of a dialogue: a message, or a question with its answer."""
    return bool(quietly(turn, value))


def is_dialogue(value: Any) -> bool:
    """Whether a value can be read as a dialogue."""
    return any(parsed.messages for parsed in quietly(parse_value, value) or ())


def tells_a_format(columns: Iterable[str]) -> bool:
    """Whether these are the columns of a table that can be read."""
    names = {folded(column) for column in columns}
    roles = {role_of_key(name) for name in names}
    asks = not names.isdisjoint(ASKS) or "user" in roles
    answers = not names.isdisjoint(ANSWERS) or "assistant" in roles
    speaks = not names.isdisjoint(ROLE_KEYS) and not names.isdisjoint(TEXT_KEYS)
    return not names.isdisjoint(LISTS) or (asks and answers) or speaks


def topic_of(record: dict[str, Any]) -> str | None:
    """What a record says that it is about."""
    fields = record if any(key in record for key in _TOPICS) else fold(record)
    for key in _TOPICS:
        value = fields.get(key)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str) and value.strip():
            return value.encode("utf-8", "ignore").decode().strip()[:_LONGEST_TOPIC]
    return None


def _record(record: dict[str, Any]) -> list[Parsed]:
    topic = topic_of(record)
    plain = record.get("messages")
    if isinstance(plain, list):  # nearly all there are
        return [Parsed(opening(record) + listed(plain), topic)]
    fields = fold(record)
    for key in LISTS:
        found = _dialogue(fields.get(key))
        if found is not None:
            return [Parsed(opening(fields) + found, topic)]
    answer = key_of(fields, ANSWERS)
    spoken = by_role(fields)
    if _both(spoken) and not (answer and key_of(fields, ASKS)):
        return [Parsed(opening(fields) + _history(fields) + spoken, topic)]
    answer = answer or key_of_role(fields, "assistant")
    asked = _asked(fields) if answer else None
    if answer and asked:
        answers = list(_answered(asked, _answers(fields[answer])))
        return [Parsed(one, topic) for one in answers or [asked]]
    # The one value that is a dialogue, whatever its key; of a pair of preference the good one.
    others = (quietly(_dialogue, value) for key, value in fields.items() if key != "rejected")
    dialogues = [one for one in others if one and _both(one)]
    if len(dialogues) == 1:
        return [Parsed(opening(fields) + dialogues[0], topic)]
    several = [one for value in fields.values() if (one := quietly(_several, value))]
    if len(several) != 1:
        raise Unreadable("unknown_format", tuple(record))
    return [Parsed(messages, own or topic) for messages, own in several[0]]


def _several(value: Any) -> list[Parsed]:
    """The dialogues of a field that lists whole ones, such as sessions."""
    if not isinstance(value, list) or not any(isinstance(item, dict | list) for item in value):
        return []
    return [parsed for item in value for parsed in parse_value(item)]


def _unrolled(messages: Messages) -> Messages:
    """The dialogue, if the only user message is a transcript of one."""
    asked = [place for place, (role, _) in enumerate(messages) if role == "user"]
    found = transcript_in(messages[asked[0]][1]) if len(asked) == 1 else None
    if found is None:
        return messages
    told = found[1][:-1] if found[1][-1] == ("assistant", "") else found[1]
    return [*messages[: asked[0]], *before(found[0]), *told, *messages[asked[0] + 1 :]]


def _both(messages: Messages) -> bool:
    return {"user", "assistant"} <= {role for role, _ in messages}


def _dialogue(value: Any) -> Messages | None:
    """A dialogue that one field holds, or `None` where it holds none."""
    if isinstance(value, list):
        return listed(value)
    if isinstance(value, dict) and value:
        fields = fold(value)
        role, text = key_of(fields, ROLE_KEYS), key_of(fields, TEXT_KEYS)
        if role and text and isinstance(fields[role], list) and isinstance(fields[text], list):
            pairs = zip(fields[role], fields[text], strict=False)
            return listed([{"role": role, "content": text} for role, text in pairs])
        if all(isinstance(item, dict | list) for item in value.values()):
            return listed(list(value.values()))
        return by_role(fields) or None
    if not isinstance(value, str):
        return None
    if value.lstrip()[:1] in ("[", "{"):
        dialogues = quietly(lambda text: parse_value(load(text)), value)
        return dialogues[0].messages if dialogues and len(dialogues) == 1 else None
    found = transcript_in(value)
    return None if found is None else before(found[0]) + found[1]


def _history(fields: dict[str, Any]) -> Messages:
    messages: Messages = []
    for key in HISTORIES:
        value = fields.get(key)
        if isinstance(value, str) and key not in ASKS:
            messages += _dialogue(value) or []
        elif isinstance(value, list):
            messages += listed(value)
    return messages


def _asked(fields: dict[str, Any]) -> Messages:
    """What leads to an answer: system text, history and question."""
    messages = opening(fields) + _history(fields)
    key = key_of(fields, ASKS) or key_of_role(fields, "user")
    if key is None or isinstance(fields[key], list):
        return messages + (listed(fields[key]) if key and key not in HISTORIES else [])
    texts = [text_of(fields[key])]
    for more in MORE:
        text = text_of(fields[more]) if more in fields and more != key else ""
        if text not in texts:
            texts.append(text)
    texts = [text for text in texts if text.strip()]
    found = [transcript_in(text) for text in texts]
    if not any(found):
        return [*messages, ("user", without_label("user", "\n".join(texts)))]
    for text, one in zip(texts, found, strict=True):
        # Text beside a transcript says what to do with it.
        messages += before(text if one is None else one[0])
    for one in found:
        messages += one[1] if one else []
    if messages[-1] == ("assistant", ""):  # it ends where the answer begins
        messages.pop()
    return messages


def _answers(value: Any) -> list[Any]:
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        value = quietly(load, value) or value
    if isinstance(value, list) and not all(is_message(item) for item in value):
        return value
    return [value] if value != [] else []


def _answered(asked: Messages, answers: list[Any]) -> Iterable[Messages]:
    for answer in answers:
        if isinstance(answer, list):
            reply = listed(answer)
            yield reply if _both(reply) else asked + reply
            continue
        if isinstance(answer, dict):
            fields = fold(answer)
            key = key_of(fields, _ANSWER_TEXTS)
            if key is None:
                raise Unreadable("unknown_format", tuple(answer))
            answer = fields[key]
        text = text_of(answer)
        told = transcript_in(text)
        if told and not told[0]:  # a dialogue that was asked for, as in BELLE's generated chats
            yield told[1]
        else:
            yield [*asked, ("assistant", without_label("assistant", text))]
