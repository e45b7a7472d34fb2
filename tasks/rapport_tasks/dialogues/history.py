"""What stands before a message, without copying or counting all of it again for every message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, overload

from rapport_tasks.dialogues.dialogue import Message
from rapport_tasks.dialogues.sentences import count_scripts, language

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


class Prefix(Sequence[Message]):
    """The first `length` messages of a dialogue: a view, not a copy.

    >>> said = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    >>> before = Prefix(said, 2)
    >>> [m.content for m in before], before[-1].content, len(before[1:])
    (['a', 'b'], 'b', 1)
    """

    def __init__(self, messages: Sequence[Message], length: int) -> None:
        self.messages = messages
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> Message: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Message]: ...
    def __getitem__(self, place: int | slice) -> Message | Sequence[Message]:
        if isinstance(place, slice):
            return [self.messages[i] for i in range(*place.indices(self._length))]
        return self.messages[range(self._length)[place]]


class Tally:
    """Characters of a history and the language of its users, counted on from the history before."""

    def __init__(self) -> None:
        self._history: Sequence[Message] = ()
        self._start_anew(())

    def _start_anew(self, messages: Sequence[Message]) -> None:
        self._messages = messages
        self.characters = self._read = self._han = self._latin = self._joints = 0
        self._last = ""

    def read(self, history: Sequence[Message]) -> None:
        """Count a history; only what is new of one that goes on from the last."""
        messages = history.messages if isinstance(history, Prefix) else history
        if messages is not self._messages or len(history) < self._read:
            self._start_anew(messages)
        for message in history[self._read :]:
            self.characters += len(message.content)
            if message.role == "user" and message.content:
                han, latin = count_scripts(message.content)
                self._han += han
                self._latin += latin
                self._joints += bool(_LATIN.match(self._last) and _LATIN.match(message.content[0]))
                self._last = message.content[-1]
        self._read = len(history)
        self._history = history

    @property
    def language(self) -> Literal["zh", "en"]:
        """`rapport_tasks.dialogues.sentences.language` of all that the user said, joined.

        Where two messages meet, two words may become one; only if that could decide, all is read.
        """
        if self._han >= self._latin:
            return "zh"
        if self._han < self._latin - self._joints:
            return "en"
        return language("".join(m.content for m in self._history if m.role == "user"))
