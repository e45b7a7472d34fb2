"""Reference arms without weights, and imported replies."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from rapport_bench.arms.bots import bots, gold
from rapport_bench.arms.replies import ReplyModel, read_replies
from rapport_tasks.common.errors import BadDialogue, BadInput
from rapport_tasks.dialogues.dialogue import Dialogue, Message, read_dialogues
from rapport_tasks.lm_tasks.tasks import TurnRequest


@pytest.fixture
def dialogues(data: Path) -> tuple[Dialogue, ...]:
    return tuple(read_dialogues(data))


def request(dialogue: Dialogue, turn: int) -> TurnRequest:
    return TurnRequest("generate_until", dialogue.to_json(), ("", {}), 0, turn=turn)


def test_every_rule_answers_each_turn_for_itself(dialogues):
    for name, rule in {"gold": gold, **bots()}.items():
        model = ReplyModel(rule)
        for dialogue in dialogues:
            turns = dialogue.assistant_turns()
            # In any order and more than once: each request is answered for itself.
            asked = [*reversed(turns), turns[0]]
            replies = model.generate_until([request(dialogue, turn) for turn in asked])
            assert replies == [rule(dialogue, turn) for turn in asked], name


def test_a_dialogue_is_read_once_for_all_its_turns(monkeypatch):
    read = []
    from_json = Dialogue.from_json
    monkeypatch.setattr(Dialogue, "from_json", lambda doc: read.append(1) or from_json(doc))
    docs = [TALK.to_json(), TALK.to_json()]
    asked = [
        TurnRequest("generate_until", doc, ("", {}), 0, turn=t) for doc in docs for t in (1, 3)
    ]
    said = [TALK.messages[turn].content for turn in (1, 3)]
    assert ReplyModel(gold).generate_until(asked) == said * 2
    assert len(read) == 2


def test_gold_and_parrot_say_what_was_said(dialogues):
    [dialogue] = [d for d in dialogues if d.id == "d-1"]
    expected = [message.content for message in dialogue.messages]
    assert [gold(dialogue, turn) for turn in (1, 3, 5)] == expected[1::2]
    assert [bots()["parrot"](dialogue, turn) for turn in (1, 3, 5)] == expected[0::2]


TALK = Dialogue(
    "talk",
    (
        Message("user", "我最近睡不着。工作太累！"),
        Message("assistant", "听上去你很疲惫。你可以试试早点躺下。"),
        Message("user", "嗯"),
        Message("assistant", "我在听。"),
    ),
)


@pytest.mark.parametrize(
    ("bot", "replies"),
    [
        ("no-advice", ["听上去你很疲惫。", "我在听。"]),
        (
            "user-quote-stuffer",
            ["你说“我最近睡不着”，我听到了。你说“工作太累”，我听到了。", "你说“嗯”，我听到了。"],
        ),
        ("shuffled-gold", ["我在听。", "听上去你很疲惫。你可以试试早点躺下。"]),
        ("silent", ["", ""]),
        (
            "epistemic-stuffer",
            ["你应该很难过吧。你应该很累吧。你应该很委屈吧。你应该很失望吧。你应该很害怕吧。"] * 2,
        ),
    ],
)
def test_bots_on_a_talk(bot, replies):
    assert [bots()[bot](TALK, turn) for turn in (1, 3)] == replies


def test_bots_that_add_to_the_gold_reply():
    for turn in (1, 3):
        reply = gold(TALK, turn)
        appended, long = bots()["append-empathy"](TALK, turn), bots()["verbose"](TALK, turn)
        assert appended.startswith(reply)
        assert appended.count("。") == reply.count("。") + 5
        assert long.startswith(reply)
        assert len(long) >= 3 * len(reply)


def test_shuffled_gold_moves_every_reply_where_it_can(dialogues):
    for dialogue in dialogues:
        turns = dialogue.assistant_turns()
        moved = [bots()["shuffled-gold"](dialogue, turn) for turn in turns]
        assert sorted(moved) == sorted(gold(dialogue, turn) for turn in turns)
        if len(set(moved)) == len(moved) > 1:
            assert all(gold(dialogue, turn) != m for turn, m in zip(turns, moved, strict=True))


def test_stock_replies_are_fixed_varied_and_in_the_language_of_the_talk(dialogues):
    for bot, count in (("canned-empathy", 2), ("all-advice", 3)):
        replies = [bots()[bot](Dialogue(str(n), TALK.messages), 1) for n in range(400)]
        assert replies == [bots()[bot](Dialogue(str(n), TALK.messages), 1) for n in range(400)]
        sentences = Counter(part for reply in replies for part in reply.split("。") if part)
        assert len(sentences) == 8
        assert min(sentences.values()) > 400 * count / 8 * 0.6
        assert all(len(set(reply.split("。"))) == count + 1 for reply in replies)
    english = Dialogue(
        "e", (Message("user", "I cannot sleep at all."), Message("assistant", "Oh."))
    )
    for bot in bots():
        assert bots()[bot](english, 1).isascii() or bot == "user-quote-stuffer"


SAID = {
    "gold": ("1.1", "f481c3ceb3339dfe"),
    "parrot": ("1.1", "78d802c01859bee2"),
    "canned-empathy": ("1.1", "c0d3e1e527eec8ea"),
    "append-empathy": ("1.1", "1f32358535c0d5c0"),
    "no-advice": ("1.1", "bcf2cc44ab305065"),
    "all-advice": ("1.1", "00ad8efeedca1a84"),
    "epistemic-stuffer": ("1.1", "49c76e8ca7ce4e74"),
    "verbose": ("1.1", "392c3c77fddea578"),
    "user-quote-stuffer": ("1.1", "7335974958db1068"),
    "shuffled-gold": ("1.1", "85826cddc5eaa528"),
    "silent": ("1.1", "abe4ee7a105042f7"),
}


@pytest.mark.parametrize("name", ["gold", *bots()])
def test_replies_may_change_only_together_with_the_bots_version(name, dialogues):
    rule = {"gold": gold, **bots()}[name]
    replies = [rule(d, t) for d in (*dialogues, TALK) for t in d.assistant_turns()]
    digest = hashlib.sha256("\n".join(replies).encode()).hexdigest()
    assert (rule.version, digest[:16]) == SAID[name]


def test_arms_without_weights_give_no_likelihoods():
    model = ReplyModel(bots()["parrot"])
    for ask in (model.loglikelihood, model.loglikelihood_rolling):
        with pytest.raises(NotImplementedError):
            ask([])
    assert model.apply_chat_template([{"role": "user", "content": "嗯"}]) == "来访者：嗯\n支持者："


# --- imported replies --------------------------------------------------------------------------


def lines(dialogues: tuple[Dialogue, ...]) -> list[str]:
    return [
        json.dumps(
            {"id": d.id, "turn": turn, "content": f"{d.id} {turn}\u2028。"}, ensure_ascii=False
        )
        for d in dialogues
        for turn in d.assistant_turns()
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "replies.jsonl"


def test_imported_replies_answer_by_dialogue_and_turn(file, dialogues):
    text = "\r\n\r\n".join(reversed(lines(dialogues)))  # in any order, with blank lines
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    rule, identity = read_replies(file, dialogues)
    for dialogue in dialogues:
        for turn in dialogue.assistant_turns():
            assert rule(dialogue, turn) == f"{dialogue.id} {turn}\u2028。"
    assert identity == hashlib.sha256(file.read_bytes()).hexdigest()


def test_missing_and_unknown_replies_are_counted(file, dialogues):
    given = lines(dialogues)
    unknown = ['{"id": "x", "turn": 1, "content": ""}', '{"id": "d-1", "turn": 0, "content": ""}']
    file.write_text("\n".join([*given[3:], *unknown]), encoding="utf-8")
    with pytest.raises(BadInput, match=r"3 assistant turns .* no reply, 2 replies belong to no"):
        read_replies(file, dialogues)


@pytest.mark.parametrize(
    ("bad", "field", "problem"),
    [
        ("{", "line", "not JSON: .* at column 2"),
        ("[]", "line", "not a reply"),
        ("null", "line", "not a reply"),
        ('{"id": "d-0", "turn": 1}', "line", "not a reply"),
        ('{"id": "d-0", "turn": "first", "content": "SECRET"}', "line", "not a reply"),
        ('{"id": "d-0", "turn": 1.5, "content": "SECRET"}', "line", "not a reply"),
        ('{"id": "d-0", "turn": 1e999, "content": "SECRET"}', "turn", "not a finite number"),
        ('{"id": "d-0", "turn": 3, "content": ["SECRET"]}', "line", "not a reply"),
        ('{"id": "d-0", "turn": 3, "content": "\\ud800"}', "content", "surrogate"),
        ('{"id": "d-0", "turn": 1, "content": "SECRET"}', "turn", "twice"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(file, dialogues, bad, field, problem):
    file.write_text(f"{lines(dialogues)[0]}\n\n{bad}\n", encoding="utf-8")
    with pytest.raises(BadDialogue, match=problem) as caught:
        read_replies(file, dialogues)
    assert str(caught.value).startswith(f"{file}:3: {field}: ")
    assert caught.value.remedy
    assert "SECRET" not in str(caught.value) + caught.value.remedy


def test_a_file_that_cannot_be_read_is_refused(file, dialogues):
    with pytest.raises(BadInput, match="No such file"):
        read_replies(file, dialogues)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="not UTF-8"):
        read_replies(file, dialogues)
