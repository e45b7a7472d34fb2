from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_tasks.acts.classifier import (
    ACTS,
    ATTRIBUTES,
    Acts,
    RuleActClassifier,
    matching_rules,
    read_rules,
    rules,
)
from rapport_tasks.acts.learned import WEIGHTS, load_weights, write_weights
from rapport_tasks.acts.markers import MARKERS
from rapport_tasks.acts.skeleton import runs, skeleton

CLASSIFIER = RuleActClassifier()
DATA = Path(__file__).parents[2] / "tasks" / "data"
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


def labelled_rows() -> list[dict[str, str]]:
    rows = []
    for path in sorted(DATA.glob("acts_*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return rows


ROWS = labelled_rows()


def pairs(family: str) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in ROWS:
        if row["pair"] != "-" and row["family"].startswith(family):
            found.setdefault(row["pair"], []).append((row["act"], row["text"]))
    return found


@pytest.mark.parametrize("pair", pairs("pairs-first").values())
def test_minimal_pairs(pair: list[tuple[str, str]]) -> None:
    for act, sentence in pair:
        assert classify(sentence).label == act, explain(sentence)


def test_labelled_sentences_are_many_and_varied() -> None:
    assert len(ROWS) >= 2000
    assert len({row["text"] for row in ROWS}) >= 0.98 * len(ROWS)
    assert sum(row["language"] == "zh" for row in ROWS) >= 1500
    assert len(pairs("pairs")) >= 400
    assert all(len(pair) == 2 and pair[0] != pair[1] for pair in pairs("pairs").values())
    splits = {(row["family"], row["split"]) for row in ROWS}
    assert len(splits) == len({family for family, _ in splits}), "a family stands in one split"
    for row in ROWS:
        assert row["act"] in ACTS
        assert set(row["attributes"].split(",")) <= {*ATTRIBUTES, "-", "?"}
        assert set(row["markers"].split(",")) <= {*MARKERS, "-", "?"}


def test_length_does_not_tell_the_act_in_the_labelled_sentences() -> None:
    for language in ("zh", "en"):
        lengths: dict[str, list[float]] = {act: [] for act in ACTS}
        for row in ROWS:
            if row["language"] == language:
                lengths[row["act"]].append(len(row["text"]))
        assert 0.4 < auc(lengths["advice"], lengths["empathy"]) < 0.6


def test_what_was_not_learned_from_is_told_apart_too() -> None:
    for language in ("zh", "en"):
        rows = [r for r in ROWS if r["split"] == "held" and r["language"] == language]
        odds: dict[str, list[float]] = {act: [] for act in ACTS}
        acts = CLASSIFIER.classify([row["text"] for row in rows])
        for row, act in zip(rows, acts, strict=True):
            odds[row["act"]].append(act.advice - act.empathy)
        assert auc(odds["advice"], odds["empathy"]) > 0.93


def test_weights_are_learned_from_the_committed_labels(tmp_path: Path) -> None:
    path = tmp_path / "acts.tsv"
    write_weights([(tongue, load_weights(tongue)) for tongue in ("zh", "en")], path)
    assert path.read_bytes() == WEIGHTS.read_bytes()
    known = {rule.name for tongue in ("zh", "en") for rule in rules(tongue)}
    for tongue in ("zh", "en"):
        weights = load_weights(tongue)
        assert set(weights.rules) <= known
        assert len(weights.runs) > 500


def test_words_of_content_say_nothing() -> None:
    assert skeleton("，你一边赶路，一边害怕，", "zh") == skeleton("，你一边洗漱，一边害怕，", "zh")
    assert runs(", you should walk ,", "en") == runs(", you should paint ,", "en")
    short, long = CLASSIFIER.classify(["青石冷。", "青石冷雾灰尘" * 30 + "。"])
    assert short == long
    assert classify("").label == "other"


def test_confidence_grows_with_evidence() -> None:
    prior = classify("青石冷。")
    assert 0.1 < prior.advice < 0.4
    assert 0.1 < prior.empathy < 0.4
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
    from rapport_tasks.dialogues.sentences import split_sentences

    scores: dict[str, list[float]] = {act: [] for act in ACTS}
    for row in labelled("strategy_en/bolt.jsonl"):
        acts = CLASSIFIER.classify([s.text for s in split_sentences(row["utterance"])])
        advice, empathy = sum(a.advice for a in acts), sum(a.empathy for a in acts)
        if not {"advice", "empathy"} <= set(row["labels"]):
            scores[row["label"]].append(advice / (advice + empathy))
    assert auc(scores["advice"], scores["empathy"]) > 0.88


@pytest.mark.parametrize(
    ("plain", "disguised"),
    [
        ("你应该早点睡。", "你應該早點睡。"),
        ("你应该早点睡。", "你 应 该 早 点 睡。"),
        ("你应该早点睡。", "“你应该早点睡。”"),
        ("我想对你说，你应该早点睡。", "我想对你说：“你应该早点睡。”"),
        ("You should talk to him.", "u should talk to him"),
        ("Don't call him.", "dont call him"),
        ("You should call him, and then go home.", "um you should you know call him, and uh then go home"),
    ],
)  # fmt: skip
def test_disguises_change_nothing(plain: str, disguised: str) -> None:
    assert classify(disguised) == classify(plain), explain(disguised)


def test_speech_without_punctuation_is_read_clause_by_clause() -> None:
    spoken = "so you have been really tired and you feel like nobody in the house sees it so try to sleep in on sunday"
    assert {"imperative", "reflect"} <= set(matching_rules(spoken))
