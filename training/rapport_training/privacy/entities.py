"""What of the model's entities is an identifier: not 薇信, 周杰伦, 大城市, 美国心理学家 or 华为手机."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from statistics import fmean

from rapport_training.privacy.gazetteer import short_names
from rapport_training.privacy.headed import KINDS_BY_TAIL, TAIL
from rapport_training.privacy.known import works_there
from rapport_training.privacy.model import ORGANISATION, PERSON, Entity, Reading
from rapport_training.privacy.name_words import (
    GIVEN_TITLE,
    HAN,
    KIN,
    NO_PERSON,
    PUBLIC_FIGURES,
    ROLES,
    TITLES,
    TWICE_STOP,
    Name,
)
from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import (
    AMBIGUOUS,
    EMPLOYERS,
    FIXED,
    GENERIC,
    UNIVERSITIES,
    WORD_EMPLOYERS,
)
from rapport_training.privacy.words import (
    frequency,
    part_of_speech,
    places,
    segment,
    word_list,
)

_ROLE = re.compile("|".join(sorted((r for r in ROLES if len(r) > 1), key=len, reverse=True)))
"""What the model takes into a name: 阿婆 秀英."""

_NAME = re.compile(r"[\u4e00-\u9fff·・•]{2,16}")

_NOBODY = NO_PERSON | PUBLIC_FIGURES | TWICE_STOP

_PERSONS = frozenset(("", "nr", "nrt", "nrfg", "nz"))

_EVERYWHERE = frozenset(word_list("place_words.txt", "everywhere")) | AMBIGUOUS
"""Places that point at nobody."""

_TAIL_AT_END = re.compile(f"(?:{TAIL.pattern}|[一二三四五六七八九十附实验][中小]|大附中)$")


def people(text: str, reading: Reading) -> Iterator[Name]:
    """The persons of a reading who are nobody that everybody knows, with their titles."""
    for entity in reading.entities:
        start, end = entity.start, entity.end
        role = _ROLE.match(text, start, end - 2)
        start = role.end() if role else start
        if entity.kind != PERSON:
            continue
        surface = text[start:end]
        title = GIVEN_TITLE.match(text, end) if HAN.fullmatch(surface) else None
        known = any(text[start:stop] in PUBLIC_FIGURES for stop in range(end - 1, end + 3))
        if known or not _may_be_person(surface, titled=title is not None):
            continue
        beside = title or KIN.search(text[max(0, start - 4) : start])
        sure = title or fmean(reading.person[start:end]) >= _SURE
        ordinary = _is_ordinary(surface)
        if sure and (beside or not ordinary):
            yield Name(start, title.end() if title else end, not (ordinary or title))


def _may_be_person(surface: str, *, titled: bool) -> bool:
    if surface in _NOBODY or surface.endswith(TITLES + ROLES) or _NO_PART & set(surface):
        return False
    return titled or _NAME.fullmatch(surface) is not None


_NO_PART = frozenset("我你他她的了")

_SURE = 0.38
"""Mean probability of a person's characters from which on the model is believed; a title says as much.

Set on the development sentences: a name that stays harms more than a masked word.
"""


@lru_cache(maxsize=65536)
def _is_ordinary(surface: str) -> bool:
    words = [word for word in segment(surface) if part_of_speech(word) not in _PERSONS]
    whole = words == [surface]
    return any(
        len(word) > 1 and frequency(word) >= (_ORDINARY if whole else _COMMON) for word in words
    )


_ORDINARY = 10
"""Frequency from which on a word that the dictionary takes for no name needs a relative before it."""

_COMMON = 1_000
"""... and a word that is part of the name: 心理咨."""


def located(text: str, entities: Sequence[Entity]) -> Iterator[Found]:
    """The places, schools and employers among `entities` that point at somebody."""
    fixed = [match.span() for match in FIXED.finditer(text)] if entities else []
    for entity in entities:
        start, end = entity.start, entity.end
        if entity.kind == PERSON or any(low <= start < high for low, high in fixed):
            continue
        if HAN.fullmatch(text, start, end):
            kind = _kind(text, start, end, organised=entity.kind == ORGANISATION)
            if kind:
                yield start, end, kind


def _kind(text: str, start: int, end: int, *, organised: bool) -> str:
    surface = text[start:end]
    tail = _TAIL_AT_END.search(surface)
    rest = surface[: tail.start()] if tail else surface
    inside = _IN.search(text[:start]) is not None
    if surface in EMPLOYERS:
        plain = surface not in WORD_EMPLOYERS and inside
        return "单位" if plain or works_there(text, start, end) else ""
    nowhere = surface in _EVERYWHERE or places().get(surface) == "foreign"
    if nowhere or not rest or rest in GENERIC or surface in GENERIC:
        return ""
    kind = KINDS_BY_TAIL.get(tail.group(), "学校") if tail else ""
    if kind == "学校" or surface in UNIVERSITIES:
        return "学校"
    placed = surface in short_names() or surface[:2] in places()
    if kind or placed:
        return kind or "地点"
    if organised:
        return "单位" if inside else ""
    return "地点" if inside and not _is_ordinary(surface) else ""


_IN = re.compile("[在去到回从住来离进往自于]$")
