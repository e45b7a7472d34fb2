"""A rendered dialogue: the prompts of its turns, kept as what each adds to the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload


@dataclass(frozen=True, slots=True)
class TurnPrompt:
    """One assistant turn as a language model sees it.

    Attributes:
        turn: Index of the message in the dialogue.
        context: The rendered history up to the reply. Where the template leaves room for a thought,
            none is in it: it is what the template writes before a finished reply, or a block that its
            prompt has closed.
        continuation: The reply's own text followed by `end_of_turn`; this is what is scored. A
            space that the template writes before the reply belongs to it, as tokenizers merge it
            with the first word.
        end_of_turn: What the template writes after a reply, through its first special token.
        generation: What a model that writes the reply is given: as `context`, but with the
            template's own prompt, which may open a thought.
    """

    turn: int
    context: str
    continuation: str
    end_of_turn: str
    generation: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What a turn adds to the text before it.

    The text goes on with `lead`, `shown` and `continuation` in the history of later turns; what is
    scored goes on with `lead`, `aside` and `continuation`; a reply is written after `lead` and
    `prompt`. The three in the middle are blocks without a thought, and nothing in most templates.

    Attributes:
        turn: Index of the message in the dialogue.
        goes_on: Whether `lead` follows the turn before, or is all of the text so far.
    """

    turn: int
    goes_on: bool
    lead: str
    shown: str
    aside: str
    prompt: str
    continuation: str
    end_of_turn: str


class RenderedDialogue(Sequence[TurnPrompt]):
    """The prompts of a dialogue's turns. They are made when asked for: together they are quadratic.

    Attributes:
        parts: One a turn.
    """

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = tuple(parts)

    def __len__(self) -> int:
        return len(self.parts)

    @overload
    def __getitem__(self, index: int) -> TurnPrompt: ...
    @overload
    def __getitem__(self, index: slice) -> list[TurnPrompt]: ...
    def __getitem__(self, index: int | slice) -> TurnPrompt | list[TurnPrompt]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        part = self.parts[index]
        return _prompt(self.history(index % len(self)), part)

    def __iter__(self) -> Iterator[TurnPrompt]:
        history = ""
        for part in self.parts:
            history = history if part.goes_on else ""
            yield _prompt(history, part)
            history += part.lead + part.shown + part.continuation

    def history(self, index: int) -> str:
        """The text that a turn's part goes on from."""
        first = index
        while self.parts[first].goes_on:
            first -= 1
        return "".join(p.lead + p.shown + p.continuation for p in self.parts[first:index])


def _prompt(history: str, part: Part) -> TurnPrompt:
    text = history + part.lead
    return TurnPrompt(
        part.turn, text + part.aside, part.continuation, part.end_of_turn, text + part.prompt
    )
