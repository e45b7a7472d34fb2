from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_tasks.dialogues.sentences import (
    MASK,
    distinct_sentences,
    language,
    mask_quotations,
    split_sentences,
)


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我懂。你呢？真的！好；走", ["我懂。", "你呢？", "真的！", "好；", "走"]),
        ("Yes! No? Maybe; fine", ["Yes!", "No?", "Maybe;", "fine"]),
        ("第一行\n第二行\r\n第三行", ["第一行", "第二行", "第三行"]),
        # full stops
        ("It hurts. I know.", ["It hurts.", "I know."]),
        ("It cost 3.5 dollars. Fine.", ["It cost 3.5 dollars.", "Fine."]),
        ("I saw Dr. Lee today. He helped.", ["I saw Dr. Lee today.", "He helped."]),
        ("Write, e.g. a letter. Then rest.", ["Write, e.g. a letter.", "Then rest."]),
        ("Call at 3 p.m. today. Or at 5 p.m. Then rest.",
         ["Call at 3 p.m. today.", "Or at 5 p.m.", "Then rest."]),
        ("J. Smith left. So did I. Fine.", ["J. Smith left.", "So did I.", "Fine."]),
        ("I was born in 1990. Then we moved.", ["I was born in 1990.", "Then we moved."]),
        ("see a.b.com for more", ["see a.b.com for more"]),
        ("(I was tired.) Then I slept.", ["(I was tired.)", "Then I slept."]),
        # ellipses
        ("我……不知道怎么说……\n嗯…", ["我……不知道怎么说……", "嗯…"]),
        ("I was... tired. Yes", ["I was... tired.", "Yes"]),
        ("真的吗？……好。", ["真的吗？……", "好。"]),
        # quotations
        ("他说“我累了。别管我！”就走了。你呢？", ["他说“我累了。别管我！”就走了。", "你呢？"]),
        ("她写「走吧。再见。」就没了。", ["她写「走吧。再见。」就没了。"]),
        ('He said "Stop. Now." and left. Ok', ['He said "Stop. Now." and left.', "Ok"]),
        ("没有右引号“开始。后来。", ["没有右引号“开始。", "后来。"]),
        ("“一行\n另一行”", ["“一行", "另一行”"]),
        # lists
        ("1. 早睡\n2. 运动", ["1. 早睡", "2. 运动"]),
        ("- 早睡\n- 运动", ["- 早睡", "- 运动"]),
        ("一、早睡\n二、运动", ["一、早睡", "二、运动"]),
        ("可以这样：1、早睡；2、运动。", ["可以这样：", "1、早睡；", "2、运动。"]),
        ("1. Eat well 2. Sleep early", ["1. Eat well", "2. Sleep early"]),
        ("试试 ①早睡 ②运动", ["试试", "①早睡", "②运动"]),
        ("周一、二、三都行", ["周一、二、三都行"]),
        ("选项1、2都行", ["选项1、2都行"]),
        ("2. 只有一项", ["2. 只有一项"]),
        # runs and nothing
        ("什么？！！）好", ["什么？！！）", "好"]),
        ("。。。", ["。。。"]),
        ("", []),
        (" \n\t\u3000\n", []),
    ],
)  # fmt: skip
def test_split(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_offsets_index_the_original() -> None:
    text = "  我懂。 \n 你呢？ "
    first, second = split_sentences(text)
    assert (first.start, first.end) == (2, 5)
    assert text[second.start : second.end] == second.text == "你呢？"


_ALPHABET = st.sampled_from(
    "我你。！？；.!?;…\n“”「」\"'()（）1 23.、一二三①②-aZe.g.🙂\0\u202e\u3000\r"
)


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.text(), st.text(alphabet=_ALPHABET, max_size=60)))
def test_sentences_cover_all_but_white_space(text: str) -> None:
    end = 0
    for sentence in split_sentences(text):
        assert sentence.text == text[sentence.start : sentence.end] == sentence.text.strip() != ""
        assert text[end : sentence.start].strip() == ""
        assert sentence.start >= end
        end = sentence.end
    assert text[end:].strip() == ""


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=_ALPHABET, max_size=60))
def test_masking_keeps_length(text: str) -> None:
    masked = mask_quotations(text)
    assert len(masked) == len(text)
    assert all(a in (b, MASK) for a, b in zip(masked, text, strict=True))


def test_an_identical_sentence_counts_once() -> None:
    text = "你很累。你很累！ 你 很累。你不累。"
    assert [s.text for s in distinct_sentences(text)] == ["你很累。", "你不累。"]
    assert [s.start for s in distinct_sentences(text)][1] == text.index("你不累")
    assert len(distinct_sentences("🙂。🙃。🙂。")) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我很好", "zh"),
        ("I am fine", "en"),
        ("我用ChatGPT写的", "zh"),
        ("I said 你好 to him today", "en"),
        ("OK", "en"),
        ("", "zh"),
        ("123 🙂", "zh"),
    ],
)
def test_language(text: str, expected: str) -> None:
    assert language(text) == expected


@pytest.mark.parametrize(
    "unit", ["“", '"', "。", ". ", "a", "1. ", "e.g. ", " ", "一、", "“a\n", "。)", "(", ".)", "1"]
)
def test_time_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        start = time.process_time()
        split_sentences(unit * (size // len(unit)))
        return time.process_time() - start

    small, large = (min(seconds(size) for _ in range(2)) for size in (40_000, 200_000))
    assert large < 15 * small + 0.2  # 25 times if it were quadratic
