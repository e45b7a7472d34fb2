"""Places, schools and employers in one text.

Divisions of China come from a gazetteer (`data/places.txt`), smaller places from what precedes 路, 小区, 村.
A name that is a common word as well (安宁, 长寿), a county without its 县 and places abroad count only beside
another place or after a word such as 在 or 来自. China itself and regions (东北, 江南) stay: they point
at nobody. A company's name is an employer where somebody works (在华为上班); elsewhere it is a
brand (华为手机) and stays. Neighbouring parts of one address make one span.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import accumulate

from rapport_training.privacy_name_words import BOUNDARY, SURNAMES_LIKELY, SURNAMES_SURE
from rapport_training.privacy_place_words import (
    AMBIGUOUS,
    AT_WORK,
    EMPLOYERS,
    FIXED,
    GENERIC,
    JOIN_WORK,
    LANDMARKS,
    LOCATIVE,
    NEVER,
    ORGANISATION,
    SUFFIXES,
    UNIVERSITIES,
    WEAK_ORGANISATION,
    WEAK_SUFFIXES,
    WEAK_UNIVERSITIES,
)
from rapport_training.privacy_patterns import Found
from rapport_training.privacy_words import part_of_speech, places

_SUFFIX_SET = frozenset(SUFFIXES)
_BY_LENGTH = tuple(sorted(SUFFIXES, key=len, reverse=True))
_ORG_BY_LENGTH = tuple(sorted(ORGANISATION, key=len, reverse=True))
_SCHOOL_TAILS = (
    "职业技术学院",
    "外国语学校",
    "实验学校",
    "实验小学",
    "实验中学",
    "职业学校",
    "技术学院",
    "幼儿园",
    "大学",
    "学院",
    "中学",
    "小学",
    "高中",
    "初中",
    "附中",
    "附小",
    "职高",
    "技校",
    "卫校",
    "学校",
    "高级中学",
    "党校",
    "警校",
    "职校",
    "中专",
    "国际学校",
)
_NUMBERED = re.compile(
    r"(?:第?[一二三四五六七八九十百\d]{1,3}|附|实验|外国语|师大附)(?:中学|中|高中|高|小学|小|初中|幼)(?![心间国午秋级等考度年型孩时])"
)
_SCHOOLS = re.compile("|".join(sorted(UNIVERSITIES, key=len, reverse=True)))
_AT_SCHOOL = re.compile(
    r"(?:大学|附中)?(?:里|那边)?(?:读|上学|念|毕业|的(?:学生|本科|研究生|硕士|博士|同学|学姐|学长)|大[一二三四]|研[一二三]|学生|本科|研究生|硕士|博士|在读|上的|学的|校园|任教|教书|当老师)"
)
_TO_SCHOOL = re.compile(
    r"(?:考上了?|考进了?|考入|就读于|就读|毕业于|保送|考|读|上|念|在|来自|录取|申请|去|进了?|是)$"
)
_EMPLOYER = re.compile(
    "|".join(re.escape(name) for name in sorted(EMPLOYERS, key=len, reverse=True))
)
_DOOR = re.compile(
    r"(?:附)?\s?[\d一二三四五六七八九十]+\s?(?:号院|号楼|号|弄|段|栋|幢|座|单元|室|层|楼|排|组|队)(?:\s?附?[\dA-Za-z一二三四五六七八九十\-]+\s?(?:号楼|号|栋|幢|座|单元|室|层|楼|房|户)?)*"
)
_FLAT = re.compile(
    r"\d+\s?(?:栋|幢|号楼|座)\s?(?:[\d一二三四五六七八九十]+\s?单元)?\s?\d{3,4}\s?(?:室|号|房)?|[\d一二三四五六七八九十]+单元\s?\d{3,4}\s?(?:室|号|房)?"
)
_VILLAGE = re.compile(
    f"(?:在|去|回|到|从|住|自)([{''.join(sorted(SURNAMES_SURE | SURNAMES_LIKELY))}]家?(?:村(?!民|上|里|口|庄)|庄|屯|寨|沟|湾|坪|坝|畈|塘|堡|岭|窑|沱))"
)
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_NUMBER = re.compile(r"[零一二三四五六七八九十百\d]+")
_SURNAME_LIKE = SURNAMES_SURE | SURNAMES_LIKELY
_PUBLIC_GROUNDS = frozenset(
    "社区 公园 大厦 地铁站 火车站 公交站 广场 机场 商城 站 城 市 区 府 岛 庙 寺 桥 路口 商场".split()
)
_PROPER = frozenset(("ns", "nr", "nz", "nt", "nrt", "nrfg", ""))
_ABROAD = re.compile(
    r"的?(?:一项)?(?:研究(?![生院])|心理学(?!系|专业|院)|教授|科学家|学者|实验(?!室|小学|中学))"
)


def find_places(text: str, words: list[str]) -> list[Found]:
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
    found += _schools(text, words, starts)
    found += _organisations(text, words, starts)
    found += _employers(text)
    found += [(*m.span(1), "地点") for m in _VILLAGE.finditer(text)]
    found += _towns(text)
    found += (
        [(m.start(), m.end(), "地点") for m in _FLAT.finditer(text)] if _has_digit(text) else []
    )
    return _joined(text, found)


_MAY_FIX = re.compile(r"[京州庆川岛汉沙津海港林南疆古夏东川山西江华安国本大]")


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


@lru_cache(maxsize=65536)
def _school_tail(word: str) -> str:
    return next((tail for tail in _SCHOOL_TAILS if word.endswith(tail)), "")


@lru_cache(maxsize=65536)
def _organisation_tail(word: str) -> str:
    return next((tail for tail in _ORG_BY_LENGTH if word.endswith(tail)), "")


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
    start, end = starts[index], starts[index + 1]
    if word in _SUFFIX_SET:
        first = _run_start(words, index)
        if first == index:
            return []
        name = words[first:index]
        weak = word in WEAK_SUFFIXES
    else:
        suffix = _ending(word)
        if not suffix:
            return []
        first, name, weak = index, [word], suffix in WEAK_SUFFIXES
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
    if evidence < (3 if word in _PUBLIC_GROUNDS else 2):
        return []
    return [(starts[first], end, "地点")]


_THERE = re.compile(r"那边|这边|附近|一带|旁边|门口|楼下|地铁站|站下车|派出所")
_FUNCTION_WORDS = "的了是我你他她这那有没不在和就都也很还要会说去来到过着吗呢吧啊什么怎个得给被把跟对让但而且或与及之为其以从向于所如果因已经谁哪您住些座条位每各"
_NO_NAME = _FUNCTION_WORDS + "本全某几多小农山乡古老渔邻同整自"
_TOWN = re.compile(
    rf"(?:^|，|。|在|住|去|到|回|去了|到了|来自|从|离开|离开了|是|嫁到|搬到|叫)(?:了)?([^{_NO_NAME}\W\da-zA-Z][^{_NO_NAME}\W\da-zA-Z]{{0,4}}"
    r"(?:[一二三四五六七八九十东南西北新老大小]?村(?!长(?!大)|民|里人|上|口|官)|[一二三四五六七八九十](?:路|街|巷|弄)|镇(?!上|里|静|定|压|痛)|(?<!城|故|家|下|异)乡(?!下|村|镇|里|亲|愁)|街道|苏木|林场|农场|渔场))"
    r"(?=上班|长大|生活|租|住|来|人|的|了|，|。|！|？|那边|附近|工作|读|做|当|开|教|过|$|,)"
)
_STREET = re.compile(
    rf"([^{_NO_NAME}\W\da-zA-Z]{{2,6}}(?:路|街|巷|大道|弄|胡同)(?:[一二三四五六七八九十东南西北中]段)?)\s?\d{{1,4}}\s?号(?!线|公交|地铁|车)"
)
_TOWN_LAST = re.compile(r"[村镇乡街场木巷弄路]")
_NO_TOWN = frozenset(
    "农村 山村 小村 城镇 乡镇 城中村 小镇 古镇 村镇 家乡 他乡 下乡 返乡 回乡 故乡 异乡 新农村 偏远乡镇 外乡".split()
)


def _towns(text: str) -> list[Found]:
    """柳河镇, 建设一巷88号: by the characters, where words are cut otherwise."""
    found: list[Found] = []
    if _TOWN_LAST.search(text):
        for match in _TOWN.finditer(text):
            there = text.startswith(("那边", "附近"), match.end(1))
            if match.group(0)[:1] in "，。" + match.group(1)[:1] and not there:
                continue
            if match.group(1) not in _NO_TOWN and match.group(1)[-3:] not in _NO_TOWN:
                found.append((*match.span(1), "地点"))
    if "号" in text:
        found += [(*match.span(1), "地点") for match in _STREET.finditer(text)]
    return found


def _run_start(words: list[str], index: int) -> int:
    first, size = index, 0
    while first and size < 6:
        word = words[first - 1]
        after_place = first > 1 and words[first - 2] in places() and len(word) > 1
        if not _HAN.fullmatch(word) or word in LOCATIVE or len(word) > 4:
            break
        if (
            word == "里"
            and first > 1
            and words[index] == "小区"
            and words[first - 2] not in GENERIC
        ):
            size, first = size + 1, first - 1
            continue
        if word in GENERIC and not after_place:
            break
        tag = part_of_speech(word)
        if tag[:1] == "v" and len(word) == 1:
            break
        if tag in {"r", "p", "c", "u", "uj", "ul", "d", "m", "q", "y", "f"} and word not in {
            "中",
            "东",
            "西",
            "南",
            "北",
        }:
            break
        road = words[index][-1] in "路街道巷"
        if (
            tag[:1] in {"v", "a", "t", "i", "l"}
            and len(word) > 1
            and (size or (tag[:1] == "v" and not road))
            and word not in {"解放", "建设", "复兴", "和平", "幸福", "光明", "团结"}
        ):
            break
        size += len(word)
        if size > 6:
            break
        first -= 1
    return first


def _schools(text: str, words: list[str], starts: list[int]) -> list[Found]:
    found: list[Found] = []
    for index, word in enumerate(words):
        end = starts[index + 1]
        if word.endswith("毕业") and len(word) > 2:
            word, end = word[:-2], end - 2
        tail = _school_tail(word)
        if tail:
            first = index if len(word) > len(tail) else _run_start(words, index)
            placed = _TO_SCHOOL.search(text[: starts[first]]) is not None
            name = text[starts[first] : end - len(tail)]
            proper = len(word) > len(tail) and part_of_speech(word) in {"nt", "ns", "nz", "nr"}
            if text[end : end + 1] in {"会", "到", "习"} or any(c in _FUNCTION_WORDS for c in name):
                continue
            if (
                name
                and name not in GENERIC
                and (
                    proper
                    or _is_proper(words[first:index], name, placed and tail in _NAMED_SCHOOLS)
                )
            ):
                if not _ABROAD.match(text, end) or words[first] in places():
                    found.append((starts[first], end, "学校"))
    for match in _NUMBERED.finditer(text):
        found += _numbered(text, words, starts, match)
    for match in _SCHOOLS.finditer(text):
        found += _abbreviated(text, match, starts)
    return found


_NAMED_SCHOOLS = frozenset(
    "中学 小学 高中 幼儿园 学校 实验学校 外国语学校 实验小学 实验中学".split()
)


def _is_proper(name_words: list[str], name: str, placed: bool) -> bool:
    if not name_words or len(name) < 2:
        return False
    if any(word in places() for word in name_words):
        return True
    if any(word in GENERIC for word in name_words):
        return False
    if placed and all(part_of_speech(word)[:1] in {"n", "a", "z"} for word in name_words):
        return True
    return any(part_of_speech(word) in _PROPER - {"nr"} for word in name_words) or all(
        len(word) == 1 for word in name_words
    )


def _numbered(text: str, words: list[str], starts: list[int], match: re.Match[str]) -> list[Found]:
    start, end = match.span()
    try:
        index = starts.index(start)
    except ValueError:
        return []
    begin = start
    while index and (
        words[index - 1] in places() or words[index - 1] in {"市", "县", "区", "省", "镇"}
    ):
        index -= 1
        begin = starts[index]
    full = match.group().startswith("第") and match.group().endswith(("学", "高中"))
    if begin < start or full or (_TO_SCHOOL.search(text[:start]) and _AT_SCHOOL.match(text, end)):
        return [(begin, end, "学校")] if end in starts or begin < start else []
    return []


def _abbreviated(text: str, match: re.Match[str], starts: list[int]) -> list[Found]:
    start, end = match.span()
    aligned = start in starts and (end in starts or text.startswith("大", end))
    if not aligned and len(match.group()) < 4:
        return []
    if text.startswith("大学", end):
        end += 2
    if _ABROAD.match(text, end) or FIXED.match(text, start):
        return []
    weak = match.group() in WEAK_UNIVERSITIES
    if weak and not (_TO_SCHOOL.search(text[:start]) or _AT_SCHOOL.match(text, end)):
        return []
    return [(start, end, "学校")]


_ORG_STOP = frozenset(
    "比如 例如 如 像 包括 省级 市区 公立 这 那 哪 个 条 的 我 你 他 她 它 们 同 本 全 整个 每 各 某 附近 隔壁 一 几 多 有 没有 家 我们 你们 他们 这个 那个 哪个 一个 这家 那家 某个 别的 其他 另 另一 一家 两家 几家 所在 所有 和 跟 与 对 把 被 让 给 向 从 在 是 也 都 "
    "就 不 还 又 要 想 能 会 可以 应该 到 去 来 于 为 因为 所以 但 而 或 及 了 着 过 吧 呢 吗 啊 当地 本地 外地 进 入职 加入 当时 现在 以前 后来 今天 昨天 明天 公司 单位 医院 学校 做 当 叫 跳槽 离开 知名 著名 正规 专业 大 小 上 下 老公 妈妈 爸爸 "
    "朋友 同学 老师 自己 住 找 开 新 旧 普通 不错 好 差 某某".split()
)


def _organisations(text: str, words: list[str], starts: list[int]) -> list[Found]:
    """鼎盛建筑有限公司, 华西医院: an organisation's word with a name of its own before it."""
    found: list[Found] = []
    for index, word in enumerate(words):
        tail = _organisation_tail(word)
        if not tail:
            continue
        first, size = index, 0
        while first and size < 12:
            before = words[first - 1]
            function = len(before) > 1 and part_of_speech(before) in _FUNCTION
            verb = len(before) > 1 and part_of_speech(before) in {"v", "ad", "l", "i"}
            counted = re.fullmatch("第[一二三四五六七八九十百]+", before) is not None
            other = before in _ORG_STOP or verb or (function and not counted)
            if not re.fullmatch(r"[\u4e00-\u9fffA-Za-z0-9（）()]+", before) or other:
                break
            first, size = first - 1, size + len(before)
        run = words[first:index] + ([word[: -len(tail)]] if len(word) > len(tail) else [])
        name = "".join(run)
        known = (
            len(word) > len(tail)
            and part_of_speech(word) == "nt"
            and word[: -len(tail)] not in GENERIC
        )
        if len(name) < 2 and not known:
            continue
        strong = tail not in WEAK_ORGANISATION
        if known or _names_organisation(run, text, starts[first], starts[index + 1], strong):
            found.append((starts[first], starts[index + 1], "单位"))
    return found


_FUNCTION = frozenset(("r", "p", "c", "u", "uj", "d", "y", "t", "m"))


def _names_organisation(run: list[str], text: str, start: int, end: int, strong: bool) -> bool:
    named = [word for word in run if word not in GENERIC and word not in ORGANISATION]
    if not named:
        return False
    if strong and "公司" in text[start:end] and text[start:end].endswith("有限公司"):
        return True
    if any(word in places() for word in named):
        return True
    named = [word for word in named if not re.fullmatch("[A-Za-z]{1,3}", word)]
    own = [word for word in named if part_of_speech(word) in {"nz", "nt", "ns", "nr", ""}]
    singles = [word for word in named if len(word) == 1]
    works = AT_WORK.match(text, end) is not None
    located = works or text[:start].endswith(
        (
            "我们",
            "我在",
            "他在",
            "她在",
            "在",
            "到",
            "去",
            "进",
            "入职",
            "是",
            "从",
            "来自",
            "：",
            "叫",
            "到了",
            "老板是",
        )
    )
    if own or len(singles) > 1 or any(c in "第市省县区" for word in named for c in word[:1]):
        return located or strong
    described = any(part_of_speech(word)[:1] in {"a", "z", "i"} for word in named)
    return (strong and located) or (works and described)


def _employers(text: str) -> list[Found]:
    return [
        (match.start(), match.end(), "单位")
        for match in _EMPLOYER.finditer(text)
        if _works_there(text, *match.span())
    ]


def _works_there(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - 6) : start]
    joined = any(before.endswith(word) for word in JOIN_WORK)
    if before.endswith(("入职", "入职了", "跳槽到", "跳槽去", "就职于", "任职于", "供职于")):
        return True
    beside = joined or before.endswith(("在", "到", "去", "是", "从", "的"))
    return beside and AT_WORK.match(text, end) is not None


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
