"""Names of people in one text.

Rules find what has a form: 李老师 and 王姐 with their titles, 小明, 阿芳, what stands after 我叫, foreign
names. Full and given names are found by weights fitted to characters, context and the trained model's
opinion (`privacy.name_tagger`), and by that model alone (`privacy.entities`).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate

from rapport_training.privacy.entities import people
from rapport_training.privacy.foreign import with_foreign
from rapport_training.privacy.model import Reading
from rapport_training.privacy.name_context import (
    MEASURED,
    TITLE,
    Around,
    Name,
    look_around,
    right_of,
    surname_at,
)
from rapport_training.privacy.name_tagger import find_tagged
from rapport_training.privacy.name_words import (
    BOUNDARY,
    NO_PERSON,
    SHORT_TITLES,
    SURNAMES_DOUBLE,
    SURNAMES_LIKELY,
    SURNAMES_RARE,
    SURNAMES_SURE,
)
from rapport_training.privacy.nicknames import find_called, find_nickname, find_pets
from rapport_training.privacy.words import given_score, part_of_speech

_ANY_SURNAME = SURNAMES_SURE | SURNAMES_LIKELY | SURNAMES_RARE

_STARTS = _ANY_SURNAME | {name[0] for name in SURNAMES_DOUBLE} | set("小老阿姓")


def find_names(text: str, words: list[str], reading: Reading) -> list[Name]:
    """Names in `text`, whose words are `words`, from left to right, without overlap."""
    names = find_by_rules(text, words)
    for more in (find_tagged(text, words, reading.person), people(text, reading)):
        names += [
            name
            for name in more
            if all(name.end <= other.start or name.start >= other.end for other in names)
        ]
    kept = [name for name in names if not text.startswith(_NO_NAMES, name.start)]
    return sorted(kept, key=lambda name: name.start)


_NO_NAMES = ("小红书", "小确幸", "小高光", "以诚相待", "于郎才")


def find_by_rules(text: str, words: list[str]) -> list[Name]:
    """The names that need no fitted weights."""
    starts = [0, *accumulate(map(len, words))]
    found: list[Name] = []
    done = 0
    for index, word in enumerate(words):
        start = starts[index]
        if not _starts_name(word):
            titled = index + 1 < len(words) and words[index + 1] in SHORT_TITLES
            if not titled or len(word) > 2:
                continue
        if start < done or word in BOUNDARY:
            continue
        name = _name_at(text, words, index, start)
        if name and name.start >= done:
            found.append(name)
            done = name.end
    return with_foreign(text, _longest(found + find_called(text) + find_pets(text, starts)))


def _longest(names: list[Name]) -> list[Name]:
    kept: list[Name] = []
    for name in sorted(names, key=lambda name: (name.start - name.end, name.start)):
        if all(name.end <= other.start or name.start >= other.end for other in kept):
            kept.append(name)
    return sorted(kept, key=lambda name: name.start)


@lru_cache(maxsize=65536)
def _starts_name(word: str) -> bool:
    return word[0] in _STARTS or word[-1] in SHORT_TITLES


def _name_at(text: str, words: list[str], index: int, start: int) -> Name | None:
    around = look_around(text, words, index, start)
    word = words[index]
    return (
        _titled(text, words, index, start, around)
        or find_nickname(text, words, index, start, around)
        if word[0] not in BOUNDARY
        else None
    )


def _titled(text: str, words: list[str], index: int, start: int, around: Around) -> Name | None:
    """李老师, 王姐, 芳姐, 姓王: the part before the title, or after 姓."""
    word = words[index]
    if word == "姓" and index + 1 < len(words):
        length, weight = surname_at(text, start + 1)
        if length and weight > 0 and len(words[index + 1]) == length:
            return Name(start + 1, start + 1 + length, False)
        return None
    length, weight = surname_at(text, start)
    if text[max(0, start - 1) : start + 1] in {"霸凌", "欺凌"}:
        return None
    if length and (len(word) == length or (word not in NO_PERSON and _is_title(word[length:]))):
        if weight < 0 and not around.role and around.score < 1.5 and not _firm(text, start):
            return None
        if text[start] in "连管解边查支路包" and not around.role:
            return None
        if length == 1 and text[start] == "张" and MEASURED.search(text[:start]):
            return None
        end = start + length
        title = TITLE.match(text, end)
        if title and (weight > 0 or around.score > 0 or _firm(text, start)):
            surname_only = weight <= -1 and len(title.group()) == 1
            return None if surname_only else Name(start, title.end(), False)
    if len(word) == 2 and word[1] in SHORT_TITLES:
        return _short_title(text, words, start, word[0], start + 2, index + 1, part_of_speech(word))
    if len(word) == 1 and index + 1 < len(words) and words[index + 1] in SHORT_TITLES:
        return _short_title(text, words, start, word, start + 2, index + 2, "")
    return None


def _firm(text: str, start: int) -> bool:
    """Whether a surname that is a word as well is one before a long title: 段主任, not 一段老师."""
    title = TITLE.match(text, start + 1)
    long = title is not None and len(title.group()) > 1
    return long and text[start] in _NO_VERBS and not MEASURED.search(text[:start])


_NO_VERBS = frozenset("段房燕荣盛程洛宗柏晋习")


def _is_title(rest: str) -> bool:
    return bool(rest) and (rest in SHORT_TITLES or TITLE.fullmatch(rest) is not None)


def _short_title(
    text: str, words: list[str], start: int, first: str, end: int, after: int, tag: str
) -> Name | None:
    title = text[end - 1]
    right = right_of(text, words, end, after)
    if first in SURNAMES_SURE or first in SURNAMES_LIKELY:
        enough = right > 0 or title in "哥姐总叔姨嫂婶"
        if title in "工导爷妈" and right == 0:
            return None
        return Name(start, end, False) if enough and not MEASURED.search(text[:start]) else None
    likely = given_score(first) > (2.2 if right > 0 else 3.4)
    if title in "哥姐叔姨" and likely and tag in {"", "nr", "nz"}:
        return Name(start, end, False) if first not in _NO_TITLE else None
    return None


_NO_TITLE = frozenset(
    "大二三四五六七八小老表堂学师空帅亲他我你个的哥姐叔姨爷公猪网酷铁胞山西伟海的多八安娘窑港款姑干舅世令家皇美外新女男帝国文宝金春龙"
)
