"""Markers of prescriptive and affective speech, counted with what tells them from look-alikes.

==========================  =======================================================================
``deontic``                 应该, 必须, 得, 需要 that bind the client to an action; not 你应该很累吧,
                            not 觉得, not 他需要
``prohibitive``             别, 不要, 不应该 before an action; not 别人, not 不要自责
``first_person_directive``  我建议, 我希望你, 我劝你, 我要求你; not the wish 我希望你好起来
``hortative``               让我们, 我们一起
``hedge``                   也许, 或许, 可能; not 可能性, not 尽可能
``permission``              如果你愿意, 可以吗
``affective``               我理解, 感受到, 心疼, 共情, 听起来; not 你要理解他
``dismissive``              别难过, 想开点, 没什么大不了
==========================  =======================================================================

English likewise. Quotations and reported speech are not the speaker's own and do not count. Other
than acts, markers are counted as often as they occur. Patterns see what `acts_zh.prepare` and
`acts_en.prepare` make of a sentence; those of ``permission`` see the sentence itself, because
preparing it folds conditions away.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache

from rapport_tasks.acts import en as acts_en
from rapport_tasks.acts import zh as acts_zh
from rapport_tasks.acts.classifier import expand, read_table, words
from rapport_tasks.dialogues.sentences import language, mask_quotations, split_sentences

MARKERS: tuple[str, ...] = (
    "deontic",
    "prohibitive",
    "first_person_directive",
    "hortative",
    "hedge",
    "permission",
    "affective",
    "dismissive",
)

_LONGEST = 600
"""A longer sentence is read in pieces of so many characters, which bounds the time."""

_CHINESE = r"""
deontic
    (?:(?:，|{YOU}|就|这时候?|时候){ADV}{0,5}(?:应该|应当|理应)(?!{GUESS}|如何|怎么|怎样|的|值得|被|庆幸|
    得到(?:爱|尊重|更|幸福|理解)|为自己[感骄高鼓])|你该(?!有多|多|怎么|如何|会|是|很)|(?:，|{YOU}){ADV}{0,5}(?:可能|或许)?(?:必须|务必|
    有必要|(?<!，还)得(?![到了出意知体不]|有多))(?!说[，你的]|承认|给你|，|[^，]{1,8}的(?:那|时候|日子))|{YOU}{ADV}{0,5}需要(?!的|
    [，我被]|有人|
    支持，|帮助，|时间|谁|什么|吗|任何|爱|安全感|陪|一[个份][^，]{0,10}(?:怀抱|拥抱|肩膀)|理解，|认可|面对[的这么太]|承受|忍受|经历)|
    ，{ADV}{0,5}需要(?=你|{VERB}))
prohibitive
    (?:(?:[，前后时里上天晚次才始]|请|千万|一定|{YOU}|就|自己|先|再也|希望你?|建议你?|记得|都|尽量|可|
    更){ADV}{0,5}(?:不要|甭|别(?![人的处墅扭名致无样说])|切忌|切勿|切莫|勿|莫要)(?!{STUCK}|紧|求|
    想太多|多想|想那么多|胡思乱想|太?矫情|说，|难)|(?:，|{YOU}){ADV}{0,5}(?:不应该|不应当|不该|不可以|
    不能(?=[再总把让这只光老忽轻用太过否急]|一直|因为|一味|为了)|不宜|不准|不许)(?!{HARM}|{STUCK}|是|会|，|
    有这|吗)|，不可(?=[突擅随自再轻])|不要(?=全信|全听))
first_person_directive
    (?<![他她])我(?:们)?(?:不|也|还|会|想|就|更|真诚地|强烈|郑重|诚恳地|真心|个人|倾向于|再次|现在|
    衷心|只|很|真的)*(?:(?:的)?建议(?![书箱]|不了)|想请你|劝你?|要求(?![不很太也高])你?|命令你?|请求你|推荐你?|提议|鼓励你(?!的)|
    想让你|要你|希望你们?(?!的|被|(?:能够?|可以|会|都|也|早日|尽快|一切|永远|的)*(?:好|早|开心|幸福|快乐|
    顺利|平安|健康|越来越|走出|如愿|不再)))
hortative
    让我们(?![所都感觉很大失陷心])|我们[^，]{0,8}?(?:一起|共同|一同|
    一块儿?)(?!长大|生活|经历|[走去吃住]过|的)|我们不妨|我们来(?!说，|往)
hedge
    也许|或许|(?<![不尽么])可能(?![性，])|说不定|兴许|大概
affective
    (?:，|我们?)(?:也|还|都|真的?|很|非常|特别|完全|十分|太|深深地?|能够?|可以|大概|会|好|真心|当然|
    其实)*(?:理解|懂得?|明白|体会|体谅|感受|感觉|了解)(?:到|得到)?了?(?=你|这[种份样个些]|
    那[种份样个]|当时)|，我(?:很|完全|非常)?(?:明白|懂|理解)，[^，]{4}|我(?:也|都|真的?|很|非常|特别|完全|十分|深深地?|能够?|可以|会|好|
    为你)*(?:理解|懂，|能体会|感同身受|共情|心疼)(?!，？|错|[^，]{0,4}意思)|(?:我[^，你]{0,5}|
    ，也?)[可能]够?以?(?:深深地?)?感[受觉]到(?![他她])|，我?(?:完全)?(?:能|可以)想[象见](?!一下)|我(?:深深地?)?感[受觉]到(?![他她])|感同身受|
    共情|，(?:很|真|好|也|都)?心疼(?:你|，)|能感受到你|听起来(?!舒服|好听|像话)|听上去|听得出|
    (?:，|我)(?:能|可以)?看得出来?(?![来他她])|(?:，|[想要])抱抱你(?!的)|难怪|怪不得
dismissive
    {DISMISSAL}
"""

_ENGLISH = r"""
deontic
    (?<!whether )(?<!if )(?<!\bdo )\byou {ADV}(?:should|ought to|had better|need to|have to|must(?! be [a-z]+ing)|
    have got to)(?! {ADV}(?:be (?:proud|exhausted|feeling|so |very |really |{FEELING})|
    feel|
    have |be able|be ,|not\b|deal|go through|put up|endure|suffer|face|
    carry|cope))
prohibitive
    , (?:please |just |and )*(?:do not|never|stop [a-z]+ing)\b(?! (?:worry|feel|be |blame|cry|beat|
    give up|hesitate|lose|apologi[sz]e|know|think|have|need|want|like|see|you\b|overthink))|
    \byou {ADV}(?:should not|must not|ought not)(?! (?:have to|feel|be (?:treated|blamed|made|
    ashamed)|blame))
first_person_directive
    \bi (?:would |do |really |also |just |strongly |highly |want to |will |can |
    am going to )*(?:suggest|
    recommend|advise|urge|encourage you|insist)\b|\bi (?:would like|want|need|expect) you to\b|
    \bi hope (?:that )?you (?:will )?(?:try|stop|talk|see|take|call|do|go|consider)\b
hortative
    \blet us\b|\bwe (?:can|could|will|might) (?:[a-z]+ ){0,4}together\b
hedge
    \b(?:maybe|perhaps|possibly|(?<!the )might|could be|may be|i wonder if)\b
affective
    \bi (?:can |could |really |totally |completely |do |definitely |fully |also |
    can only )*(?:understand|hear you|get it|relate|empathi[sz]e|feel (?:for you|your)|can imagine|
    imagine how)(?! (?:me|him|her|them)\b)|(?<!does )(?<!would )\b(?:sounds?|seems?) (?:like|as if|
    as though|so |very |really |incredibly )|\bi am {VERY}sorry\b|no wonder|makes (?:perfect |
    total |complete )?sense|\bmust (?:be|feel|have (?:been|felt)) {VERY}(?:{HARD}|{FEELING})
dismissive
    {DISMISSAL}
"""

_PERMISSION = {
    "zh": r"(?:如果|若是?|要是|假如|只要|等)[你您]?(?:现在|自己)?(?:愿意|想(?!要)|觉得(?:可以|合适|方便|舒服)|方便|准备好|"
    r"不介意|同意|乐意|不想[说聊谈])|我(?:可以|能)(?:不可以|不能)?[^，。？]{1,16}吗|(?<=[，,？?])(?:这样|现在)?(?:可以|好|行)吗|(?:方便|介意|愿意)[^，。？]{0,20}吗|(?:方便|可以)的话|好不好|可不可以|行不行|愿意的话",
    "en": r"\bif (?:you(?:'d| would)? (?:like|want|wish|prefer|are (?:okay|ok|open|willing|ready|comfortable)|feel (?:like|ready|"
    r"comfortable)|do not mind|don't mind)|you're (?:okay|ok|open|willing|ready|comfortable)|it(?:'s| is) (?:okay|ok|all "
    r"right|alright))|\b(?:is it|is that|would (?:it|that) be) (?:okay|ok|all right|alright)(?! at\b| in\b| here\b)|\bmay i\b|\bif you(?:'d| would) rather not\b|\bdo you mind\b|"
    r"\bwould you be (?:open|willing)\b",
}


def count_markers(text: str) -> dict[str, int]:
    """Count the markers of a reply.

    >>> count_markers("别难过，我理解你。你应该早点睡，别人都睡了。")["deontic"]
    1

    Returns:
        Family of `MARKERS` -> occurrences. Zero where there is none.
    """
    tongue = language(text)
    prepare = (acts_zh if tongue == "zh" else acts_en).prepare
    pieces = Counter(
        sentence.text[start : start + _LONGEST]
        for sentence in split_sentences(text)
        for start in range(0, len(sentence.text), _LONGEST)
    )
    counts = dict.fromkeys(MARKERS, 0)
    for piece, times in pieces.items():
        prepared, _ = prepare(piece)
        spoken = mask_quotations(piece).lower().replace("’", "'")
        for family, pattern in _patterns(tongue).items():
            seen = spoken if family == "permission" else prepared
            counts[family] += times * sum(1 for _ in pattern.finditer(seen))
    return counts


@dataclass(frozen=True, slots=True)
class MarkerSpan:
    """Where a marker stands: ``text[start:end]``."""

    start: int
    end: int
    family: str


def find_markers(text: str) -> list[MarkerSpan]:
    """Where the markers stand that `count_markers` counts, for display.

    Patterns see rewritten sentences, so a place is traced back by aligning both; it covers what is
    left of the words in the original, without punctuation at its ends. As many spans as the counts,
    in order; they may overlap.

    >>> text = "嗯。你应该早点睡。"
    >>> [(text[span.start : span.end], span.family) for span in find_markers(text)]
    [('你应该', 'deontic')]
    """
    tongue = language(text)
    prepare = (acts_zh if tongue == "zh" else acts_en).prepare
    found = []
    for sentence in split_sentences(text):
        for first in range(0, len(sentence.text), _LONGEST):
            piece = sentence.text[first : first + _LONGEST]
            prepared, original = prepare(piece)[0], _lowered(piece)
            spoken = mask_quotations(piece).lower().replace("’", "'")
            for family, pattern in _patterns(tongue).items():
                seen = spoken if family == "permission" else prepared
                for match in pattern.finditer(seen):
                    start, end = _traced(seen, match.span(), original)
                    offset = sentence.start + first
                    found.append(MarkerSpan(offset + start, offset + end, family))
    return sorted(found, key=lambda span: (span.start, span.end, span.family))


def _traced(seen: str, span: tuple[int, int], original: str) -> tuple[int, int]:
    """The part of the original that a part of its rewriting came from."""
    kept = [place for place in _origins(seen, original)[slice(*span)] if place is not None]
    return (min(kept), max(kept) + 1) if kept else (0, len(original))


@lru_cache(maxsize=32)
def _origins(seen: str, original: str) -> list[int | None]:
    """Where each character of a rewriting stands in the original; `None` for punctuation and new ones."""
    found: list[int | None] = [None] * len(seen)
    for tag, a, b, c, d in SequenceMatcher(None, seen, original, autojunk=False).get_opcodes():
        # Characters replaced by others, such as traditional ones, are traced too, from the right:
        # what rewriting adds before them is the comma of a clause.
        if tag in ("equal", "replace"):
            for back in range(1, min(b - a, d - c) + 1):
                if original[d - back].isalnum():
                    found[b - back] = d - back
    return found


def _lowered(text: str) -> str:
    """In lower case, as long as before: some capitals have lower forms of two characters."""
    return "".join(low if len(low := ch.lower()) == 1 else ch for ch in text)


@cache
def _patterns(tongue: str) -> dict[str, re.Pattern[str]]:
    table = read_table(_CHINESE if tongue == "zh" else _ENGLISH)
    patterns = {name: expand(pattern, words(tongue)) for name, pattern in table.items()}
    patterns["permission"] = _PERMISSION[tongue]
    return {name: re.compile(patterns[name]) for name in MARKERS}
