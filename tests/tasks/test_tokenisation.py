"""Rendered text becomes the same tokens whoever asks, for every kind of tokenizer."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import CHATML, DIALOGUES
from made_tokenizers import KINDS, TEMPLATES, made_tokenizer
from rapport_tasks.common.errors import UnsupportedTemplate
from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_tasks.prompts import rendering, tokenisation
from rapport_tasks.prompts.chat_template import ChatTemplate, tokenizer_renderer
from rapport_tasks.prompts.rendering import encode, turn_prompts
from rapport_tasks.prompts.tokenisation import tokenise

TALKS = [Dialogue.from_json(record) for record in DIALOGUES]
PAIRS = [(kind, name) for kind in KINDS for name in TEMPLATES]


def long_talk(turns: int) -> Dialogue:
    said = ("我很累。I can't sleep.", "你愿意多说一点吗？")
    return Dialogue(
        "long",
        tuple(
            Message("assistant" if i % 2 else "user", f"第{i}句 {said[i % 2]}")
            for i in range(2 * turns)
        ),
    )


@pytest.fixture(params=PAIRS, ids=["/".join(pair) for pair in PAIRS])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    kind, name = request.param
    return made_tokenizer(kind, TEMPLATES[name])


def test_a_turn_is_its_context_and_then_its_reply(tokenizer):
    prompts = [turn_prompts(talk, tokenizer_renderer(tokenizer)) for talk in TALKS]
    found = tokenise(tokenizer, prompts)
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    adds_bos = tokenizer("嗯")["input_ids"][0] == bos
    for dialogue, turns in zip(prompts, found, strict=True):
        for prompt, turn in zip(dialogue, turns, strict=True):
            tokens = turn.tokens()
            assert tokens[: turn.start] == encode(tokenizer, prompt.context)
            assert turn.prompt_tokens() == encode(tokenizer, prompt.generation)
            assert (turn.length, turn.prompt_length) == (len(tokens), len(turn.prompt_tokens()))
            text = prompt.context + prompt.continuation
            written = text.count(tokenizer.bos_token)
            assert tokens.count(bos) == max(written, adds_bos)  # once, whoever writes it
            assert tokens.count(eos) == text.count(tokenizer.eos_token)  # none but the template's
            reply = tokenizer.decode(tokens[turn.start :])
            assert reply.replace(" ", "") == prompt.continuation.replace(" ", "")


def test_put_together_they_are_what_each_is_alone(tokenizer):
    """The quick way gives what the slow one does."""
    dialogues = [*TALKS, long_talk(40)]
    prompts = [turn_prompts(talk, tokenizer_renderer(tokenizer)) for talk in dialogues]
    for dialogue, turns in zip(prompts, tokenise(tokenizer, prompts), strict=True):
        alone = list(tokenisation._one_by_one(tokenizer, dialogue, None))
        for one, other in zip(turns, alone, strict=True):
            assert (one.turn, one.start) == (other.turn, other.start)
            assert one.tokens() == other.tokens()
            assert one.prompt_tokens() == other.prompt_tokens()


def test_a_token_that_would_reach_into_the_reply_is_two():
    tokenizer = made_tokenizer("merging", TEMPLATES["chatml"])
    reaching = 0
    for talk in TALKS:
        prompts = turn_prompts(talk, tokenizer_renderer(tokenizer))
        [turns] = tokenise(tokenizer, [prompts])
        for prompt, turn in zip(prompts, turns, strict=True):
            together = encode(tokenizer, prompt.context + prompt.continuation)
            context = encode(tokenizer, prompt.context)
            reply = encode(tokenizer, prompt.continuation)
            reaching += together[: len(context)] != context
            assert turn.tokens() == context + reply
    assert reaching  # otherwise nothing has been tried


def test_a_reply_apart_from_its_context_gets_no_space_of_its_own():
    tokenizer = made_tokenizer("metaspace-always", TEMPLATES["labels"])
    spaced = 0
    for talk in TALKS:
        prompts = turn_prompts(talk, tokenizer_renderer(tokenizer))
        [turns] = tokenise(tokenizer, [prompts])
        for prompt, turn in zip(prompts, turns, strict=True):
            tokens = tokenizer.convert_ids_to_tokens(turn.tokens())
            assert not tokens[turn.start].startswith("▁")
            assert tokens[turn.start - 1].endswith("▁")
            first = tokenizer.convert_ids_to_tokens(encode(tokenizer, prompt.continuation))[0]
            spaced += first.startswith("▁")
    assert spaced


def test_a_bos_that_the_template_writes_is_not_doubled():
    tokenizer = made_tokenizer("bos-eos", None)
    assert encode(tokenizer, "<s>嗯") == encode(tokenizer, "嗯")
    assert encode(tokenizer, "\n<s>嗯").count(tokenizer.bos_token_id) == 1
    assert encode(tokenizer, "") == (tokenizer.bos_token_id,)
    assert encode(tokenizer, "嗯</s>")[-1] == tokenizer.eos_token_id
    assert encode(tokenizer, "嗯")[-1] != tokenizer.eos_token_id


# --- cost --------------------------------------------------------------------------------------


class Counting:
    """A tokenizer, or a template, that counts the characters that go through it."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.characters = inner, 0

    def __call__(self, given: Any, *arguments: Any, **named: Any) -> Any:
        found = self.inner(given, *arguments, **named)
        self.characters += sum(map(len, [found] if isinstance(found, str) else given))
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.mark.parametrize(
    ("kind", "name"), [("bytes", "plain"), ("bos", "chatml"), ("bos", "own-bos")]
)
def test_long_dialogues_cost_what_their_text_does(kind, name):
    """Ten times the turns are ten times the work, not a hundred times."""
    cost = []
    for turns in (100, 1000):
        tokenizer = Counting(made_tokenizer(kind, TEMPLATES[name]))
        render = Counting(tokenizer_renderer(tokenizer))
        prompts = turn_prompts(long_talk(turns), render)
        [found] = tokenise(tokenizer, [prompts])
        assert len(found) == turns
        text = len(prompts[-1].context)
        cost.append((render.characters / text, tokenizer.characters / text))
    for before, after in zip(*cost, strict=True):
        assert after < 1.5 * before
        assert after < 15


def test_a_turn_that_is_far_too_long_is_not_encoded_anew():
    tokenizer = Counting(made_tokenizer("metaspace-always", None))
    prompts = turn_prompts(long_talk(300), tokenizer_renderer(tokenizer))
    tokenizer.characters = 0
    [found] = tokenise(tokenizer, [prompts], longest=200)
    [exact] = tokenise(tokenizer.inner, [prompts])
    assert [t.length > 200 for t in found] == [t.length > 200 for t in exact]
    assert [t.tokens() for t in found if t.length <= 200] == [
        t.tokens() for t in exact if t.length <= 200
    ]
    assert tokenizer.characters < 30 * len(prompts[-1].context)


ODD = {
    "summary": "{% for m in messages if '第50句' in m.content %}深夜|{% endfor %}" + CHATML,
    "number": CHATML.replace("m['role'] +", "m['role'] + (loop.index|string if loop.index == 71 else '') +"),
    "shouts late": CHATML.replace("m['content']", "(m['content'] if loop.index < 75 else m['content'] + '!')"),
    "last ten": CHATML.replace("in messages", "in messages[-10:]"),
    "marks": CHATML.replace("m['content']", "m['content'].replace('\ue000', '?')"),
}  # fmt: skip


@pytest.mark.parametrize("template", ODD.values(), ids=ODD)
def test_a_template_that_changes_its_mind_late_is_read_turn_by_turn(template, monkeypatch):
    """What is cut from one rendering is checked against renderings of single turns."""
    talk, render = long_talk(40), ChatTemplate(template)

    def outcome() -> Any:
        try:
            return [
                (p.turn, p.context, p.continuation, p.end_of_turn, p.generation)
                for p in turn_prompts(talk, render)
            ]
        except UnsupportedTemplate as error:
            return error.message

    found = outcome()
    monkeypatch.setattr(rendering, "_EACH", 1000)
    assert found == outcome()
    assert isinstance(found, str) == (template == ODD["last ten"])
