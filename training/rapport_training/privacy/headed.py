"""Schools, employers and small places by their last part and by evidence that what precedes it is a name.

From 小学, 药房 or 小区 the name is followed to the left, word by word, up to a function word or a verb; it is
then scored: words that no dictionary has, places and proper nouns count most, ordinary nouns little,
general words (高级, 保险) nothing; what stands on both sides adds to it.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from rapport_training.privacy.name_words import BOUNDARY, HAN
from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import (
    FUNCTION_WORDS,
    GENERIC,
    ORGANISATION_TAILS,
    SCHOOL_TAILS,
    SUFFIXES,
)
from rapport_training.privacy.words import part_of_speech, places, word_list

THRESHOLDS = {"学校": 1.6, "单位": 1.2, "地点": 2.0}
"""Score from which on a run of words is a name; set with the scores on development sentences."""

DOOR = re.compile(
    r"(?:[A-Z\d]{1,2}区)?附?\s?[\d一二三四五六七八九十]+\s?(?:号院|号楼|号|弄|段|栋|幢|座|单元|室|层|楼|排|组|队)(?:\s?附?[\dA-Za-z一二三四五六七八九十\-]+\s?(?:号楼|号|栋|幢|座|单元|室|层|楼|房|户)?)*"
)
"""What follows a street or an estate: 3栋2单元."""

_MORE_SCHOOLS = word_list("place_words.txt", "more_school_tails")

_MORE_ORGANISATION = word_list("place_words.txt", "more_organisation")

KINDS_BY_TAIL = {
    **dict.fromkeys(SUFFIXES, "地点"),
    **dict.fromkeys(ORGANISATION_TAILS + _MORE_ORGANISATION, "单位"),
    **dict.fromkeys(SCHOOL_TAILS + _MORE_SCHOOLS, "学校"),
}

TAIL = re.compile("|".join(sorted(KINDS_BY_TAIL, key=len, reverse=True)))

_PROPER = frozenset(("ns", "nr", "nz", "nt", "nrt", "nrfg", "nrg", ""))

_STOP_TAGS = frozenset("rpcudmqyfet")

_LEFT = re.compile(
    r"(?:在|被|是|从|自|进|进了|去|去了|到|到了|回|跟|和|给|离开|考上|考上了|考进|读|念|上|来自|转到|送到|送去|我们|你们|他们|开除|去过|叫|于|对|还有|，|。|！|^)$"
)

_OFFICES = (*"院局队联委所站", "中心", "学校", "小学", "中学", "职高", "幼儿园")
"""Last parts before which 市 or 县 is name enough."""

_AFTER_NAMES_ONLY = frozenset(
    ("学校", "教育", "工作室", "快递", "造型", "口腔", "装饰", "实业", "生物", "矿", "保险")
)
"""Last parts that also follow ordinary nouns: 毅力 教育."""


def find_headed(text: str, starts: list[int], words: list[str]) -> list[Found]:
    """Schools and employers of `text`, whose `words` begin at `starts`; may overlap."""
    found: list[Found] = []
    for match in TAIL.finditer(text):
        last = bisect_left(starts, match.end())
        if starts[last] != match.end():
            continue
        index = bisect_left(starts, match.start())
        if starts[index] > match.start():
            index -= 1
            part = match.start() - starts[index] < 2 and len(match.group()) < 2
            if part or (
                KINDS_BY_TAIL[match.group()] == "地点"
                and part_of_speech(words[index]) not in _PROPER
            ):
                continue
            if words[index] in GENERIC:
                continue
        first = _run_start(words, index)
        named = words[first:index]
        if starts[index] < match.start():
            named.append(text[starts[index] : match.start()])
        kind = KINDS_BY_TAIL[match.group()]
        start = starts[first]
        if _score(named, text, start, match) >= THRESHOLDS[kind]:
            found.append((start, match.end(), kind))
    return found


def _run_start(words: list[str], index: int) -> int:
    first, size = index, 0
    while first and size < 9:
        word = words[first - 1]
        numeral = first == index and word in "一二三四五六七八九十"
        if not (numeral or _may_belong(word, first > 1 and words[first - 2] in places())):
            break
        first, size = first - 1, size + len(word)
    while first < index and words[first] in GENERIC and words[first] not in {"市", "省", "小"}:
        first += 1
    return first


def _may_belong(word: str, after_place: bool) -> bool:
    if not HAN.fullmatch(word):
        return False
    if word[0] in FUNCTION_WORDS or word[-1] in "的了在到进去给被把过报":
        return False
    tag = part_of_speech(word)[:1]
    if tag in _STOP_TAGS:
        return (len(word) > 1 and word[0] in "第万百千") or word in {"东", "西", "南", "北", "中"}
    return tag != "v" or (after_place and len(word) > 1)


def _score(named: list[str], text: str, start: int, match: re.Match[str]) -> float:
    tail, end = match.group(), match.end()
    own = [word for word in named if word not in GENERIC]
    if named[:1] in (["市"], ["省"], ["县"], ["区"]) and tail.endswith(_OFFICES):
        return 2.0 if len(named) > 1 or len(tail) > 1 else 0.0
    if sum(map(len, named)) < 2 or not own:
        return 0.0
    score = 0.0
    if any(word in places() for word in own):
        score += 2.0
    if any(len(word) > 1 and part_of_speech(word) in _PROPER for word in own):
        score += 1.5
    score += 1.5 if sum(len(word) == 1 for word in named) > 1 else 0.0
    if tail in _AFTER_NAMES_ONLY and not score:
        return 0.0
    if any(
        len(word) > 1 and part_of_speech(word)[:1] in {"n", "a", "z", "i", "m", "j"} for word in own
    ):
        score += 0.5
    if _LEFT.search(text[max(0, start - 4) : start]):
        score += 0.8
    score += 0.4 if text[end : end + 1] in BOUNDARY else 0.0
    if KINDS_BY_TAIL[tail] == "地点":
        return score + (2.0 if DOOR.match(text, end) else 0.0)
    return score + (1.0 if tail[0] in "一二三四五六七八九" else 0.0)
