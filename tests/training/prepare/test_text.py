from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_tasks.common.errors import BadInput
from rapport_training.prepare.alignment import align
from rapport_training.prepare.quality import (
    QualityFilter,
    QualityRules,
    Rule,
    load_rules,
    stripping,
)


@pytest.mark.parametrize(
    ("text", "aligned"),
    [
        ("我１８岁，在读Ｇ班", "我18岁，在读G班"),
        ("太累了！！！！", "太累了！"),
        ("为什么？？！！", "为什么？！"),
        ("嗯。。。不知道", "嗯……不知道"),
        ("嗯...不知道", "嗯……不知道"),
        ("well....ok", "well...ok"),
        ("等等…………", "等等……"),
        ("好吧……", "好吧……"),
        ("真的~~~", "真的~"),
        ("啊——————", "啊——"),
        ("你好 ，在吗 ？ 在", "你好，在吗？在"),
        ("难过　　想哭", "难过 想哭"),
        ("a\r\n\r\n\n b ", "a\nb"),
        ("零\u200b宽\ufeff", "零宽"),
        ("I am 3.14 ok", "I am 3.14 ok"),
        ("“你好”，（嗯）", "“你好”，（嗯）"),
        ("\u200b \u3000", ""),
        ("累\ud83d了", "累了"),
    ],
)
def test_alignment(text: str, aligned: str) -> None:
    assert align([text]) == [aligned]


def test_halfwidth_converts_punctuation_as_well() -> None:
    assert align(["你好，“嗯”……（真的！）《书》"], "halfwidth") == ['你好,"嗯"......(真的!)<书>']


@given(st.lists(st.text(st.sampled_from("啊a １！。…. \n\x1e\u200b~"), max_size=9), max_size=5))
def test_messages_are_aligned_each_by_itself_and_once(texts: list[str]) -> None:
    once = align(texts)
    if texts:
        assert once == [align([text])[0] for text in texts]
        assert align(once) == once


@pytest.mark.parametrize(
    ("user", "assistant", "problems"),
    [
        ("我最近睡不着", "听起来很累呢", ""),
        ("看 https://a.example/b 这个", "听起来很累呢", "url"),
        ("我最近睡不着", "请看WWW.example.com哦", "url"),
        ("我最近睡不着😭", "听起来很累呢", "emoji"),
        ("我最近睡不着[大哭]", "听起来很累呢", "emoji"),
        ("嗯嗯好", "听起来很累呢", "few_tokens"),
        ("I cannot sleep at night", "that is hard", "few_tokens"),
        ("I cannot sleep at night", "that is so very hard", ""),
        ("我最近★睡不着①", "听起来很累呢", ""),
        ("😭", "www.a.example", "url emoji few_tokens"),
    ],
)
def test_builtin_quality_rules(user: str, assistant: str, problems: str) -> None:
    assert QualityFilter(load_rules()).problems(user, assistant) == problems.split()


def test_strip_rules_take_characters_out() -> None:
    rules = QualityRules(strip=(Rule(name="noise", pattern=r"\[laugh\]"),))
    assert QualityFilter(rules).strip(["a [laugh]", "b"]) == (["a", "b"], ["noise"])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("好的😊。", "好的。"),
        ("一家👩\u200d👩\u200d👧出门", "一家出门"),
        ("🧘\u200d♂\ufe0f冥想", "冥想"),
        ("（👍👍）加油[抱抱]", "加油"),
        ("☀\ufe0f晴，1\ufe0f\u20e3先", "晴，先"),
        ("👍🏽ok", "ok"),
        ("没有★", "没有★"),
    ],
)
def test_emoji_are_taken_out_whole(text: str, left: str) -> None:
    rules = stripping(load_rules(), "emoji")
    assert QualityFilter(rules).strip([text])[0] == [left]
    assert QualityFilter(rules).names() == ["url", "few_tokens"]
    with pytest.raises(BadInput, match="none that is named 'emoji'"):
        stripping(QualityRules(), "emoji")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min_tokens = -1", "min_tokens"),
        ("[[drop]]\nname = 'x'\npattern = '('", r"drop\.0\.pattern: Value error, missing \)"),
        ("[[dorp]]\nname = 'x'", "dorp"),
        ("min_tokens =", "not TOML"),
    ],
)
def test_a_bad_rules_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        load_rules(path)
