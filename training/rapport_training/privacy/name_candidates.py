"""Spans of a text that may be names by their characters and words, for `privacy.name_tagger` to weigh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from rapport_training.privacy.name_words import (
    HAN,
    NO_GIVEN,
    NO_PERSON,
    PUBLIC_FIGURES,
    ROLES,
    SURNAMES_DOUBLE,
    TITLES,
    TWICE_STOP,
    surname_at,
)
from rapport_training.privacy.words import (
    UNLIKELY,
    frequency,
    given_score,
    is_popular,
    part_of_speech,
)

GIVEN_TOO = frozenset("如以之为其于向从")
"""Function words that stand in given names as well: 如玉, 以宁."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Characters `start` to `end` that may be a name: the words `index` to `after` lie on them.

    `cut` is these words, with + if the last sticks out.
    """

    start: int
    end: int
    index: int
    after: int
    surface: str
    cut: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A text, its words, where each begins, and each character's probability in a person's name."""

    text: str
    words: list[str]
    starts: list[int]
    person: list[float]


def cut_up(text: str, words: list[str], person: list[float]) -> Cut:
    """The text with its words, their starts, and what the model says (`privacy.model.Reading`)."""
    return Cut(text, words, [0, *accumulate(map(len, words))], person)


def candidates(cut: Cut) -> Iterator[Candidate]:
    """The spans of a text that could be a name by their characters and words."""
    text, starts = cut.text, cut.starts
    for index, word in enumerate(cut.words):
        start = starts[index]
        if len(word) > 2 or not _begins(word):
            continue
        for end in range(start + 2, min(start + _longest(text[start : start + 2]), len(text)) + 1):
            surface = text[start:end]
            if not shape_of(surface):
                continue
            last = index
            while starts[last] < end:
                last += 1
            inside = cut.words[index:last]
            yield Candidate(
                start,
                end,
                index,
                last,
                surface,
                " ".join(inside if starts[last] == end else [*inside, "+"]),
            )


def _longest(first: str) -> int:
    length = surname_at(first, 0)[0]
    return 4 if length == 2 else 3 if length else 2


@lru_cache(maxsize=65536)
def _begins(word: str) -> bool:
    """Whether a name may begin with this word."""
    surname = surname_at(word, 0)[0] > 0
    if len(word) == 1:
        return surname or word in "小老阿大" or given_score(word) > -1.0
    return surname or shape_of(word) != ""


def left_of(cut: Cut, candidate: Candidate) -> tuple[str, str, str]:
    """Four characters, the word and the word before it that stand left of a candidate."""
    index, start = candidate.index, candidate.start
    word = cut.words[index - 1] if index else ""
    return cut.text[max(0, start - 4) : start], word, cut.words[index - 2] if index > 1 else ""


def right_of(cut: Cut, candidate: Candidate) -> tuple[str, str, bool]:
    """Four characters and the word right of a candidate, and whether a word begins there."""
    end, after = candidate.end, candidate.after
    aligned = cut.starts[after] == end
    word = cut.text[end : end + 1]
    if aligned:
        word = cut.words[after] if after < len(cut.words) else ""
    return cut.text[end : end + 4], word, aligned


@lru_cache(maxsize=65536)
def shape_of(surface: str) -> str:
    """The shape of a name, or nothing.

    `F` is followed by the lengths of surname and given name. `D` is a double surname alone. `T` is a
    character twice: `TW` a word. `N` is a nickname with its first character: `NW` a word. `G` is a
    given name; `W` one that is a word, `V` a less likely one,
    `P` one in `NO_PERSON`.
    """
    if not HAN.fullmatch(surface) or surface in PUBLIC_FIGURES or surface[-2:] in _NOBODY:
        return ""
    if surface in NO_PERSON:
        return _word_shape(surface)
    if surface in SURNAMES_DOUBLE:
        return "D"
    if any(c in NO_GIVEN and c not in GIVEN_TOO for c in surface) and not is_popular(surface):
        return ""
    length, weight = surname_at(surface, 0)
    given = surface[length:]
    if len(surface) == 2 and (surface[0] == surface[1] or surface[0] in "小老阿大"):
        return _twice_shape(surface) if surface[0] == surface[1] else _nickname_shape(surface)
    word = part_of_speech(given) if len(given) == 2 and not is_popular(given) else ""
    ordinary = word not in _UNKNOWN
    if length and not (weight <= 0 and ordinary) and given_score(given) > -3.5 * len(given):
        known = len(given) == 1 and part_of_speech(surface) not in _UNKNOWN
        return _word_shape(surface) if known else f"F{length}{len(given)}"
    return _given_shape(surface) if len(surface) == 2 else ""


def _twice_shape(surface: str) -> str:
    tag = part_of_speech(surface)[:1]
    if surface in TWICE_STOP or given_score(surface[0]) <= -1:
        return ""
    return "TW" if tag in _RARELY_TWICE else "T"


def _nickname_shape(surface: str) -> str:
    if part_of_speech(surface) not in _UNKNOWN:
        return "NW" if frequency(surface) < _RARE else ""
    return "N" + surface[0]


def _given_shape(surface: str) -> str:
    if part_of_speech(surface) not in _UNKNOWN and not is_popular(surface):
        return _word_shape(surface)
    return "G" if given_score(surface) > -1 else ""


def _word_shape(surface: str) -> str:
    """`W`, `V` or `P` where a word of two characters may be a given name: 安然, 柳絮, 许诺."""
    if part_of_speech(surface)[:1] not in _NAMELIKE:
        return ""
    score, count = given_score(surface), frequency(surface)
    if score <= UNLIKELY or count >= _COMMON:
        return ""
    if surface in NO_PERSON:
        return "P"
    return "W" if score >= 1 and count < _RARE else "V"


WORD_SHAPES = frozenset("WVPD")
"""First characters of the shapes that are ordinary words or surnames as well."""

_COMMON, _RARE = 3_000, 1_000
"""Frequencies in jieba's dictionary: from the first on a word is nobody's name."""

_NAMELIKE = frozenset("nazstfiv")
"""First characters of the parts of speech of words that people are named with."""

_NOBODY = frozenset((*ROLES, *TITLES))

_UNKNOWN = frozenset(("", "nr", "nrt", "nrfg"))
"""Parts of speech that do not speak against a name."""

_RARELY_TWICE = frozenset("vozai")
"""Parts of speech of doubled words that are rarely pet names: 滔滔, 呜呜, 甜甜. Adverbs never are: 明明."""
