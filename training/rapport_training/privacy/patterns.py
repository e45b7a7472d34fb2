"""Identifiers that have a form of their own: numbers, addresses on the net, accounts, birth dates.

All patterns run on a copy of the text in which full-width letters and digits are half-width (one
character for one, so positions hold); mobile numbers also on a copy in which 一三八 reads 138. Numbers
that anybody may know stay: 110, 12356, 400-..., crisis hotlines.

Identity numbers are taken with or without a right checksum: a mistyped one still points at a person.
That is why neither python-stdnum nor phonenumbers is used: both exist to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Found = tuple[int, int, str]
"""Start, end and kind of an identifier in one text."""

_HALF = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_READ = str.maketrans("零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "0001234567891123456789")
_SPELT = re.compile(r"(?:[零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖\d][ \-]?){5,}")
_ANY = re.compile(r"[0-9A-Za-z@]")

PLACEHOLDER = re.compile(
    r"\[(?:姓名|地点|学校|单位|电话|身份证|邮箱|账号|网址|银行卡|车牌|出生日期)\d+\]"
)

_S = r"[ \-–—.·]{0,2}"
_IS = r"[\s:：是为叫加我的你他她它搜就这有也吧呗啊“”\"'(（)）=＝,，号码]{0,8}"
_TOP = (
    r"(?:com|cn|net|org|edu|gov|io|me|top|xyz|cc|info|site|app|co|tv|vip|shop|club|online|link|ly|gg"
    r"|im|ai|dev|hk|tw|jp|uk|us|de|fr|be|to|in)"
)
_HOST = rf"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?\.)+{_TOP}(?:\.(?:cn|hk|tw|jp|uk))?(?![A-Za-z0-9\-])"
_PATH = r"[A-Za-z0-9\-._~:/?#@!$&*+;=%]*[A-Za-z0-9/=_\-#&]"
_URL = re.compile(
    rf"(?:https?|ftp)://{_PATH}|www\.{_PATH}|(?<![A-Za-z0-9@.\-]){_HOST}(?:[:/?#]{_PATH})?", re.I
)
_EMAIL = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9._%+\-]*(?:\s?@\s?|\s?[(\[{{]at[)\]}}]\s?|艾特|#(?=[a-z0-9]+\.com)| at (?=[a-z0-9]+ ?(?:dot|点|\.)))"
    rf"(?:[A-Za-z0-9\-]+(?:\s?[(\[{{]dot[)\]}}]\s?| dot |点|\.))+{_TOP}(?:(?:点|\.)cn)?(?![A-Za-z0-9])",
    re.I,
)

_DATE8 = rf"(?:18|19|20)\d{{2}}{_S}(?:0[1-9]|1[0-2]){_S}(?:0[1-9]|[12]\d|3[01])"
_ID = re.compile(
    rf"(?<![0-9A-Za-z])[1-9](?:{_S}\d){{5}}{_S}{_DATE8}(?:{_S}\d){{3}}{_S}[0-9Xx](?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![0-9A-Za-z])"
)
_PASSPORT = re.compile(
    r"(?:护照|通行证|passport)[^\dA-Za-z\n]{0,6}((?:number|no\.?)?\s?[A-Za-z]{1,2}\d{7,9})(?![0-9A-Za-z])",
    re.I,
)
_CARD = re.compile(r"(?<![0-9A-Za-z.])[2-69]\d{3}(?:[ \-]?\d){12,15}(?![0-9])")

_MOBILE = re.compile(rf"(?<!\d)(?:[(]?(?:\+|00)?86[)]?{_S})?1{_S}[3-9](?:{_S}\d){{9}}(?!\d)")
_LANDLINE = re.compile(
    r"(?<![\d.])(?:[(]?\+?86[)]?[ \-]?)?[(]?0(?:10|2\d|[3-9]\d{2})[)]?[ \-–—]{0,3}[2-8]\d{2,3}[ \-]?\d{4}"
    r"(?:\s?(?:转|分机|ext\.?|-)\s?\d{1,5})?(?!\d)"
)
_LOCAL = re.compile(
    r"(?:电话|座机|固话|手机|传真|号码|分机|\btel|\bphone|\bcall|\bmobile|\bcell)[^\d\n。]{0,8}?"
    r"((?:\d[ \-]?){6,13}\d)(?!\d|[ \-]?\d|元|块|年|次|人|个)",
    re.I,
)
_WORLD = re.compile(
    r"(?<![\dA-Za-z_])(?:\+|00)(?!86)[1-9]\d{0,2}(?:[ \-.]?[(]?\d{1,5}[)]?){2,5}(?!\d)"
    r"|(?<![\d\-.])(?:\+?1[ \-.])?(?:[(][2-9]\d{2}[)]\s?|[2-9]\d{2}[\-. ])\d{3}[\-. ]\d{4}(?!\d)"
    r"|(?<!\d)07\d{3}[ \-]?\d{3}[ \-]?\d{3}(?!\d)|(?<!\d)09\d{2}[ \-]?\d{3}[ \-]?\d{3}(?!\d)"
)
_PUBLIC = frozenset(
    [
        "01082951332",
        "4001619995",
        "02112320",
        "02212320",
        "18002738255",
        "8008101117",
        "01062715275",
        "02087575211",
        "075525629459",
        "4008211215",
        "02552887777",
        "057185029595",
        "02885577",
    ]
)
"""Crisis and counselling lines that are printed in public, digits only."""

_ID_WORD = r"(?![A-Za-z]{1,3}(?![A-Za-z0-9_\-]))[A-Za-z0-9_][A-Za-z0-9_\-.]{2,28}[A-Za-z0-9_]"
_LOOSE = re.compile(
    r"(?:(?<![A-Za-z])(?:Q{1,2}|VX?|WX)(?![A-Za-z])|扣扣|企鹅|微信|薇信|加我|敲我|戳我|滴我|小窗|账号|帐号)[^\dA-Za-z。！？!?\n]{0,12}"
    r"(?<![\d.])(\d{6,11}|(?=[A-Za-z\-]*[\d_])[A-Za-z][A-Za-z0-9_\-]{5,19})(?![\dA-Za-z.元块万年月%岁个人次条])"
    r"|(?<![\dA-Za-z.@/])(\d{6,11}|(?=[A-Za-z\-]*[\d_])[A-Za-z][A-Za-z0-9_\-]{5,19})(?![\dA-Za-z.元块万年月%岁个人次条])[^\dA-Za-z。！？!?\n]{0,8}"
    r"(?:(?:QQ|VX|WX|V|Q)(?![A-Za-z])|扣扣|企鹅|微信|薇信|加我|加好友)",
    re.I,
)
_WECHAT = re.compile(
    rf"(?:微信|薇信|威信|维信|微❤|薇❤|卫星|(?<![A-Za-z])(?:V信|WX|VX|V|weixin|wechat))(?:号|账号|帐号|ID)?({_IS})({_ID_WORD})",
    re.I,
)
_OTHER = re.compile(
    r"(?:抖音|快手|小红书|微博|陌陌|探探|钉钉|支付宝|B站|哔哩哔哩|知乎|贴吧|推特|脸书|(?<![A-Za-z])(?:Instagram|Insta|ins|telegram|TG"
    r"|line|whatsapp|skype|snapchat|snap|discord|facebook|twitter|steam|tiktok))"
    rf"(?:\s?(?:号|账号|帐号|ID|昵称|账户|用户名|handle|username|account|is)){{1,2}}{_IS}({_ID_WORD})"
    rf"|(wxid_[A-Za-z0-9_\-]{(4,)})|(?:学号|工号|准考证号|会员号|用户名|登录名|账号|帐号)[^\dA-Za-z\n。，]{{0,4}}?({_ID_WORD})"
    r"|(?<![A-Za-z0-9._])@([A-Za-z0-9_][A-Za-z0-9_.]{2,29}|(?<=微博@)[\u4e00-\u9fff\w\-]{2,20})",
    re.I,
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-Za-z][ ·•.\-]?"
    r"(?=[A-Za-z]{0,5}\d)[A-HJ-NP-Za-hj-np-z0-9]{4,6}[挂学警港澳]?(?![A-Za-z0-9])"
)

_HAN_NUMBER = r"[零〇○一二三四五六七八九十廿卅初]"
_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)[a-z]*\.?"
_DAY = rf"(?:\d{{1,2}}|{_HAN_NUMBER}{{1,3}})"
_CALENDAR = r"(?:(?:农历|阴历|阳历|公历|新历|旧历)的?\s?)?"
_FULL_DATE = (
    rf"(?:{_CALENDAR}(?:(?:19|20)?\d{{2}}|{_HAN_NUMBER}{{2,4}})\s?年\s?{_CALENDAR}(?:{_DAY}|正|腊|冬)\s?月(?:份)?(?:\s?{_DAY}\s?[日号]?)?"
    r"|(?:19|20)\d{2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,2}|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?!\d)"
    rf"|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:19|20)\d{{2}}|{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d{{2}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTHS},? (?:19|20)\d{{2}})"
)
_BIRTH_DATE = rf"(?:{_FULL_DATE}|{_CALENDAR}(?:{_DAY}|正|腊|冬)月\s?{_DAY}\s?[日号]?|{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?)"
_MAY_BE_BIRTH = re.compile(r"[生诞世]|DOB|orn|irth|BORN|BIRTH|\d(?:年|[-/.]\d)")
_BORN_BEFORE = re.compile(
    r"(?:(?:户口本?|身份证|证件)上?(?:写的|登记的)|生下来(?=那天|那年|是)|出生(?:日期|年月日?|时间|证明)?|生日|诞辰|生于|诞生|\bDOB|date of birth|\bborn|\bbirthday)"
    rf"(?:[\s:：是为在于就的(（]|上写|登记|[Oo]n|[Ii]s|[Ii]n|was|当天|那天|日期|都|写|我|他|她){{0,6}}({_BIRTH_DATE})",
    re.I,
)
_BORN_AFTER = re.compile(
    rf"({_BIRTH_DATE})\s?(?:[(（,，]?(?:这天|那天|凌晨|早上|晚上|上午|下午|左右|我|才|就|她|他|刚|孩子|儿子|女儿|宝宝)?)"
    r"(?:出生|生日|是?[我他她](?:的|\w{0,3})?生日|过的?生日|生的|生人|降生|诞生|出世|来到(?:了)?(?:这个|这|人)?世|生(?=[，。,.;；！!？?、）)\s]|$))"
)
_BORN_AM = re.compile(
    rf"(?:我|他|她|本人|孩子|儿子|女儿)是?({_FULL_DATE})(?:的|生)(?=[，。,.;；！!？?、）)\s]|$)"
)
_BORN_ON_PAPER = re.compile(
    r"(?:病历|病案|小结|档案|身份证|户口|履历|简历|登记表?|证件|诊断书|报告单?|资料|表格)[^\d。！？\n]{0,16}?"
    rf"(?<!\d)(?=19\d\d|200\d|201[0-5])({_FULL_DATE})(?=[，,、。；\s（(]|$)"
)

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (_URL, "网址"),
    (_ID, "身份证"),
    (_PASSPORT, "身份证"),
    (_CARD, "银行卡"),
    (_MOBILE, "电话"),
    (_LANDLINE, "电话"),
    (_WORLD, "电话"),
    (_LOCAL, "电话"),
    (_WECHAT, "账号"),
    (_OTHER, "账号"),
    (_LOOSE, "账号"),
    (_PLATE, "车牌"),
)


def half_width(text: str) -> str:
    """The text with full-width letters, digits and signs made half-width, of the same length."""
    return text.translate(_HALF)


def find_forms(text: str) -> list[Found]:
    """Identifiers of `text` that show by their form, sorted and without overlap.

    Args:
        text: Any text; existing placeholders must be covered by the caller.
    """
    plain = half_width(text)
    found: list[Found] = []
    if _ANY.search(plain):
        plain = _take(_EMAIL, "邮箱", plain, found)
        for pattern, kind in _FORMS:
            plain = _take(pattern, kind, plain, found)
    if _MAY_BE_BIRTH.search(plain):
        for pattern in (_BORN_BEFORE, _BORN_AFTER, _BORN_AM, _BORN_ON_PAPER):
            plain = _take(pattern, "出生日期", plain, found)
    if _SPELT.search(plain):
        _take(_MOBILE, "电话", plain.translate(_READ), found)
    return sorted(found)


def cover(text: str, spans: list[Found]) -> str:
    """The text with every span blotted out, so that nothing is found in it again."""
    for start, end, _ in spans:
        text = text[:start] + "■" * (end - start) + text[end:]
    return text


def _take(pattern: re.Pattern[str], kind: str, text: str, found: list[Found]) -> str:
    new = list(_matches(pattern, kind, text))
    found += new
    return cover(text, new)


def _matches(pattern: re.Pattern[str], kind: str, text: str) -> Iterator[Found]:
    for match in pattern.finditer(text):
        group = match.lastindex or 0
        start, end = match.span(group)
        surface = text[start:end]
        if pattern is _WECHAT and not _is_account(text, match, surface):
            continue
        if kind == "电话" and _is_public(surface):
            continue
        end -= len(surface) - len(surface.rstrip(" -.–—·"))
        yield start, end, kind


def _is_account(text: str, match: re.Match[str], surface: str) -> bool:
    """Whether what follows 微信 is an account: it has a digit, or something says that it is one."""
    if any(character.isdigit() or character in "_-" for character in surface):
        return len(surface) > 4
    cue = text[match.start() : match.start(2)]
    said = cue[:2].lower() in {"vx", "wx", "v信"} or any(sign in cue for sign in "号:：是为叫搜=")
    said = said or "加" in text[max(0, match.start() - 3) : match.start(2)]
    return len(surface) > 4 and said


def _is_public(surface: str) -> bool:
    digits = re.sub(r"\D", "", surface)
    short = digits.removeprefix("86")
    return short in _PUBLIC or digits.startswith(("400", "800", "1800", "1888")) or len(digits) < 7
