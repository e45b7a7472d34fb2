"""Names of people in one text.

Rules find what has a form: 李老师 and 王姐 with their titles, what stands after 我叫, foreign names. All
others are found by weights fitted to characters, context and the trained model's opinion
(`privacy.name_tagger`), and by that model alone (`privacy.entities`).
"""

from __future__ import annotations

import re
from itertools import accumulate

from rapport_training.privacy.entities import people
from rapport_training.privacy.model import Reading
from rapport_training.privacy.name_tagger import find_tagged
from rapport_training.privacy.name_words import (
    ANY_TITLE,
    ENGLISH_NAMES,
    HAN,
    KIN,
    LATIN_STOP,
    Name,
    surname_at,
)
from rapport_training.privacy.words import part_of_speech, word_list


def find_names(text: str, words: list[str], reading: Reading) -> list[Name]:
    """Names in `text`, whose words are `words`, from left to right, without overlap."""
    names = find_by_rules(text, words, reading.person)
    others = longest([*find_tagged(text, words, reading.person), *people(text, reading)])
    names += [
        name
        for name in others
        if all(name.end <= other.start or name.start >= other.end for other in names)
    ]
    return sorted(names, key=lambda name: name.start)


def find_by_rules(text: str, words: list[str], person: list[float]) -> list[Name]:
    """The names that need no fitted weights."""
    return longest(find_titled(text, words, person) + find_called(text) + find_foreign(text))


def longest(names: list[Name]) -> list[Name]:
    """The longest of names that overlap."""
    kept: list[Name] = []
    for name in sorted(names, key=lambda name: (name.start - name.end, name.start)):
        if all(name.end <= other.start or name.start >= other.end for other in kept):
            kept.append(name)
    return sorted(kept, key=lambda name: name.start)


def find_titled(text: str, words: list[str], person: list[float]) -> list[Name]:
    """李老师, 王姐, 姓王; where surname or title is a word as well, the model must see a person."""
    starts = [0, *accumulate(map(len, words))]
    found = []
    for start in starts[:-1]:
        length, weight = surname_at(text, start)
        if text[start - 1 : start] == "姓" and length:
            found.append(Name(start, start + length, False))
        title = ANY_TITLE.match(text, start + length) if length else None
        if title and title.end() in starts:
            sure = weight > 0 and title.group() not in _WORDS
            if sure or person[start] >= _SEEN:
                found.append(Name(start, title.end(), False))
    return found


_SEEN = 0.1
"""Probability of a person from which on a surname or a title that is a word as well is believed.

Set on the development sentences and their counterexamples (段主任, 一段老师).
"""

_WORDS = "董爷妈工导"
"""Titles that are words as well."""


_CALLED = re.compile(
    r"(?:名叫|名字就?叫|名字是|姓名[：:]|(?:真名|本名|原名|大名|小名|网名|外号|笔名|化名)(?:就?叫|是)?|[起取改]名(?:叫|为|成)"
    r"|备注(?:写的|写)?(?:的)?(?:是|成|名是|：)?[“\"]|备注是|(?:签名|署名|落款)(?:写?的?是|：)?[“\"]?|自称"
    r"|(?:^|[，。！？：\s“])我叫|管[我他她]叫|[叫喊]我|[人友弟妹哥姐女儿妈爸婆公桌室蜜学师生板伴子孩]叫|[男女]的叫)"
    r"[“\"]?([\u4e00-\u9fff]{2,4})(?=[，。！？；）”\")]|$)"
)

_NOT_CALLED = frozenset(word_list("name_words.txt", "not_called"))

_NEVER_CALLED = frozenset("到去来起回过上下出进了着大家什我你他她它这那怎一不为们")
"""First characters of what stands after 叫 and is no name."""


_NO_PART = frozenset("的了吗呢着他她我你说")


def find_called(text: str) -> list[Name]:
    """Whatever stands between 我叫 or 名字是 and the end of the clause, and whoever is called so."""
    found = []
    for pattern in (_CALLED, _CALLED_ONE, _IS_NAME):
        for match in pattern.finditer(text):
            name = match.group(1)
            if name in _NOT_CALLED or name[0] in _NEVER_CALLED or _NO_PART & set(name):
                continue
            whole = pattern is _CALLED
            spreads = name[0] == name[1] or part_of_speech(name) in {"", "nr", "nrt", "nz"}
            # 大家叫我胆小鬼 tells no name.
            if spreads or not whole or match.group()[0] not in "叫喊管":
                found.append(Name(*match.span(1), spreads and whole))
    return found


_CALLED_ONE = re.compile(
    r"(?<![喊大])(?:叫|名叫)[“\"]?([\u4e00-\u9fff]{2,3})[”\"]?的(?:那个)?"
    r"(?:女孩|男孩|女生|男生|女人|男人|女的|男的|姑娘|小伙|孩子|小孩|人(?!们)|同学|同事|室友|朋友|老师|医生|网友)"
)
"""Somebody called X."""

_IS_NAME = re.compile(
    r"(?:^|[，。！？：；“\s])([\u4e00-\u9fff]{2,3}?)是(?:我|他|她|[我他她你].{1,3})的(?:小名|大名|名字|本名|乳名|网名|昵称)"
)
"""X is somebody's name."""


_PARTS = "|".join(sorted(word_list("name_words.txt", "minority_parts"), key=len, reverse=True))

_MINORITY = re.compile(
    rf"(?:{_PARTS})(?:[·・•]?(?:{_PARTS})|[尔娜拉孜木江提汗罕夏甫丁斯热克买力娅玛措吉珠嘎卓]){{1,4}}"
)
"""次仁卓玛, 买买提江: two parts, or one with an ending."""

_LATIN = re.compile(
    r"(?<![A-Za-z0-9_.@/\-])(?:[A-Z][a-z]{1,11}(?: [A-Z][a-z]{1,14}){0,2})(?![A-Za-z0-9_@/])"
)


def find_foreign(text: str) -> list[Name]:
    """The foreign names of `text`."""
    latin = [name for match in _LATIN.finditer(text) if (name := _latin(text, match))]
    return latin + [Name(*match.span(), True) for match in _MINORITY.finditer(text)]


_NEAR = re.compile(
    r"\s?(?:说|他|她|是我|和|跟|姐|哥|总|对我|告诉|都|又|就|在|把|从|给我|今天|昨天|天天|老是|一直|走|没|不|也|的(?:男|女|老|妈|爸|眼|声|生|电|消)|[，。！？、]|$)"
)

_BESIDE = re.compile(r"(?:^|[，。！？、：\s]|和|跟|对|给|被|让|找|问|叫|把|喜欢|爱|信任|因为|是)$")


_ENGLISH_CUE = re.compile(r"(?i:\b(?:my name is|i'm|i am|name's|call me|this is|named|called) )$")


def _latin(text: str, match: re.Match[str]) -> Name | None:
    start, end = match.span()
    first = match.group().partition(" ")[0]
    before = text[max(0, start - 14) : start]
    if first.lower() in LATIN_STOP or not first[0].isupper():
        return None
    if first in ENGLISH_NAMES or _ENGLISH_CUE.search(before):
        return Name(start, end, True)
    beside = KIN.search(before) or (_BESIDE.search(before) and _NEAR.match(text, end))
    if beside and len(first) > 2 and HAN.search(text):
        return Name(start, start + len(first), True)
    return None
