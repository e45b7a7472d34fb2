"""Foreign names: 迈克尔·约翰逊, 艾米丽, Lily."""

from __future__ import annotations

import re

from rapport_training.privacy.name_context import TITLE, Name
from rapport_training.privacy.name_words import (
    CUE,
    ENGLISH_NAMES,
    HAN,
    INTRODUCED,
    LATIN_STOP,
    ROLE_CUE,
    THEORY,
)
from rapport_training.privacy.words import word_list

_PARTS = "|".join(sorted(word_list("name_words.txt", "minority_parts"), key=len, reverse=True))

_MINORITY = re.compile(
    rf"(?:{_PARTS})(?:[·・•]?(?:{_PARTS})|[尔娜拉孜木江提汗罕夏甫丁斯热克买力娅玛措吉珠嘎卓]){{1,4}}"
)
"""次仁卓玛, 买买提江: two parts, or one with an ending."""

_LATIN = re.compile(
    r"(?<![A-Za-z0-9_.@/\-])(?:[A-Z][a-z]{1,11}(?: [A-Z][a-z]{1,14}){0,2}|[a-z]{2,12})(?![A-Za-z0-9_@/])"
)


def find_foreign(text: str) -> list[Name]:
    """The foreign names of `text`."""
    latin = [name for match in _LATIN.finditer(text) if (name := _latin(text, match))]
    return latin + [Name(*match.span(), True) for match in _MINORITY.finditer(text)]


_NEAR = re.compile(
    r"\s?(?:说|他|她|是我|和|跟|姐|哥|总|对我|告诉|都|又|就|在|把|从|给我|今天|昨天|天天|老是|一直|走|没|不|也|的(?:男|女|老|妈|爸|眼|声|生|电|消)|[，。！？、]|$)"
)

_BESIDE = re.compile(r"(?:^|[，。！？、：\s]|和|跟|对|给|被|让|找|问|叫|把|喜欢|爱|信任|因为|是)$")


def _latin(text: str, match: re.Match[str]) -> Name | None:
    words = match.group().split(" ")
    before = text[max(0, match.start() - 14) : match.start()]
    cue = CUE.search(before) is not None
    hit = words[0] in ENGLISH_NAMES
    role = ROLE_CUE.search(before) is not None or INTRODUCED.search(before) is not None
    title = TITLE.match(text, match.end()) is not None
    near = _NEAR.match(text, match.end()) is not None
    beside = _BESIDE.search(before) is not None
    chinese = bool(HAN.search(text))
    if words[0].lower() in LATIN_STOP or THEORY.match(text, match.end()):
        return None
    capital = words[0][0].isupper()
    if cue and (capital or (chinese and len(words[0]) > 2 and text[match.start() - 1] != " ")):
        return Name(match.start(), match.end(), capital)
    if hit or (
        capital
        and len(words[0]) > 2
        and ((role and chinese) or (title and near) or (near and beside and chinese))
    ):
        return Name(
            match.start(), match.end() if hit or cue else match.start() + len(words[0]), True
        )
    return None
