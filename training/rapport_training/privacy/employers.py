"""Brands that are employers in one text: 在华为上班.

A brand is an employer where somebody works; elsewhere (华为手机) it stays.
"""

from __future__ import annotations

import re

from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import EMPLOYERS, JOIN_WORK, WORD_EMPLOYERS

_EMPLOYER = re.compile(
    "(?:"
    + "|".join(re.escape(name) for name in sorted(EMPLOYERS, key=len, reverse=True))
    + ")(?:[一二三四五六七八九十]+局)?"
)


def find_employers(text: str) -> list[Found]:
    """Brands where somebody works."""
    return [
        (match.start(), match.end(), "单位")
        for match in _EMPLOYER.finditer(text)
        if works_there(text, *match.span())
    ]


def works_there(text: str, start: int, end: int) -> bool:
    """Whether the words around a brand, characters `start` to `end`, make it an employer."""
    before = text[max(0, start - 6) : start]
    if _PRODUCT.match(text, end):
        return False
    if text[start:end] in WORD_EMPLOYERS and before and not before.endswith(_INSIDE):
        return False
    clause = _CLAUSE.split(text[:start])[-1] + "■" + _CLAUSE.split(text[end:])[0]
    return before.endswith(JOIN_WORK) or _WORK.search(clause) is not None


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

_PRODUCT = re.compile(
    r"手机|电脑|平板|空调|冰箱|车(?!间)|卡|奶茶|咖啡|火锅|外卖(?!员)|快递(?!员)|支付|存|取|买|充"
)
