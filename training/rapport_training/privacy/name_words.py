"""Words for finding people: surnames, what goes before and after a name, what is no name.

Public figures stay where nothing says that the person is one of the dialogue ("我喜欢周杰伦的歌"): they
do not point at the client. They are masked after a cue ("我叫马云").
"""

from __future__ import annotations

import re

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
    "应水房简牧麻晋习燕容车高何曾段钱万关于成路安查单包常连乐边解宁费支荣盛封程洛云仲计宗柏祝管"
    "付代文申商闻茹"
)
"""Characters that are words far more often; they need a cue, or an unmistakable given name."""

SURNAMES_DOUBLE = frozenset(word_list("name_words.txt", "surnames_double"))

TITLES = word_list("name_words.txt", "titles")
"""What follows a surname."""

ROLES = word_list("name_words.txt", "roles")
"""What stands before a name: 同事 王芳."""

CUE = re.compile(
    r"(?:(?:名字|姓名|真名|本名|大名|小名|乳名|昵称|网名|笔名|艺名|全名|学名|花名)(?:就|都|现在)?(?:叫做?|是|为|：|:)?|自称|名叫|取名|起名|名为|改名"
    r"|(?:我|他|她|它|人|孩|儿|友|的|位|个|妹|姐|弟|哥|妈|爸|师|事|板|伴|象|娃|生|婆|公|桌|蜜|长|理|姓|都|就|们|，)叫做?|(?:叫|称呼|喊)我"
    r"|写着|签名|署名|落款|备注|备注是|备注的是|签的是|抬头|寄件人|紧急联系人|监护人|姓名[：:]?|客户|来访者|患者|联系人|收件人|化名|(?i:my name is|i'm|i am|name's|call me|this is|named|called))"
    r"[：:\s]*[“\"「『《]?$"
)
"""What stands right before a name, at the end of the text so far."""

INTRODUCED = re.compile(
    r"(?:^|[，。！？,.!?、；\s好])(?:你好，?)?(?:我|他|她|这|那|对方|本人)(?:就)?(?:是|:|：)$"
)

ROLE_CUE = re.compile(f'(?:{"|".join(sorted(ROLES, key=len, reverse=True))})(?:是|叫)?[：:“"（(]?$')

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

THEORY = re.compile(
    r"效应|定律|理论|综合[征症]|疗法|量表|方块|主义|测试|曲线|模型|法则|原理|学派|的《|奖|[”’]?的?(?:这款|这种|一种)?(?:化学物|物质|应用程序|软件|游戏|公众号|激素)"
)
