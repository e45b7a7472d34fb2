"""What of the model's entities is an identifier: not 薇信, 周杰伦, 大城市, 美国心理学家 or 华为手机."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from statistics import fmean

from rapport_training.privacy.employers import works_there
from rapport_training.privacy.gazetteer import short_names
from rapport_training.privacy.model import ORGANISATION, PERSON, Entity, Reading
from rapport_training.privacy.name_context import TITLE, Name, surname_at
from rapport_training.privacy.name_words import (
    HAN,
    NICK_STOP,
    NO_PERSON,
    PUBLIC_FIGURES,
    ROLES,
    THEORY,
    TITLES,
    TRANSLITERATING,
    TWICE_STOP,
)
from rapport_training.privacy.patterns import Found
from rapport_training.privacy.person_signs import KIN, PERSON_RIGHT, TOWARDS
from rapport_training.privacy.place_words import (
    AMBIGUOUS,
    EMPLOYERS,
    FIXED,
    GENERIC,
    NEVER,
    ORGANISATION_TAILS,
    SCHOOL_TAILS,
    SUFFIXES,
    UNIVERSITIES,
    WORD_EMPLOYERS,
)
from rapport_training.privacy.schools import quoted
from rapport_training.privacy.words import (
    frequency,
    given_score,
    part_of_speech,
    places,
    segment,
    word_list,
)

_BESIDE = re.compile(KIN.pattern + "|(?:跟|让|给|对|叫|问|找|陪|告诉)$")

_ROLE = re.compile("|".join(sorted((r for r in ROLES if len(r) > 1), key=len, reverse=True)))
"""What the model takes into a name: 阿婆 秀英."""

_RANK = re.compile(".?[大二三四小]宝")
"""Names by rank, which every second family has."""

_NAME = re.compile(r"[\u4e00-\u9fff]{2,8}|[\u4e00-\u9fff]{1,7}(?:[·・•][\u4e00-\u9fff]{1,7})+")

_NOBODY = NO_PERSON | PUBLIC_FIGURES | NICK_STOP | TWICE_STOP | frozenset((*ROLES, *TITLES))

_PERSONS = frozenset(("", "nr", "nrt", "nrfg", "nz"))

_SCHOOL = re.compile(
    "(?:"
    + "|".join(sorted(SCHOOL_TAILS, key=len, reverse=True))
    + r"|[一二三四五六七八九十附实验]中|[一二三四五六七八九十附实验]小|大附中)$"
)

_SHORT_SCHOOLS = frozenset(UNIVERSITIES)

_BRANDS = frozenset(EMPLOYERS)

_EVERYWHERE = frozenset(word_list("place_words.txt", "everywhere"))
"""Places that point at nobody."""

_HEADED = re.compile(
    "(?:" + "|".join(sorted({*SCHOOL_TAILS, *ORGANISATION_TAILS}, key=len, reverse=True)) + ")"
)

_MORE = re.compile(
    "|".join(
        sorted(
            {*SUFFIXES, *SCHOOL_TAILS, *ORGANISATION_TAILS} - set("区县市路街站城岛寺"),
            key=len,
            reverse=True,
        )
    )
)
"""Last parts that the model leaves out: 翠湖 花园, 和平街 小学."""

_TAIL = re.compile(
    "(?:"
    + "|".join(sorted({*SUFFIXES, *SCHOOL_TAILS, *ORGANISATION_TAILS}, key=len, reverse=True))
    + ")$"
)


def people(text: str, reading: Reading) -> Iterator[Name]:
    """The persons of a reading who are nobody that everybody knows, with their titles."""
    for entity in reading.entities:
        start, end = entity.start, entity.end
        role = _ROLE.match(text, start, end - 2)
        start = role.end() if role else start
        surface = text[start:end]
        title = TITLE.match(text, end)
        if title and len(surface) < 4 and HAN.fullmatch(surface):
            end = title.end()
        if entity.kind == PERSON and _may_be_person(surface, titled=end > entity.end):
            known = any(
                text[start:stop] in PUBLIC_FIGURES for stop in range(entity.end - 1, end + 3)
            )
            ordinary = _is_ordinary(surface)
            before = text[max(0, start - 4) : start]
            beside = _BESIDE.search(before) or end > entity.end
            around = beside or TOWARDS.search(before) or PERSON_RIGHT.match(text, end)
            doubled = text[entity.end : entity.end + 1] == text[entity.end + 1 : entity.end + 2]
            known = known or (surface[0] == surface[-1] and doubled)
            sure = end > entity.end or fmean(reading.person[start : entity.end]) >= (
                _SURE if around else _ALONE
            )
            if sure and not known and not THEORY.match(text, end) and (beside or not ordinary):
                yield Name(start, end, not ordinary and end == entity.end)


def _may_be_person(surface: str, *, titled: bool) -> bool:
    if not titled and not _NAME.fullmatch(surface):
        return False
    if surface in _NOBODY or _RANK.fullmatch(surface) or _NO_PART & set(surface):
        return False
    role = next((title for title in TITLES if surface.endswith(title)), "")
    return not role or surname_at(surface, 0)[0] == len(surface) - len(role)


_SURE = 0.38
"""Mean probability of a person's characters from which on the model is believed; a title says as much."""

_ALONE = 0.5
"""... where nothing around them speaks of a person."""


_NO_PART = frozenset("我你他她的了")


def _unlike(surface: str) -> bool:
    """Whether two characters are no name by their looks: 少糖, 黑亮, 碴子."""
    if len(surface) != 2 or surname_at(surface, 0)[0] or surface[0] in "小阿老大":
        return False
    foreign = all(character in TRANSLITERATING for character in surface)
    return given_score(surface) < 0 and not foreign and surface[1] not in "儿丫妮妞娃"


@lru_cache(maxsize=65536)
def _is_ordinary(surface: str) -> bool:
    if _unlike(surface):
        return True
    words = [word for word in segment(surface) if part_of_speech(word) not in _PERSONS]
    whole = words == [surface]
    return any(
        len(word) > 1 and frequency(word) >= (_ORDINARY if whole else _COMMON) for word in words
    )


_ORDINARY = 50
"""Frequency from which on a word that the dictionary takes for no name needs a relative before it."""

_COMMON = 1_000
"""... and a word that is part of the name: 心理咨."""


def located(text: str, entities: Sequence[Entity]) -> Iterator[Found]:
    """The places, schools and employers among `entities` that point at somebody."""
    if not entities:
        return
    fixed = [match.span() for match in FIXED.finditer(text)]
    for entity in entities:
        start, end = entity.start, entity.end
        if entity.kind == PERSON or any(low <= start < high for low, high in fixed):
            continue
        organised = entity.kind == ORGANISATION
        more = _MORE.match(text, end)
        headed = more is not None and _HEADED.match(more.group()) is not None
        if more and not (_HEADED if headed else _TAIL).search(text[start:end]):
            end, organised = more.end(), headed
        if HAN.fullmatch(text, start, end):
            kind = _organisation(text, start, end) if organised else _place(text, start, end)
            if kind:
                yield start, end, kind


def _place(text: str, start: int, end: int) -> str:
    surface = text[start:end]
    if surface in NEVER or surface in AMBIGUOUS or surface in _EVERYWHERE or _generic(surface):
        return ""
    if places().get(surface) == "foreign" or end - start < 2:
        return ""
    if _SCHOOL.search(surface):
        return "学校"
    known = (
        surface in short_names()
        or surface in places()
        or surface[:2] in places()
        or _TAIL.search(surface)
    )
    found = known or (_IN.search(text[:start]) and not _is_ordinary(surface))
    return "地点" if found else ""


_IN = re.compile("[在去到回从住来离进往自于]$")


def _organisation(text: str, start: int, end: int) -> str:
    surface = text[start:end]
    if surface in _BRANDS:
        plain = surface not in WORD_EMPLOYERS and _IN.search(text[:start])
        return "单位" if plain or works_there(text, start, end) else ""
    placed = surface in places() or surface[:2] in places()
    if surface in _EVERYWHERE or surface in NEVER:
        return ""
    if placed and not _HEADED.search(surface):
        return _place(text, start, end)
    if _generic(surface) or end - start < 2:
        return ""
    if _SCHOOL.search(surface) or surface in _SHORT_SCHOOLS:
        return "" if quoted(text, end) else "学校"
    return "单位" if _HEADED.search(surface) or _IN.search(text[:start]) else ""


def _generic(surface: str) -> bool:
    """Whether nothing is left of a name without its last part but words that name nothing."""
    rest = _TAIL.sub("", surface)
    return not rest or rest in GENERIC or surface in GENERIC
