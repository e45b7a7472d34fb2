"""Schools and employers that go by a name which all know: 清华, 成都七中, 在华为上班.

A brand is an employer where somebody works; elsewhere it stays.
"""

from __future__ import annotations

import re

from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import (
    EMPLOYERS,
    UNIVERSITIES,
    WEAK_UNIVERSITIES,
    WORD_EMPLOYERS,
)
from rapport_training.privacy.words import places

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


def find_schools(text: str, words: list[str], starts: list[int]) -> list[Found]:
    """Schools of `text`, whose words begin at `starts`; may overlap."""
    found: list[Found] = []
    for match in _NUMBERED.finditer(text):
        found += _numbered(text, words, starts, match)
    for match in _SCHOOLS.finditer(text):
        found += _abbreviated(match, starts)
    return found


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
    attended = _TO_SCHOOL.search(text[:start]) and _AT_SCHOOL.match(text, end) and end in starts
    return [(begin, end, "学校")] if begin < start or attended else []


def _abbreviated(match: re.Match[str], starts: list[int]) -> list[Found]:
    text, (start, end) = match.string, match.span()
    if start not in starts or not (end in starts or text.startswith("大", end)):
        return []
    attended = _TO_SCHOOL.search(text[:start]) or _AT_SCHOOL.match(text, end)
    if match.group() in WEAK_UNIVERSITIES and not attended:
        return []
    return [(start, end + 2 if text.startswith("大学", end) else end, "学校")]


_EMPLOYER = re.compile(
    "(?:"
    + "|".join(re.escape(name) for name in sorted(EMPLOYERS, key=len, reverse=True))
    + ")(?:[一二三四五六七八九十]+局)?"
)


def find_employers(text: str, starts: list[int]) -> list[Found]:
    """Brands where somebody works."""
    return [
        (match.start(), match.end(), "单位")
        for match in _EMPLOYER.finditer(text)
        if match.start() in starts and match.end() in starts and works_there(text, *match.span())
    ]


def works_there(text: str, start: int, end: int) -> bool:
    """Whether the words around a brand, characters `start` to `end`, make it an employer."""
    before = text[max(0, start - 6) : start]
    if text[start:end] in WORD_EMPLOYERS and before and not before.endswith(_INSIDE):
        return False
    clause = _CLAUSE.split(text[:start])[-1] + "■" + _CLAUSE.split(text[end:])[0]
    return _WORK.search(clause) is not None


_INSIDE = (
    "说",
    "在",
    "从",
    "进",
    "被",
    "去",
    "入职",
    "我们",
    "，",
    "。",
    "的",
    "到",
    "给",
    "和",
    "跟",
)
"""What stands before a brand that is a word as well where it is an employer."""

_CLAUSE = re.compile(r"[，。！？；,.!?;\n]")

_WORK = re.compile(
    r"■.*(?:营业厅|营业部|分店|仓库|分拣|司机|柜台|前台|门店|销售|总部|程序员|工程师|做|当|送货|送快递|卖(?!力))"
    r"|柜员|站点|站长|网点|骑手|快递员|外卖员|客服|服务员|店员|店长|裁|优化|扩招|校招|社招|秋招|春招|转正|试用期|值班|夜班|倒班|[上下]班|工作|打工|兼职|合同|编制|同事|老板|主管|领导|入职|离职|辞职|辞退|开除|跳槽|offer|面试|加班|实习|流水线"
    r"|绩效|KPI|工资|年终奖|工位|厂里|车间|员工|岗|送餐|派单|派件|收银|后厨|带教|外派|外包|业绩|干了|待了|呆了|考核|调动|竞聘|待遇|HR"
)
"""Words of work in the clause of a brand."""
