"""Names of places that a gazetteer has, and what stands around them.

A long name of a division of China is a place wherever it stands. A name that is a word as well (安宁, 长寿),
a county without its 县 and a place abroad are scored by what stands on both sides. The list is
`data/places.txt`, which `training/make_gazetteer.py` makes.
"""

from __future__ import annotations

import re
from functools import cache

from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import AMBIGUOUS, FIXED
from rapport_training.privacy.words import part_of_speech, places, word_list

THRESHOLD = 2.0
"""Score from which on a name of the gazetteer is a place; set with the scores on development sentences."""

_STEM = re.compile(r"(.{2,4}?)(?:[市县区盟])$")

_BEFORE = re.compile(r"(?:在|去|到|回|从|来自|离开|住|住在|梦见|老家|嫁到|位于|路过|经过)$")

_AFTER = re.compile(
    r"(?:那边|这边|附近|一带|那段|那几[年天个]|那[年时]|这座|那座|市区|郊区|城里|城区|老城|乡下|农村|老家|下雨|下雪|打工|上学|上班|上大学|上高中|读书|读大学|读研|念书|出差|当|做|开|生活|长大|工作|租|买|散心|旅游|度假|旅行|支教|培训|实习|定居|海拔"
    r"|人(?![生家们民际类格工心情和品性员事才])|的?(?:老家|老屋|大院|家|房子|冬天|夏天|春天|秋天|夜|街|海|山|婆家|灯|雨|雪|厂|工厂|工地|亲戚|爸妈|父母|朋友|公婆|宿舍|出租屋|医院|学校|家里|票|火车|高铁|飞机|房|爷爷|奶奶|外婆))"
)

_EDGE = frozenset('，。！？、；：,.!?;: “”"（）()…—')

_ORDINARY = frozenset("vadmbftcqijzlruopy")

_LISTED = frozenset(word_list("place_words.txt", "town_words"))
"""Short names that are nearly always a word or a person."""


@cache
def short_names() -> dict[str, float]:
    """Names of places that need context, with how much of it they have by themselves."""
    names: dict[str, float] = {}
    for place, kind in places().items():
        stem = _STEM.fullmatch(place)
        short = stem.group(1) if stem else place
        if kind == "foreign":
            names[place] = 0.3
        elif len(short) > 1 and short not in _LISTED and (stem or kind == "county"):
            names[short] = -1.0 if part_of_speech(short)[:1] in _ORDINARY else 0.4
    sure = [place for place, kind in places().items() if kind == "division"]
    names |= dict.fromkeys((*sure, *word_list("place_words.txt", "landmarks")), THRESHOLD)
    names |= {name: 0.3 for name in AMBIGUOUS if name in names}
    return names


@cache
def _firsts() -> frozenset[str]:
    return frozenset(name[:2] for name in short_names())


def find_listed(text: str, words: list[str], starts: list[int]) -> list[Found]:
    """Names of the gazetteer that begin where a word does, by what is around them."""
    names = short_names()
    ends = set(starts)
    fixed: list[tuple[int, int]] | None = None
    found: list[Found] = []
    for start, word in zip(starts, words, strict=False):
        if text[start : start + 2] not in _firsts():
            continue
        if fixed is None:
            fixed = [match.span() for match in FIXED.finditer(text)]
        if any(low <= start < high for low, high in fixed):
            continue
        for size in range(9, 1, -1):
            end = start + size
            name = text[start:end]
            if len(name) < size or name not in names:
                continue
            whole = end in ends and len(word) <= size
            score = names[name] - (0.0 if whole else 0.8)
            if score + _context(text, start, end) >= THRESHOLD:
                found.append((start, end, "地点"))
                break
    return found


def _context(text: str, start: int, end: int) -> float:
    """What stands around a name, as evidence for a place."""
    score = 0.0
    before = text[max(0, start - 4) : start]
    if _BEFORE.search(before):
        score += 1.7
    if _AFTER.match(text, end):
        score += 1.6
    elif end == len(text) or text[end] in _EDGE:
        score += 0.4
    return score
