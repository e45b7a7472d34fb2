"""Employers and other organisations in one text: 鼎盛建筑有限公司, 华西医院, 在华为上班.

A brand is an employer where somebody works; elsewhere (华为手机) it stays.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapport_training.privacy_patterns import Found
from rapport_training.privacy_place_words import (
    AT_WORK,
    EMPLOYERS,
    GENERIC,
    JOIN_WORK,
    ORGANISATION,
    ORGANISATION_STOP,
    WEAK_ORGANISATION,
)
from rapport_training.privacy_words import part_of_speech, places

_ORG_BY_LENGTH = tuple(sorted(ORGANISATION, key=len, reverse=True))

_FUNCTION = frozenset(("r", "p", "c", "u", "uj", "d", "y", "t", "m"))

_EMPLOYER = re.compile(
    "|".join(re.escape(name) for name in sorted(EMPLOYERS, key=len, reverse=True))
)


@lru_cache(maxsize=65536)
def _organisation_tail(word: str) -> str:
    return next((tail for tail in _ORG_BY_LENGTH if word.endswith(tail)), "")


def _organisations(text: str, words: list[str], starts: list[int]) -> list[Found]:
    """鼎盛建筑有限公司, 华西医院: an organisation's word with a name of its own before it."""
    found: list[Found] = []
    for index, word in enumerate(words):
        tail = _organisation_tail(word)
        if not tail:
            continue
        first, size = index, 0
        while first and size < 12:
            before = words[first - 1]
            function = len(before) > 1 and part_of_speech(before) in _FUNCTION
            verb = len(before) > 1 and part_of_speech(before) in {"v", "ad", "l", "i"}
            counted = re.fullmatch("第[一二三四五六七八九十百]+", before) is not None
            other = (
                before.endswith("公司")
                or before in ORGANISATION_STOP
                or verb
                or (function and not counted)
            )
            if not re.fullmatch(r"[\u4e00-\u9fffA-Za-z0-9（）()]+", before) or other:
                break
            first, size = first - 1, size + len(before)
        run = words[first:index] + ([word[: -len(tail)]] if len(word) > len(tail) else [])
        name = "".join(run)
        known = (
            len(word) > len(tail)
            and part_of_speech(word) == "nt"
            and word[: -len(tail)] not in GENERIC
        )
        if len(name) < 2 and not known and name not in {"市", "县", "区", "省"}:
            continue
        strong = tail not in WEAK_ORGANISATION
        if known or _names_organisation(run, text, starts[first], starts[index + 1], strong):
            found.append((starts[first], starts[index + 1], "单位"))
    return found


def _names_organisation(run: list[str], text: str, start: int, end: int, strong: bool) -> bool:
    named = [word for word in run if word not in GENERIC and word not in ORGANISATION]
    works = AT_WORK.match(text, end) is not None
    if run[-1:] in (["市"], ["县"], ["区"], ["省"]):
        return works
    if run[:1] in (["市"], ["县"], ["区"], ["省"]) and text[start:end].endswith("医院"):
        return True
    if not named:
        return False
    if strong and "公司" in text[start:end] and text[start:end].endswith("有限公司"):
        return True
    if any(word in places() for word in named):
        return True
    named = [word for word in named if not re.fullmatch("[A-Za-z]{1,3}", word)]
    own = [word for word in named if part_of_speech(word) in {"nz", "nt", "ns", "nr", ""}]
    singles = [word for word in named if len(word) == 1]
    located = works or text[:start].endswith(
        (
            "我们",
            "我在",
            "他在",
            "她在",
            "在",
            "到",
            "去",
            "进",
            "入职",
            "是",
            "从",
            "来自",
            "：",
            "叫",
            "到了",
            "老板是",
        )
    )
    if own or len(singles) > 1 or any(c in "第市省县区" for word in named for c in word[:1]):
        return located or strong
    described = any(part_of_speech(word)[:1] in {"a", "z", "i"} for word in named)
    return (strong and located) or (works and described)


def _employers(text: str) -> list[Found]:
    return [
        (match.start(), match.end(), "单位")
        for match in _EMPLOYER.finditer(text)
        if _works_there(text, *match.span())
    ]


def _works_there(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - 6) : start]
    joined = any(before.endswith(word) for word in JOIN_WORK)
    if before.endswith(("入职", "入职了", "跳槽到", "跳槽去", "就职于", "任职于", "供职于")):
        return True
    beside = joined or before.endswith(("在", "到", "去", "是", "从", "的"))
    return beside and AT_WORK.match(text, end) is not None


def find_employers(text: str, words: list[str], starts: list[int]) -> list[Found]:
    """Organisations with a name of their own, and brands where somebody works."""
    return _organisations(text, words, starts) + _employers(text)
