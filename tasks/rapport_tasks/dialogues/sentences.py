"""Sentences of a reply, as spans of the original text.

A quotation is opaque: `他说“我累了。”就走了。` is one sentence, because what stands in quotation marks
is not the speaker's own act. Quotations end with their line, so that one stray mark cannot swallow
the rest of a reply. Every regular expression here reads a text once, so time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

MASK = "\ue000"
"""Stands for every character of a quotation in masked text; as long as what it hides."""

_QUOTATION = re.compile(r'“[^“”\n\r]*”|「[^「」\n\r]*」|"[^"\n\r]*"')

_CLOSERS = r"[)）\]】》』」”’]*"
_BOUNDARY = re.compile(
    rf"[。！？!?；;][。！？!?；;…]*{_CLOSERS}"
    r"|[\n\r\u2028\u2029]"
    rf"|(?<!\.)\.(?!\.){_CLOSERS}(?=\s|\Z)"
)

_WORD_BEFORE = re.compile(r"[A-Za-z][A-Za-z.]{0,11}\Z|\d{1,12}\Z")
_ABBREVIATION = re.compile(
    r"mr|mrs|ms|dr|prof|st|vs|e\.g|i\.e|cf|fig|approx|dept|est|jr|sr|rev|gen|col|sgt|capt"
)
_CLOSING_ABBREVIATION = re.compile(
    r"etc|a\.m|p\.m|u\.s|u\.k|ph\.d|b\.a|m\.a|m\.d|inc|ltd|co|no|al|min|hr"
)
"""May end a sentence: it does when a capital letter follows."""

_ITEM = re.compile(
    r"(?:(?<=[\s，。；：;:,！？!?])|^)"
    r"(?:[(（]?(\d{1,2})(?:[.．、)）](?!\d))|([一二三四五六七八九十])、|([①-⑳]))"
)
_CHINESE_DIGITS = "一二三四五六七八九十"

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; ``text == original[start:end]``, stripped of white space, never empty."""

    start: int
    end: int
    text: str


def mask_quotations(text: str) -> str:
    """The text with every quotation, marks included, replaced by `MASK`, length unchanged."""
    return _QUOTATION.sub(lambda match: MASK * len(match.group()), text)


def split_sentences(text: str) -> list[Sentence]:
    """Split a reply into sentences.

    A sentence ends after 。！？!?；; or a newline, after a full stop that white space or the end
    follows (not one of an abbreviation or number), and before an item of an enumeration ("1.",
    "一、", "①"; an enumeration counts from one and has two items or more). An ellipsis ends nothing
    but what the line's end does. Runs of marks and closing brackets stay with their sentence.

    >>> [s.text for s in split_sentences("我懂。他说“算了。”就走了……你呢？")]
    ['我懂。', '他说“算了。”就走了……你呢？']

    Returns:
        Sentences in order, without overlap. Only white space lies between them.
    """
    masked = mask_quotations(text)
    items = set(_item_starts(masked))
    sentences = []
    start = 0
    for end in sorted({*_ends(masked, items), *items, len(text)}):
        piece = text[start:end]
        stripped = piece.strip()
        if stripped:
            first = start + len(piece) - len(piece.lstrip())
            sentences.append(Sentence(first, first + len(stripped), stripped))
        start = end
    return sentences


def _ends(masked: str, items: set[int]) -> Iterator[int]:
    last = 0
    for match in _BOUNDARY.finditer(masked):
        if match.group()[0] == "." and not _full_stop(masked, last, match.start(), items):
            continue
        last = match.end()
        yield last


def _full_stop(masked: str, sentence: int, dot: int, items: set[int]) -> bool:
    """Whether the dot ends the sentence that began at `sentence`."""
    before = _WORD_BEFORE.search(masked[max(sentence, dot - 13) : dot])
    if before is None:
        return True
    word = before.group().casefold()
    if word.isdigit():  # "1. " opens a list item; "in 1990. " ends a sentence
        start = dot - len(word)
        opens_line = not masked[max(sentence, start - 8) : start].strip(" \t\u3000(（")
        return not (opens_line or start in items)
    initial = len(word) == 1 and word != "i" and before.group().isupper()
    if initial or _ABBREVIATION.fullmatch(word):
        return False
    if _CLOSING_ABBREVIATION.fullmatch(word):
        following = masked[dot + 1 : dot + 40].lstrip()
        return not following or following[0].isupper()
    return True


def _item_starts(masked: str) -> Iterator[int]:
    """Where the items of enumerations start: 1, 2, 3, ... in one notation."""
    number_of: tuple[Callable[[str], int], ...] = (
        int,
        lambda digit: _CHINESE_DIGITS.index(digit) + 1,
        lambda circled: ord(circled) - ord("①") + 1,
    )
    first: dict[int, int] = {}  # notation -> where its item 1 stands, until item 2 confirms it
    expected = {0: 1, 1: 1, 2: 1}
    for match in _ITEM.finditer(masked):
        notation = match.lastindex or 1
        number = number_of[notation - 1](match.group(notation))
        if number == 1:
            first[notation] = match.start()
            expected[notation] = 2
        elif number == expected.get(notation):
            if notation in first:
                yield first.pop(notation)
            yield match.start()
            expected[notation] = number + 1


def distinct_sentences(text: str) -> list[Sentence]:
    """The sentences of a reply without repetitions, each where it stands first.

    Punctuation, spaces and case do not make two sentences different, so saying one thing five times
    counts once.
    """
    seen: set[str] = set()
    distinct = []
    for sentence in split_sentences(text):
        key = "".join(filter(str.isalnum, sentence.text)).casefold() or sentence.text
        if key not in seen:
            seen.add(key)
            distinct.append(sentence)
    return distinct


def language(text: str) -> Literal["zh", "en"]:
    """Chinese when there are at least as many Han characters as Latin words, or neither."""
    han, latin = count_scripts(text)
    return "zh" if han >= latin else "en"


def count_scripts(text: str) -> tuple[int, int]:
    """How many Han characters and how many Latin words a text has."""
    han = sum(len(run) for run in _HAN.findall(text))
    return han, sum(1 for _ in _LATIN_WORD.finditer(text)) if han < len(text) else 0
