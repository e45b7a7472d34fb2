"""Names that the words of a text do not show: 赫连城 cut as 赫 连城, 文文, 海涛哥, 我弟明明, “，邵以宁”.

Each kind of name is looked for by its own sign and then needs what stands around it; given names are
weighed by their characters as everywhere.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from rapport_training.privacy_full_names import EDGES, find_alone, find_full
from rapport_training.privacy_name_context import TITLE, Name
from rapport_training.privacy_name_words import (
    BOUNDARY,
    HAN,
    NICK_STOP,
    NICK_WEAK,
    NO_GIVEN,
    NO_PERSON,
    PETS,
    PUBLIC_FIGURES,
    SURNAMES_DOUBLE,
    SURNAMES_DOUBLE_WORDS,
    SURNAMES_LIKELY,
    SURNAMES_RARE,
    SURNAMES_SURE,
    THEORY,
    TRANSLITERATING,
    TWICE_STOP,
)
from rapport_training.privacy_person_signs import (
    ACTS,
    AFTER_ADVERB,
    CHILD,
    KIN,
    PERSON_RIGHT,
    TOWARDS,
)
from rapport_training.privacy_words import (
    given_score,
    is_popular,
    part_of_speech,
    places,
    word_list,
)

GIVEN_THRESHOLD = 4.0
"""Score of a given name without surname, with what stands around it."""

_SURNAMES = SURNAMES_SURE | SURNAMES_LIKELY | SURNAMES_RARE

_DOUBLE = re.compile("|".join(sorted(SURNAMES_DOUBLE - SURNAMES_DOUBLE_WORDS)))

_MINORITY = "|".join(sorted(word_list("name_words.txt", "minority_parts"), key=len, reverse=True))

_MINORITY_NAME = re.compile(
    rf"(?:{_MINORITY})(?:{_MINORITY}|[尔娜拉孜木江提汗罕夏甫丁斯热克买力娅玛措吉珠嘎卓]){{1,4}}"
)

_CALLED = re.compile(
    r"(?:名叫|名字叫|名字是|(?:真名|本名|大名|小名|网名|外号|笔名|化名|名子)(?:就?叫|是)?|备注(?:写)?(?:的)?(?:是|成|名是|：)?[“\"]|备注是|(?:签名|署名|落款)(?:写?的?是|：)?[“\"]?|签名是|落款是|写着[“\"]?|自称"
    r"|(?:人|友|弟|妹|哥|姐|女|儿|妈|爸|婆|公|桌|室|蜜|学|师|生|板|伴|子|孩)叫)[“\"]?([\u4e00-\u9fff]{2,4})(?=[，。！？”\"；）)]|$)"
)

_MAY_CALL = re.compile(r"[叫名签注]|落款|写着|自称")

_NOT_CALLED = frozenset(
    (
        "老师",
        "妈妈",
        "爸爸",
        "姐姐",
        "哥哥",
        "起来",
        "出来",
        "外卖",
        "加油",
        "过来",
        "救命",
        "再见",
        "父亲",
        "母亲",
        "声音",
        "回去",
        "家长",
        "吃饭",
        "起床",
    )
)

_TITLE_SHORT = re.compile(r"([\u4e00-\u9fff]{1,2})(哥|姐|叔|姨|嫂|婶|爷)(?![哥姐们夫妹弟婆儿爷])")

_NO_TITLED = frozenset(
    "阿我你他她它咱您的大二三四五六七八九小老表堂空帅学亲干姑舅姨伯师世令家老师叫喊是和跟把被给让向找问有说想爱一这那某哪两几各位个公猪网酷铁胞款港娘窑八安山的了着过到在于与对"
)


def find_people(text: str, starts: list[int], words: list[str]) -> list[Name]:
    """Names in `text` that `privacy_names` cannot see, by their signs; may overlap."""
    begins = dict(zip(starts, words, strict=False))
    found: list[Name] = []
    for match in _DOUBLE.finditer(text):
        found += _double(text, match.start(), match.end(), begins)
    for match in _CALLED.finditer(text) if _MAY_CALL.search(text) else ():
        name = match.group(1)
        if (
            name not in _NOT_CALLED
            and name[0] not in "到去来起回过上下出进了着大家什我你他她它这那怎一不"
            and name[-1] not in "的了吗呢"
        ):
            found.append(Name(*match.span(1), part_of_speech(name) in {"", "nr", "nrt", "nz"}))
    for match in _MINORITY_NAME.finditer(text):
        found.append(Name(*match.span(), True))
    if any(title in text for title in "哥姐叔姨嫂婶"):
        for match in _TITLE_SHORT.finditer(text):
            found += _titled(text, match, begins)
    for start, word in begins.items():
        if word[0] in _SURNAMES:
            if not start or text[start - 1] in EDGES:
                found += find_alone(text, start, begins)
            found += find_full(text, start, begins)
        if len(word) < 4 and _may_be_given(text[start : start + 2]):
            found += _given(text, start, word, begins)
    return found


def _double(text: str, start: int, end: int, begins: dict[int, str]) -> list[Name]:
    if start and text[start - 1] in "老外叔第":
        return []
    if len(begins.get(start, "")) > 2 and begins[start] in NO_PERSON | PUBLIC_FIGURES:
        return []
    if TITLE.match(text, end):
        return []
    best, chosen = 0.0, end
    for size in (1, 2):
        given = text[end : end + size]
        if len(given) < size or any(c in NO_GIVEN or c in BOUNDARY for c in given):
            break
        stop = end + size
        score = max(given_score(given), -2.0) + 2.5 + 0.5 * size
        score += 1.5 if PERSON_RIGHT.match(text, stop) else -2.0
        if score > best:
            best, chosen = score, stop
    if text[start:chosen] in PUBLIC_FIGURES:
        return []
    if chosen == end and start not in begins:
        return []
    return [Name(start, chosen, True)]


def _titled(text: str, match: re.Match[str], begins: dict[int, str]) -> list[Name]:
    """海涛哥, 水哥, 宝儿姐: one or two characters of a name and 哥 or 姐."""
    end = match.end()
    for start in (match.start(1), match.end(1) - 1):
        given = text[start : match.end(1)]
        if start not in begins or len(begins[start]) > len(given) + 1 or given[0] in _NO_TITLED:
            continue
        if any(character in _NO_TITLED or character in NO_GIVEN for character in given):
            continue
        bounded = TOWARDS.search(text[max(0, start - 4) : start]) is not None
        right = PERSON_RIGHT.match(text, end) is not None
        tag = part_of_speech(given)
        if len(given) == 2:
            good = is_popular(given) or given[1] == "儿" or given_score(given) > 4
            named = (good and tag[:1] not in {"v", "d", "r", "a"}) or is_popular(given)
        else:
            whole = part_of_speech(text[start:end])
            named = given_score(given) > -1 and tag[:1] not in {
                "v",
                "d",
                "r",
                "p",
                "m",
                "q",
                "u",
                "a",
            }
            named = named and whole in {"", "nr", "nz"}
        if named and bounded and right:
            return [Name(start, end, True)]
    return []


@lru_cache(maxsize=65536)
def _may_be_given(surface: str) -> bool:
    if len(surface) < 2 or not HAN.fullmatch(surface):
        return False
    if surface[0] == surface[1] or is_popular(surface) or surface in _listed():
        return True
    if surface[0] == "阿":
        return _called_a(surface)
    return given_score(surface) >= GIVEN_THRESHOLD


def _called_a(surface: str) -> bool:
    plain = surface not in NICK_STOP and surface[1] not in TRANSLITERATING | NO_GIVEN
    return surface[0] == "阿" and plain and part_of_speech(surface) in {"", "nr", "nrt"}


def _given(text: str, start: int, word: str, begins: dict[int, str]) -> list[Name]:
    """文文, 秀英, 石头 after 弟弟, 大刘: given and pet names without a surname."""
    surface = text[start : start + 2]
    end = start + 2
    if end not in begins and end != len(text) and len(begins.get(start + 1, "")) != 2:
        return []
    twice = surface[0] == surface[1]
    sure = twice or is_popular(surface) or surface in _listed()
    if not sure and len(word) > 2:
        return []
    before = text[max(0, start - 4) : start]
    kin = KIN.search(before) is not None
    towards = TOWARDS.search(before) is not None
    right = PERSON_RIGHT.match(text, end) is not None
    if THEORY.match(text, end) or (surface in NO_PERSON and not (kin and surface in PETS)):
        return []
    if surface in _adverb_pets():
        child = CHILD.search(before) is not None
        return [Name(start, end, True)] if child and AFTER_ADVERB.match(text, end) else []
    if surface in PETS:
        return [Name(start, end, True)] if kin and right else []
    if surface in _nicknames() or _called_a(surface):
        person = right and (kin or towards) and surface not in NICK_STOP
        if surface[0] == "老":
            person = (kin or towards) and ACTS.match(text, end) is not None
        return [Name(start, end, True)] if person else []
    tag = part_of_speech(surface) if word == surface else ""
    ordinary = tag not in {"", "nr", "nrt", "nrfg", "nz", "nrg"}
    if twice:
        likely = given_score(surface[0]) > (-2.0 if ACTS.match(text, end) else 0.0) and (
            surface not in TWICE_STOP
        )
        likely = likely and (kin or not ordinary or tag == "n")
        likely = likely and text[start - 1 : start] != surface[0] != text[end : end + 1]
        return (
            [Name(start, end, True)]
            if likely and right and (kin or towards or ACTS.match(text, end))
            else []
        )
    if (surface in places() and not kin) or any(c in NO_GIVEN for c in surface):
        return []
    if end not in begins and end != len(text):
        return []
    popular = is_popular(surface)
    if ordinary and not (popular and right and (kin or (towards and tag in _SOFT))):
        return []
    score = min(given_score(surface), 8.0) + (3.0 if kin else 1.0 if towards else -2.0)
    score += 1.0 if right else -2.0
    return [Name(start, end, True)] if score >= GIVEN_THRESHOLD + (0.0 if kin else 1.0) else []


_SOFT = frozenset(("n", "a", "ns", "z", "i", "m"))


@cache
def _nicknames() -> frozenset[str]:
    surnames = (SURNAMES_SURE - set("熊侯柳谷苗石岳司翟")) | set("黄周张")
    big = {"大" + surname for surname in surnames} - NO_PERSON
    ranked = {
        rank + name for rank in "二三四幺" for name in "丫妮妞娃蛋狗柱毛宝胖强伟军虎牛娟梅凤霞英"
    }
    return frozenset(big | ranked | {name for name in NICK_WEAK if name[0] == "老"})


@cache
def _adverb_pets() -> frozenset[str]:
    return frozenset(word_list("name_words.txt", "adverb_pets"))


@cache
def _listed() -> frozenset[str]:
    return _nicknames() | PETS | _adverb_pets()
