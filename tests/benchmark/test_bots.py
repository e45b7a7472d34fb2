"""Reference arms without weights, and imported replies."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from rapport_bench.bots import BOTS, ReplyModel, canned_empathy, gold, parrot, read_replies
from rapport_tasks.dialogue import Dialogue, read_dialogues
from rapport_tasks.errors import BadDialogue, BadInput
from rapport_tasks.lm_tasks import TurnRequest


@pytest.fixture
def dialogues(data: Path) -> tuple[Dialogue, ...]:
    return tuple(read_dialogues(data))


def request(dialogue: Dialogue, turn: int) -> TurnRequest:
    return TurnRequest("generate_until", dialogue.to_json(), ("", {}), 0, turn=turn)


def test_rules_answer_each_turn_from_the_dialogue(dialogues):
    [dialogue] = [d for d in dialogues if d.id == "d-1"]
    turns = dialogue.assistant_turns()
    assert turns == [1, 3, 5]
    expected = [message.content for message in dialogue.messages]
    assert [gold(dialogue, turn) for turn in turns] == expected[1::2]
    assert [parrot(dialogue, turn) for turn in turns] == expected[0::2]
    for rule in (gold, parrot, canned_empathy):
        model = ReplyModel(rule)
        # In any order and more than once: each request is answered for itself.
        asked = [request(dialogue, turn) for turn in (5, 1, 3, 1)]
        assert model.generate_until(asked) == [rule(dialogue, turn) for turn in (5, 1, 3, 1)]


def test_canned_empathy_is_fixed_varied_and_blind_to_the_text(dialogues):
    replies = [canned_empathy(d, turn) for d in dialogues for turn in d.assistant_turns()]
    assert replies == [canned_empathy(d, turn) for d in dialogues for turn in d.assistant_turns()]
    assert len(set(replies)) > len(replies) / 2
    for reply in replies:
        first, second = [part for part in reply.split("。") if part]
        assert first != second
    blank = Dialogue(dialogues[1].id, ())
    assert canned_empathy(blank, 1) == canned_empathy(dialogues[1], 1)
    # Pinned: a bot's replies may change only together with its VERSION.
    digest = hashlib.sha256("\n".join(replies).encode()).hexdigest()
    assert digest[:16] == "af5e4126b11098bb"


def test_all_stock_sentences_are_in_use():
    many = "".join(canned_empathy(Dialogue(str(n), ()), 1) for n in range(400))
    counts = Counter(part for part in many.split("。") if part)
    assert len(counts) == 8
    assert min(counts.values()) > 60  # 100 expected


def test_arms_without_weights_give_no_likelihoods():
    model = ReplyModel(BOTS["parrot"])
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
        ("{", "line", "not a reply"),
        ("[]", "line", "not a reply"),
        ("null", "line", "not a reply"),
        ('{"id": "d-0", "turn": 1}', "line", "not a reply"),
        ('{"id": "d-0", "turn": "first", "content": "SECRET"}', "line", "not a reply"),
        ('{"id": "d-0", "turn": 1.5, "content": "SECRET"}', "line", "not a reply"),
        ('{"id": "d-0", "turn": 1e999, "content": "SECRET"}', "line", "not a reply"),
        ('{"id": "d-0", "turn": 3, "content": ["SECRET"]}', "line", "not a reply"),
        ('{"id": "d-0", "turn": 3, "content": "\\ud800"}', "line", "not a reply"),
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
