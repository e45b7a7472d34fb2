"""Text that a model writes for itself before it replies, and how it is told from the reply.

Models that think first put it between tags, and the prompt of some opens the block already. A thought
is never part of what is scored.
"""

from __future__ import annotations

import re

_NAMES = r"(?:\w+:)?(?:think|thinking|thoughts?|reasoning)"
_OPEN = rf"(?:<{_NAMES}>|\[THINK\]|◁think▷|<\|channel>thought)"
_CLOSE = rf"(?:</{_NAMES}>|\[/THINK\]|◁/think▷|<channel\|>)"
_TAG = re.compile(rf"{_OPEN}|({_CLOSE})")
_BLANK_BLOCK = re.compile(rf"\s*(?:{_OPEN}\s*)?{_CLOSE}\s*")
_AT_THE_END = re.compile(rf"{_OPEN}\s*({_CLOSE}\s*)?\Z")
TAGS = (
    *("<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]"),
    *("◁think▷", "◁/think▷", "<seed:think>", "</seed:think>", "<|channel>", "<channel|>"),
)
"""The tags that tokenizers have tokens for."""


class Spoken(str):
    """A reply without what was thought before it.

    Attributes:
        thought: Whether something was thought.
        cut_off: Whether the token limit ended it.
    """

    __slots__ = ("cut_off", "thought")
    thought: bool
    cut_off: bool

    def __new__(cls, text: str, thought: bool, cut_off: bool) -> Spoken:
        """A string with two more attributes, so that metrics take it as it is."""
        reply = super().__new__(cls, text)
        reply.cut_off, reply.thought = cut_off, thought
        return reply


def without_thought(text: str) -> tuple[str, bool]:
    r"""A reply without its thoughts, and whether there was one that is not blank.

    A block that is not closed lasts to the end, and one that is closed but not opened began before the
    text. Text without a tag is returned as it is.

    >>> without_thought("<think>她很累。</think>\n\n辛苦了。"), without_thought("她很累，")
    (('辛苦了。', True), ('她很累，', False))
    """
    spans = _spans(text)
    if not spans:
        return text, False
    starts = [0, *(stop for _, stop in spans)]
    stops = [*(start for start, _ in spans), len(text)]
    reply = "".join(text[start:stop] for start, stop in zip(starts, stops, strict=True))
    thought = any(_TAG.sub("", text[start:stop]).strip() for start, stop in spans)
    return reply.strip(), thought


def blanked(text: str) -> str:
    """A reply of the same length with blanks instead of its thoughts, so that places in it stay."""
    parts, at = [], 0
    for start, stop in _spans(text):
        parts += [text[at:start], " " * (stop - start)]
        at = stop
    return "".join([*parts, text[at:]])


def _spans(text: str) -> list[tuple[int, int]]:
    """Where thoughts stand, tags included."""
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    for tag in _TAG.finditer(text):
        closes = tag.group(1) is not None
        if opened is None and closes:
            spans = [(0, tag.end())]
        elif opened is None:
            opened = tag.start()
        elif closes:
            spans.append((opened, tag.end()))
            opened = None
    return spans if opened is None else [*spans, (opened, len(text))]


def spoken(text: str, opened: str | None = None) -> Spoken:
    """`without_thought` of a reply that may carry ``cut_off``.

    Args:
        text: What the model wrote.
        opened: The tag that its prompt ended with, if it did.
    """
    cut_off = getattr(text, "cut_off", False)
    if opened and not text.startswith(opened):
        text = opened + text
    return Spoken(*without_thought(text), cut_off)


def blank_block(text: str) -> str:
    """The block without a thought that a template writes at the beginning of `text`, or nothing."""
    found = _BLANK_BLOCK.match(text)
    return found.group() if found else ""


def prompted_block(prompt: str) -> tuple[str, bool]:
    r"""The block that a prompt ends with, without a thought in it, and whether it is still open.

    >>> prompted_block("assistant: <think>\n"), prompted_block("assistant: ")
    (('<think>\n', True), ('', False))
    """
    found = _AT_THE_END.search(prompt)
    return (found.group(), found.group(1) is None) if found else ("", False)
