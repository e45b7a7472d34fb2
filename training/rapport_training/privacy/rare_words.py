"""Which words make a sentence worth reading for names: those that ordinary talk hardly has.

The trained model (`privacy.model`) takes longer than everything else, and few sentences hold a name.
jieba's dictionary knows how often each word occurs; a sentence of common words that are no names by
that dictionary is not read.
"""

from __future__ import annotations

from functools import cache, lru_cache

from rapport_training.privacy.gazetteer import short_names
from rapport_training.privacy.name_context import ANY_TITLE, surname_at
from rapport_training.privacy.name_words import (
    HAN,
    NO_GIVEN,
    NO_PERSON,
    SURNAMES_LIKELY,
    SURNAMES_RARE,
    SURNAMES_SURE,
    TWICE_STOP,
)
from rapport_training.privacy.place_words import EMPLOYERS, UNIVERSITIES
from rapport_training.privacy.words import (
    frequency,
    given_score,
    is_popular,
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

_RANKED = frozenset("丫妮妞娃")


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
        rare = frequency(word) < COMMON_CHARACTER
        return surname or (rare and (given_score(word) > -1.0 or word in _RANKED))
    if word in _known() or _is_nickname(word):
        return True
    if word in NO_PERSON or word in TWICE_STOP or word in _HARMLESS:
        return False
    if tag in _PROPER:
        return True
    if len(word) > 2:
        return False
    if word[0] == word[1]:
        return tag[:1] not in "vdozaim"
    if frequency(word) >= COMMON_WORD:
        return False
    return (
        is_popular(word)
        or given_score(word) >= 0
        or word[1] == "儿"
        or (word[0] in _SURNAMES and tag[:1] not in _FUNCTION and given_score(word[1]) > -2)
    )


@lru_cache(maxsize=65536)
def may_be_called(before: str, word: str) -> bool:
    """Whether two words may be a surname with its title or a nickname: 段 主任, 小 北."""
    if before in "小老阿":
        return len(word) == 1 and HAN.match(word) is not None and word not in NO_GIVEN
    return surname_at(before, 0)[0] == len(before) and ANY_TITLE.match(word) is not None


def _is_nickname(word: str) -> bool:
    """小张, 阿强: read although a dictionary has them."""
    return (
        len(word) == 2
        and word[0] in "小老阿"
        and (word[1] in SURNAMES_SURE | SURNAMES_LIKELY or given_score(word[1]) > 0)
        and frequency(word) < COMMON_WORD
    )


@cache
def _known() -> frozenset[str]:
    named = {*short_names(), *places(), *EMPLOYERS, *UNIVERSITIES}
    common = {word for word in named if word in NO_PERSON or frequency(word) >= 3 * COMMON_WORD}
    return frozenset((named - common - _HARMLESS) | places().keys() | _ORGANISED)


_HARMLESS = frozenset(
    ("心理咨询", "恋爱", "男友", "女友", "男生", "女生", "东西", "长大", "聊天", "城市", "完美")
)
"""Words of counselling that would have half of its sentences read."""

_ORGANISED = frozenset(("有限公司", "分公司", "集团", "总部", "事务所", "研究所", "研究院"))
