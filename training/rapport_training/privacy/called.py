"""Whoever is said to be called something: 我叫安宁, 一个叫天真的女孩, 栓子是我的小名."""

from __future__ import annotations

import re

from rapport_training.privacy.name_context import Name
from rapport_training.privacy.words import (
    part_of_speech,
    word_list,
)

_CALLED = re.compile(
    r"(?:名叫|名字就?叫|名字是|姓名[：:]|(?:真名|本名|原名|大名|小名|网名|外号|笔名|化名)(?:就?叫|是)?|[起取改]名(?:叫|为|成)"
    r"|备注(?:写的|写)?(?:的)?(?:是|成|名是|：)?[“\"]|备注是|(?:签名|署名|落款)(?:写?的?是|：)?[“\"]?|自称"
    r"|(?:^|[，。！？：\s“])我叫|管[我他她]叫|[叫喊]我|[人友弟妹哥姐女儿妈爸婆公桌室蜜学师生板伴子孩]叫|[男女]的叫)"
    r"[“\"]?([\u4e00-\u9fff]{2,4})(?=[，。！？；）”\")]|$)"
)

_NOT_CALLED = frozenset(word_list("name_words.txt", "not_called"))

_NEVER_CALLED = frozenset("到去来起回过上下出进了着大家什我你他她它这那怎一不为们")
"""First characters of what stands after 叫 and is no name."""


_NO_PART = frozenset("的了吗呢着他她我你说")


def find_called(text: str) -> list[Name]:
    """Whatever stands between 我叫 or 名字是 and the end of the clause, and whoever is called so."""
    found = []
    for pattern in (_CALLED, _CALLED_ONE, _IS_NAME):
        for match in pattern.finditer(text):
            name = match.group(1)
            if name in _NOT_CALLED or name[0] in _NEVER_CALLED or _NO_PART & set(name):
                continue
            whole = pattern is _CALLED
            spreads = name[0] == name[1] or part_of_speech(name) in {"", "nr", "nrt", "nz"}
            # 大家叫我胆小鬼 tells no name.
            if spreads or not whole or match.group()[0] not in "叫喊管":
                found.append(Name(*match.span(1), spreads and whole))
    return found


_CALLED_ONE = re.compile(
    r"(?<![喊大])(?:叫|名叫)[“\"]?([\u4e00-\u9fff]{2,3})[”\"]?的(?:那个)?"
    r"(?:女孩|男孩|女生|男生|女人|男人|女的|男的|姑娘|小伙|孩子|小孩|人(?!们)|同学|同事|室友|朋友|老师|医生|网友)"
)
"""Somebody called X."""

_IS_NAME = re.compile(
    r"(?:^|[，。！？：；“\s])([\u4e00-\u9fff]{2,3}?)是(?:我|他|她|[我他她你].{1,3})的(?:小名|大名|名字|本名|乳名|网名|昵称)"
)
"""X is somebody's name."""
