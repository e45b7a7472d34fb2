from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_tasks.dialogues.replies import (
    DEGENERATION_KINDS,
    asks_for_advice,
    copy_rate,
    degeneration,
    remove_copied,
)


@pytest.mark.parametrize(
    "text",
    [
        "怎么办？",
        "我该怎么跟他说？",
        "有什么建议吗？",
        "你说我要不要辞职？",
        "我应该离开他吗？",
        "请给我一些建议。",
        "有没有什么好的办法？",
        "我不知道该怎么办。",
        "教教我吧",
        "我想问问怎么办",
        "他说要分手，我该怎么办？",
        "如何走出失恋？",
        "我怎么才能不紧张？",
        "要怎么面对他呢？",
        "你觉得我该不该去？",
        "别人都劝我忍，我到底要不要离婚",
        "老师问我为什么哭。我该怎么回答？",
        "我该继续还是放弃？",
        "可是我怎么也睡不着，怎么办啊",
        "What should I do?",
        "How do I tell him?",
        "Any advice?",
        "I don't know what to do.",
        "He asked why. Should I quit?",
        "Can you help me figure this out?",
    ],
)
def test_asks(text: str) -> None:
    assert asks_for_advice(text)


@pytest.mark.parametrize(
    "text",
    [
        "别人问我怎么办。",
        "她问我该怎么办，我说不出话。",
        "我不想要建议，只想说说。",
        "当时我不知道怎么办。",
        "他也不知道怎么办。",
        "我问他怎么办，他不说话。",
        "我问自己该怎么办",
        "他说“怎么办”，我愣住了。",
        "“我该怎么办？”她哭着说。",
        "老师给了我很多建议。",
        "我妈妈应该去看医生吗",
        "怎么会这样呢？",
        "他怎么可以这样对我！",
        "我知道该怎么做。",
        "你怎么看？",
        "我很难过。",
        "",
        "He asked me what to do.",
        "My mom asked what she should do.",
        "I don't want advice.",
        "I feel sad.",
    ],
)
def test_does_not_ask(text: str) -> None:
    assert not asks_for_advice(text)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("我在听，你慢慢说。", set()),
        ("🙂", set()),
        ("110", set()),
        ("", {"empty"}),
        (" \n。……", {"empty"}),
        ("你真的已经很努力了啊，" * 4, {"repetitive"}),
        ("你真的已经很努力了啊，" * 2, set()),
        ("哈哈" * 25, {"repetitive"}),
        ("哈哈" * 10, set()),
        ("I am here for you.", {"wrong_script"}),
        ("私はとても疲れています", {"wrong_script"}),
        ("나는 너무 힘들어요", {"wrong_script"}),
        ("Я очень устал", {"wrong_script"}),
        ("锟斤拷��������", {"wrong_script"}),
        ("你可以试试CBT，或者正念。", set()),
        ("好的。<|im_end|>", {"template_tokens"}),
        ("好的。</s>", {"template_tokens"}),
        ("[INST] 你好 [/INST]", {"template_tokens"}),
        ("好的。\nuser\n我很累", {"template_tokens"}),
        ("好的。\n来访者：我很累", {"template_tokens"}),
        ("<3 我在", set()),
    ],
)
def test_degeneration(text: str, kinds: set[str]) -> None:
    assert degeneration(text, cut_off=False, expected_language="zh") == kinds
    assert degeneration(text, cut_off=True, expected_language="zh") == kinds | {"cut_off"}


def test_the_script_is_that_of_the_dialogue() -> None:
    assert degeneration("I hear you.", cut_off=False, expected_language="en") == set()
    assert degeneration("我在听。", cut_off=False, expected_language="en") == {"wrong_script"}


def test_few_distinct_grams_are_repetitive() -> None:
    # 40 characters, 37 4-grams; none of the 10-character strings stands there 4 times
    text = "甲乙丙丁戊己庚辛壬" * 4 + "子丑寅卯"
    assert degeneration(text, cut_off=False, expected_language="zh") == set()  # 13 of 37
    text = "甲乙丙丁戊" * 6 + "子丑寅卯辰巳午未申酉"
    assert len(text) == 40
    assert degeneration(text, cut_off=False, expected_language="zh") == set()  # 15 of 37
    text = "甲乙丙丁戊" * 7 + "子丑寅卯辰"
    assert degeneration(text, cut_off=False, expected_language="zh") == {"repetitive"}  # 10 of 37


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60), st.booleans())
def test_kinds_are_known(text: str, cut_off: bool) -> None:
    kinds = degeneration(text, cut_off=cut_off, expected_language="zh")
    assert kinds <= set(DEGENERATION_KINDS)
    assert ("cut_off" in kinds) == cut_off


@pytest.mark.parametrize(
    ("reply", "user", "rate"),
    [
        ("我很累，你呢", "我很累，怎么办", 4 / 6),
        ("我很累", "我很累，怎么办", 1.0),
        ("你说：我很累", "我很累", 0.5),
        ("天地", "玄黄", 0.0),
        ("", "玄黄", 0.0),
        ("天地", " ", 0.0),
        (" 天地 ", "天地", 1.0),
    ],
)
def test_copy_rate(reply: str, user: str, rate: float) -> None:
    assert copy_rate(reply, user) == pytest.approx(rate)


_SHORT = st.text(alphabet="ab我你\ud800🙂", min_size=1, max_size=20)


@settings(deadline=None, max_examples=150)
@given(_SHORT, _SHORT)
def test_copy_rate_is_the_longest_common_substring(reply: str, user: str) -> None:
    longest = max(
        j - i
        for i in range(len(reply))
        for j in range(i, len(reply) + 1)
        if reply[i:j] in user
    )  # fmt: skip
    assert copy_rate(reply, user) == longest / len(reply)


def test_remove_copied() -> None:
    assert remove_copied("我很累了吗？休息一下", "我很累了") == "吗？休息一下"
    assert remove_copied("我很累", "我很累") == "我很累"  # shorter than a 4-gram
    assert remove_copied("甲乙丙丁戊", "丙丁戊己", n=3) == "甲乙"
    assert remove_copied("", "我") == ""


@settings(deadline=None, max_examples=60)
@given(_SHORT, _SHORT)
def test_what_remains_is_not_copied(reply: str, user: str) -> None:
    rest = remove_copied(reply, user)
    assert len(rest) <= len(reply)
    assert remove_copied(reply, reply) == (reply if len(reply) < 4 else "")
    assert remove_copied(reply, "") == reply


def test_long_texts() -> None:
    rng = np.random.default_rng(0)
    reply, user = ("".join(map(chr, rng.integers(0x4E00, 0x9000, 50_000))) for _ in range(2))
    start = time.process_time()
    assert copy_rate(reply, user) < 1e-3
    assert copy_rate("甲" * 50_000, "甲" * 49_999 + "乙") == pytest.approx(1, abs=1e-3)
    remove_copied(reply, user)
    degeneration(reply, cut_off=False, expected_language="zh")
    asks_for_advice(reply)
    assert time.process_time() - start < 5
