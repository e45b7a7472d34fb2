"""Schools in one text that are known by a short name or by a number: 清华, 成都七中."""

from __future__ import annotations

import re

from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import FIXED, UNIVERSITIES, WEAK_UNIVERSITIES
from rapport_training.privacy.words import places

_NUMBERED = re.compile(
    r"(?:第?[一二三四五六七八九十百\d]{1,3}|附|实验|外国语|师大附)(?:中学|中|高中|高|小学|小|初中|幼)(?![心间国午秋级等考度年型孩时])"
)

_SCHOOLS = re.compile("|".join(sorted(UNIVERSITIES, key=len, reverse=True)))

_AT_SCHOOL = re.compile(
    r"(?:大学|附中)?(?:里|那边)?(?:读|上学|念|毕业|的(?:学生|本科|研究生|硕士|博士|同学|学姐|学长)|大[一二三四]|研[一二三]|学生|本科|研究生|硕士|博士|在读|上的|学的|校园|任教|教书|当老师)"
)

_TO_SCHOOL = re.compile(
    r"(?:考上了?|考进了?|考入|就读于|就读|毕业于|保送|考|读|上|念|在|来自|录取|申请|去|进了?|是)$"
)


def find_schools(text: str, words: list[str], starts: list[int]) -> list[Found]:
    """Schools of `text`, whose words begin at `starts`; may overlap."""
    found: list[Found] = []
    for match in _NUMBERED.finditer(text):
        found += _numbered(text, words, starts, match)
    for match in _SCHOOLS.finditer(text):
        found += _abbreviated(text, match, starts)
    return found


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
    if FIXED.match(text, start):
        return []
    weak = match.group() in WEAK_UNIVERSITIES
    if weak and not (_TO_SCHOOL.search(text[:start]) or _AT_SCHOOL.match(text, end)):
        return []
    return [(start, end, "学校")]
