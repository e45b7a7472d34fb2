"""Places in one text, with its schools and employers.

Divisions of China come from a gazetteer (`data/places.txt`), smaller places from what precedes 路, 小区, 村.
A name that is a common word as well (安宁, 长寿), a county without its 县 and places abroad count only
beside another place or after a word such as 在 or 来自. China itself and regions (东北, 江南) stay: they
point at nobody. Neighbouring parts of one address make one span.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

from rapport_training.privacy.employers import find_employers
from rapport_training.privacy.entities import located
from rapport_training.privacy.headed import find_headed
from rapport_training.privacy.model import Entity
from rapport_training.privacy.name_words import SURNAMES_LIKELY, SURNAMES_SURE
from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import (
    AMBIGUOUS,
    EMPLOYERS,
    FIXED,
    FUNCTION_WORDS,
    GENERIC,
    LANDMARKS,
    LOCATIVE,
    NEVER,
    NO_TOWN,
    PUBLIC_GROUNDS,
    SUFFIXES,
    UNIVERSITIES,
    run_start,
)
from rapport_training.privacy.rare_words import may_be_named
from rapport_training.privacy.schools import find_schools
from rapport_training.privacy.towns import find_estates, find_towns
from rapport_training.privacy.words import part_of_speech, places

_SUFFIX_SET = frozenset(SUFFIXES)

_BY_LENGTH = tuple(sorted(SUFFIXES, key=len, reverse=True))

_DOOR = re.compile(
    r"(?:附)?\s?[\d一二三四五六七八九十]+\s?(?:号院|号楼|号|弄|段|栋|幢|座|单元|室|层|楼|排|组|队)(?:\s?附?[\dA-Za-z一二三四五六七八九十\-]+\s?(?:号楼|号|栋|幢|座|单元|室|层|楼|房|户)?)*"
)

_FLAT = re.compile(
    r"\d+\s?(?:栋|幢|号楼|座)\s?(?:[\d一二三四五六七八九十]+\s?单元)?\s?\d{3,4}\s?(?:室|号|房)?|[\d一二三四五六七八九十]+单元\s?\d{3,4}\s?(?:室|号|房)?"
)

_LANDMARK = re.compile(
    "|".join(sorted((name for name in LANDMARKS if len(name) > 3), key=len, reverse=True))
)

_SURNAME_LIKE = SURNAMES_SURE | SURNAMES_LIKELY

_MAY_FIX = re.compile(r"[京州庆川岛汉沙津海港林南疆古夏东川山西江华安国本大]")

_NO_NAME = FUNCTION_WORDS + "本全某几多小农山乡古老渔邻同整自"

_BELOW = re.compile(
    rf"[^{_NO_NAME}\W\da-zA-Z]{{2,3}}(?:(?:镇|乡|村|街道)(?![上里长])|(?=这边|那边|附近|一带))"
)

_THERE = re.compile(r"那边|这边|附近|一带|旁边|门口|楼下|地铁站|站下车|派出所")

_TOWN = re.compile(
    rf"(?:^|，|。|在|住|去|到|回|去了|到了|来自|从|离开|离开了|是|嫁到|搬到|叫)(?:了)?([^{_NO_NAME}\W\da-zA-Z][^{_NO_NAME}\W\da-zA-Z]{{0,4}}"
    r"(?:[一二三四五六七八九十东南西北新老大小]?村(?!长(?!大)|民|里人|上|口|官)|[一二三四五六七八九十](?:路|街|巷|弄)|镇(?!上|里|静|定|压|痛)|(?<!城|故|家|下|异)乡(?!下|村|镇|里|亲|愁)|街道|苏木|林场|农场|渔场))"
    r"(?=上班|长大|生活|租|住|来|人|的|了|，|。|！|？|那边|附近|工作|读|做|当|开|教|过|$|,)"
)

_STREET = re.compile(
    rf"([^{_NO_NAME}\W\da-zA-Z]{{2,6}}(?:路|街|巷|大道|弄|胡同)(?:[一二三四五六七八九十东南西北中]段)?)\s?\d{{1,4}}\s?号(?!线|公交|地铁|车)"
)

_TOWN_LAST = re.compile(r"[村镇乡街场木巷弄路]")


def find_places(text: str, words: list[str], entities: Sequence[Entity]) -> list[Found]:
    """Places, schools and employers of `text`, whose words are `words`; sorted, no overlap."""
    starts = [0, *accumulate(map(len, words))]
    fixed = [match.span() for match in FIXED.finditer(text)] if _MAY_FIX.search(text) else []
    found: list[Found] = []
    for index, word in enumerate(words):
        if not _may_be_place(word):
            continue
        start = starts[index]
        if any(low <= start < high for low, high in fixed):
            continue
        found += _gazetteer(text, words, index, start)
        found += _suffixed(text, words, starts, index)
    headed = find_schools(text, words, starts) + find_employers(text, words, starts)
    headed += find_headed(text, starts, words)
    found += [one for one in headed if _borne_out(text, words, starts, one, entities)]
    found += _towns(text)
    found += find_towns(text, starts, words)
    found += find_estates(text)
    found += [(*match.span(), "地点") for match in _LANDMARK.finditer(text)]
    found += (
        [(m.start(), m.end(), "地点") for m in _FLAT.finditer(text)] if _has_digit(text) else []
    )
    found += located(text, entities)
    return _joined(text, found)


def _borne_out(
    text: str, words: list[str], starts: list[int], found: Found, entities: Sequence[Entity]
) -> bool:
    """Whether the model agrees or a word is rare enough: not 利用大学, 家里医院, 接触现代科技."""
    start, end, _ = found
    if any(entity.start < end and start < entity.end for entity in entities):
        return True
    if text[start - 1 : start] in _INSIDE or text[start:end] in _KNOWN:
        return True
    if _COUNTED.search(text[start:end]):
        return True
    return any(
        may_be_named(words[index])
        for index in range(bisect_left(starts, start), bisect_left(starts, end))
    )


_INSIDE = frozenset("在从进")

_KNOWN = frozenset((*EMPLOYERS, *UNIVERSITIES))

_COUNTED = re.compile("[一二三四五六七八九十][^个]|^(?:[市县区省]|实验)")


def _has_digit(text: str) -> bool:
    return any(c.isdigit() for c in text)


@lru_cache(maxsize=65536)
def _may_be_place(word: str) -> bool:
    return (
        word in places()
        or word in LANDMARKS
        or word in _SUFFIX_SET
        or word[:-1] in places()
        or bool(_ending(word))
    )


@lru_cache(maxsize=65536)
def _ending(word: str) -> str:
    """The suffix of a word that jieba knows as a proper noun, such as 中关村; empty if it is none."""
    if len(word) < 3 or word in GENERIC or word in places():
        return ""
    suffix = next((suffix for suffix in _BY_LENGTH if word.endswith(suffix)), "")
    tag = part_of_speech(word)
    if tag == "nr" and suffix in {"镇", "村", "乡", "街道", "小区", "新村", "庄"}:
        return suffix
    return suffix if suffix and tag in {"ns", "nz", "nt"} else ""


def _gazetteer(text: str, words: list[str], index: int, start: int) -> list[Found]:
    word = words[index]
    if word in LANDMARKS:
        return [(start, start + len(word), "地点")]
    people = word.endswith("人") and len(word) > 2
    if people:
        word = word[:-1]
    kind = places().get(word)
    end = start + len(word)
    if kind is None or word in NEVER or (people and kind != "division"):
        return []
    previous = words[index - 1] if index else ""
    following = words[index + 1] if index + 1 < len(words) else ""
    beside = previous in places() or (following in places() and following not in NEVER)
    if kind == "division" and word not in AMBIGUOUS:
        return [(start, end, "地点")]
    located = previous in LOCATIVE and previous not in {"是", "叫", "家", "现在", "路", "就是"}
    if kind == "foreign":
        if following in {"人", "的", "式", "语", "文化", "电影", "队", "货"} and previous != "在":
            return []
        return [(start, end, "地点")] if located or beside else []
    if word in AMBIGUOUS and (located and previous in {"是", "叫", "要去"}):
        return []
    if (
        located
        or beside
        or (following == "人" and previous in {"是", "", "，", "的"} and word not in AMBIGUOUS)
    ):
        return [(start, end, "地点")]
    return []


def _suffixed(text: str, words: list[str], starts: list[int], index: int) -> list[Found]:
    """锦绣小区, 人民路, 王家村: a suffix with a name before it, or a word that has both."""
    word = words[index]
    end = starts[index + 1]
    if word in _SUFFIX_SET:
        first = run_start(words, index)
        if first == index:
            return []
        name = words[first:index]
    else:
        suffix = _ending(word)
        if not suffix:
            return []
        first, name = index, [word]
    size = sum(map(len, name))
    if not 2 <= size <= 6 and not (
        size == 1 and word in {"县", "村", "镇", "庄"} and name[0] in _SURNAME_LIKE
    ):
        return []
    before = words[first - 1] if first else ""
    located = before in LOCATIVE or (
        before in {"了", "过"} and first > 1 and words[first - 2] in LOCATIVE
    )
    evidence = 2 if located else 0
    evidence += 3 if before in places() or name[0] in places() else 0
    evidence += 3 if _DOOR.match(text, end) else 0
    evidence += 2 if _THERE.match(text, end) else 0
    evidence += 1 if any(part_of_speech(w) in {"ns", "nr", "nz", "nt", "nrt"} for w in name) else 0
    evidence += 1 if first == index and part_of_speech(word) in {"ns", "nr"} else 0
    evidence += 1 if all(len(w) == 1 for w in name) and size > 1 else 0
    if evidence < (3 if word in PUBLIC_GROUNDS else 2):
        return []
    return [(starts[first], end, "地点")]


def _towns(text: str) -> list[Found]:
    """柳河镇, 建设一巷88号: by the characters, where words are cut otherwise."""
    found: list[Found] = []
    if _TOWN_LAST.search(text):
        for match in _TOWN.finditer(text):
            there = text.startswith(("那边", "附近"), match.end(1))
            if match.group(0)[:1] in "，。" + match.group(1)[:1] and not there:
                continue
            if match.group(1) not in NO_TOWN and match.group(1)[-3:] not in NO_TOWN:
                found.append((*match.span(1), "地点"))
    if "号" in text:
        found += [(*match.span(1), "地点") for match in _STREET.finditer(text)]
    return found


def _joined(text: str, found: list[Found]) -> list[Found]:
    """Sort, let longer spans win, and make one span of the parts of an address."""
    order = {"学校": 0, "单位": 1, "地点": 2}
    kept: list[Found] = []
    for start, end, kind in sorted(set(found), key=lambda f: (-(f[1] - f[0]), order[f[2]], f[0])):
        if all(end <= low or start >= high for low, high, _ in kept):
            kept.append((start, end, kind))
    result: list[Found] = []
    for start, end, kind in sorted(kept):
        if kind == "地点":
            door = _DOOR.match(text, end)
            if door and text[end - 1] in "路街道段巷弄苑区园厦村寓庭府城胡同里":
                end = door.end()
            below = _BELOW.match(text, end)
            if below and text[end - 1] in "市区县州":
                end = below.end()
        if result and result[-1][2] == kind == "地点" and result[-1][1] >= start:
            result[-1] = (result[-1][0], max(end, result[-1][1]), kind)
        elif (
            result
            and result[-1][1] == start
            and result[-1][2] == "地点"
            and kind in {"学校", "单位"}
            and text[result[-1][1] - 1] not in "路街区县"
        ):
            result[-1] = (result[-1][0], end, kind)
        elif not result or start >= result[-1][1]:
            result.append((start, end, kind))
    return result
