"""Records as public corpora write them: each says the same dialogue."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rapport_training.prepare.formats import parse_record
from rapport_training.prepare.transcripts import Messages
from rapport_training.prepare.values import Unreadable

ASK, REPLY, MORE, END = "睡不着", "多久了？", "一个月", "很累吧"
WHOLE: Messages = [("user", ASK), ("assistant", REPLY), ("user", MORE), ("assistant", END)]
TEXTS = [text for _, text in WHOLE]


def encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def read(value: Any) -> Messages:
    [parsed] = parse_record(value if isinstance(value, bytes) else encode(value))
    return parsed.messages


def turns(role: str, text: str, user: str, assistant: str) -> list[dict[str, str]]:
    return [{role: user if r == "user" else assistant, text: t} for r, t in WHOLE]


def lines(user: str, assistant: str, between: str = "\n", texts: int = 4) -> str:
    return between.join(
        (user if role == "user" else assistant) + text for role, text in WHOLE[:texts]
    )


@pytest.mark.parametrize(
    "record",
    [
        {"dialog": turns("speaker", "content", "Seeker", "Supporter"), "topic": "", "stage": ""},
        {"dialog": turns("speaker", "content", "speaker", "listener"), "survey_score": {"seeker": {}}},
        {"dialog": turns("speaker", "text", "usr", "sys"), "emotion_type": "fear"},
        {"text": json.dumps({"dialog": turns("speaker", "text", "usr", "sys")})},
        {"chats": [{"type": "textMessage"} | t for t in turns("sender", "value", "owner", "audience")]},
        {"messages": json.dumps(turns("role", "content", "user", "assistant"))},
        {"messages": repr(turns("role", "content", "user", "assistant"))},
        {"messages": repr(turns("role", "content", "user", "assistant")).replace("}, {", "}\n {")},
        {"session": turns("Speaker", "Text", "client", "therapist"), "notes": [{"n": 1}]},
        {"dialog": {"speaker": ["usr", "sys"] * 2, "text": TEXTS}},
        {"dialog": {str(i): t for i, t in enumerate(turns("role", "content", "user", "bot"))}},
        {"dialog": [{"来访者": ASK}, {"咨询师": REPLY}, {"来访者": MORE}, {"咨询师": END}]},
        {"dialog": {"来访者1": ASK, "咨询师1": REPLY, "来访者2": MORE, "咨询师2": END}},
        {"seeker_1": ASK, "supporter_1": REPLY, "seeker_2": MORE, "supporter_2": END},
        {"conversation": [{"human": ASK, "assistant": REPLY}, {"human": MORE, "assistant": END}]},
        {"instruction": MORE, "output": END, "history": [{"user": ASK, "assistant": REPLY}]},
        {"prompt": MORE, "response": END, "history": [{"prompt": ASK, "response": REPLY}]},
        {"query": MORE, "response": END, "history": turns("role", "content", "user", "assistant")[:2]},
        {"query": MORE, "response": END, "history": json.dumps([[ASK, REPLY]])},
        {"dialog_history": turns("speaker", "content", "usr", "sys")[:3], "response": END},
        {"prompt": turns("role", "content", "user", "assistant")[:3], "completion": END},
        {"user": MORE, "assistant": END, "history": [[ASK, REPLY]]},
        {"instruction": lines("Human:", "Assistant:", texts=3) + "\nAssistant:", "input": "", "output": END},
        {"instruction": "", "input": lines("来访者：", "咨询师：", texts=3), "output": END},
        {"instruction": lines("Human: ", "Assistant: ", " ", 3) + " Assistant:", "output": END},
        {"prompt": "[Round 1]\n\n" + lines("问：", "答：", "\n\n", 3) + "\n\n答：", "response": END},
        {"conversation": [{"input": lines("Human:", "Assistant:", texts=3), "output": END}]},
        {"messages": [{"role": "user", "content": lines("用户：", "助手：", texts=3)},
                      {"role": "assistant", "content": END}]},
        {"instruction": "写一段咨询", "input": "", "output": lines("来访者：", "咨询师：")},
        {"text": lines("<HUMAN>: ", "<ASSISTANT>: ")},
        {"text": lines("### Human: ", "### Assistant: ", "")},
        {"text": "<bos>" + "".join(f"<|im_start|>{r}\n{t}<|im_end|>\n" for r, t in WHOLE)},
        {"text": "".join(f"<|{r}|>\n{t}</s>\n" for r, t in WHOLE)},
        {"text": f"<s>[INST] {ASK} [/INST] {REPLY} </s><s>[INST] {MORE} [/INST] {END} </s>"},
        {"chosen": lines("\n\nHuman: ", "\n\nAssistant: ", ""), "rejected": lines("\n\nHuman: ", "\n\nAssistant: ", "", 2)},
        lines("**Client:** ", "**Therapist:** "),
        lines("**Client:** ", "**Therapist:** ").encode(),
    ],
    ids=lambda record: ",".join(record) if isinstance(record, dict) else type(record).__name__,
)  # fmt: skip
def test_a_dialogue_of_two_exchanges_is_read_from_any_record(record: Any) -> None:
    assert read(record) == WHOLE


@pytest.mark.parametrize(
    "record",
    [
        {"Context": ASK, "Response": REPLY},
        {"question": ASK, "answer": REPLY},
        {"问题": ASK, "回答": REPLY},
        {"seeker_post": ASK, "response_post": REPLY, "level": 1},
        {"questionText": ASK, "answerText": REPLY, "upvotes": 3},
        {"instruction": ASK, "input": None, "output": REPLY, "history": None, "system": None},
        {"prompt": ASK, "chosen": REPLY, "rejected": "不"},
        {"instruction": "用户：" + ASK, "output": "咨询师：" + REPLY},
        {"history": [[None, "你好"]], "query": ASK, "response": REPLY},
    ],
    ids=",".join,
)
def test_one_exchange_is_read_from_any_record(record: dict[str, Any]) -> None:
    assert [message for message in read(record) if message[1] != "你好"] == WHOLE[:2]


def test_every_answer_to_a_question_is_a_dialogue() -> None:
    record = {
        "question": ASK,
        "description": MORE,
        "keywords": "情绪",
        "answers": [{"answer_text": REPLY, "has_label": False}, {"answer_text": END}],
    }
    parsed = parse_record(encode(record))
    question = ("user", f"{ASK}\n{MORE}")
    assert [one.messages for one in parsed] == [
        [question, ("assistant", REPLY)],
        [question, ("assistant", END)],
    ]
    [none] = parse_record(encode(record | {"answers": []}))
    assert none.messages == [question]


def test_dialogues_within_a_record_or_an_array_are_taken_apart() -> None:
    dialogue = turns("role", "content", "user", "assistant")
    sessions = {
        "topic": "家庭",
        "sessions": [{"n": 1, "dialogue": dialogue}, {"dialogue": dialogue}],
    }
    transcripts = [lines("来访者：", "咨询师：")] * 2
    assert [tuple(one) for one in parse_record(encode(sessions))] == [(WHOLE, "家庭")] * 2
    assert [one.messages for one in parse_record(encode(transcripts))] == [WHOLE] * 2


@pytest.mark.parametrize("text", ["医生：您好，" + ASK, "Human: " + ASK, f"A: {ASK}\nB: {MORE}"])
def test_a_text_of_one_side_is_no_transcript(text: str) -> None:
    [(_, said), reply] = read({"instruction": text, "output": REPLY})
    assert said == text.removeprefix("Human: ")
    assert reply == ("assistant", REPLY)


def test_what_stands_beside_a_transcript_is_for_the_system() -> None:
    record = {
        "instruction": "你是咨询师",
        "input": lines("来访者：", "咨询师：", texts=3),
        "output": END,
    }
    assert read(record) == [("system", "你是咨询师"), *WHOLE]
    template = "<|im_start|>system\n你是咨询师<|im_end|>\n" + "".join(
        f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in WHOLE
    )
    assert read({"text": template}) == [("system", "你是咨询师"), *WHOLE]


@pytest.mark.parametrize(
    "data",
    [
        b'{"score": NaN, "best": -Infinity, "question": "a", "answer": "b"}',
        b"{'score': nan, 'question': 'a', 'answer': \"b\", 'when': Timestamp('2020-01-01')}",
        b'{"question": "a", "answer": "b", "tags": "x\ty"}',
        b'{"question": "a", "answer": "b", "n": 1e999}',
    ],
)
def test_values_that_are_no_strict_json_are_read(data: bytes) -> None:
    assert read(data) == [("user", "a"), ("assistant", "b")]


def test_a_missing_answer_is_blank_in_any_spelling() -> None:
    for data in (b'{"question": "a", "answer": NaN}', b'{"question": "a", "answer": null}'):
        assert read(data) == [("user", "a"), ("assistant", "")]


@pytest.mark.parametrize("key", ["normalizedTag", "Topic", "problem_type"])
def test_topics_have_many_names(key: str) -> None:
    [parsed] = parse_record(encode({key: ["婚恋", "家庭"], "messages": []}))
    assert parsed.topic == "婚恋"


@pytest.mark.parametrize(
    ("record", "reason", "keys"),
    [
        ({"sentence": "x", "label": 1}, "unknown_format", ("sentence", "label")),
        ({"text": "x"}, "unknown_format", ("text",)),
        ({"one": lines("来访者：", "咨询师：")} | {"two": lines("来访者：", "咨询师：")}, "unknown_format", ("one", "two")),
        ({"messages": [{"from": "observation", "value": "x"}]}, "unknown_role", ("from", "value")),
    ],
)  # fmt: skip
def test_what_is_unknown_names_its_keys(record: Any, reason: str, keys: tuple[str, ...]) -> None:
    with pytest.raises(Unreadable, match=f"^{reason}$") as caught:
        parse_record(encode(record))
    assert caught.value.keys == keys


def test_nesting_has_an_end() -> None:
    with pytest.raises(Unreadable):
        parse_record(b'{"a": [' * 400 + b"]}" * 400)
