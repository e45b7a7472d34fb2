"""Words for finding places, schools and employers."""

from __future__ import annotations

import re

from rapport_training.privacy.words import word_list

AMBIGUOUS = frozenset(word_list("place_words.txt", "ambiguous"))
"""Places whose name is also a word: they need context."""

FIXED = re.compile(
    r"北京时间|北京烤鸭|德州扑克|南京板鸭|兰州(?:拉面|牛肉面)|重庆(?:小面|火锅)|四川火锅|青岛啤酒|武汉(?:热干面|鸭脖)|长沙臭豆腐|天津(?:麻花|煎饼|饭)|南京(?:大屠杀|条约|路)?(?:步行街)?(?<=大屠杀)"
    r"|上海滩|香港脚|海南鸡饭|桂林米粉|柳州螺蛳粉|云南白药|新疆(?:大盘鸡|葡萄干)|内蒙古烤肉|宁夏枸杞|山东煎饼|汶川(?:大?地震)|唐山大?地震|山西老陈醋|镇江香醋|金华火腿|北京欢迎你|成都\(歌\)|西安事变"
    r"|(?:英|法|德|日|韩|泰|美)国(?:人|剧|电影|文化|心理学|队长|梦)|日本(?:人|料理|动漫|文化|电影|剧)|韩国(?:料理|电影|剧|人)|(?:清华|北大)(?:毕业|学霸)?梦"
)
"""Set phrases in which a place name is no place of the client's."""

SUFFIXES = word_list("place_words.txt", "suffixes")
"""Last parts of the names of small places."""

GENERIC = frozenset(word_list("place_words.txt", "generic"))
"""What before a suffix makes no name: 这个 小区, 高档 小区."""

SCHOOL_TAILS = word_list("place_words.txt", "school_tails")
"""Last parts of the names of schools."""

UNIVERSITIES = word_list("place_words.txt", "universities")
"""Schools known by a short name."""

WEAK_UNIVERSITIES = frozenset(word_list("place_words.txt", "weak_universities"))
"""Those of them that need a cue."""

EMPLOYERS = word_list("place_words.txt", "employers")
"""Brands, which are employers where somebody works."""

WORD_EMPLOYERS = frozenset(word_list("place_words.txt", "word_employers"))
"""Those of them that are words as well: they need a preposition before them."""

ORGANISATION_TAILS = word_list("place_words.txt", "organisation")
"""Last parts of the names of organisations."""

FUNCTION_WORDS = "的了是我你他她这那有没不在和就都也很还要会说去来到过着吗呢吧啊什么怎个得给被把跟对让但而且或与及之为其以从向于所如果因已经谁哪您住些座条位每各"
