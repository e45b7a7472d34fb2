"""How rendered text becomes tokens; the same ones in training, validation and evaluation.

A text begins with what the tokenizer puts before every text (a BOS, for some), unless the template has
written it, and ends as the template ends it: an EOS that a tokenizer would add is none of the dialogue's.

A reply's tokens follow those of its context. Where a token of the whole text would reach from the one
into the other, they are made apart: a model that replies has been given the context alone. The history
of later turns is tokenised as one text, as it is when the model is given it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rapport_tasks.prompts.rendered import Part, RenderedDialogue


def encode(tokenizer: Any, text: str) -> tuple[int, ...]:
    """The tokens of rendered text: one BOS at most, and no EOS that the text does not have."""
    (tokens,) = _raw(tokenizer, [text])
    return (*_before(tokenizer, text, tokens), *tokens)


@dataclass(frozen=True, slots=True)
class TurnTokens:
    """A turn's tokens, without a copy of those of the turns before it.

    Attributes:
        turn: Index of the message in the dialogue.
        history: Tokens of the dialogue; shared by its turns.
        shared: How many of them this turn begins with.
        tail: Its tokens after those, reply and end of turn included.
        start: Index of the reply's first token.
        prompt: Its tokens after the shared ones where the reply is to be written.
    """

    turn: int
    history: Sequence[int]
    shared: int
    tail: tuple[int, ...]
    start: int
    prompt: tuple[int, ...]

    @property
    def length(self) -> int:
        """Tokens of context and reply."""
        return self.shared + len(self.tail)

    @property
    def prompt_length(self) -> int:
        """Tokens that a model is given to reply to."""
        return self.shared + len(self.prompt)

    def tokens(self) -> tuple[int, ...]:
        """Context and reply."""
        return (*self.history[: self.shared], *self.tail)

    def prompt_tokens(self) -> tuple[int, ...]:
        """What a model is given to reply to."""
        return (*self.history[: self.shared], *self.prompt)

    def begins(self, other: TurnTokens) -> bool:
        """Whether the other turn's tokens begin with all of this one's."""
        if self.history is other.history and other.shared >= self.length:
            return tuple(self.history[self.shared : self.length]) == self.tail
        return other.tokens()[: self.length] == self.tokens()


def tokenise(
    tokenizer: Any, dialogues: Sequence[RenderedDialogue], *, longest: int | None = None
) -> list[list[TurnTokens]]:
    """The tokens of every turn of these dialogues.

    Where the tokens of a dialogue are those of its turns one after the other, each turn's text is
    encoded once, and all of them together: the cost is that of the text, not of turns times text.
    Otherwise each turn is encoded with all of its history.

    Args:
        tokenizer: A model's.
        dialogues: As they are rendered.
        longest: Turns whose history alone is twice as long may be left unread: they get the tokens of an
            earlier turn, which are too many as well.
    """
    texts = list(dict.fromkeys(text for dialogue in dialogues for text in _texts(dialogue)))
    known = dict(zip(texts, _raw(tokenizer, texts), strict=True))
    return [
        _by_parts(tokenizer, dialogue, known) or list(_one_by_one(tokenizer, dialogue, longest))
        for dialogue in dialogues
    ]


_TOGETHER = 1024
"""Texts that a tokenizer is given at once: it shares them among all cores, and takes memory for each."""


def _raw(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    found: list[list[int]] = []
    for first in range(0, len(texts), _TOGETHER):
        some = texts[first : first + _TOGETHER]
        found += tokenizer(some, add_special_tokens=False, verbose=False)["input_ids"]
    return found


def _before(tokenizer: Any, text: str, tokens: list[int]) -> list[int]:
    """What a tokenizer puts before every text, unless this one begins with it."""
    bos = getattr(tokenizer, "bos_token", None)
    if bos and text.lstrip().startswith(bos):
        return []
    (alone,) = _raw(tokenizer, ["a"])
    (added,) = tokenizer(["a"], add_special_tokens=True, verbose=False)["input_ids"]
    places = range(len(added) - len(alone) + 1)
    before: list[int] = next((added[:i] for i in places if added[i:][: len(alone)] == alone), [])
    return [] if tokens[: len(before)] == before else before


def _step(part: Part) -> str:
    return part.lead + part.shown + part.continuation


def _texts(dialogue: RenderedDialogue) -> Iterator[str]:
    """All that `_by_parts` asks for."""
    whole: list[str] = []
    for part in dialogue.parts:
        context = part.lead + part.aside
        yield from (part.lead, context, context + part.continuation, part.lead + part.prompt)
        yield _step(part)
        if whole and not part.goes_on:
            yield "".join(whole)
            whole = []
        whole.append(_step(part))
    yield "".join(whole)


def _by_parts(
    tokenizer: Any, dialogue: RenderedDialogue, known: dict[str, list[int]]
) -> list[TurnTokens] | None:
    """Tokens of parts put together, or `None` where those of the whole text are others."""
    turns: list[TurnTokens] = []
    history: list[int] = []
    texts: list[str] = []
    front = 0
    for part in dialogue.parts:
        lead, context = known[part.lead], known[part.lead + part.aside]
        if not part.goes_on or not texts:
            if texts and history[front:] != known["".join(texts)]:
                return None
            history = _before(tokenizer, part.lead, lead)
            front, texts = len(history), []
        tail = known[part.lead + part.aside + part.continuation]
        if tail[: len(context)] != context:
            tail = context + _alone(tokenizer, part.continuation)
        turns.append(
            TurnTokens(
                part.turn,
                history,
                len(history),
                tuple(tail),
                len(history) + len(context),
                tuple(known[part.lead + part.prompt]),
            )
        )
        texts.append(_step(part))
        history += known[texts[-1]]
    return turns if history[front:] == known["".join(texts)] else None


def _one_by_one(
    tokenizer: Any, dialogue: RenderedDialogue, longest: int | None
) -> Iterator[TurnTokens]:
    last: TurnTokens | None = None
    for index, part in enumerate(dialogue.parts):
        if last and longest is not None and last.length > 2 * longest and part.goes_on:
            yield TurnTokens(part.turn, last.tail, last.length, (), last.length, ())
            continue
        prompt = dialogue[index]
        context, tail, generation = _raw(
            tokenizer, [prompt.context, prompt.context + prompt.continuation, prompt.generation]
        )
        if tail[: len(context)] != context:
            tail = context + _alone(tokenizer, part.continuation)
        before = _before(tokenizer, prompt.context, context)
        start = len(before) + len(context)
        last = TurnTokens(part.turn, (), 0, (*before, *tail), start, (*before, *generation))
        yield last


_ANCHORS = ("\n", "。", ".", "a")


def _alone(tokenizer: Any, text: str) -> list[int]:
    """The tokens of text that follows other text, without a token that holds some of both.

    Some tokenizers put a space before every text; there it is encoded after something and cut off.
    """
    (alone,) = _raw(tokenizer, [text])
    before, letter, both = _raw(tokenizer, ["\n", "a", "\na"])
    if both == before + letter:
        return alone
    for anchor in _ANCHORS:
        front, whole = _raw(tokenizer, [anchor, anchor + text])
        if whole[: len(front)] == front:
            return whole[len(front) :]
    return alone
