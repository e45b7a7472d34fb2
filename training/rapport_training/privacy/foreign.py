"""Foreign names: 迈克尔·约翰逊, 艾米丽, Lily."""

from __future__ import annotations

import re

from rapport_training.privacy.name_context import TITLE, Name
from rapport_training.privacy.name_words import (
    BOUNDARY,
    CUE,
    ENGLISH_NAMES,
    FOREIGN_NAMES,
    HAN,
    INTRODUCED,
    LATIN_STOP,
    PUBLIC_FIGURES,
    ROLE_CUE,
    THEORY,
    TRANSLITERATING,
)
from rapport_training.privacy.words import part_of_speech, places, segment, word_list

_DOTTED = re.compile(r"[\u4e00-\u9fff]{1,7}(?:[·・•][\u4e00-\u9fff]{1,7})+")

_IN_DOTTED = TRANSLITERATING | set(
    "买迪江热孜依吐逊木合古力甫别赛衣扎顿珠仁增旺次卓央吉措多桑贡嘎麻山提阿卜不都肉帖切开赫艳"
)

_PARTS = "|".join(sorted(word_list("name_words.txt", "minority_parts"), key=len, reverse=True))

_MINORITY = re.compile(
    rf"(?:{_PARTS})(?:{_PARTS}|[尔娜拉孜木江提汗罕夏甫丁斯热克买力娅玛措吉珠嘎卓]){{1,4}}"
)
"""次仁卓玛, 买买提江: two parts, or one with an ending."""

_LATIN = re.compile(
    r"(?<![A-Za-z0-9_.@/\-])(?:[A-Z][a-z]{1,11}(?: [A-Z][a-z]{1,14}){0,2}|[a-z]{2,12})(?![A-Za-z0-9_@/])"
)


def with_foreign(text: str, found: list[Name]) -> list[Name]:
    """`found` and the foreign names of `text`, which win where both overlap; sorted."""
    extra: list[Name] = []
    if "·" in text or "・" in text or "•" in text:
        for match in _DOTTED.finditer(text):
            parts = re.split("[·・•]", match.group())
            ends = _trim_dotted(match)
            if ends and not any(part in PUBLIC_FIGURES for part in parts):
                extra.append(Name(*ends, True))
    for match in _LATIN.finditer(text):
        name = _latin_end(text, match)
        if name:
            extra.append(name)
    extra += _listed_foreign(text)
    extra += [Name(*match.span(), True) for match in _MINORITY.finditer(text)]
    kept = [n for n in found if all(n.end <= e.start or n.start >= e.end for e in extra)]
    return sorted(kept + _disjoint(extra), key=lambda name: name.start)


def _disjoint(names: list[Name]) -> list[Name]:
    kept: list[Name] = []
    for name in sorted(names, key=lambda name: (name.start, -name.end)):
        if not kept or name.start >= kept[-1].end:
            kept.append(name)
    return kept


def _trim_dotted(match: re.Match[str]) -> tuple[int, int] | None:
    """Only the characters next to the dots that are written in names, cut where a word ends."""
    parts = re.split("[·・•]", match.group())
    left, right = segment(parts[0]), segment(parts[-1])
    first = len(parts[0])
    for word in reversed(left):
        if not (all(c in _IN_DOTTED for c in word) or part_of_speech(word) in {"nr", "nrt"}):
            break
        first -= len(word)
    last = 0
    for word in right:
        if not (all(c in _IN_DOTTED for c in word) or part_of_speech(word) in {"nr", "nrt"}):
            break
        last += len(word)
    if len(parts[0]) - first < 2 or last < 2:
        return None
    return match.start() + first, match.end() - len(parts[-1]) + last


_NEAR = re.compile(
    r"\s?(?:说|他|她|是我|和|跟|姐|哥|总|对我|告诉|都|又|就|在|把|从|给我|今天|昨天|天天|老是|一直|走|没|不|也|的(?:男|女|老|妈|爸|眼|声|生|电|消)|[，。！？、]|$)"
)

_BESIDE = re.compile(r"(?:^|[，。！？、：\s]|和|跟|对|给|被|让|找|问|叫|把|喜欢|爱|信任|因为|是)$")


def _latin_end(text: str, match: re.Match[str]) -> Name | None:
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


_FOREIGN = re.compile(
    "|".join(sorted((n for n in FOREIGN_NAMES if len(n) > 1), key=len, reverse=True))
)


def _listed_foreign(text: str) -> list[Name]:
    found = []
    for match in _FOREIGN.finditer(text):
        surface, end = match.group(), match.end()
        if surface in PUBLIC_FIGURES or surface in places() or THEORY.match(text, end):
            continue
        before = text[match.start() - 1] if match.start() else "。"
        after = text[end] if end < len(text) else "。"
        if after in TRANSLITERATING and after not in BOUNDARY and after not in "和":
            continue
        if before in TRANSLITERATING and len(surface) < 3:
            continue
        found.append(Name(match.start(), end, True))
    return found
