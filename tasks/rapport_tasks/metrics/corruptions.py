"""Dialogues made worse on purpose: what continuity and topic shift must notice.

Used where metrics are fitted and where they are validated, on different dialogues.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_tasks.metrics.continuity import Item


def replies(dialogue: Dialogue) -> list[str]:
    """The assistant's messages, in order."""
    return [dialogue.messages[turn].content for turn in dialogue.assistant_turns()]


def answers(dialogue: Dialogue, substituted: Sequence[str]) -> list[Item]:
    """Substituted replies, one a turn, to the dialogue's true histories."""
    turns = dialogue.assistant_turns()
    return [(t, dialogue.messages[:t], r) for t, r in zip(turns, substituted, strict=True)]


def as_it_is(messages: Sequence[Message]) -> list[Item]:
    """A dialogue's own replies to its own histories."""
    return [
        (t, messages[:t], message.content)
        for t, message in enumerate(messages)
        if message.role == "assistant"
    ]


def permuted(dialogue: Dialogue, draw: random.Random) -> list[str]:
    """The replies in another order, as long as two of them differ."""
    true = replies(dialogue)
    shuffled = true[:]
    while shuffled == true and len(set(true)) > 1:
        draw.shuffle(shuffled)
    return shuffled


def with_replies(dialogue: Dialogue, substituted: Sequence[str]) -> list[Message]:
    """The dialogue with its assistant messages replaced."""
    messages = list(dialogue.messages)
    for turn, reply in zip(dialogue.assistant_turns(), substituted, strict=True):
        messages[turn] = Message("assistant", reply)
    return messages


def spliced(dialogue: Dialogue, other: Dialogue) -> list[Message]:
    """The first half of one dialogue and the second half of another, cut before a user turn."""
    return [*dialogue.messages[: half(dialogue)], *other.messages[half(other) :]]


def foreign(dialogue: Dialogue, other: Dialogue, *, second_half: bool = False) -> list[str]:
    """Replies of another dialogue, in its order and repeated as needed.

    With `second_half` the replies of the first half stay.
    """
    first = half(dialogue) if second_half else 0
    strange = replies(other)
    return [
        strange[n % len(strange)] if turn >= first else dialogue.messages[turn].content
        for n, turn in enumerate(dialogue.assistant_turns())
    ]


def interrupted(dialogue: Dialogue, other: Dialogue, draw: random.Random) -> list[Message]:
    """The dialogue up to an assistant turn that another dialogue gives; that one ends it.

    What would follow answers the true reply. Unchanged if there is no assistant turn to replace
    after the first, or none to replace it with.
    """
    turns = dialogue.assistant_turns()[1:]
    strange = replies(other)[1:]
    if not turns or not strange:
        return list(dialogue.messages)
    return [*dialogue.messages[: draw.choice(turns)], Message("assistant", draw.choice(strange))]


def half(dialogue: Dialogue) -> int:
    """The first message of the second half, a user's."""
    return len(dialogue.messages) // 4 * 2
