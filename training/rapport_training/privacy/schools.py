"""Schools in one text: 四川大学, 清华, 成都七中, 育才中学.

A university abroad that is quoted for its research (哈佛大学的研究) is nobody's school and stays.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import (
    FIXED,
    FUNCTION_WORDS,
    GENERIC,
    NAMED_SCHOOLS,
    SCHOOL_TAILS,
    UNIVERSITIES,
    WEAK_UNIVERSITIES,
    run_start,
)
from rapport_training.privacy.words import part_of_speech, places

_NUMBERED = re.compile(
    r"(?:第?[一二三四五六七八九十百\d]{1,3}|附|实验|外国语|师大附)(?:中学|中|高中|高|小学|小|初中|幼)(?![心间国午秋级等考度年型孩时])"
)

_LOCAL = re.compile(
    r"(?:[市县区省镇铁](?:实验)?[一二三四五六七八九十]{1,3}|(?<=[在去到回从考进上])[一二三四五六七八九十]{2,3})(?:中学|小学|高中|中|小)(?![心间国午秋级等考度型孩时])"
)
"""市二中, 三十五中."""

_SCHOOLS = re.compile("|".join(sorted(UNIVERSITIES, key=len, reverse=True)))

_AT_SCHOOL = re.compile(
    r"(?:大学|附中)?(?:里|那边)?(?:读|上学|念|毕业|的(?:学生|本科|研究生|硕士|博士|同学|学姐|学长)|大[一二三四]|研[一二三]|学生|本科|研究生|硕士|博士|在读|上的|学的|校园|任教|教书|当老师)"
)

_TO_SCHOOL = re.compile(
    r"(?:考上了?|考进了?|考入|就读于|就读|毕业于|保送|考|读|上|念|在|来自|录取|申请|去|进了?|是)$"
)

_MIDDLE = frozenset(
    [
        "师范",
        "职业",
        "技术",
        "理工",
        "实验",
        "高级",
        "双语",
        "农业",
        "财经",
        "医科",
        "艺术",
        "民族",
        "工业",
    ]
)
"""What stands between a school's own name and 学院 or 中学."""

_ABROAD = re.compile(
    r"的?(?:一项)?(?:研究(?![生院])|心理学(?!系|专业|院)|教授|科学家|学者|实验(?!室|小学|中学))"
)

_PROPER = frozenset(("ns", "nr", "nz", "nt", "nrt", "nrfg", ""))


@lru_cache(maxsize=65536)
def _school_tail(word: str) -> str:
    return next((tail for tail in SCHOOL_TAILS if word.endswith(tail)), "")


def find_schools(text: str, words: list[str], starts: list[int]) -> list[Found]:
    """Schools of `text`, whose words begin at `starts`; may overlap."""
    found: list[Found] = []
    for index, word in enumerate(words):
        end = starts[index + 1]
        if word.endswith("毕业") and len(word) > 2:
            word, end = word[:-2], end - 2
        tail = _school_tail(word)
        if tail:
            head = index
            while head and words[head - 1] in _MIDDLE:
                head -= 1
            first = index if len(word) > len(tail) else run_start(words, head)
            if first == head < index:
                continue
            placed = _TO_SCHOOL.search(text[: starts[first]]) is not None
            name = text[starts[first] : end - len(tail)]
            proper = len(word) > len(tail) and part_of_speech(word) in {"nt", "ns", "nz", "nr"}
            if text[end : end + 1] in {"会", "到", "习"} or any(c in FUNCTION_WORDS for c in name):
                continue
            named = proper or _is_proper(words[first:head], name, placed and tail in NAMED_SCHOOLS)
            quoted = _ABROAD.match(text, end) and words[first] not in places()
            if name and name not in GENERIC and named and not quoted:
                found.append((starts[first], end, "学校"))
    found += [(*match.span(), "学校") for match in _LOCAL.finditer(text)]
    for match in _NUMBERED.finditer(text):
        found += _numbered(text, words, starts, match)
    for match in _SCHOOLS.finditer(text):
        found += _abbreviated(text, match, starts)
    return found


def quoted(text: str, end: int) -> bool:
    """Whether a school that ends at `end` is named for its research only."""
    return _ABROAD.match(text, end) is not None


def _is_proper(name_words: list[str], name: str, placed: bool) -> bool:
    if not name_words or len(name) < 2:
        return False
    if any(word in places() for word in name_words):
        return True
    if any(word in GENERIC for word in name_words):
        return False
    if placed and all(part_of_speech(word)[:1] in {"n", "a", "z"} for word in name_words):
        return True
    return any(part_of_speech(word) in _PROPER - {"nr"} for word in name_words) or all(
        len(word) == 1 for word in name_words
    )


def _numbered(text: str, words: list[str], starts: list[int], match: re.Match[str]) -> list[Found]:
    start, end = match.span()
    try:
        index = starts.index(start)
    except ValueError:
        return []
    begin = start
    while index and (
        words[index - 1] in places() or words[index - 1] in {"市", "县", "区", "省", "镇"}
    ):
        index -= 1
        begin = starts[index]
    full = match.group().startswith("第") and match.group().endswith(("学", "高中"))
    if begin < start or full or (_TO_SCHOOL.search(text[:start]) and _AT_SCHOOL.match(text, end)):
        return [(begin, end, "学校")] if end in starts or begin < start else []
    return []


def _abbreviated(text: str, match: re.Match[str], starts: list[int]) -> list[Found]:
    start, end = match.span()
    aligned = start in starts and (end in starts or text.startswith("大", end))
    if not aligned and len(match.group()) < 4:
        return []
    if text.startswith("大学", end):
        end += 2
    if _ABROAD.match(text, end) or FIXED.match(text, start):
        return []
    weak = match.group() in WEAK_UNIVERSITIES
    if weak and not (_TO_SCHOOL.search(text[:start]) or _AT_SCHOOL.match(text, end)):
        return []
    return [(start, end, "学校")]
