"""Chinese sentences made ready for the patterns of `acts.zh_rules`.

`prepare` rewrites a sentence so that one pattern can state one point of grammar:

* every clause stands between two full-width commas, `，你很累，去睡吧，`, and loses its connective;
* 您 and forum vocatives become 你, 咱们 becomes 我们;
* traditional characters become simplified ones; spaced out ones close up;
* quotations become 〇, unless the speaker quotes nobody else (我想对你说“…”); what the client or others are reported to say becomes 述〇 or 他述〇;
  conditions and temporal clauses become 若〇: none of these is the speaker's own act;
* a leading ＃ marks an item of an enumeration, a leading （ a sentence in brackets, a trailing ？ a
  question mark.
"""

from __future__ import annotations

import re

from rapport_tasks.dialogues.sentences import MASK, mask_quotations

_QUOTED = re.compile(f"{MASK}+")
_QUESTION_END = re.compile(r"[?？][^\w]{0,20}\Z")
_PAUSE = re.compile(r"[^\w、〇]+|_+")
_ADDRESSEE = re.compile(r"[您妳]|题主|楼主|提问者|求助者|(?<=，)亲爱的，?|(?<=，)朋友(?=，)")

_NUMBER = r"(?:\d{1,2}|[一二三四五六七八九十])"
_ITEM = re.compile(
    rf"\A\W{{0,20}}?(?:{_NUMBER}\s{{0,4}}[.．、)）:：,，]|[①-⑳]|[-*•·]\s|第{_NUMBER}[^\w个次天]"
    r"|[一二三四]是|首先|其次|再次|再者|最后)"
)
_ITEM_MARK = re.compile(
    rf"\A，(?:{_NUMBER}(?:、，?|，)|[①-⑳]|第{_NUMBER}(?:，|[点步]，?))(?=[^，])"
)

_CONNECTIVE = re.compile(
    r"(?<=，)(?:首先|其次|再次|再者|最后|[一二三四]是|然后|接着|接下来|另外|此外|还有|同时|并且|而且|"
    r"或者|或是|甚至|比如说?|例如|譬如说?|所以|因此|因而|于是|那么|其实|实际上|事实上|当然|总之|"
    r"总的来说|但是?|可是|不过|然而|只是(?=你|我)|而是|因为|毕竟|现在|目前|此时|[这那]时候?|平时|日常|"
    r"从[今现][天在]开始|嗯+|哦+|啊+|那(?=[就你我可不先请试])|而(?=[你我不])|同样|一方面|另一方面|"
    r"除此之外|与此同时|请?你?(?:一定)?要?记[住得]，?(?=[，你我每没人这任一无])|说实话|老实说|说真的|总而言之|简单来说|具体来说|也就是说)，?"
)

_IF = r"(?:即使|即便|哪怕|无论|不管|如果|假如|倘若|要是|假若|若是?|万一|一旦|只要|每?当)"
_NO_IF = r"(?!我是你|是我|换[做作成了]|[然时初下前中成作做面年天今事地局众场真心而])"
_CONDITION = re.compile(
    rf"(?<=，)[但所以那可]{{0,2}}{_IF}{_NO_IF}(?:"
    r"[^，]{0,40}?(?:的话|的时候|时(?!间|常|而|刻|候))(?=[^，])"
    r"|[^，]{1,30}?(?=就(?![是业读医])|可以(?!和|跟)|不妨|建议|请|试着|随时)"
    r"|[^，]{0,200})"
    r"|(?<=，)在?你?[^，可应要请不试建尝我]{2,14}(?:的时候|时)(?=，[^，])"
    r"|(?<=，)[^，可]{2,18}[^，说讲听骂问他她我你人]的话(?=，)"
)
_WILLING = re.compile(
    r"(?:愿意|方便|可以|介意)的话|"
    r"(?:如果|若是?|要是|假如|只要|等)你?(?:现在|自己)?(?:愿意|想(?![要发起哭])|觉得(?:可以|合适|方便|舒服)|"
    r"方便|希望|感兴趣|有兴趣|准备好|不介意|同意|允许|乐意)"
)

_CLIENT_SAID = re.compile(
    r"(?<=，)(?:我|也|还|都|能|听到|看到|注意到|记得|知道|了解到|听|刚才|之前|刚刚|前面|上次|既然|"
    r"就像|正如|像){0,4}你们?"
    r"(?:刚才|之前|刚刚|前面|上次|上面|一开始|也|还|曾经|曾|自己|总是?|常常?|经常|一直|在|这里|"
    r"跟我|和我|对我|多次|反复){0,4}"
    r"(?:说(?!得|的(?:很|对|没错|有道理|都|这)|呢|服|话|出|明|是，|什|不)|提到|讲(?!得)|谈到|提及|"
    r"问(?!问|题|自)|表示|诉说|形容|说到|提起|聊到|描述(?!的))"
    r"(?:过|的是|到|了|自己){0,3}，?[^，]{0,200}"
)
_PEOPLE = (
    r"(?:他们?|她们?|别人|有人|人家|父母|家人|妈妈?|爸爸?|母亲|父亲|老师|医生|朋友|男友|女友|男朋友|"
    r"女朋友|老公|老婆|丈夫|妻子|对方|领导|同事|同学|孩子|老板|闺蜜|室友|婆婆|公公|岳父|岳母|爷爷|奶奶|姐姐?|妹妹|哥哥?|弟弟|亲戚|邻居|前任|网友)"
)
_OTHERS_SAID = re.compile(
    rf"(?<![和跟对与给向让把请叫使]){_PEOPLE}"
    r"(?:总是?|经常|常常?|一直|也|都|还|就|可能|会|曾经?|们|又|只){0,3}"
    r"(?:说(?![说话一出明服])|认为|要求|告诉你|劝你|希望你|让你(?=去|做|放|要|不|离|结|坚|别)|叫你|"
    r"逼着?你|想让你|要你|建议你|觉得你)[^，]{0,200}"
)


_OWN_QUOTATION = re.compile(
    r"(\A\W{0,4}|[我俺](?:只|就|也|很|真|还)?(?:想|要|会|得|愿意)?(?:再|再次)?(?:[对跟和向]你)?(?:说|讲|告诉你|提醒你|建议|建议你|送你一?句话?)"
    r"(?:一[句声])?[：:，,\s]{0,2})[“「\"]([^“”「」\"]{2,300})[”」\"](?=(\W{0,4}\Z)?)"
)
_SPACED = re.compile(
    r"(?:(?<=^)|(?<=[^\u4e00-\u9fff]))(?:[\u4e00-\u9fff][ \u3000]){3,}[\u4e00-\u9fff]"
)
_TRADITIONAL = str.maketrans(
    "應該說讓們會給對這個為麼樣還從點別聽難過開關係題現時間經歷覺體諒們壓個樂話請試著嘗試寫書買賣離婚愛憂慮緊張鬱悶傷"
    "絕無沒後來問師醫療診藥陪伴媽爺學習業務處發動聯絡談講當種類實際總較與誰連進遠運動勵氣結構認識記憶復習慣輕鬆勞動"
    "親靜邊號見視覺觀點許願場塊兩幾麗電腦網絡陽陰傾訴嗎麼",
    "应该说让们会给对这个为么样还从点别听难过开关系题现时间经历觉体谅们压个乐话请试着尝试写书买卖离婚爱忧虑紧张郁闷伤"
    "绝无没后来问师医疗诊药陪伴妈爷学习业务处发动联络谈讲当种类实际总较与谁连进远运动励气结构认识记忆复习惯轻松劳动"
    "亲静边号见视觉观点许愿场块两几丽电脑网络阳阴倾诉吗么",
)


def prepare(sentence: str) -> tuple[str, set[str]]:
    """Rewrite a sentence for the patterns.

    Returns:
        The rewritten sentence, and those attributes that the rewriting hides from patterns:
        ``quoted`` and ``permission``.
    """
    text = sentence.translate(_TRADITIONAL)
    text = _SPACED.sub(lambda match: match.group().replace(" ", "").replace("\u3000", ""), text)
    text = mask_quotations(_OWN_QUOTATION.sub(_unquoted, text))
    hidden = {"quoted"} if MASK in text else set()
    text = _QUOTED.sub("〇", text)
    question = _QUESTION_END.search(text[-40:]) is not None
    item = _ITEM.match(text) is not None
    text = "，" + _PAUSE.sub("，", text).strip("，") + "，"
    text = _ADDRESSEE.sub("你", text).replace("咱", "我").replace("我，们", "我们")
    text = _ITEM_MARK.sub("，", text.replace("你，你", "你").replace("，你，", "，"))
    text = _CONNECTIVE.sub("", _CONNECTIVE.sub("", text))
    if _WILLING.search(text):
        hidden.add("permission")
    text = _CONDITION.sub("若〇，", text)
    text = _CLIENT_SAID.sub("述〇", text)
    text = _OTHERS_SAID.sub("他述〇", text).replace("，，", "，")
    if "述〇" in text:
        hidden.add("quoted")
    if sentence.strip()[:1] in ("（", "(") and sentence.strip()[-1:] in ("）", ")"):
        text = "（" + text
    return ("＃" if item else "") + text + ("？" if question else ""), hidden


def _unquoted(match: re.Match[str]) -> str:
    """A quotation that is the speaker's own: all of the sentence, or announced in the first person."""
    announced, words, rest = match.groups()
    if "我" in announced or rest is not None:
        return f"{announced}，{words}，"
    return match.group()
