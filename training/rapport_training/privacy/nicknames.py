"""Names without a surname: 小明, 阿芳, 老王, whatever stands after 我叫, and children called 石头."""

from __future__ import annotations

import re
from functools import lru_cache

from rapport_training.privacy.name_context import AFTER_NAME, Around, Name, right_of
from rapport_training.privacy.name_words import (
    BOUNDARY,
    HAN,
    NICK_STOP,
    NICK_WEAK,
    NO_GIVEN,
    PETS,
    SURNAMES_LIKELY,
    SURNAMES_SURE,
    TWICE_STOP,
)
from rapport_training.privacy.person_signs import (
    AFTER_ADVERB,
    BEFORE_PERSON,
    CHILD,
    KIN,
    ONLY_PERSONS,
    PERSON_RIGHT,
    WITH,
)
from rapport_training.privacy.words import (
    frequency,
    given_score,
    is_popular,
    part_of_speech,
    word_list,
)


def find_nickname(
    text: str, words: list[str], index: int, start: int, around: Around
) -> Name | None:
    """小明, 老王, 阿芳."""
    word = words[index]
    if word[0] not in "小老阿" or len(word) > 2:
        return None
    if len(word) == 2:
        surface, end, after = word, start + 2, index + 1
    else:
        following = words[index + 1] if index + 1 < len(words) else ""
        if len(following) == 2 and following[1] in AFTER_NAME:
            return _nickname_cut(text, start, following[0], around)
        if len(following) != 1 or not HAN.fullmatch(following):
            return None
        surface, end, after = word + following, start + 2, index + 2
    if text.startswith("小红书", start) or text.startswith(("老张老", "小明显"), start):
        return None
    character = surface[1]
    surname = (
        character in SURNAMES_SURE or character in SURNAMES_LIKELY or character in "高何曾万程段常"
    )
    right = right_of(text, words, end, after)
    if surface in NICK_WEAK:
        firm = around.cue or around.role or (around.score > 0 and right > 0 and surname)
        vocative = start + 2 < len(text) and text[start + 2] in BOUNDARY
        if vocative and (not index or words[index - 1] in BOUNDARY):
            return Name(start, end, True)
        strong_side = after < len(words) and words[after] in {"说", "他", "她", "跟我", "告诉"}
        return Name(start, end, True) if firm or strong_side else None
    if surface in NICK_STOP and not (around.cue and right > 0):
        return None
    if character in NO_GIVEN:
        return None
    limit = 1.7 if word[0] == "小" else 1.0 if word[0] == "阿" else 99.0
    if surname or given_score(character) >= limit or around.cue or character in "胖黑":
        nearby = around.score + right
        if not surname and nearby <= 0:
            return None
        return Name(start, end, True)
    return None


def _nickname_cut(text: str, start: int, character: str, around: Around) -> Name | None:
    known = character in SURNAMES_SURE or character in SURNAMES_LIKELY or character == "何"
    surface = text[start : start + 2]
    named = known or (text[start] != "老" and given_score(character) > 1.9)
    if named and surface not in NICK_STOP and around.score >= 1:
        return Name(start, start + 2, True)
    return None


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
    """Whatever stands between 我叫 or 名字是 and the end of the clause."""
    if not _MAY_CALL.search(text):
        return []
    found = []
    for match in _CALLED.finditer(text):
        name = match.group(1)
        if name not in _NOT_CALLED and name[0] not in _NEVER_CALLED and not _NO_PART & set(name):
            spreads = name[0] == name[1] or part_of_speech(name) in {"", "nr", "nrt", "nz"}
            # 大家叫我胆小鬼 tells no name.
            if spreads or match.group()[0] not in "叫喊管":
                found.append(Name(*match.span(1), spreads))
    for pattern in (_CALLED_ONE, _IS_NAME):
        for match in pattern.finditer(text):
            name = match.group(1)
            if (
                name not in _NOT_CALLED
                and name[0] not in _NEVER_CALLED
                and not _NO_PART & set(name)
            ):
                found.append(Name(*match.span(1), False))
    found += [
        Name(*match.span(1), False)
        for match in _SURNAMED.finditer(text)
        if match.group(1) not in _NO_SURNAME
    ]
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

_SURNAMED = re.compile(r"(?:[我他她]|免贵)姓([\u4e00-\u9fff])(?=[，。！？；）\s]|$)")

_NO_SURNAME = frozenset("啥名氏什甚谁的")

_MAY_CALL = re.compile(r"[叫喊名注款称昵姓]")

_PETS = frozenset((*PETS, *word_list("name_words.txt", "adverb_pets")))

_ADVERBS = frozenset(word_list("name_words.txt", "adverb_pets"))


def find_pets(text: str, starts: list[int]) -> list[Name]:
    """石头 after 弟弟, 明明 after 我弟, and what only people do or have done to them: 跟琪琪说."""
    found = []
    for start in starts[:-1]:
        surface = text[start : start + 2]
        form = _form(surface)
        if not form:
            continue
        before, end = text[max(0, start - 4) : start], start + 2
        if form == "adverb":
            named = CHILD.search(before) and AFTER_ADVERB.match(text, end)
        elif form == "word":
            named = WITH.search(before) and ONLY_PERSONS.match(text, end)
        else:
            named = KIN.search(before) and PERSON_RIGHT.match(text, end)
            if not named and surface[1] != "宝" and BEFORE_PERSON.search(before):
                named = ONLY_PERSONS.match(text, end)
        if named:
            found.append(Name(start, end, form != "word"))
    return found


@lru_cache(maxsize=65536)
def _form(surface: str) -> str:
    """How people may be called by these two characters: `pet`, `adverb`, `word`; or not at all."""
    if surface in _PETS:
        return "adverb" if surface in _ADVERBS else "pet"
    if len(surface) < 2 or not HAN.fullmatch(surface) or surface in _NOBODY:
        return ""
    if _RANKED.fullmatch(surface):
        return "pet"
    tag = part_of_speech(surface)
    if any(c in NO_GIVEN for c in surface) or frequency(surface) >= _COMMON:
        return ""
    if surface[0] == surface[1]:
        return "pet" if tag[:1] in _PET_TAGS and given_score(surface) > -6 else ""
    if surface[1] == "儿":
        return "pet" if tag == "n" and frequency(surface) < 50 else ""
    named = tag in {"nr", "nz", "z", "d"} and given_score(surface) > 0
    return "word" if named or (tag and is_popular(surface)) else ""


_NOBODY = TWICE_STOP | NICK_STOP

_RANKED = re.compile("[二三四][妮丫妞娃]|大[妮丫妞]")

_PET_TAGS = ("", "n", "i", "o", "q")

_COMMON = 1_000
"""Frequency in jieba's dictionary from which on a word is nobody's name."""
