"""Names of people in one text.

A name is looked for where jieba's dictionary leaves a surname standing alone, and scored: how surely
the character is a surname, how likely the next one or two are a given name (`privacy_words`), and what
stands on both sides (我叫, 同事, 和 | 说, 老师, 。). The weights are logarithms of odds, set by hand on
the development sentences. Forms that need no score: 小王, 阿芳, 王姐, 李老师 (the surname alone), a word
after 我叫, foreign names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from rapport_training.privacy_name_words import (
    BOUNDARY,
    CUE,
    ENGLISH_NAMES,
    FOREIGN_NAMES,
    INTRODUCED,
    LATIN_STOP,
    LIGHT_LEFT,
    NICK_STOP,
    NICK_WEAK,
    NO_PERSON,
    PUBLIC_FIGURES,
    RIGHT,
    ROLE_CUE,
    SHORT_TITLES,
    SURNAMES_DOUBLE,
    SURNAMES_DOUBLE_WORDS,
    SURNAMES_LIKELY,
    SURNAMES_RARE,
    SURNAMES_SURE,
    TITLES,
    TRANSLITERATING,
    TWICE_STOP,
)
from rapport_training.privacy_words import given_score, part_of_speech, places

THRESHOLD = 5.5
"""Score from which on a candidate is a name."""

_ANY_SURNAME = SURNAMES_SURE | SURNAMES_LIKELY | SURNAMES_RARE
_STARTS = _ANY_SURNAME | {name[0] for name in SURNAMES_DOUBLE} | set("小老阿姓")
_TITLE = re.compile("|".join(sorted(TITLES, key=len, reverse=True)))
_MEASURED = re.compile(r"[一二两三四五六七八九十几每半这那多\d]$")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_DOTTED = re.compile(r"[\u4e00-\u9fff]{1,7}(?:[·・•][\u4e00-\u9fff]{1,7})+")
_TRANSLITERATED_END = re.compile(f"[{''.join(sorted(TRANSLITERATING))}]*$")
_TRANSLITERATED_START = re.compile(f"[{''.join(sorted(TRANSLITERATING))}]*")
_THEORY = re.compile(
    r"效应|定律|理论|综合[征症]|疗法|量表|方块|主义|测试|曲线|模型|法则|原理|学派|的《|奖"
)
_LATIN = re.compile(
    r"(?<![A-Za-z0-9_.@/\-])(?:[A-Z][a-z]{1,11}(?: [A-Z][a-z]{1,14}){0,2}|[a-z]{2,12})(?![A-Za-z0-9_@/])"
)
_NO_GIVEN = frozenset(
    "的了是我你他她们这那有没不在和就都也很还要会说去来到过着吗呢吧啊什么怎么个得地么给被把跟对让但而且或与及之为其以从向于所如果因为已经谁哪您咱"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name: where, and whether it may be looked for in the rest of the dialogue."""

    start: int
    end: int
    spreads: bool


@dataclass(frozen=True, slots=True)
class Around:
    """What stands on the left of a place in the text, as evidence for a name there."""

    cue: bool
    role: bool
    score: float


def find_names(text: str, words: list[str]) -> list[Name]:
    """Names in `text`, whose words are `words`, from left to right, without overlap."""
    starts = [0, *accumulate(map(len, words))]
    found: list[Name] = []
    done = 0
    for index, word in enumerate(words):
        start = starts[index]
        if not (_starts_name(word) or (start > 1 and text[start - 1] in _CUE_LAST)):
            titled = index + 1 < len(words) and words[index + 1] in SHORT_TITLES
            if not titled or len(word) > 2:
                continue
        if start < done or word in BOUNDARY:
            continue
        name = _name_at(text, words, index, start)
        if name and name.start >= done:
            found.append(name)
            done = name.end
    return _with_foreign(text, found)


@lru_cache(maxsize=65536)
def _starts_name(word: str) -> bool:
    return word[0] in _STARTS or word[-1] in SHORT_TITLES


_CUE_LAST = frozenset(
    '叫是为我:：“"名称事学桌友舍蜜小党公婆夫妻人任妻板导司管理长兄姐弟妹哥爸妈亲子儿女侄居师生练东象授校孩档书恋舅姑姨叔嫂婿宝乡员伴士（(者名么字称客户'
)
"""Last characters of what `CUE` and `ROLE_CUE` match; nothing else need be tried."""


def _around(text: str, words: list[str], index: int, start: int) -> Around:
    before = text[max(0, start - 12) : start]
    cue = bool(CUE.search(before)) and not before.endswith("你叫我")
    role = bool(ROLE_CUE.search(before))
    if cue or role:
        return Around(cue, role, 6.0 if cue else 4.0)
    if INTRODUCED.search(before):
        return Around(False, True, 3.0)
    previous = words[index - 1] if index else "。"
    if previous in BOUNDARY:
        return Around(False, False, 1.5)
    if previous in {"了", "过", "着", "上"} and index > 1:
        previous = words[index - 2]
        light = previous in LIGHT_LEFT or part_of_speech(previous)[:1] == "v"
        return Around(False, False, 1.0 if light else 0.0)
    return Around(False, False, 1.5 if previous in LIGHT_LEFT else 0.0)


def _right(text: str, words: list[str], end: int, index: int) -> float:
    """Evidence after `end`; `index` is that of the first word that begins there, if one does."""
    if end == len(text) or text[end] in BOUNDARY:
        return 1.5
    if _TITLE.match(text, end):
        return 3.0
    word = words[index] if index < len(words) else ""
    if word in RIGHT:
        return 1.5
    return 0.7 if len(word) > 1 and part_of_speech(word)[:1] == "v" else 0.0


def _name_at(text: str, words: list[str], index: int, start: int) -> Name | None:
    around = _around(text, words, index, start)
    word = words[index]
    return (
        _titled(text, words, index, start, around)
        or _full(text, words, index, start, around)
        or _nickname(text, words, index, start, around)
        or _called(text, words, index, start, around)
        if word[0] not in BOUNDARY
        else None
    )


def _surname(text: str, start: int) -> tuple[int, float]:
    """Length and weight of a surname at `start`; no surname is (0, 0)."""
    double = text[start : start + 2]
    if double in SURNAMES_DOUBLE:
        return 2, 1.0 if double in SURNAMES_DOUBLE_WORDS else 4.0
    character = text[start]
    if character in SURNAMES_SURE:
        return 1, 3.0
    if character in SURNAMES_LIKELY:
        return 1, 2.2
    if character in "高何曾":
        return 1, 0.0
    return (1, -1.5) if character in SURNAMES_RARE else (0, 0.0)


def _titled(text: str, words: list[str], index: int, start: int, around: Around) -> Name | None:
    """李老师, 王姐, 芳姐, 姓王: the part before the title, or after 姓."""
    word = words[index]
    if word == "姓" and index + 1 < len(words):
        length, weight = _surname(text, start + 1)
        if length and weight > 0 and len(words[index + 1]) == length:
            return Name(start + 1, start + 1 + length, False)
        return None
    length, weight = _surname(text, start)
    if length and (len(word) == length or (word not in NO_PERSON and _is_title(word[length:]))):
        if weight < 0 and not around.role and around.score < 1.5:
            return None
        if length == 1 and text[start] == "张" and _MEASURED.search(text[:start]):
            return None
        end = start + length
        title = _TITLE.match(text, end)
        if title and (weight > 0 or around.score > 0):
            return Name(start, end, False) if weight > -1 or len(title.group()) > 1 else None
    if len(word) == 2 and word[1] in SHORT_TITLES:
        return _short_title(text, words, start, word[0], start + 2, index + 1, part_of_speech(word))
    if len(word) == 1 and index + 1 < len(words) and words[index + 1] in SHORT_TITLES:
        return _short_title(text, words, start, word, start + 2, index + 2, "")
    return None


def _is_title(rest: str) -> bool:
    return bool(rest) and (rest in SHORT_TITLES or _TITLE.fullmatch(rest) is not None)


def _short_title(
    text: str, words: list[str], start: int, first: str, end: int, after: int, tag: str
) -> Name | None:
    title = text[end - 1]
    right = _right(text, words, end, after)
    if first in SURNAMES_SURE or first in SURNAMES_LIKELY:
        enough = right > 0 or title in "哥姐总叔姨嫂"
        if title in "工导爷妈" and right == 0:
            return None
        return (
            Name(start, end - 1, False) if enough and not _MEASURED.search(text[:start]) else None
        )
    if title in "哥姐叔姨" and right > 0 and tag in {"", "nr", "nz"} and given_score(first) > 2.2:
        return Name(start, end - 1, False) if first not in _NO_TITLE else None
    return None


_NO_TITLE = frozenset(
    "大二三四五六七八小老表堂学师空帅亲他我你个的哥姐叔姨爷公猪网酷铁胞山西伟海的多八安娘窑港款姑干舅世令家皇美外新女男帝国文宝金春龙"
)


def _full(text: str, words: list[str], index: int, start: int, around: Around) -> Name | None:
    """Surname and given name."""
    word = words[index]
    length, weight = _surname(text, start)
    if not length or (len(word) < length):
        return None
    if word[0] == "张" and _MEASURED.search(text[:start]) and not around.cue:
        return None
    best: tuple[float, int, bool] | None = None
    for end, next_word, penalty, plain in _ends(text, words, index, start, length):
        given = text[start + length : end]
        if not given or any(c in _NO_GIVEN for c in given) or not _HAN.fullmatch(given):
            continue
        surface = text[start:end]
        known = surface in PUBLIC_FIGURES or _THEORY.match(text, end) is not None
        if known and not (around.cue or around.role):
            return None
        if not around.cue and (
            surface in NO_PERSON or (word in NO_PERSON and given_score(given) < 6)
        ):
            continue
        one = 0.5 if len(given) == 1 else 0.0
        score = (
            weight
            + min(given_score(given), 9.0)
            + around.score
            - penalty
            - one
            + _right(text, words, end, next_word)
        )
        if score > THRESHOLD and (best is None or score > best[0]):
            best = (score, end, plain)
    if best is None:
        return None
    return Name(start, best[1], best[2])


def _ends(
    text: str, words: list[str], index: int, start: int, length: int
) -> list[tuple[int, int, float, bool]]:
    """Where a name from `start` may end: position, index of the word after it, penalty, spreads."""
    word = words[index]
    after = start + len(word)
    rest = words[index + 1 : index + 3] + ["", ""]
    first, second = rest[0], rest[1]
    ends: list[tuple[int, int, float, bool]] = []
    if len(word) > length:
        tag = part_of_speech(word)
        if len(word) <= length + 2:
            usual = tag in {"nr", "nrt", "nrfg", ""}
            place = word in places()
            ends.append(
                (after, index + 1, (0.0 if usual else 5.0) + (4.0 if place else 0.0), usual)
            )
            if len(word) == length + 1 and len(first) == 1:
                ends.append((after + 1, index + 2, 1.0 if usual else 3.0, True))
        return ends
    if len(first) == 1:
        ends.append((after + 1, index + 2, 0.0, True))
        if len(second) == 1:
            ends.append((after + 2, index + 3, 0.5, True))
        elif len(second) > 1:
            ends.append((after + 2, len(words), 4.5, True))
    elif len(first) == 2:
        tag = part_of_speech(first)
        usual = tag in {"nr", "nrt", "nz", "ns", "nrfg", ""} or given_score(first) > 6
        likely = given_score(first) > 2
        ends.append((after + 2, index + 2, 0.5 if usual else 1.5 if likely else 3.0, True))
        ends.append((after + 1, len(words), 1.0 if first[1] in _AFTER_NAME else 5.0, True))
    elif len(first) > 2:
        ends.append((after + 1, len(words), 6.0, True))
    return ends


def _nickname(text: str, words: list[str], index: int, start: int, around: Around) -> Name | None:
    """小明, 老王, 阿芳."""
    word = words[index]
    if word[0] not in "小老阿" or len(word) > 2:
        return None
    if len(word) == 2:
        surface, end, after = word, start + 2, index + 1
    else:
        following = words[index + 1] if index + 1 < len(words) else ""
        if len(following) == 2 and following[1] in _AFTER_NAME:
            return _nickname_cut(text, start, following[0], around)
        if len(following) != 1 or not _HAN.fullmatch(following):
            return None
        surface, end, after = word + following, start + 2, index + 2
    if text.startswith("小红书", start) or text.startswith(("老张老", "小明显"), start):
        return None
    character = surface[1]
    surname = (
        character in SURNAMES_SURE or character in SURNAMES_LIKELY or character in "高何曾万程段常"
    )
    right = _right(text, words, end, after)
    if surface in NICK_WEAK:
        firm = around.cue or around.role or (around.score > 0 and right > 0 and surname)
        vocative = start + 2 < len(text) and text[start + 2] in BOUNDARY
        if vocative and (not index or words[index - 1] in BOUNDARY):
            return Name(start, end, True)
        strong_side = after < len(words) and words[after] in {"说", "他", "她", "跟我", "告诉"}
        return Name(start, end, True) if firm or strong_side else None
    if surface in NICK_STOP and not (around.cue and right > 0):
        return None
    if character in _NO_GIVEN:
        return None
    limit = 1.7 if word[0] == "小" else 1.0 if word[0] == "阿" else 99.0
    if surname or given_score(character) >= limit or around.cue or character in "胖黑":
        nearby = around.score + right
        if not surname and nearby <= 0:
            return None
        return Name(start, end, True)
    return None


_AFTER_NAME = frozenset("说出在和来也就的是不没对跟要把被给")
"""What follows a name so often that a word made of both is cut: 小明说, not 小 明说."""


def _nickname_cut(text: str, start: int, character: str, around: Around) -> Name | None:
    known = character in SURNAMES_SURE or character in SURNAMES_LIKELY or character == "何"
    surface = text[start : start + 2]
    named = known or (text[start] != "老" and given_score(character) > 1.9)
    if named and surface not in NICK_STOP and around.score >= 1:
        return Name(start, start + 2, True)
    return None


def _called(text: str, words: list[str], index: int, start: int, around: Around) -> Name | None:
    """Whatever stands after 我叫, and a given name after 同事."""
    if not (around.cue or around.role):
        return None
    word = words[index]
    best = _called_end(text, words, index, start, around)
    if best is None:
        return None
    surface = text[start:best]
    plain = not (surface == word and part_of_speech(word) not in {"", "nr", "nrt", "nz"})
    return Name(start, best, plain)


def _called_end(text: str, words: list[str], index: int, start: int, around: Around) -> int | None:
    end, run = start, ""
    candidates: list[tuple[float, int]] = []
    strict = around.cue and _STRICT.search(text[:start]) is not None
    named = strict and _NAMED.search(text[:start]) is not None
    for offset, word in enumerate(words[index : index + 3]):
        if not _HAN.fullmatch(word) or any(c in _NO_GIVEN for c in word) or (run and word in RIGHT):
            break
        run, end = run + word, end + len(word)
        alone = end == len(text) or text[end] in BOUNDARY
        if len(run) > 6 or (word in NO_PERSON and not (strict and alone)):
            break
        right = _right(text, words, end, index + offset + 1)
        if named and alone and 1 < len(run) < 4:
            return end
        score = _called_score(run, around, right, strict and alone)
        if score is not None:
            candidates.append((score, end))
    return max(candidates)[1] if candidates else None


_NAMED = re.compile(r"(?:名字(?:就)?叫|名叫|名字是|姓名[：:])[“\"]?$")
_STRICT = re.compile(r"(?:(?:我|他|她|名字|名)(?:就)?叫|名字是|姓名[：:])[“\"]?$")


def _called_score(run: str, around: Around, right: float, strict: bool) -> float | None:
    """How good `run` is as the name after a cue; None if it is none."""
    if len(run) < 2:
        return None
    if run in FOREIGN_NAMES or (len(run) > 2 and all(c in TRANSLITERATING for c in run) and right):
        return 10.0 + len(run)
    given, tag = given_score(run), part_of_speech(run)
    ordinary = bool(tag) and tag not in {"nr", "nrt", "nz", "nrfg"}
    if len(run) == 2 and run[0] == run[1] and run not in TWICE_STOP:
        pet = tag in {"", "nr", "nrt", "nrfg", "nz", "ns", "q"}
        return given if given > 1.5 or pet or around.cue else None
    if len(run) > 3 or run in TWICE_STOP:
        return None
    if around.cue and right:
        limit = (
            (3.0 if tag[:1] == "v" else -1.0) if strict else 5.0 if tag[:1] in "vadrcpm" else 2.5
        )
        return given + 6 if given > (limit if ordinary else -1.0 if strict else 0.0) else None
    if around.role and len(run) == 2 and not ordinary and given > (5.0 if right else 7.5):
        return given
    return None


def _with_foreign(text: str, found: list[Name]) -> list[Name]:
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
    taken = [name for name in extra]
    kept = [n for n in found if all(n.end <= e.start or n.start >= e.end for e in taken)]
    return sorted(kept + _disjoint(extra), key=lambda name: name.start)


def _disjoint(names: list[Name]) -> list[Name]:
    kept: list[Name] = []
    for name in sorted(names, key=lambda name: (name.start, -name.end)):
        if not kept or name.start >= kept[-1].end:
            kept.append(name)
    return kept


def _trim_dotted(match: re.Match[str]) -> tuple[int, int] | None:
    """Only the characters next to the dots that transliterations are written with."""
    parts = re.split("[·・•]", match.group())
    first = len(parts[0]) - len(_TRANSLITERATED_END.search(parts[0]).group())  # type: ignore[union-attr]
    last = len(_TRANSLITERATED_START.match(parts[-1]).group())  # type: ignore[union-attr]
    if len(parts[0]) - first < 2 or last < 2:
        return None
    return match.start() + first, match.end() - len(parts[-1]) + last


def _latin_end(text: str, match: re.Match[str]) -> Name | None:
    words = match.group().split(" ")
    before = text[max(0, match.start() - 14) : match.start()]
    cue = CUE.search(before) is not None
    hit = words[0] in ENGLISH_NAMES
    role = ROLE_CUE.search(before) is not None or INTRODUCED.search(before) is not None
    title = _TITLE.match(text, match.end()) is not None
    near = re.match(r"\s?(?:说|他|她|是|和|跟|姐|哥|总|对我|告诉)", text[match.end() :]) is not None
    chinese = bool(_HAN.search(text))
    if words[0].lower() in LATIN_STOP:
        return None
    capital = words[0][0].isupper()
    if cue and (capital or (chinese and len(words[0]) > 2 and text[match.start() - 1] != " ")):
        return Name(match.start(), match.end(), capital)
    if hit or (capital and len(words[0]) > 2 and ((role and chinese) or (title and near))):
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
        if surface in PUBLIC_FIGURES or surface in places() or _THEORY.match(text, end):
            continue
        before = text[match.start() - 1] if match.start() else "。"
        after = text[end] if end < len(text) else "。"
        if after in TRANSLITERATING and after not in BOUNDARY and after not in "和":
            continue
        if before in TRANSLITERATING and len(surface) < 3:
            continue
        found.append(Name(match.start(), end, True))
    return found
