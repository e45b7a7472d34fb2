from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_tasks.acts import ACTS, ATTRIBUTES, Acts, RuleActClassifier, matching_rules, read_rules

CLASSIFIER = RuleActClassifier()
NAMES = {"A": "advice", "E": "empathy", "Q": "question", "O": "other"}
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"


def classify(sentence: str) -> Acts:
    return CLASSIFIER.classify([sentence])[0]


def explain(sentence: str) -> str:
    return f"{classify(sentence)}: {matching_rules(sentence)}"


@pytest.mark.parametrize(
    ("act", "sentences"),
    [
        ("advice", "你应该多出去走走。 你可以试试写日记。 不妨早点睡。 你不应该这样想。 别再联系他了。 你要理解你妈妈。"),
        ("empathy", "你应该很难过吧。 这些年你应该承受了很多。 你不应该承受这些。 这应该不是你的错。 没有必要强迫自己。"),
        ("empathy", "你不必马上好起来。 我理解你的感受。 听起来你很委屈。 难怪你会睡不着。 必须说，你很勇敢。"),
        ("question", "你觉得丈夫应该如何应对呢？ 可以和我说说吗？"),
        ("other", "我不太理解你的意思。 如果你愿意，我们可以一起想想。 家庭治疗是一种谈话疗法。 别难过。 想开点。"),
    ],
)  # fmt: skip
def test_cases_that_every_version_must_get_right(act: str, sentences: str) -> None:
    for sentence in sentences.split():
        assert classify(sentence).label == act, explain(sentence)


@pytest.mark.parametrize(
    ("sentence", "attributes"),
    [
        ("你提到“我应该更坚强”。", {"quoted"}),
        ("你说你应该放弃，是吗？", {"quoted"}),
        ("如果你愿意，我们可以一起想想。", {"collaborative", "permission"}),
        ("别难过。", {"dismissive"}),
        ("想开点。", {"dismissive"}),
        ("别再联系他了。", {"prohibitive"}),
        ("你不应该这样想。", {"prohibitive"}),
        ("也许可以早点睡。", {"tentative"}),
        ("你应该早点睡。", set()),
        ("不要自责。", set()),
        ("You said “I should go”.", {"quoted"}),
        ("If you like, we can look at this together.", {"collaborative", "permission"}),
        ("Cheer up!", {"dismissive"}),
        ("Don't call him.", {"prohibitive"}),
        ("Maybe try a walk.", {"tentative"}),
    ],
)
def test_attributes(sentence: str, attributes: set[str]) -> None:
    assert classify(sentence).attributes == attributes, explain(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "你提到“我应该更坚强”。",
        "你说你应该放弃，是吗？",
        "他说你必须马上离婚。",
        "“你应该去死”，这句话太伤人了。",
        "You told me you should quit, right?",
        "My mother says you should quit.",
    ],
)
def test_reported_speech_is_not_advice(sentence: str) -> None:
    assert classify(sentence).label != "advice", explain(sentence)


def pairs(language: str) -> list[str]:
    lines = (Path(__file__).parent / f"act_pairs_{language}.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("pair", pairs("zh") + pairs("en"))
def test_minimal_pairs(pair: str) -> None:
    for half in pair.split(" | "):
        assert classify(half[2:]).label == NAMES[half[0]], explain(half[2:])


def test_there_are_enough_pairs() -> None:
    assert len(pairs("zh")) >= 120
    assert len(pairs("en")) >= 40


def test_length_says_nothing_without_a_cue() -> None:
    short, long = CLASSIFIER.classify(["天色渐晚。", "窗外的树叶落在石阶旁边的水缸里" * 12])
    assert short == long
    assert classify("").label == "other"
    assert classify("").advice == pytest.approx(short.advice)


def test_confidence_grows_with_evidence() -> None:
    prior = classify("天色渐晚。")
    assert 0.15 < prior.advice < 0.25
    assert 0.15 < prior.empathy < 0.3
    assert classify("我建议你去看医生。").advice > 0.9
    assert classify("我能理解你的委屈，这不是你的错。").empathy > 0.95


_PIECES = st.lists(
    st.sampled_from(
        ["你", "我", "应该", "要", "别", "不要", "很难过", "，", "“", "”", "？", "如果", "可以", "吧", "说", "吗",
         "you ", "should ", "not ", "don't ", "feel ", ", ", "if ", "🙂", "\0", "\u202e", "…", "1. ", "（"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(st.one_of(st.text(), _PIECES))
def test_probabilities(sentence: str) -> None:
    acts = classify(sentence)
    values = [getattr(acts, act) for act in ACTS]
    assert sum(values) == pytest.approx(1, abs=1e-12)
    assert all(0 <= value <= 1 for value in values)
    assert getattr(acts, acts.label) == max(values)
    assert acts.attributes <= set(ATTRIBUTES)
    assert CLASSIFIER.classify([sentence, "别的", sentence])[2] == acts


@pytest.mark.parametrize(
    "unit",
    ["你", "你应该", "都", "先", "在", "在中", "如果", "，不要", "你说", "想开点，", "“", "。", "🙂", "\0", "\u202eאב",
     "a ", "you should ", "if , ", "don't ", "!", "1. ", "，", "的", "", "they said you "],
)  # fmt: skip
def test_hostile_input(unit: str) -> None:
    text = unit * (1_000_000 // max(1, len(unit)))
    start = time.process_time()
    (acts,) = CLASSIFIER.classify([text])
    assert time.process_time() - start < 2
    assert acts.label in ACTS


def test_traditional_punctuation_and_width_do_not_matter() -> None:
    expected = classify("你很累，早点睡。")
    assert classify("你很累,早点睡.") == expected
    assert classify(" 你很累，早点睡！") == expected
    assert classify("您很累，早点睡。").label == expected.label


def test_a_rule_table_with_a_mistake_is_refused() -> None:
    with pytest.raises(ValueError, match="heading"):
        read_rules("No Heading\n    a\n", {})
    with pytest.raises(ValueError, match="unknown"):
        read_rules("x: advise 1.0\n    a\n", {})
    (rule,) = read_rules(
        "x [quoted]: advice 1.5, other -1\n    a{B}\n    c\n", {"B": "b{D}", "D": "d"}
    )
    assert rule.pattern.pattern == "abdc"
    assert rule.weights == (1.5, 0.0, 0.0, -1.0)


def auc(positive: list[float], negative: list[float]) -> float:
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def labelled(name: str) -> list[dict[str, str]]:
    path = SHARED / name
    if not path.exists():
        pytest.skip("no labelled sentences here")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_labelled_chinese_sentences() -> None:
    rows = labelled("strategy_zh/sentences.jsonl")
    acts = CLASSIFIER.classify([row["utterance"] for row in rows])
    odds: dict[str, list[float]] = {act: [] for act in ACTS}
    for row, act in zip(rows, acts, strict=True):
        odds[row["label"]].append(act.advice / act.empathy)
    right = sum(act.label == row["label"] for row, act in zip(rows, acts, strict=True))
    assert auc(odds["advice"], odds["empathy"]) > 0.95
    assert right / len(rows) > 0.85


def test_labelled_english_utterances() -> None:
    from rapport_tasks.sentences import split_sentences

    scores: dict[str, list[float]] = {act: [] for act in ACTS}
    for row in labelled("strategy_en/bolt.jsonl"):
        sentences = [sentence.text for sentence in split_sentences(row["utterance"])]
        scores[row["label"]].append(max(a.advice for a in CLASSIFIER.classify(sentences)))
    assert auc(scores["advice"], scores["empathy"]) > 0.83
