from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rapport_tasks.dialogues.builtin import EVALUATION_ZH
from rapport_tasks.dialogues.dialogue import Dialogue, Message, read_dialogues
from rapport_tasks.embedding.encoder import load_encoder
from rapport_tasks.embedding.lexical import LexicalIndex, Lexicon, dot, mean, terms
from rapport_tasks.metrics.topic_shift import (
    GENERAL,
    SMALL_TALK,
    UNSCORED,
    Boundary,
    BoundaryModel,
    WindowBoundaryScorer,
    load_models,
    shift_record,
)
from rapport_tasks.shifts.shift_labels import read_shift_labels
from rapport_tasks.shifts.topic_directions import ASPECTS

LABELS = Path(__file__).parents[2] / "tasks" / "data" / "shifts.tsv"
DATA = Path(__file__).parents[2].parent / "shared" / "data" / "topicshift_zh"


def talk(*texts: str) -> list[Message]:
    return [Message(("user", "assistant")[i % 2], text) for i, text in enumerate(texts)]


class Plane:
    """Texts as directions in the plane: the number in a text is its angle in degrees.

    Its cosines are read as they are, without a coherence model, under the name of an encoder of
    which 0 and 1 mean what they say.
    """

    name = identity = "plane"

    def encode(self, texts):
        angles = np.radians([float("".join(ch for ch in t if ch.isdigit()) or 0) for t in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


MODELS = {
    GENERAL: BoundaryModel({"embedding_last": -2.0}, 1.0, 0.5),
    SMALL_TALK: BoundaryModel({"embedding_last": -2.0}, 1.0, 0.99),
}


@pytest.fixture
def plane(monkeypatch) -> WindowBoundaryScorer:
    scorer = WindowBoundaryScorer(Plane(), Lexicon([["甲乙"]]), MODELS)
    monkeypatch.setattr(scorer, "_comparable", lambda cosines: cosines)
    return scorer


def cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def test_features_by_hand(plane):
    first, second = plane.features(talk("甲乙0", "丙丁60？", "甲乙90"))
    assert first["embedding_last"] == pytest.approx(cos(60))
    assert first["embedding_window_8"] == pytest.approx(cos(60))
    assert first["asked"] == 0
    assert second["asked"] == 1
    assert second["embedding_last"] == pytest.approx(cos(30))
    assert second["embedding_last_but_one"] == pytest.approx(0, abs=1e-6)
    assert second["embedding_window_2"] == pytest.approx(cos(60))  # the mean points to 30
    assert second["embedding_nearest_4"] == pytest.approx(cos(30))
    assert second["embedding_background"] == pytest.approx(0, abs=1e-6)
    assert second["embedding_cohesion"] == pytest.approx(cos(60))
    assert second["words_last"] == 0
    # 甲乙 in the only text ln(2 / 1.5); 0 and 90 unseen, ln(4)
    known, unseen = math.log(2 / 1.5), math.log(4)
    assert second["words_last_but_one"] == pytest.approx(known**2 / (known**2 + unseen**2))


def test_decisions_by_hand(plane):
    found = plane.score_messages(talk("甲0", "甲0", "甲90"))
    assert found[0] == UNSCORED
    assert found[1].score == pytest.approx(1 / (1 + math.e))  # logit 1 - 2
    assert found[1].boundary is False
    assert found[2].score == pytest.approx(1 / (1 + math.exp(-1)))
    assert found[2].boundary is True
    english = plane.score_messages(talk("word 0", "word 0", "word 90"))
    assert english[2] == Boundary(found[2].score, False)


def test_directions_are_part_of_the_score(monkeypatch):
    """Of the message's vector, of its last sentence's, of the one before, of the difference."""
    directions = {
        "message": [0.0, 3.0],
        "closing": [0.0, 0.25],
        "last": [1.0, 0.0],
        "difference": [0.0, 0.5],
    }
    models = MODELS | {GENERAL: BoundaryModel({"embedding_last": -2.0}, 1.0, 0.5, directions)}
    scorer = WindowBoundaryScorer(Plane(), Lexicon([["甲乙"]]), models)
    monkeypatch.setattr(scorer, "_comparable", lambda cosines: cosines)
    found = scorer.score_messages(talk("甲0", "甲0", "甲9。丙0"))
    logits = [math.log(b.score / (1 - b.score)) for b in found[1:]]
    assert logits == pytest.approx([1 - 2 + 1, 1 + 3 + 1 + 0.5], abs=1e-5)
    above = scorer.score_messages(talk("甲0", "甲0", "甲。丙90"))[2].score
    assert math.log(above / (1 - above)) == pytest.approx(logits[1] + 0.25, abs=1e-5)
    assert scorer.identity != WindowBoundaryScorer(Plane(), models=MODELS).identity


def test_vectors_of_last_sentences_are_computed_for_directions_alone(monkeypatch):
    """Another encoder, which may be large, has no use for them."""
    encoder = Plane()
    asked: list[str] = []
    encode = encoder.encode
    monkeypatch.setattr(encoder, "encode", lambda texts: [asked.extend(texts), encode(texts)][1])
    WindowBoundaryScorer(encoder, Lexicon([["甲乙"]]), MODELS).score_messages(
        talk("甲1。乙2。", "丙3。丁4。")
    )
    assert not {"乙2。", "丁4。"}.intersection(asked)


TALK = talk(
    "我养了十四年的狗昨天走了，家里到处都是它的东西。",
    "十四年，它几乎陪你长大。狗窝还放在原来的地方吗？",
    "都没动。我一进门还是会喊它的名字。",
    "喊出口的那一下，屋里没有动静，最难熬吧。",
    "同事说不就是一条狗，让我再养一只。",
    "对你来说它不是随便换一只就行的。",
)


CHAT = talk(
    "i just got home from the gym .",
    "nice ! do you go every day ?",
    "three times a week . what do you do for a living ?",
    "i paint houses . it is quiet , and i like that .",
    "do you have any kids ?",
)


@pytest.mark.parametrize("messages", [TALK, CHAT, [*TALK, *CHAT]])
def test_nothing_after_a_message_changes_its_boundary(messages):
    scorer = WindowBoundaryScorer(load_encoder())
    whole = scorer.score_messages(messages)
    assert whole[0] == UNSCORED
    for end in range(1, len(messages) + 1):
        assert scorer.score_messages(messages[:end]) == whole[:end]
    assert WindowBoundaryScorer(load_encoder()).score_messages(messages) == whole


def test_a_reply_is_scored_as_the_message_it_would_be():
    scorer = WindowBoundaryScorer(load_encoder())
    whole = scorer.score_messages(TALK)
    for turn in (1, 3, 5):
        assert scorer.score_reply(TALK[:turn], TALK[turn].content) == whole[turn]


def test_a_foreign_reply_scores_higher_and_a_parrot_never_shifts():
    scorer = WindowBoundaryScorer(load_encoder())
    own = scorer.score_reply(TALK[:3], TALK[3].content)
    foreign = scorer.score_reply(TALK[:3], "这次的房贷利率下调了，可以去银行问问提前还款的手续。")
    parrot = scorer.score_reply(TALK[:3], TALK[2].content)
    assert parrot.score < own.score < foreign.score
    assert parrot.boundary is False


def test_what_is_unscored():
    scorer = WindowBoundaryScorer(load_encoder())
    assert scorer.score_messages([]) == []
    assert scorer.score_reply([], "你好，今天想聊什么？") == UNSCORED
    assert scorer.score_reply(TALK[:1], " \n") == UNSCORED
    system = Message("system", "你是支持者")
    with_system = scorer.score_messages([system, TALK[0], Message("assistant", ""), *TALK[1:3]])
    assert with_system[:3] == [UNSCORED] * 3
    assert with_system[3:] == scorer.score_messages(TALK[:3])[1:]


def test_record(plane):
    dialogue = Dialogue("d", tuple(talk("甲0", "甲0", "甲0", "甲90")))
    replies = [(1, "乙90"), (1, "乙10"), (3, None), (3, " ")]
    record = shift_record(dialogue, replies, plane)
    assert record.columns == {
        "shifts": 1,
        "shift_opportunities": 2,
        "shift_turns": 4,
        "gold_shifts": 1,
        "gold_shift_opportunities": 2,
    }
    assert [(u.turn, u.reason) for u in record.unscored] == [(3, "overlong"), (3, "empty")]


def test_a_megabyte_is_scored_in_time():
    scorer = WindowBoundaryScorer(load_encoder())
    started = time.perf_counter()
    assert scorer.score_reply(TALK[:5], "它的碗还在。" * 170_000).score is not None
    assert time.perf_counter() - started < 20


def test_identity_follows_models_and_encoder():
    encoder = load_encoder()
    before = WindowBoundaryScorer(encoder).identity
    assert WindowBoundaryScorer(encoder).identity == before
    assert WindowBoundaryScorer(encoder, models=MODELS).identity != before
    assert WindowBoundaryScorer(Plane()).identity != before


def test_calibration_without_coherence_needs_no_coherence():
    """The scorer of another encoder has no such features."""
    rows = WindowBoundaryScorer(Plane()).features(talk("甲0", "甲60", "甲90"))
    plain, full = load_models("plain"), load_models("full")
    assert plain[SMALL_TALK].weights.keys() == rows[0].keys()
    assert plain.keys() == full.keys() == {GENERAL, SMALL_TALK}
    for name, model in plain.items():
        assert model.weights.keys() <= rows[0].keys()
        assert (full[name].weights.keys() > model.weights.keys()) is (name == GENERAL)
        assert 0 < full[name].threshold < 1
        assert not model.directions
        found = {aspect: len(slopes) for aspect, slopes in full[name].directions.items()}
        assert found == dict.fromkeys(ASPECTS, 512)
    form = {feature for feature in full[GENERAL].weights if feature.startswith("form_")}
    assert len(form) == 5  # questions, which every language has
    assert all("ask" in feature for feature in form)


def test_short_english_messages_have_a_model_of_their_own(monkeypatch):
    """By the words of the last five messages, the scored one among them: 16 on average at most."""
    models = {GENERAL: BoundaryModel({}, 1.0, 0.5), SMALL_TALK: BoundaryModel({}, 2.0, 0.5)}
    scorer = WindowBoundaryScorer(Plane(), Lexicon([["word"]]), models)
    monkeypatch.setattr(scorer, "_comparable", lambda cosines: cosines)
    limit, above = "word " * 16 + ".", "word " * 17 + "."
    found = scorer.score_messages(talk(limit, limit, above, *[limit] * 6))
    logits = [math.log(b.score / (1 - b.score)) for b in found[1:]]
    assert logits == pytest.approx([2, 1, 1, 1, 1, 1, 2, 2])
    general = pytest.approx(1 / (1 + math.exp(-1)))
    assert scorer.score_messages(talk("甲乙", "丙丁"))[1].score == general
    # Without one, the general model serves all.
    del models[SMALL_TALK]
    assert scorer.score_messages(talk(limit, limit))[1].score == general


@pytest.mark.parametrize(
    ("stays", "leaves"),
    [
        ("那两个小时里，你一个人是怎么过来的？", "你母亲那边，最近是什么情况？"),
        ("一关灯就听见心跳，难怪你不敢睡。", "那工作呢，最近单位里怎么样？"),
    ],
)
def test_a_supporter_turns_to_something_else(stays, leaves):
    """Both are such as a supporter says; only one leaves the night that was told of."""
    scorer = WindowBoundaryScorer(load_encoder())
    history = talk(
        "这周又没睡着，一关灯就听见自己的心跳。",
        "心跳声那么响，人就更躺不住了。一般几点才能睡着？",
        "三点多。昨晚到五点，天亮了才眯了两个小时。",
    )
    assert scorer.score_reply(history, stays).boundary is False
    assert scorer.score_reply(history, leaves).boundary is True


def test_a_new_question_after_an_answer_opens_a_topic_in_small_talk():
    scorer = WindowBoundaryScorer(load_encoder())
    history = talk("hi ! do you have any pets ?", "yes , two cats . they sleep on my bed .")
    history += talk("cats are the best . what are they called ?", "milo and otis .")
    stays = scorer.score_reply([*history, Message("user", "how old are they ?")], "milo is four .")
    leaves = scorer.score_messages(
        [*history, Message("user", "nice . what do you do for a living ?")]
    )
    assert leaves[-1].boundary is True
    assert stays.boundary is False


def test_what_the_last_sentence_asks_about_decides_in_small_talk():
    """The same question to the other person: "any" opens freely, "it" and "there" follow up."""
    weights = load_models("full")[SMALL_TALK].weights
    assert weights["form_has_any"] > 0 > weights["form_has_there"]
    assert weights["form_asks_midway"] > 0
    scorer = WindowBoundaryScorer(load_encoder())
    history = talk("i live near the coast .", "lucky you . i have never seen the sea .")
    opens = scorer.score_messages([*history, Message("user", "oh . do you have any hobbies ?")])
    follows = scorer.score_messages([*history, Message("user", "oh . would you like it there ?")])
    assert opens[-1].score > 2 * follows[-1].score


def test_where_a_message_lies_decides_in_small_talk():
    """Of a nurse: people turn to pets, but patients go with the job. The sentences are alike."""
    scorer = WindowBoundaryScorer(load_encoder())
    history = talk("i am a nurse .", "that must be hard work . i am a plumber .")
    directed = load_models("full")[SMALL_TALK]
    logits = {}
    for model in (directed, replace(directed, directions={})):
        for about in ("pets", "patients"):
            messages = [*history, Message("user", f"do you have any {about} ?")]
            score = model.decide(scorer.features(messages)[-1], scorer.aspects(messages)[-1]).score
            logits[bool(model.directions), about] = math.log(score / (1 - score))
    without = logits[False, "pets"] - logits[False, "patients"]
    assert logits[True, "pets"] - logits[True, "patients"] > without + 0.5


def test_terms_and_lexicon():
    assert terms("睡不着, SLEEPing a") == {"睡不": 1, "不着": 1, "sleep": 1, "a": 1}
    assert terms("的。") == {"的": 1}
    assert terms("！？ ") == {}
    # 3 texts: in all three ln(4 / 3.5), in one ln(4 / 1.5), in none ln(4 / .5)
    lexicon = Lexicon([["aa bb", "aa", "aa"]])
    weights = [math.log(4 / 3.5), math.log(4 / 1.5), math.log(8)]
    length = math.sqrt(sum(w * w for w in weights))
    vector = lexicon.vector("aa bb cc")
    assert [vector[t] for t in ("aa", "bb", "cc")] == pytest.approx([w / length for w in weights])
    assert dot(vector, vector) == pytest.approx(1)
    assert dot(vector, lexicon.vector("")) == 0
    index = LexicalIndex(lexicon, ["aa bb cc", "dd", ""])
    assert index.similarities("aa bb cc").tolist() == pytest.approx([1, 0, 0])
    assert mean([]) == {}
    assert mean([{"a": 1.0}, {"b": 1.0}]) == pytest.approx({"a": 0.5**0.5, "b": 0.5**0.5})


def test_messages_that_a_reader_calls_a_new_topic_score_higher():
    """On evaluation dialogues, whose labels nothing was fitted on."""
    dialogues = {dialogue.id: dialogue for dialogue in read_dialogues(EVALUATION_ZH)}
    scorer = WindowBoundaryScorer(load_encoder())
    scores: dict[bool, list[float]] = {False: [], True: []}
    for labels in [x for x in read_shift_labels(LABELS) if x.source == "eval_zh"][::2]:
        messages = dialogues[labels.dialogue].messages
        found = scorer.score_messages(messages)[1:]
        for boundary, share in zip(found, labels.shares(len(messages)), strict=True):
            if share in (0, 1):  # both passes agree
                scores[share == 1].append(boundary.score)
    assert len(scores[True]) > 100
    assert np.mean([[a > b for b in scores[False]] for a in scores[True]]) > 0.65


@pytest.mark.skipif(not DATA.is_dir(), reason="development data is absent")
def test_splices_are_found():
    lines = (DATA / "spliced_smile.jsonl").read_text(encoding="utf-8").splitlines()
    scorer = WindowBoundaryScorer(load_encoder())
    scores: dict[int, list[float]] = {0: [], 1: []}
    for line in lines[1:31:2]:  # the calibration reads the other half
        example = json.loads(line)
        messages = [Message(m["role"], m["content"]) for m in example["messages"]]
        for found, label in zip(scorer.score_messages(messages), example["labels"], strict=True):
            if found.score is not None:
                scores[label].append(found.score)
    above = np.mean([[a > b for b in scores[0]] for a in scores[1]])
    assert above > 0.8
