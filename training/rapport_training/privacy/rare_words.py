"""Which words make a sentence worth reading for names: those that ordinary talk hardly has.

The trained model (`privacy.model`) takes longer than everything else, and few sentences hold a name.
jieba's dictionary knows how often each word occurs; a sentence of common words that are no names by
that dictionary is not read.
"""

from __future__ import annotations

from functools import cache, lru_cache

from rapport_training.privacy.gazetteer import short_names
from rapport_training.privacy.name_words import (
    ANY_TITLE,
    HAN,
    NO_GIVEN,
    NO_PERSON,
    SURNAMES_LIKELY,
    SURNAMES_RARE,
    SURNAMES_SURE,
    TWICE_STOP,
    surname_at,
)
from rapport_training.privacy.place_words import EMPLOYERS, UNIVERSITIES
from rapport_training.privacy.words import (
    frequency,
    given_score,
    part_of_speech,
    places,
)

COMMON_CHARACTER = 30_000
"""Frequency in jieba's dictionary from which on a character alone says nothing."""

COMMON_WORD = 1_000
"""... and a word."""

_PROPER = frozenset(("nr", "nrt", "nrfg", "ns", "nt", "nz"))

_FUNCTION = frozenset("rpcudmyf")
"""Parts of speech of characters that no name is cut into, but for surnames."""

_SURNAMES = SURNAMES_SURE | SURNAMES_LIKELY | SURNAMES_RARE


@lru_cache(maxsize=65536)
def may_be_named(word: str) -> bool:
    """Whether a person, a place or an organisation may be called this or by a part of this."""
    if not HAN.match(word):
        return False
    tag = part_of_speech(word)
    if len(word) == 1:
        surname = word in SURNAMES_SURE or (word in SURNAMES_LIKELY and tag[:1] in "qnvaj")
        if word in NO_GIVEN or (tag[:1] in _FUNCTION and not surname):
            return False
        return surname or (frequency(word) < COMMON_CHARACTER and given_score(word) > -1.0)
    if word in _known():
        return True
    if word in NO_PERSON or word in TWICE_STOP:
        return False
    if tag in _PROPER:
        return True
    if len(word) > 2 or frequency(word) >= COMMON_WORD:
        return False
    if word[0] == word[1]:
        return tag[:1] not in "vdozaim"
    surname = word[0] in _SURNAMES and tag[:1] not in _FUNCTION and given_score(word[1]) > -2
    nickname = word[0] in "小老阿" and (word[1] in _SURNAMES or given_score(word[1]) > 0)
    return given_score(word) >= 0 or surname or nickname


@lru_cache(maxsize=65536)
def may_be_called(before: str, word: str) -> bool:
    """Whether two words may be a surname with its title or a nickname: 段 主任, 小 北."""
    if before in "小老阿":
        return len(word) == 1 and HAN.match(word) is not None and word not in NO_GIVEN
    return surname_at(before, 0)[0] == len(before) and ANY_TITLE.match(word) is not None


@cache
def _known() -> frozenset[str]:
    named = {*short_names(), *EMPLOYERS, *UNIVERSITIES} - NO_PERSON
    return frozenset({word for word in named if frequency(word) < 3 * COMMON_WORD} | {*places()})
