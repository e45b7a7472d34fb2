"""Counties, districts and towns without their last part, and estates and roads, by the characters.

三亚, 铁西 and 瑞丽 are cut by a dictionary that does not know them, and many such names are words as
well (和平, 东风). Each is therefore scored by what stands on both sides. Estates (翠湖名苑3栋2单元) and
roads are taken where the preposition before them shows where the name begins.
"""

from __future__ import annotations

import re
from functools import cache

from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import (
    AMBIGUOUS,
    FIXED,
    FUNCTION_WORDS,
    GENERIC,
    LANDMARKS,
    LOCATIVE,
    NEVER,
)
from rapport_training.privacy.words import part_of_speech, places, word_list

THRESHOLD = 2.0
"""Score from which on a short name is a place."""

_STEM = re.compile(r"(.{2,4}?)(?:[市县区盟])$")

_BEFORE = re.compile(
    r"(?:在|去|到|回|从|自|来自|离开|住|过了?|梦见|梦到|外派|派到|飞|嫁到|嫁去|老家|听说|想念|路过|经过|逃离|搬到|搬去|位于|籍贯|坐标|家住|往|逛|游|驻|离|家是|是|待过|去过|调去|送去|送到|转到|考到|跑到|出了)$"
)

_STRONG_BEFORE = re.compile(r"(?:在|去|到|回|从|来自|离开|住|住在|梦见|老家|嫁到|位于|路过|经过)$")

_AFTER = re.compile(
    r"(?:那边|这边|附近|一带|那段|那几[年天个]|那[年时]|这座|那座|市区|郊区|城里|城区|老城|乡下|农村|老家|下雨|下雪|打工|上学|上班|上大学|上高中|读书|读大学|读研|念书|出差|当|做|开|生活|长大|工作|租|买|散心|旅游|度假|旅行|支教|培训|实习|定居|海拔"
    r"|人(?![生家们民际类格工心情和品性员事才])|的?(?:老家|老屋|大院|家|房子|冬天|夏天|春天|秋天|夜|街|海|山|婆家|灯|雨|雪|厂|工厂|工地|亲戚|爸妈|父母|朋友|公婆|宿舍|出租屋|医院|学校|家里|票|火车|高铁|飞机|房|爷爷|奶奶|外婆))"
)

_EDGE = frozenset('，。！？、；：,.!?;: “”"（）()…—')

_ORDINARY = frozenset("vadmbftcqijzlruopy")

_DOOR = (
    r"(?:\s?[A-Za-z\d一二三四五六七八九十]{1,3}[区期座](?![间的]))?(?:\s?\d+\s?(?:栋|幢|号楼|号院|号|弄|座|楼|单元|室))?"
    r"(?:\s?[\dA-Za-z一二三四五六七八九十]{1,4}\s?(?:单元|号楼|座|楼|号|层))?(?:\s?\d{2,4}\s?(?:室|房|号|户)?)?"
)

_NO_NAME = FUNCTION_WORDS + "本全某几多小家里乡古老渔邻同整自走进约堵蹲躲停站条这那半又再只像外"

_LEFT_END = r"(?:^|(?<=[，。！？、；：\s在住到去回了从是的过叫上沿着于]))"

_ESTATE = re.compile(
    rf"{_LEFT_END}([^{_NO_NAME}\W\dA-Za-z]{{2,5}}里?(?:名苑|山庄|花园|家园|小区|公寓|名邸|豪庭|花城|嘉园|佳园|雅苑|雅居|华府|御园|花苑|新苑|佳苑|华庭|名城|名都|公馆|新城|新村|国际|天地|高架桥?|大桥|立交桥?|隧道|大厦|产业园|工业园)"
    rf")({_DOOR})"
)

_ROAD = re.compile(
    rf"{_LEFT_END}([^{_NO_NAME}\W\dA-Za-z]{{2,4}}(?:[东西南北中]路|大道|[东西南北]街|北里|南里|胡同|老街|路(?![上过人边径口途])|街(?![上头边道])|巷(?!子)))"
    rf"({_DOOR})(?=[，。！？\s一二三四五六七八九十]|$|附近|那边|这边|的|上|走|每|口|租|住)"
)


@cache
def short_names() -> dict[str, float]:
    """Short names of counties and districts, with how much context they need less than none."""
    names: dict[str, float] = {}
    for place, kind in places().items():
        stem = _STEM.fullmatch(place)
        short = stem.group(1) if stem else place if kind == "county" else ""
        if len(short) < 2 or (kind == "foreign") or short in LANDMARKS:
            continue
        if places().get(short) == "division" and short not in AMBIGUOUS:
            continue
        tag = part_of_speech(short)
        if short in NEVER or short in AMBIGUOUS or tag[:1] in _ORDINARY:
            names[short] = -1.0
        else:
            names[short] = 0.8 if tag == "ns" else 0.0 if tag in {"n", "nz"} else 0.4
    extra = {
        place: 0.8 for place, kind in places().items() if kind == "division" and len(place) == 2
    }
    return (
        names
        | dict.fromkeys(AMBIGUOUS, -0.5)
        | {place: 1.2 for place in extra if place not in AMBIGUOUS and place not in NEVER}
    )


@cache
def _firsts() -> frozenset[str]:
    return frozenset(name[:2] for name in short_names() if name not in _LISTED)


_LISTED = frozenset(word_list("place_words.txt", "town_words"))
"""Short names that are nearly always a word or a person."""


def find_towns(text: str, starts: list[int], words: list[str]) -> list[Found]:
    """Short names of divisions in `text`, whose `words` begin at `starts`, by what is around them."""
    names = short_names()
    begins = {start: words[index] for index, start in enumerate(starts[:-1])}
    fixed: list[tuple[int, int]] | None = None
    first = _firsts()
    found: list[Found] = []
    for start, word in begins.items():
        if text[start : start + 2] not in first:
            continue
        for size in (4, 3, 2):
            short = text[start : start + size]
            if len(short) < size or short not in names or short in _LISTED or len(word) > size:
                continue
            if fixed is None:
                fixed = [match.span() for match in FIXED.finditer(text)]
            if any(low <= start < high for low, high in fixed):
                break
            end = start + size
            aligned = end in begins or end == len(text)
            if _score(text, start, end, names[short], aligned) >= THRESHOLD:
                found.append((start, end, "地点"))
            break
    return found


def _score(text: str, start: int, end: int, score: float, aligned: bool) -> float:
    before = text[max(0, start - 4) : start]
    strong = _STRONG_BEFORE.search(before) is not None
    if strong:
        score += 1.7
    elif _BEFORE.search(before) or any(before.endswith(w) for w in LOCATIVE if len(w) > 1):
        score += 1.2
    elif not before or before[-1] in _EDGE:
        score += 0.4
    if _AFTER.match(text, end):
        score += 1.6
    elif end == len(text) or text[end] in _EDGE:
        score += 0.4
    if (
        text[start - 2 : start] in places()
        or text[end : end + 2] in places()
        or text[start - 3 : start] in places()
        or text[end : end + 3] in places()
    ):
        score += 1.5
    return score - (0.0 if aligned else 0.8)


_BLOCK = re.compile(
    rf"{_LEFT_END}([^{_NO_NAME}\W\dA-Za-z]{{2,6}}(?:[一二三四五六七八九十\d]期)?\s?\d{{1,3}}\s?(?:栋|幢|号楼){_DOOR})"
)

_MAY_BE_ESTATE = re.compile(
    r"[路街巷桥]|大道|[名花新佳]苑|[山村]庄|花园|家园|小区|公寓|名邸|豪庭|花城|[嘉佳]园|雅居|华府|御园|[华豪]庭|名[城都]|公馆|新[城村]|国际|天地|高架|立交|大厦|业园|[北南]里|胡同"
)


def find_estates(text: str) -> list[Found]:
    """Estates and roads of `text` with their doors, where a preposition shows where they begin."""
    found: list[Found] = []
    if "栋" in text or "幢" in text or "号楼" in text:
        found += [(*match.span(1), "地点") for match in _BLOCK.finditer(text)]
    if not _MAY_BE_ESTATE.search(text):
        return found
    for pattern in (_ESTATE, _ROAD):
        for match in pattern.finditer(text):
            name, door = match.group(1), match.group(2)
            stem = re.sub(r"(?:.[路街巷道园庄苑城寓区桥厦]|..)$", "", name)
            located = _STRONG_BEFORE.search(text[: match.start()]) is not None
            tags = part_of_speech(name[:2])
            own = tags in {"", "ns", "nr", "nz", "nrt"} and stem not in GENERIC
            if (
                stem
                and name[:2] not in GENERIC
                and (any(c.isdigit() for c in door) or (own and located))
            ) or (own and pattern is _ESTATE and name.endswith(("高架", "大桥", "立交", "隧道"))):
                found.append((match.start(), match.end(), "地点"))
    return found
