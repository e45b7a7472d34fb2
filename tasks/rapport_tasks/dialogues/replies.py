"""What can be said of a reply without a model: asked for, degenerate, copied."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from rapport_tasks.dialogues.sentences import language, mask_quotations, split_sentences

DEGENERATION_KINDS: tuple[str, ...] = (
    "empty",
    "cut_off",
    "repetitive",
    "wrong_script",
    "template_tokens",
)

# --- does the user ask for advice? ---------------------------------------------------------------

_OTHERS = (
    r"(?:他们?|她们?|别人|有人|人家|大家|父母|家人|妈妈?|爸爸?|母亲|父亲|老师|医生|朋友|男友|女友|"
    r"男朋友|女朋友|老公|老婆|丈夫|妻子|对方|领导|同事|同学|孩子|儿子|女儿|老板|闺蜜|室友)"
)
_NOT_ASKED_ZH = re.compile(
    # someone else asks, or does not know either
    rf"{_OTHERS}[^，,。！？!?；;\n想]{{0,8}}(?:问|不知道|不清楚|不晓得|想知道|不懂)[^，,。！？!?；;\n]{{0,60}}[？?]?"
    # the client asked someone else, or herself, at another time
    rf"|我(?:就|又|也|还|曾|都|只好|当时|一直|反复|经常|总是|总){{0,3}}问(?:了|过|遍了)?(?:自己|{_OTHERS})"
    r"[^，,。！？!?；;\n]{0,60}[？?]?"
    r"|(?:当时|那时候?|那会儿|小时候|以前|曾经|刚开始)[^，,。！？!?；;\n]{0,16}"
    r"(?:不知道|不懂|不清楚)[^，,。！？!?；;\n]{0,20}"
    # advice is declined
    r"|(?:不想|不需要|不用|不要|别|没想|不是(?:想|来|要)|无需)[^，,。！？!?；;\n]{0,8}"
    r"(?:建议|意见|办法|方法|告诉我|教我|支招)"
    # it is settled
    r"|知道(?:了|自己)?(?:该|要|应该)?怎么[办做](?!才|好?[？?])(?<!不知道怎么办)(?<!不知道该怎么办)"
)
_HOW = r"(?:怎么|怎样|如何|咋)"
_ASKED_ZH = re.compile(
    rf"怎么办|咋办|咋整|怎样办|如何是好|{_HOW}(?:做)?(?:才能|才好|才会|才可以|才行)"
    rf"|(?:该|要|应该|可以|能){_HOW}(?![么了])"
    rf"|(?:我|我们){_HOW}(?:才能|去|做|说|跟|和|面对|处理|解决)"
    rf"|{_HOW}(?:去)?(?:解决|处理|应对|面对|改善|调整|克服|走出|摆脱|缓解|改变|挽回|放下|拒绝|避免|提高|控制|开口)[^，。]{{0,16}}"
    r"(?:[？?]|呢|吗|啊|$)"
    r"|(?:有没有|有|还有|求)(?:什么|啥|哪些|没有)?(?:比较|更)?(?:好的?|有效的?|具体的?|实用的?)?(?:建议|办法|方法|法子|意见|技巧|对策|途径)"
    r"(?:吗|么|呢|[？?]|能|可以|让|没有|$)"
    r"|什么(?:好的?)?(?:建议|办法|意见|对策)"
    r"|(?:给|提)(?:我|我们)?(?:一些|一点|点|些|个|几个|出)?(?:具体的?)?(?:建议|意见|办法|方法|指点|指导|主意)"
    r"|(?:求|请)(?:大家|各位|你|您|老师)?(?:给|帮|支招|建议|指点|指教|指导|教|出主意|解答|分析)"
    r"|帮(?:我|我们)?(?:想想|出出|出个|分析|看看|支)|支(?:个|一?)招|教(?:教|一下|一教)?我"
    r"|(?:告诉|说说|说)我(?:该|要|应该|怎么)"
    r"|(?:你|您)(?:说|觉得|认为|看|建议)我(?:还|到底|究竟|现在|是|该|应|要|能|可)"
    r"|我(?:到底|究竟|还|现在|是)*(?:要不要|该不该|应不应该|是不是(?:该|应该|要|得)|能不能(?=去|再|继续|和|跟)|该去|要去)"
    r"[^，。]{0,30}"
    r"|我(?:到底|究竟|还|现在)?(?:应该|该)[^，。]{1,24}(?:吗|呢|还是)"
)

_NOT_ASKED_EN = re.compile(
    r"\b(?:he|she|they|people|everyone|someone|my \w+|(?:his|her|their) \w+|friends?) "
    r"(?:\w+ ){0,2}(?:ask(?:s|ed|ing)?|wonder(?:s|ed)?|doesn't know|didn't know|don't know)\b[^,.;?!\n]{0,80}\??"
    r"|\bi (?:\w+ )?(?:asked|kept asking) (?:him|her|them|myself|my \w+)\b[^,.;?!\n]{0,80}\??"
    r"|\b(?:do not|don't|didn't|not) (?:want|need|looking for|ask(?:ing)? for)(?: \w+){0,3} (?:advice|suggestions?|tips|help|solutions?)"
    r"|\bi (?:didn't|did not) know what to do\b|\bshould i have\b"
)
_ASKED_EN = re.compile(
    r"\bwhat (?:should|do|can|could|would) (?:i|we)(?: \w+){0,2} (?:do|say|try|tell|change)\b"
    r"|\bhow (?:do|can|should|could|would) (?:i|we)\b|\bshould (?:i|we)\b"
    r"|\b(?:any|some|your|for|give me|need|want|have) (?:\w+ )?(?:advice|suggestions?|tips|recommendations?)\b"
    r"|\badvice (?:please|on|about)\b|\bany (?:ideas|thoughts on)\b"
    r"|\b(?:can|could|would|will) you (?:please )?(?:give me|help me|advise|recommend|suggest|tell me (?:what|how))"
    r"|\bwhat (?:would|do) you (?:do|suggest|recommend|advise|think i should)\b|\bwhat(?:'s| is) the best way\b"
    r"|\b(?:do not|don't) know (?:what|how) to\b|\bhelp me (?:figure|decide|find|understand how|with)\b"
    r"|\btell me what to do\b|\bis there (?:a way|any way|anything (?:i|we|that i) can)\b|\bhow to\b[^.!\n]{1,80}\?"
    r"|\bdo you think (?:i|we) should\b|\bwhat to do\b[^.!\n]{0,20}\?"
)


def asks_for_advice(text: str) -> bool:
    """Whether a user's message explicitly asks what to do.

    Questions that others asked, that were asked of others or in the past, and quotations do not
    count.

    >>> asks_for_advice("他不理我，我该怎么办？"), asks_for_advice("别人问我怎么办。")
    (True, False)
    """
    masked = mask_quotations(text)
    chinese = language(text) == "zh"
    masked = masked if chinese else masked.lower().replace("’", "'")
    declined, asked = (_NOT_ASKED_ZH, _ASKED_ZH) if chinese else (_NOT_ASKED_EN, _ASKED_EN)
    return any(
        asked.search(declined.sub("，", sentence.text)) is not None
        for sentence in split_sentences(masked)
    )


# --- degeneration --------------------------------------------------------------------------------

_RUN, _TIMES = 10, 4  # a string of 10 characters, 4 times
_GRAM, _DISTINCT_SHARE, _LONG_ENOUGH = 4, 0.3, 40

_SPACE = re.compile(r"\s+")
_TEMPLATE = re.compile(
    r"<\|[^<>|\s]{1,40}\|>|<｜[^<>\s]{1,40}｜>|</?s>|<<?/?SYS>>?|\[/?INST\]"
    r"|<(?:bos|eos|pad|unk|sep|cls|mask)>|\[(?:CLS|SEP|PAD|UNK|MASK|BOS|EOS)\]"
    r"|</?(?:start|end)_of_(?:turn|text|utterance|sentence)>"
    r"|^(?:system|user|assistant)[ \t]*$|^(?:User|Assistant|Human|System|来访者|支持者)[ \t]*[:：]"
    r"|^#{1,3} ?(?:Human|Assistant|User|Instruction|Response|Input)\b",
    re.MULTILINE,
)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_FOREIGN = re.compile(  # kana, Hangul and broken bytes by character; other alphabets by word
    r"[\u3040-\u30ff\uac00-\ud7af\ufffd]|[\u0370-\u052f\u0590-\u08ff\u0900-\u0dff\u0e00-\u0eff]+"
)


def degeneration(
    text: str, *, cut_off: bool, expected_language: str, thought: bool = False
) -> frozenset[str]:
    """The kinds of `DEGENERATION_KINDS` that a reply shows, and ``thought``.

    Args:
        text: The reply, without what was thought before it.
        cut_off: Whether it ended at the token limit.
        expected_language: ``zh`` or ``en``, the language of the dialogue.
        thought: Whether something was thought.

    Returns:
        ``empty``: no letter, digit or symbol; ``thought`` instead, where it all went into a thought;
        ``cut_off``: as said; ``repetitive``: a string of 10 characters stands there 4 times without
        overlap, or, from 40 characters on, fewer than .3 of the character 4-grams are distinct;
        ``wrong_script``: less than half is in the script of the dialogue, a word of another script
        counting as much as a Han character;
        ``template_tokens``: special tokens or role labels. White space counts as one space.
    """
    kinds = set()
    if cut_off:
        kinds.add("cut_off")
    if not any(unicodedata.category(ch)[0] in "LNS" for ch in text):
        kinds.add("thought" if thought else "empty")
    if _repetitive(_SPACE.sub(" ", text.strip())):
        kinds.add("repetitive")
    if _TEMPLATE.search(text) is not None:
        kinds.add("template_tokens")
    counts = {
        "zh": sum(1 for _ in _HAN.finditer(text)),
        "en": sum(1 for _ in _LATIN.finditer(_TEMPLATE.sub(" ", text))),
        "": sum(1 for _ in _FOREIGN.finditer(text)),
    }
    if 2 * counts[expected_language] < sum(counts.values()):
        kinds.add("wrong_script")
    return frozenset(kinds)


def _repetitive(text: str) -> bool:
    seen: dict[str, tuple[int, int]] = {}  # string -> times so far, where it may stand next
    for start in range(len(text) - _RUN + 1):
        run = text[start : start + _RUN]
        times, free = seen.get(run, (0, 0))
        if start >= free:
            if times + 1 == _TIMES:
                return True
            seen[run] = (times + 1, start + _RUN)
    if len(text) < _LONG_ENOUGH:
        return False
    grams = len(text) - _GRAM + 1
    return len({text[i : i + _GRAM] for i in range(grams)}) < _DISTINCT_SHARE * grams


# --- copying -------------------------------------------------------------------------------------

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that its powers are invertible modulo 2**64


def copy_rate(reply: str, user: str) -> float:
    """Length of the longest common substring of reply and user's turn / length of the reply.

    In [0, 1]; 1 when the whole reply stands in the user's turn, 0 for a blank reply.

    >>> copy_rate("我很累，你呢", "我很累，怎么办")
    0.6666666666666666
    """
    reply, user = reply.strip(), user.strip()
    if not reply or not user:
        return 0.0
    return _longest_common(reply, user) / len(reply)


def _longest_common(a: str, b: str) -> int:
    """Length of the longest common substring, by search over lengths: n log n, not n * m."""
    shortest = min(len(a), len(b))
    if len(a) <= len(b) and a in b:
        return shortest
    if len(b) < len(a) and b in a:
        return shortest
    hashes = [_prefix_hashes(text, shortest) for text in (a, b)]
    low, high = 0, 1  # a common substring of length low exists
    while high < shortest and _share(a, b, hashes, high):
        low, high = high, min(2 * high, shortest)
    while high - low > 1:  # none of length high exists
        middle = (low + high) // 2
        if _share(a, b, hashes, middle):
            low = middle
        else:
            high = middle
    return low


def _prefix_hashes(text: str, longest: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    powers = np.full(len(codes) + 1, _BASE, dtype=np.uint64)
    powers[0] = 1
    powers = np.multiply.accumulate(powers)
    sums = np.zeros(len(codes) + 1, dtype=np.uint64)
    np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * powers[:-1], out=sums[1:])
    return sums, powers


def _share(
    a: str, b: str, hashes: list[tuple[NDArray[np.uint64], NDArray[np.uint64]]], length: int
) -> bool:
    """Whether some string of this length stands in both texts; hash hits are checked."""
    windows = []
    top = max(len(a), len(b))
    powers = max((powers for _, powers in hashes), key=len)
    for sums, _ in hashes:
        count = len(sums) - length
        lift = powers[top - np.arange(count)]  # brings all windows to one power
        windows.append((sums[length:] - sums[:-length]) * lift)
    common = np.intersect1d(windows[0], windows[1])
    starts = np.flatnonzero(np.isin(windows[0], common[:64]))[:64]
    return any(a[start : start + length] in b for start in starts.tolist())


def remove_copied(reply: str, user: str, n: int = 4) -> str:
    """The reply without the characters of those n-grams that the user's turn holds too.

    >>> remove_copied("我很累了吗？休息一下", "我很累了")
    '吗？休息一下'
    """
    grams = {user[i : i + n] for i in range(len(user) - n + 1)}
    copied = bytearray(len(reply))
    for start in range(len(reply) - n + 1):
        if reply[start : start + n] in grams:
            copied[start : start + n] = b"\1" * n
    return "".join(ch for ch, gone in zip(reply, copied, strict=True) if not gone)
