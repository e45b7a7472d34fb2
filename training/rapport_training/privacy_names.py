"""Names of people in one text.

A name is looked for where jieba's dictionary leaves a surname standing alone, and scored: how surely
the character is a surname, how likely the next one or two are a given name (`privacy_words`), and what
stands on both sides (我叫, 同事, 和 | 说, 老师, 。; `privacy_name_context`). 李老师 and 王姐
are names with their titles.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate

from rapport_training.privacy_foreign import with_foreign
from rapport_training.privacy_name_context import (
    AFTER_NAME,
    MEASURED,
    TITLE,
    Around,
    Name,
    look_around,
    right_of,
    surname_at,
)
from rapport_training.privacy_name_tagger import find_tagged
from rapport_training.privacy_name_words import (
    BOUNDARY,
    CUE_LAST,
    HAN,
    NO_GIVEN,
    NO_PERSON,
    PUBLIC_FIGURES,
    SHORT_TITLES,
    SURNAMES_DOUBLE,
    SURNAMES_LIKELY,
    SURNAMES_RARE,
    SURNAMES_SURE,
    THEORY,
)
from rapport_training.privacy_nicknames import find_called, find_nickname
from rapport_training.privacy_people import find_people
from rapport_training.privacy_words import given_score, part_of_speech, places

THRESHOLD = 4.0
"""Score from which on a candidate is a name."""

_ANY_SURNAME = SURNAMES_SURE | SURNAMES_LIKELY | SURNAMES_RARE

_STARTS = _ANY_SURNAME | {name[0] for name in SURNAMES_DOUBLE} | set("小老阿姓")


def find_names(text: str, words: list[str]) -> list[Name]:
    """Names in `text`, whose words are `words`, from left to right, without overlap."""
    names = find_by_rules(text, words)
    more = [
        name
        for name in find_tagged(text, words)
        if all(name.end <= other.start or name.start >= other.end for other in names)
    ]
    return sorted(names + more, key=lambda name: name.start) if more else names


def find_by_rules(text: str, words: list[str]) -> list[Name]:
    """The names that need no fitted weights."""
    starts = [0, *accumulate(map(len, words))]
    found: list[Name] = []
    done = 0
    for index, word in enumerate(words):
        start = starts[index]
        if not (_starts_name(word) or (start > 1 and text[start - 1] in CUE_LAST)):
            titled = index + 1 < len(words) and words[index + 1] in SHORT_TITLES
            if not titled or len(word) > 2:
                continue
        if start < done or word in BOUNDARY:
            continue
        name = _name_at(text, words, index, start)
        if name and name.start >= done:
            found.append(name)
            done = name.end
    return with_foreign(text, _longest(found + find_people(text, starts, words)))


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
        or _full(text, words, index, start, around)
        or find_nickname(text, words, index, start, around)
        or find_called(text, words, index, start, around)
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
        if weight < 0 and not around.role and around.score < 1.5:
            return None
        if text[start] in "连管解边查支路包" and not around.role:
            return None
        if length == 1 and text[start] == "张" and MEASURED.search(text[:start]):
            return None
        end = start + length
        title = TITLE.match(text, end)
        if title and (weight > 0 or around.score > 0):
            surname_only = weight <= -1 and len(title.group()) == 1
            return None if surname_only else Name(start, title.end(), False)
    if len(word) == 2 and word[1] in SHORT_TITLES:
        return _short_title(text, words, start, word[0], start + 2, index + 1, part_of_speech(word))
    if len(word) == 1 and index + 1 < len(words) and words[index + 1] in SHORT_TITLES:
        return _short_title(text, words, start, word, start + 2, index + 2, "")
    return None


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
    if title in "哥姐叔姨" and right > 0 and tag in {"", "nr", "nz"} and given_score(first) > 2.2:
        return Name(start, end, False) if first not in _NO_TITLE else None
    return None


_NO_TITLE = frozenset(
    "大二三四五六七八小老表堂学师空帅亲他我你个的哥姐叔姨爷公猪网酷铁胞山西伟海的多八安娘窑港款姑干舅世令家皇美外新女男帝国文宝金春龙"
)


def _full(text: str, words: list[str], index: int, start: int, around: Around) -> Name | None:
    """Surname and given name."""
    word = words[index]
    length, weight = surname_at(text, start)
    if not length or (len(word) < length):
        return None
    if word[0] == "张" and MEASURED.search(text[:start]) and not around.cue:
        return None
    best: tuple[float, int, bool] | None = None
    for end, next_word, penalty, plain in _ends(text, words, index, start, length):
        given = text[start + length : end]
        if not given or any(c in NO_GIVEN for c in given) or not HAN.fullmatch(given):
            continue
        surface = text[start:end]
        known = surface in PUBLIC_FIGURES or THEORY.match(text, end) is not None
        if (known or _begins_figure(text, start, end)) and not (around.cue or around.role):
            continue
        if not around.cue and (
            surface in NO_PERSON or (word in NO_PERSON and given_score(given) < 6)
        ):
            continue
        one = 0.5 if len(given) == 1 else 0.0
        score = (
            weight
            + min(given_score(given), 9.0)
            + around.score
            - (min(penalty, 3.5) if around.cue else penalty)
            - one
            + right_of(text, words, end, next_word)
        )
        if score > THRESHOLD and (best is None or score > best[0]):
            best = (score, end, plain)
    if best is None:
        return None
    return Name(start, best[1], best[2])


def _begins_figure(text: str, start: int, end: int) -> bool:
    return any(text[start:stop] in PUBLIC_FIGURES for stop in range(end + 1, end + 3))


_NEVER_NAMES = frozenset("vazdilbcpr")


def _ends(
    text: str, words: list[str], index: int, start: int, length: int
) -> list[tuple[int, int, float, bool]]:
    """Where a name from `start` may end: position, index of the word after it, penalty, spreads."""
    word = words[index]
    after = start + len(word)
    rest = [*words[index + 1 : index + 3], "", ""]
    first, second = rest[0], rest[1]
    ends: list[tuple[int, int, float, bool]] = []
    if len(word) > length:
        tag = part_of_speech(word)
        if len(word) <= length + 2:
            usual = tag in {"nr", "nrt", "nrfg", ""}
            place = word in places()
            ends.append(
                (
                    after,
                    index + 1,
                    (0.0 if usual else 7.0 if tag[:1] in _NEVER_NAMES else 5.0)
                    + (4.0 if place else 0.0),
                    usual,
                )
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
        ends.append((after + 1, len(words), 1.0 if first[1] in AFTER_NAME else 5.0, True))
    elif len(first) > 2:
        ends.append((after + 1, len(words), 6.0, True))
    return ends
