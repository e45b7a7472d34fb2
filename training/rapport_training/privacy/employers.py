"""Employers and other organisations in one text: 鼎盛建筑有限公司, 华西医院, 在华为上班.

A brand is an employer where somebody works; elsewhere (华为手机) it stays.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapport_training.privacy.name_words import HAN
from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import (
    AT_WORK,
    EMPLOYERS,
    GENERIC,
    JOIN_WORK,
    ORGANISATION_STOP,
    ORGANISATION_TAILS,
    WEAK_ORGANISATION,
    WORD_EMPLOYERS,
)
from rapport_training.privacy.words import part_of_speech, places

_ORG_BY_LENGTH = tuple(sorted(ORGANISATION_TAILS, key=len, reverse=True))

_FUNCTION = frozenset(("r", "p", "c", "u", "uj", "d", "y", "t", "m"))

_EMPLOYER = re.compile(
    "(?:"
    + "|".join(re.escape(name) for name in sorted(EMPLOYERS, key=len, reverse=True))
    + ")(?:[一二三四五六七八九十]+局)?"
)


@lru_cache(maxsize=65536)
def _organisation_tail(word: str) -> str:
    return next((tail for tail in _ORG_BY_LENGTH if word.endswith(tail)), "")


def _organisations(text: str, words: list[str], starts: list[int]) -> list[Found]:
    """鼎盛建筑有限公司, 华西医院: an organisation's word with a name of its own before it."""
    found: list[Found] = []
    for index, word in enumerate(words):
        tail = _organisation_tail(word)
        if not tail or (tail == "厂" and word[:-1] in {"开", "建", "办", "进", "出"}):
            continue
        first, size = index, 0
        while first and size < 12:
            before = words[first - 1]
            function = len(before) > 1 and part_of_speech(before) in _FUNCTION
            verb = len(before) > 1 and part_of_speech(before) in {"v", "ad", "l", "i"}
            counted = re.fullmatch("第[一二三四五六七八九十百]+", before) is not None
            other = (
                before.endswith("公司")
                or before in ORGANISATION_STOP
                or verb
                or (function and not counted)
                or before[-1] in "进到去给在被了"
            )
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
        if len(name) < 2 and not known and name not in {"市", "县", "区", "省"}:
            continue
        strong = tail not in WEAK_ORGANISATION
        if known or _names_organisation(run, text, starts[first], starts[index + 1], strong):
            found.append((starts[first], starts[index + 1], "单位"))
    return found


def _names_organisation(run: list[str], text: str, start: int, end: int, strong: bool) -> bool:
    named = [word for word in run if word not in GENERIC and word not in ORGANISATION_TAILS]
    works = AT_WORK.match(text, end) is not None
    if run[-1:] in (["市"], ["县"], ["区"], ["省"]):
        return works
    if run[:1] in (["市"], ["县"], ["区"], ["省"]) and text[start:end].endswith("医院"):
        return True
    if not named:
        return False
    if strong and "公司" in text[start:end] and text[start:end].endswith("有限公司"):
        return True
    if any(word in places() for word in named):
        return True
    named = [word for word in named if not re.fullmatch("[A-Za-z]{1,3}", word)]
    own = [word for word in named if part_of_speech(word) in {"nz", "nt", "ns", "nr", ""}]
    singles = [word for word in named if len(word) == 1]
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
        if works_there(text, *match.span())
    ]


def works_there(text: str, start: int, end: int) -> bool:
    """Whether the words around a brand, characters `start` to `end`, make it an employer."""
    before = text[max(0, start - 6) : start]
    joined = any(before.endswith(word) for word in JOIN_WORK)
    if before.endswith(("入职", "入职了", "跳槽到", "跳槽去", "就职于", "任职于", "供职于")):
        return True
    if AT_WORK.match(text, end) is not None or _POSITION.match(text, end) is not None:
        return joined or before == "" or before.endswith(_BESIDE)
    surface = text[start:end]
    if joined and surface not in WORD_EMPLOYERS and not _PRODUCT.match(text, end):
        return True
    if surface in WORD_EMPLOYERS and not before.endswith(_INSIDE):
        return False
    if surface in WORD_EMPLOYERS and not HAN.match(text, end):
        return False
    clause = _CLAUSE.split(text[:start])[-1] + "■" + _CLAUSE.split(text[end:])[0]
    return _WORK.search(clause) is not None and not _PRODUCT.match(text, end)


_BESIDE = (
    "在",
    "到",
    "去",
    "是",
    "从",
    "的",
    "被",
    "给",
    "说",
    "，",
    "。",
    "我们",
    "和",
    "跟",
    "叫",
)

_INSIDE = ("说", "在", "从", "进", "被", "去", "入职", "我们")

_CLAUSE = re.compile(r"[，。！？；,.!?;\n]")

_POSITION = re.compile(
    r"的?(?:营业厅|营业部|站长|站点|骑手|分店|裁|优化|柜台|前台|柜员|站点|网点|骑手|快递员|客服|外卖员|服务员|店员|店长|仓库|分拣|流水线|校招|社招|秋招|春招|大区|门店经理|销售|司机|编制|总部|合同工|外包|外包岗|程序员|工程师)"
)

_WORK = re.compile(
    r"柜员|站点|网点|骑手|快递员|外卖员|裁员|被裁|优化|扩招|校招|社招|秋招|转正|试用期|值班|夜班|倒班|上班|下班|合同|同事|老板|主管|领导|入职|离职|辞职|辞退|开除|跳槽|offer|面试|加班|实习|流水线"
    r"|编制|绩效|KPI|工资|年终奖|工位|厂里|车间|员工|打工|岗|店长|送餐|派单|派件|收银|后厨|带教|外派|外包|业绩|干了|考核|报销|调动|竞聘|待遇|HR"
)

_PRODUCT = re.compile(
    r"手机|电脑|平板|空调|冰箱|车(?!间)|卡|奶茶|咖啡|火锅|外卖(?!员)|快递(?!员)|支付|存|取|买|充"
)


def find_employers(text: str, words: list[str], starts: list[int]) -> list[Found]:
    """Organisations with a name of their own, and brands where somebody works."""
    return _organisations(text, words, starts) + _employers(text)
