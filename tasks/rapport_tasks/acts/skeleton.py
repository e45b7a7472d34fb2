"""The grammatical skeleton of a sentence: its function words, with every content word blotted out.

Rules state what one construction does; the skeleton keeps what no rule states, such as 一边…一边… or
a clause that ends in 了, and leaves out topic and vocabulary, so that what is learned from it carries
over to sentences about other things. `runs` names one to three neighbours at a time.

Words come from `WORDS`: an entry in capitals stands for all its words (feelings, people, times), the
words of the entries ``words`` and ``potential`` stand for themselves. What is none of them is ``x``,
and neighbouring ``x`` are one.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

WORDS_ZH = r"""
words
    我们 你们 他们 她们 自己 别人 大家 有人 没有人 没人 谁 每个人 很多人 这个 那个 这些 那些 这样 那样 这种 那种 这份 那份
    这么 那么 怎么 什么 为什么 如何 哪 多少 几 应该 应当 必须 需要 可以 能够 可能 也许 或许 大概 一定 肯定 想必 不妨 最好 不如
    建议 希望 相信 愿意 想要 想 要 得 会 能 敢 肯 该 别 不要 不用 不必 不能 不是 不会 不想 不敢 不知道 没有 没 不 无法 是 有 在
    把 被 让 给 对 跟 和 与 向 从 到 为 为了 以 用 将 由 比 像 好像 似乎 仿佛 如同 因为 所以 但是 可是 但 可 却 又 也 都 还 就 才 再
    只 只是 只有 只要 连 甚至 其实 原来 明明 偏偏 到底 终于 竟然 反而 反倒 毕竟 难免 当然 自然 确实 的确 真的 已经 曾经 一直 总是
    总 常常 经常 往往 通常 一般 从来 从 仍然 依然 始终 刚 正 正在 马上 立刻 先 然后 最后 首先 其次 每 每次 越 越来越 一边 一面 既
    不仅 而且 而 或者 还是 与其 如果 要是 当 一旦 即使 哪怕 无论 不管 虽然 尽管 除了 通过 根据 按照 关于 对于 多 少 好好 慢慢 尽量
    试着 试试 尝试 学会 学着 记得 保持 避免 的 地 了 着 过 吗 呢 吧 啊 呀 嘛 呗 啦 哦 哎 唉 哇 来 去 起来 下去 出来 下来 上 下 里 中
    很 太 非常 特别 十分 挺 好 真 多么 有点 有些 这 那 你 我 他 她 它 谁 所 之 更 最 等 比如 例如 说 听 看 写 找 做 问 告诉 觉得 感到
    感觉 理解 明白 懂 知道 害怕 担心 在意 渴望 舍不得 忍不住 不得不 至于 属于 意味着 说明 导致 可见 一 一点 一下 一些 一个 一种 一件
    一次 一遍 次 件 份 句 个 种 时候 时 后 以后 之后 之前 以前 前
potential
    不着 不了 不下 不住 不到 不进 不出 不起 不开 不动 不完 不上 不清 不过 不来 不及
PERSON
    妈妈 爸爸 母亲 父亲 父母 爸妈 家人 孩子 女儿 儿子 老公 老婆 丈夫 妻子 先生 男友 女友 男朋友 女朋友 对方 朋友 同学 同事 领导
    老板 老师 室友 婆婆 公公 医生 咨询师 姐姐 妹妹 哥哥 弟弟 爷爷 奶奶 长辈 闺蜜 前任 伴侣
OFTEN
    每天 每周 每晚 每日 每个月 每次 睡前 早上 晚上 周末 平时 白天 今天 明天 今晚 下次 下周 下回 以后 分钟 小时 半小时 一周 两次
    三次 五次 几次 第一 第二 第三 第一步
LONG
    年 个月 半年 多年 这些年 这么久 太久 很久 那么久 这么多 那么多 整天 整夜 一整天 小时候 从小 当时 那天 那时 那段 最近 这段 昨天
    昨晚 上周 去年 今年 如今 至今 长大
BODY
    心里 心口 心上 眼泪 眼眶 肚子里 脑子 脑海 夜里 嘴上 内心 心
PRAISE
    勇敢 坚强 善良 懂事 努力 了不起 不容易 优秀 难得 可贵 珍贵 骄傲 棒 加油 正常 辛苦
"""

WORDS_EN = r"""
words
    i you we he she they it me him her them us your my his their its our this that these those there here who what
    why how when where which nobody everyone anyone someone something anything nothing everything should must have
    to need can could may might will would ought better had has having been be am is are was were being do does did
    done not no never don't want wants wanted feel feels feeling felt think thinks know knows hear hearing sounds
    sound seems seem looks look like hope wish guess mean maybe perhaps probably possibly just really so very too
    such pretty quite kind sort of a an the and but or because if while even though although still yet already
    always often sometimes usually again now then after before until since for with without by from in on at into
    about over up down out off away back all every each some any more most much many lot other own as than both
    either let make makes made get gets got take takes took give keep keeps go going come put try trying tried
    start stop ask tell talk say said call write find see use help helps might sure please okay ok well yeah right
    great good hard sorry thank thanks glad proud understand appreciate important one way thing things time also
    only first next instead together yourself myself enough lost
OFTEN
    today tonight tomorrow week weeks day days night morning minutes minute hour hours times daily once twice
PERSON
    mom mother dad father parents sister brother wife husband friend friends boss doctor professor kids partner
    therapist counselor roommate family people son daughter baby
FEELING
    sad hurt hurts angry upset anxious afraid scared worried stressed frustrated frustrating overwhelmed exhausted
    exhausting tired lonely alone hopeless guilty ashamed stuck torn nervous tough difficult painful scary pain
    grief fear stress stressful unfair rough heavy brave strong strength courage
LONG
    years year months month lately long
"""


_ENDING = re.compile(r"(?:ing|ed|ly|'s|(?<![su'])s)\Z")


@cache
def _table(tongue: str) -> tuple[re.Pattern[str], dict[str, str]]:
    names: dict[str, str] = {}
    heading = ""
    for line in (WORDS_ZH if tongue == "zh" else WORDS_EN).splitlines():
        if line.startswith(" "):
            for word in line.split():
                names.setdefault(word, heading if heading.isupper() else word)
        else:
            heading = line
    words = "|".join(sorted(names, key=len, reverse=True))
    marks = "[，〇若述？＃（]" if tongue == "zh" else "[,〇?#]"
    pattern = rf"{marks}|{words}" if tongue == "zh" else rf"{marks}|(?<![\w'])(?:{words})(?![\w'])"
    return re.compile(pattern), names


def skeleton(prepared: str, tongue: str) -> list[str]:
    """The function words and marks of a prepared sentence, content blotted out.

    >>> skeleton("，你一边赶路，一边害怕，", "zh")
    ['，', '你', '一边', 'x', '，', '一边', '害怕', '，']
    """
    pattern, names = _table(tongue)
    found: list[str] = []
    end = 0
    for match in pattern.finditer(prepared):
        if match.start() > end and not prepared[end : match.start()].isspace():
            found.append(_content(prepared[end : match.start()], tongue))
        word = match.group()
        found.append(names.get(word, word))
        end = match.end()
    if prepared[end:].strip():
        found.append(_content(prepared[end:], tongue))
    return found


def _content(words: str, tongue: str) -> str:
    """``x``, for English with the ending of its first word: a bare verb may command, walking may not."""
    if tongue == "zh":
        return "x"
    ending = _ENDING.search(words.split(None, 1)[0])
    return "x" + ending.group() if ending else "x"


def runs(prepared: str, tongue: str) -> set[str]:
    """One, two and three neighbours of the skeleton, joined by spaces."""
    parts = skeleton(prepared, tongue)
    grams = set(parts)
    grams.update(map(" ".join, pairwise(parts)))
    grams.update(map(" ".join, zip(parts, parts[1:], parts[2:], strict=False)))
    return grams
