"""Words for finding people: surnames and titles, what goes before and after a name, what is no name.

Public figures stay where nothing says that the person is one of the dialogue ("我喜欢周杰伦的歌"): they
do not point at the client. They are masked after a cue ("我叫马云").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapport_training.privacy.words import word_list

SURNAMES_SURE = frozenset(
    "王李刘陈杨赵吴徐孙胡朱郭林罗郑梁宋唐邓冯韩曹彭萧肖蔡潘袁董苏吕魏蒋杜沈姜范傅卢汪崔陆廖姚邱丘谭韦贾邹"
    "熊孟秦阎薛侯郝孔邵顾赖贺尹洪龚庞樊兰殷翟倪汤俞申葛岳齐伍覃卓耿邢鲁欧聂焦柳邸闫尤翁褚甄裴骆冉祁柯阮"
    "庄虞丛谷舒丁屈蒲佟詹霍司窦隋蔺闵姬苗滕卞宫乔黎巩佘邰郜逄亓鄢阚邝竺逯臧瞿岑麴胥郗荀濮郦蒯訾谌匡缪娄栗晏储荆薄戚敖"
    "芮宓糜仝晁辜昝阙仉扈庾苟"
)
"""Characters that, standing alone as a word, are nearly always a surname."""

SURNAMES_LIKELY = frozenset(
    "张黄周马叶余金夏石龙雷方任田许史钟江谢戴白武康严牛章游童莫景左季符毛施涂温凌纪梅尚陶易喻鲍毕"
    "楚桑郎曲冷展迟苑芦揭巫佴刁狄寇靖茅尧鹿厉郁屠禹阴奚鄂丰仇衡卫裘沙米蓝花华蒙靳项柴桂冼麦池栾甘邬艾娄古辛"
)
"""Characters that are a surname or, about as often, a word."""

SURNAMES_RARE = frozenset(
    "高应水房简牧麻晋习燕容车高何曾段钱万关于成路安查单包常连乐边解宁费支荣盛封程洛云仲计宗柏祝管"
    "付代文申商闻茹"
)
"""Characters that are words far more often."""

SURNAMES_DOUBLE = frozenset(word_list("name_words.txt", "surnames_double"))

TITLES = word_list("name_words.txt", "titles")
"""What follows a surname."""

ROLES = word_list("name_words.txt", "roles")
"""What stands before a name: 同事 王芳."""

BOUNDARY = frozenset("，。！？、；：,.!?;:“”\"'‘’（）()《》「」【】…—~～ \n\t■")

TWICE_STOP = frozenset(word_list("name_words.txt", "twice_stop"))
"""Doubled characters that are no pet names."""

NO_PERSON = frozenset(word_list("name_words.txt", "no_person"))
"""Words that begin like a name, or that jieba takes for one."""

PUBLIC_FIGURES = frozenset(word_list("name_words.txt", "public_figures"))

ENGLISH_NAMES = frozenset(word_list("name_words.txt", "english_names"))

LATIN_STOP = frozenset(word_list("name_words.txt", "latin_stop"))
"""Latin words that are no names even after a cue."""

NO_GIVEN = frozenset(
    "的了是我你他她们这那有没不在和就都也很还要会说去来到过着吗呢吧啊什么怎么个得地么给被把跟对让但而且或与及之为其以从向于所如果因为已经谁哪您咱太最更挺又才却总只该"
)

HAN = re.compile(r"[\u4e00-\u9fff]+")

KIN = re.compile(
    r"(?:(?:我|你|他|她|咱|俺|大|二|三|四|小|老|表|堂|阿)(?:舅|姨|姑|叔|伯|婶|弟|妹|哥|姐|儿|爷|奶|嫂|婆|公|妈|爸|娃|侄)|儿子|女儿|闺女|弟弟|妹妹|哥哥|姐姐|侄子|侄女|外甥|外甥女|孙子|孙女|爱人|老婆|老公|丈夫|妻子|姐夫|妹夫"
    r"|同学|同桌|室友|舍友|闺蜜|朋友|哥们儿?|发小|同事|男友|女友|男朋友|女朋友|前任|前夫|前妻|邻居|宝宝|孩子|(?:合租|同租|合伙|同住|同班|同组|隔壁|对门|一起|楼下|楼上)的|娃|儿媳|女婿|保姆|护工|徒弟|师傅|搭档|学生|护士长|助教|学委|班长|团支书|队友|值班医生|同屋|同屋的|继父|继母|养父|养母|干妈|干爸|老乡|邻床的?|客户|领导|组长)$"
)
"""Relatives and companions right before a name."""

TOWARDS = re.compile(
    r"(?:昨晚|今早|今晚|前天|早上|晚上|上周|刚才|刚刚|每次|那次|有次|有一次|如果|要是|可是|但是|但|所以|于是|原来|结果|没人知道|自从|欠|偷看|偷看了|伤害|背叛|骂|嫉妒|羡慕|照顾|崇拜|不是|那天|昨天|今天|后来|其实|恨|恨过|像|跟着|离|连|请问|问过|梦到|总|的是|认出|爱过|当时|和|跟|对|给|把|被|让|向|替|陪|找|骗|叫|喊|问|信任|喜欢|爱|恨|想|怕|提到|梦见|梦到|想起|认识|认识了|遇到|碰到|看见|看到|想念|知道|听|因为|除了|比|像|是|就是|会是|接|送|抱|嫁给|等|带|追|暗恋|念叨|[，。！？、：“\s]|^)$"
)
"""What else stands right before the name of somebody."""

PERSON_RIGHT = re.compile(
    r"先|其实|坐|赌|输|姓|凭|掉|欠|躺|跑|喝|抱|哄|推|躲|你|你在|一走|比|拉|站|才|把|总|搬|休学|退学|自杀|送|介绍|逼|[，。！？、：,!?”]|$|说|他|她|和|跟|对|把|被|给|的(?!时候|话)|在|是|不|没|也|都|又|就|要|会|能|很|从|哭|笑|走|来|去|今天|昨天|昨晚|当时|长大|总|老是|一直|突然|已经|终于|告诉|觉得|脾气|站|坐|劝|念叨|约|骂|打|嫁|死|发|回|教|帮|带|问|喜欢|约|拍|三天|那|这|一个人|这么|最近|结婚|离婚|怀孕|出生|上学|住"
)
"""What a person's name is followed by."""

TITLE = re.compile("|".join(sorted(TITLES, key=len, reverse=True)))

SHORT_TITLES = "哥姐总叔姨嫂婶董爷妈工导"
"""Titles of one character."""

ANY_TITLE = re.compile(f"{TITLE.pattern}|[{SHORT_TITLES}]")

GIVEN_TITLE = re.compile(f"{TITLE.pattern}|[哥姐叔姨嫂婶]")
"""What also follows a given name."""


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name: where, and whether it may be looked for in the rest of the dialogue."""

    start: int
    end: int
    spreads: bool


def surname_at(text: str, start: int) -> tuple[int, float]:
    """Length and weight of a surname at `start`; no surname is (0, 0)."""
    double = text[start : start + 2]
    if double in SURNAMES_DOUBLE:
        return 2, 4.0
    character = text[start]
    if character in SURNAMES_SURE:
        return 1, 3.0
    if character in SURNAMES_LIKELY:
        return 1, 2.2
    return (1, -1.5) if character in SURNAMES_RARE else (0, 0.0)
