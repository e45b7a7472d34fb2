"""Brands that are employers in one text: 在华为上班.

A brand is an employer where somebody works; elsewhere (华为手机) it stays.
"""

from __future__ import annotations

import re

from rapport_training.privacy.name_words import HAN
from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import AT_WORK, EMPLOYERS, JOIN_WORK, WORD_EMPLOYERS

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
