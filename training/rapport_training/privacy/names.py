"""Names of people in one text.

Rules find what has a form: 李老师 and 王姐 with their titles, what stands after 我叫, foreign names. Full and given names are found by weights fitted to characters, context and the trained model's
opinion (`privacy.name_tagger`), and by that model alone (`privacy.entities`).
"""

from __future__ import annotations

from itertools import accumulate

from rapport_training.privacy.called import find_called
from rapport_training.privacy.entities import people
from rapport_training.privacy.foreign import find_foreign
from rapport_training.privacy.model import Reading
from rapport_training.privacy.name_context import (
    ANY_TITLE,
    MEASURED,
    Name,
    surname_at,
)
from rapport_training.privacy.name_tagger import find_tagged


def find_names(text: str, words: list[str], reading: Reading) -> list[Name]:
    """Names in `text`, whose words are `words`, from left to right, without overlap."""
    names = find_by_rules(text, words, reading.person)
    others = longest([*find_tagged(text, words, reading.person), *people(text, reading)])
    names += [
        name
        for name in others
        if all(name.end <= other.start or name.start >= other.end for other in names)
    ]
    return sorted(names, key=lambda name: name.start)


def find_by_rules(text: str, words: list[str], person: list[float]) -> list[Name]:
    """The names that need no fitted weights."""
    return longest(find_titled(text, words, person) + find_called(text) + find_foreign(text))


def longest(names: list[Name]) -> list[Name]:
    """The longest of names that overlap."""
    kept: list[Name] = []
    for name in sorted(names, key=lambda name: (name.start - name.end, name.start)):
        if all(name.end <= other.start or name.start >= other.end for other in kept):
            kept.append(name)
    return sorted(kept, key=lambda name: name.start)


def find_titled(text: str, words: list[str], person: list[float]) -> list[Name]:
    """李老师, 王姐: a surname that begins a word, with its title, where the model sees a person; 姓王."""
    starts = [0, *accumulate(map(len, words))]
    found = []
    for word, start in zip(words, starts, strict=False):
        length, weight = surname_at(text, start)
        if text[start - 1 : start] == "姓" and weight > 0 and len(word) == length:
            found.append(Name(start, start + length, False))
        title = ANY_TITLE.match(text, start + length) if length else None
        if title and title.end() in starts:
            plain = weight > 0 and title.group() not in _WORDS
            if not MEASURED.search(text[:start]) if plain else person[start] >= _SEEN:
                found.append(Name(start, title.end(), False))
    return found


_SEEN = 0.1
"""Probability of a person from which on a surname that is a word as well, or a title that is, is believed."""

_WORDS = "董爷妈工导"
