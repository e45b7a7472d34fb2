"""Dialogues written as one text: lines that begin with the speaker's name, or a rendered template."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapport_tasks.dialogues.dialogue import Role
from rapport_training.prepare.roles import LABELS, folded
from rapport_training.prepare.values import Unreadable

Messages = list[tuple[Role, str]]

_NAMES = "|".join(sorted(map(re.escape, LABELS), key=len, reverse=True)) + "|help[-_ ]seeker|system"
_NAMED = rf"[*【\[<]{{0,2}}({_NAMES})[*】\]>]{{0,2}}[ \t]*[：:]\*{{0,2}}[ \t]*"
_LINE = re.compile(rf"(?im)^[ \t\u3000]*(?:#{{1,6}}[ \t]*)?{_NAMED}")
_INLINE = re.compile(rf"(?i)(?:^|(?<=[\s。！？.!?>”])|(?=##))[ \t]*(?:#{{1,6}}[ \t]*)?{_NAMED}")
_TURNS = re.compile(
    r"<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|<\|(?:user|assistant)\|>"
    r"|\[INST\]|(?m:^### ?Response:)"
)
_ROUNDS = re.compile(r"(?ms)\A\s*(?:\[Round \d+\]\s*)?(?:问|Q)[：:].*^(?:答|A)[：:]")
_WRITTEN = tuple(
    (re.compile(pattern, re.MULTILINE), label)
    for pattern, label in (
        (r"<start_of_turn>model\s*", "\nassistant: "),
        (r"(?:<\|im_start\|>|<start_of_turn>)\s*(\w+)\s*", r"\n\1: "),
        (r"<\|start_header_id\|>\s*(\w+)\s*<\|end_header_id\|>\s*", r"\n\1: "),
        (r"<\|(user|assistant|system)\|>\s*", r"\n\1: "),
        (r"\[INST\]\s*<<SYS>>", "\nsystem: "),
        (r"<</SYS>>|\[INST\]|^### ?(?:Instruction|Input|Question):", "\nuser: "),
        (r"\[/INST\]|^### ?Response:", "\nassistant: "),
        (r"</?s>|<\|(?:im_end|eot_id|end|endoftext|begin_of_text|end_of_text)\|>", "\n"),
        (r"<end_of_turn>|<[be]os>", "\n"),
    )
)
"""How templates write the beginning and the end of a turn."""

_QUESTION, _ANSWER = re.compile(r"(?m)^(?:问|Q)[：:]"), re.compile(r"(?m)^(?:答|A)[：:]")
_ROUND = re.compile(r"(?m)^\[Round \d+\]")


def is_transcript(text: str) -> bool:
    """Whether a text has lines that begin with a speaker's name."""
    return _LINE.search(text) is not None


def read_transcript(text: str) -> Messages:
    """The messages of a text that is a transcript from its first word.

    Raises:
        Unreadable: ``unknown_role``: something stands before the first name.
    """
    before, messages = _split(text, _LINE)
    if before or not messages:
        raise Unreadable("unknown_role")
    return messages


def transcript_in(text: str) -> tuple[str, Messages] | None:
    """A dialogue of both sides in a text that might be something else.

    Returns:
        What stands before the first name, and the messages; or `None`.
    """
    if _ROUNDS.search(text):
        text = _ANSWER.sub("\nassistant: ", _QUESTION.sub("\nuser: ", _ROUND.sub("", text)))
    elif _TURNS.search(text):
        for pattern, label in _WRITTEN:
            text = pattern.sub(label, text)
    found = _both(*_split(text, _LINE))
    if found is None and _INLINE.match(text.lstrip()):
        found = _both(*_split(text.strip(), _INLINE))
    return found


def without_label(role: Role, text: str) -> str:
    """A message without its speaker's name before it, as some corpora of pairs write it."""
    label = _LINE.match(text)
    alone = label is not None and _role(label) == role and transcript_in(text) is None
    return text[label.end() :] if label and alone else text


def speaks_alone(texts: Sequence[str]) -> bool:
    """Whether each of several texts is a whole dialogue."""
    return len(texts) > 1 and all(_both(*_split(text, _LINE)) for text in texts[:20])


def _both(before: str, messages: Messages) -> tuple[str, Messages] | None:
    roles = {role for role, _ in messages}
    return (before, messages) if {"user", "assistant"} <= roles else None


def _split(text: str, pattern: re.Pattern[str]) -> tuple[str, Messages]:
    labels = list(pattern.finditer(text))
    if not labels:
        return text.strip(), []
    ends = [label.start() for label in labels[1:]] + [len(text)]
    messages = [
        (_role(label), text[label.end() : end].strip())
        for label, end in zip(labels, ends, strict=True)
    ]
    return text[: labels[0].start()].strip(), messages


def _role(label: re.Match[str]) -> Role:
    name = folded(label[1])
    return "system" if name == "system" else LABELS[name]
