"""What a model thinks before it replies is no part of the reply."""

from __future__ import annotations

import json

import pytest

from rapport_tasks.common.protocol import TaskSettings
from rapport_tasks.dialogues.dialogue import Dialogue, Message, select_runnable
from rapport_tasks.dialogues.thoughts import (
    Spoken,
    blanked,
    prompted_block,
    spoken,
    without_thought,
)
from rapport_tasks.metrics.advice_to_empathy import act_record
from rapport_tasks.metrics.scorers import act_classifier
from rapport_tasks.prompts.chat_template import ChatTemplate
from rapport_tasks.prompts.rendering import turn_prompts


@pytest.mark.parametrize(
    ("text", "reply", "thought"),
    [
        ("辛苦了。", "辛苦了。", False),
        (" 前后的空格\n", " 前后的空格\n", False),
        ("<think>她很累</think>\n\n辛苦了。", "辛苦了。", True),
        ("<think>\n\n</think>\n\n辛苦了。", "辛苦了。", False),
        ("<think>她很累，所以", "", True),
        ("她很累</think>辛苦了。", "辛苦了。", True),  # opened by the prompt
        ("她</think>很累</think>辛苦了。", "辛苦了。", True),
        ("嗯。<think>她很累</think>辛苦了。<think>再想想", "嗯。辛苦了。", True),
        ("<think>a<think>b</think>辛苦了。", "辛苦了。", True),
        ("[THINK]她很累[/THINK]辛苦了。", "辛苦了。", True),
        ("<seed:think>她很累</seed:think>辛苦了。", "辛苦了。", True),
        ("◁think▷她很累◁/think▷辛苦了。", "辛苦了。", True),
        ("<|channel>thought\n她很累<channel|>辛苦了。", "辛苦了。", True),
        ("<reasoning>她很累</reasoning>辛苦了。", "辛苦了。", True),
        ("", "", False),
        ("<think>", "", False),
        ("I think <b>so</b>", "I think <b>so</b>", False),
    ],
)
def test_a_reply_is_what_stands_outside_thoughts(text, reply, thought):
    assert without_thought(text) == (reply, thought)


def test_blanks_keep_the_places_of_what_is_said():
    text = "嗯。<think>她很累</think>辛苦了。<think>再想想"
    assert blanked(text) == "嗯。" + " " * 18 + "辛苦了。" + " " * 10
    assert blanked("辛苦了。") == "辛苦了。"


def test_a_transcript_is_measured_without_thoughts():
    from rapport_bench.running.transcripts import transcript_scorer

    measure = transcript_scorer(with_text=True)
    said = "<think>你应该多休息。</think>\n我听到你很累。"
    user = Message("user", "我很累")
    [_, turn] = measure(Dialogue("d", (user, Message("assistant", said))))["turns"]
    [sentence] = turn["sentences"]
    assert said[sentence["start"] : sentence["end"]] == sentence["text"] == "我听到你很累。"
    assert turn["advice"] == 0


def test_many_tags_take_time_in_proportion():
    text = "<think>a</think>b" * 100_000 + "<think>" * 100_000
    assert without_thought(text) == ("b" * 100_000, True)


def test_a_thought_that_the_prompt_opened_need_not_be_closed():
    assert spoken("她很累，所以", "<think>\n") == ""
    assert spoken("她很累，所以", "<think>\n").thought
    assert spoken("<think>\n她很累", "<think>\n").thought
    assert not spoken("她很累，所以").thought
    assert spoken(Spoken("嗯", False, cut_off=True)).cut_off


@pytest.mark.parametrize(
    ("prompt", "block"),
    [
        ("<|im_start|>assistant\n", ("", False)),
        ("<|im_start|>assistant\n<think>\n", ("<think>\n", True)),
        ("assistant\n<think>\n\n</think>\n\n", ("<think>\n\n</think>\n\n", False)),
        ("<think>嗯</think>assistant\n", ("", False)),
        ("<|turn>model\n<|channel>thought\n<channel|>", ("<|channel>thought\n<channel|>", False)),
    ],
)
def test_the_block_that_a_prompt_ends_with(prompt, block):
    assert prompted_block(prompt) == block


TALK = Dialogue("d", (Message("user", "我很累"), Message("assistant", "辛苦了，你愿意多说说吗？")))


def test_a_reply_that_is_all_thought_is_degenerate_for_that_reason():
    record = act_record(TALK, [(1, spoken("<think>她很累，我该建议她多休息。"))], act_classifier())
    counts = {
        name: record.columns[name] for name in ("replies", "degenerate", "reply_chars", "advice")
    }
    assert counts == {"replies": 1, "degenerate": 1, "reply_chars": 0, "advice": 0}
    assert (record.columns["degenerate_thought"], record.columns["thought"]) == (1, 1)
    assert record.columns["degenerate_empty"] == 0


def test_a_thought_before_a_reply_is_counted_and_changes_nothing_else():
    told = "我听到你真的很辛苦。"
    plain = act_record(TALK, [(1, told)], act_classifier())
    thought = act_record(
        TALK, [(1, spoken(f"<think>你应该多休息。</think>\n\n{told}"))], act_classifier()
    )
    assert thought.columns == plain.columns | {"thought": 1}
    assert "thought" not in plain.columns
    assert thought.phrases == plain.phrases


def test_gold_replies_are_run_without_their_thoughts():
    talk = Dialogue(
        "d", (Message("user", "<think>我</think>"), Message("assistant", "<think>嗯</think>辛苦了"))
    )
    only = Dialogue("e", (Message("user", "我很累"), Message("assistant", "<think>嗯</think>")))
    [runnable], skipped = select_runnable([talk, only])
    assert [m.content for m in runnable.messages] == ["<think>我</think>", "辛苦了"]
    assert skipped == {"blank_message": 1}


def test_a_thought_is_known_under_stock_lm_eval_which_gives_the_reply_alone(tmp_path):
    from rapport_tasks.lm_tasks.tasks import load_tasks

    data = tmp_path / "d.jsonl"
    data.write_text(json.dumps(TALK.to_json(), ensure_ascii=False), encoding="utf-8")
    for template, thought in ((R1, 1), (CHANNEL, 0)):
        task = load_tasks(TaskSettings(data=str(data)), ["rapport_aer"])["rapport_aer"]
        [doc] = task.test_docs()
        [request] = task.construct_requests(
            doc, "", chat_template=ChatTemplate(template), metadata=("rapport_aer", 0, 1)
        )
        assert request.args[0].endswith("<think>\n") == bool(thought)
        columns = task.process_results(doc, ["我听到她很累，所以"])["degenerate"]
        assert columns.get("degenerate_thought", 0) == thought
        assert (columns["reply_chars"] == 0) == bool(thought)


# --- templates ---------------------------------------------------------------------------------

QWEN3 = (  # drops thoughts from history, but not from what follows the last question
    "{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == 'user' %}"
    "{% set ns.last = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in messages %}{% set c = m.content.split('</think>')[-1].lstrip('\n') %}"
    "{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m.role == 'assistant' and loop.index0 > ns.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{{ c + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{% endif %}"
)
R1 = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '<｜User｜>' + m.content }}"
    "{% else %}{{ '<｜Assistant｜>' + m.content.split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<｜Assistant｜><think>\n' }}{% endif %}"
)
SHOWN = (  # writes a block in history, too
    "{% for m in messages %}{{ '<|' + m.role + '|>\n' }}{% if m.role == 'assistant' %}"
    "{{ '<think></think>\n' }}{% endif %}{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>"
    "{{ '\n<think></think>' if enable_thinking is defined and not enable_thinking }}{% endif %}"
)
CLOSED = (  # a lone tag says that nothing is thought
    "{% for m in messages %}{{ '<｜User｜>' + m.content if m.role == 'user' else '<｜Assistant｜></think>' + "
    "m.content + '<｜end▁of▁sentence｜>' }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<｜Assistant｜>' + ('<think>' if thinking else '</think>') }}{% endif %}"
)
CHANNEL = (
    "{% for m in messages %}{{ '<|turn>' + m.role + '\n' + m.content + '<turn|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|turn>assistant\n' }}"
    "{% if not enable_thinking | default(false) %}{{ '<|channel>thought\n<channel|>' }}{% endif %}{% endif %}"
)
LONG = Dialogue(
    "long",
    tuple(Message("user" if i % 2 == 0 else "assistant", f"第{i}句") for i in range(2 * 40)),
)


@pytest.mark.parametrize("talk", [Dialogue("d", LONG.messages[:4]), LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    ("template", "arguments", "context", "generation"),
    [
        (QWEN3, {}, "assistant\n", "assistant\n"),
        (QWEN3, {"enable_thinking": False}, "</think>\n\n", "<think>\n\n</think>\n\n"),
        (R1, {}, "<｜Assistant｜>", "<｜Assistant｜><think>\n"),
        (SHOWN, {}, "\n<think></think>\n", "<|assistant|>"),
        (SHOWN, {"enable_thinking": False}, "<think></think>", "\n<think></think>"),
        (CLOSED, {}, "<｜Assistant｜></think>", "<｜Assistant｜></think>"),
        (CLOSED, {"thinking": True}, "<｜Assistant｜></think>", "<｜Assistant｜><think>"),
        (CHANNEL, {}, "thought\n<channel|>", "thought\n<channel|>"),
        (CHANNEL, {"enable_thinking": True}, "<|turn>assistant\n", "<|turn>assistant\n"),
    ],
    ids=["qwen3", "qwen3-off", "r1", "shown", "shown-off", "closed", "closed-on", "channel", "channel-on"],
)  # fmt: skip
def test_a_gold_reply_follows_no_thought_and_a_models_own_may(
    talk, template, arguments, context, generation
):
    render = ChatTemplate(template, arguments=arguments, specials={"bos_token": "<s>"})
    prompts = turn_prompts(talk, render)
    assert len(prompts) == len(talk.messages) // 2
    for prompt in prompts:
        reply = talk.messages[prompt.turn].content
        history = talk.to_json()["messages"][: prompt.turn]
        assert prompt.generation == render(history, True)
        assert prompt.generation.endswith(generation)
        assert prompt.context.endswith(context)
        assert prompt.continuation.strip() == reply + prompt.end_of_turn.strip()
        assert "think" not in prompt.continuation
        assert not prompted_block(prompt.context)[1]  # a gold reply is never inside a thought
