"""Mending what keeps a dialogue from being a plain alternation of user and assistant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from rapport_tasks.dialogues.dialogue import Message

Structure = Literal["mend", "strict"]


def mend(messages: Sequence[Message]) -> tuple[list[Message], list[str]]:
    """Drop what the assistant says before the user speaks, and join neighbours of one role.

    Returns:
        The messages, and which of ``greeting_dropped`` and ``same_role_joined`` were needed. A
        dialogue without any user message is left as it is.
    """
    rules = []
    start = next((i for i, message in enumerate(messages) if message.role == "user"), 0)
    kept = [m for m in messages[:start] if m.role == "system"] + list(messages[start:])
    if len(kept) < len(messages):
        rules.append("greeting_dropped")
    joined = [
        Message(role, "\n".join(message.content for message in group).strip())
        for role, group in groupby(kept, lambda message: message.role)
    ]
    if len(joined) < len(kept):
        rules.append("same_role_joined")
    return joined, rules


def answered(messages: Sequence[Message]) -> list[Message]:
    """The messages up to the last reply; nothing is learned from what nobody answers."""
    end = next((i for i in range(len(messages), 0, -1) if messages[i - 1].role == "assistant"), 0)
    return list(messages[:end])
