"""Chat templates: which one, within which limits, and what it is identified by."""

from __future__ import annotations

import json
import resource
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rapport_tasks.common.errors import BadInput, EndlessTemplate, UnsupportedTemplate
from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_tasks.prompts import template_limits
from rapport_tasks.prompts.chat_template import (
    PLAIN_TEMPLATE,
    ChatTemplate,
    render_plain,
    rendering_sha256,
    thinking_remark,
    unread_arguments,
)
from rapport_tasks.prompts.rendering import generation_context, prompts_sha256, turn_prompts
from rapport_tasks.prompts.template_choice import (
    chosen_template,
    folder_templates,
    one_template,
    system_text,
    template_arguments,
)

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SECRET = "我和妈妈吵了一架"
TALK = Dialogue(
    "d", (Message("user", SECRET), Message("assistant", "听起来很难受"), Message("user", "嗯"))
)
USER = [{"role": "user", "content": SECRET}]


# --- limits ------------------------------------------------------------------------------------

LOOP = "{% for i in range(99999) %}"
ENDLESS = {
    "range": "{% for i in range(10**9) %}x{% endfor %}",
    "nested": f"{LOOP}{LOOP}{{% endfor %}}{{% endfor %}}",
    "filtered": "{% for i in range(99999) if 'x' * 10**7 == 'y' %}x{% endfor %}",
    "called": "{% macro a() %}{{ caller() }}{% endmacro %}{% call a() %}"
    f"{LOOP}{LOOP}{{% endfor %}}{{% endfor %}}{{% endcall %}}",
    "fan": "{% macro f(n) %}{% if n > 0 %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(99) }}",
    "test": "{{ range(99999)|select('in', range(99999)|list)|list|length }}",
    "power": "{{ (9**9)**(9**9) }}",
    "squares": "{% set n = namespace(x=9**99) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "text": f"{LOOP}{{{{ 'x' * 10000 }}}}{{% endfor %}}",
    "string": "{{ 'x' * 10**12 }}",
    "doubling": "{% set n = namespace(x='x') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "width": "{{ '%99999999999d' % 1 }}",
    "folded": "{{ 'x'|center(10**11) }}",
    "source": "x" * (1 << 21),
}


@pytest.mark.parametrize("template", ENDLESS.values(), ids=ENDLESS)
def test_a_template_that_takes_too_much_is_stopped(template):
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(EndlessTemplate, match=r"^the template of x takes ") as caught:
        rendering_sha256(ChatTemplate(template, "the template of x"))
    assert "--template" in caught.value.remedy
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ 1//0 }}", "ZeroDivisionError"),
        ("{{ messages + 1 }}", "TypeError"),
        ("{{ messages[0].who.name }}", "has no attribute 'who'"),
        ("{{ nobody.name }}", "'nobody' is undefined"),
        ("{% include 'x' %}", "TypeError"),
        ("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}", "RecursionError"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "RecursionError"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError"),
        ("{{ raise_exception('never') }}", "refuses it: never"),
        ("{{ raise_exception('not ' + messages[0].content) }}", "refuses it"),
        ("{% for m in messages %}", "is no template"),
        ("{{ [1, 2]|random }}", "random"),  # would be another prompt each time
        ("{{ lipsum() }}", "lipsum"),
    ],
)
def test_a_template_that_fails_says_how_and_quotes_nobody(template, said):
    render = ChatTemplate(template, "the template of x")
    with pytest.raises(UnsupportedTemplate, match=r"^the template of x ") as caught:
        render(USER, True)
    assert said in caught.value.message
    assert SECRET not in caught.value.message
    assert "--template" in caught.value.remedy
    with pytest.raises(UnsupportedTemplate, match="dialogue 'd'") as caught:
        turn_prompts(TALK, render)
    assert SECRET not in caught.value.message
    with pytest.raises(UnsupportedTemplate):
        rendering_sha256(render)


def test_long_dialogues_are_within_the_limits():
    messages = [{"role": "user", "content": "累" * 200}] * 20_000
    text = ChatTemplate(CHATML)(messages, True)
    assert len(text) > 20_000 * 200


def test_templates_are_what_transformers_renders(tmp_path):
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>")
    source = (
        "{{ bos_token }}{% for m in messages %}\n    {% if loop.first %}\n{% generation %}[{% endgeneration %}"
        "{% endif %}\n{{ m | tojson }}{{ m.content | trim | upper }}{% if loop.index > 3 %}{% break %}{% endif %}"
        "{% endfor %}{{ level }}{{ tools is none }}{% set d = dict(a=1) %}{{ d.a }}"
    )
    messages = [{"role": "user", "content": f" <b> & 累{i} "} for i in range(5)]
    ours = ChatTemplate(
        source, arguments={"level": [1, {"a": None}]}, specials=tokenizer.special_tokens_map
    )
    theirs = tokenizer.apply_chat_template(
        messages, chat_template=source, tokenize=False, add_generation_prompt=True,
        level=[1, {"a": None}],
    )  # fmt: skip
    assert ours(messages, True) == theirs


# --- dates -------------------------------------------------------------------------------------

DATED = "{{ strftime_now('%d %b %Y %H:%M:%S.%f') }}" + CHATML


def test_a_template_sees_one_date_whatever_day_it_is(monkeypatch):
    from transformers.utils import chat_template_utils

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2031, 5, 6, 7, 8, 9)

    render = ChatTemplate(DATED)
    today = (render(USER, True), rendering_sha256(render))
    monkeypatch.setattr(chat_template_utils, "datetime", Later)
    template_limits.compiled.cache_clear()
    assert (render(USER, True), rendering_sha256(render)) == today
    assert today[0].startswith("26 Jul 2024 00:00:00.000000")


# --- identity ----------------------------------------------------------------------------------


def test_templates_that_render_alike_are_one():
    spelled = CHATML.replace("m['role']", "m.role").replace("m in messages", "m in messages[:]")
    assert spelled != CHATML
    assert rendering_sha256(ChatTemplate(spelled)) == rendering_sha256(ChatTemplate(CHATML))
    assert rendering_sha256(ChatTemplate(PLAIN_TEMPLATE)) == rendering_sha256(ChatTemplate(None))


OTHERS = {
    "trims": CHATML.replace("m['content']", "m['content'] | trim"),
    "system": "{% if messages[0].role != 'system' %}You are Qwen{% endif %}" + CHATML,
    "no system": "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + CHATML,
    "drops thoughts": CHATML.replace("m['content']", "m['content'].split('</think>')[-1]"),
    "prompt": CHATML.replace("assistant\n", "assistant\n<think>\n"),
    "third turn": CHATML.replace("m['content'] +", "m['content'] + ('!' if loop.index == 5 else '') +"),
    "dated": DATED,
}  # fmt: skip


@pytest.mark.parametrize("template", OTHERS.values(), ids=OTHERS)
def test_templates_that_render_otherwise_are_others(template):
    assert rendering_sha256(ChatTemplate(template)) != rendering_sha256(ChatTemplate(CHATML))


def test_arguments_and_special_tokens_are_part_of_what_is_rendered():
    template = (
        CHATML
        + "{% if not enable_thinking|default(true) %}<think></think>{% endif %}{{ bos_token }}"
    )
    found = {
        rendering_sha256(ChatTemplate(template, arguments=arguments, specials=specials))
        for arguments in ({}, {"enable_thinking": False})
        for specials in ({}, {"bos_token": "<s>"})
    }
    assert len(found) == 4


def test_the_hash_of_prompts_is_that_of_their_text():
    other = Dialogue("d", (*TALK.messages[:1], Message("assistant", "嗯嗯"), *TALK.messages[2:]))
    found = [
        prompts_sha256([TALK], render_plain),
        prompts_sha256([other], render_plain),
        prompts_sha256([TALK], ChatTemplate(CHATML)),
        prompts_sha256([TALK], render_plain, system="倾听"),
        prompts_sha256([TALK, TALK], render_plain),
        prompts_sha256([], render_plain),
    ]
    assert len(set(found)) == len(found)
    assert prompts_sha256([TALK], ChatTemplate(PLAIN_TEMPLATE)) == found[0]


# --- system messages ---------------------------------------------------------------------------

NEEDS = (
    "{% if messages[0].role != 'system' %}{{ raise_exception('system message required') }}{% endif %}"
    + CHATML
)
REFUSES = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    + CHATML
)
WITH = Dialogue("d", (Message("system", "倾听"), *TALK.messages))


@pytest.mark.parametrize(
    ("template", "talk", "remedy", "system"),
    [(NEEDS, TALK, "--system TEXT", "倾听"), (REFUSES, WITH, "--system ''", "")],
    ids=["needs", "refuses"],
)
def test_a_refusal_for_want_of_a_system_message_or_because_of_one(template, talk, remedy, system):
    render = ChatTemplate(template)
    with pytest.raises(UnsupportedTemplate, match="system") as caught:
        turn_prompts(talk, render)
    assert remedy in caught.value.remedy
    [prompt] = turn_prompts(talk, render, system=system)
    assert ("倾听" in prompt.context) == bool(system)
    assert prompt.turn == (2 if talk is WITH else 1)
    assert generation_context(talk, prompt.turn, render, system=system) == prompt.generation


def test_a_refusal_for_another_reason_asks_for_another_template():
    render = ChatTemplate("{{ raise_exception('no') }}")
    with pytest.raises(UnsupportedTemplate) as caught:
        turn_prompts(TALK, render)
    assert "--template" in caught.value.remedy


def test_a_system_message_takes_the_place_of_the_datas():
    [prompt] = turn_prompts(WITH, render_plain, system="新的")
    assert prompt.context.startswith("背景：新的\n来访者：")
    [prompt] = turn_prompts(WITH, render_plain, system="")
    assert prompt.context.startswith("来访者：")
    [prompt] = turn_prompts(TALK, render_plain)
    assert prompt.context.startswith("来访者：")


def test_a_system_message_is_text_or_a_file(tmp_path):
    file = tmp_path / "system.txt"
    file.write_text("倾听\n", encoding="utf-8")
    assert system_text(str(file)) == "倾听"
    assert system_text("你在" * 5000) == "你在" * 5000  # longer than a file name
    assert (system_text(""), system_text(None)) == ("", None)
    file.write_bytes("倾听".encode("gbk"))
    with pytest.raises(BadInput, match="UTF-8"):
        system_text(str(file))


# --- thinking ----------------------------------------------------------------------------------

SWITCHED = (
    CHATML
    + "{% if enable_thinking is defined and enable_thinking is false %}<think></think>{% endif %}"
)


@pytest.mark.parametrize(
    ("template", "arguments", "said"),
    [
        (CHATML, {}, None),
        (SWITCHED, {}, "--template-arg enable_thinking=false"),
        (SWITCHED, {"enable_thinking": False}, None),
        (SWITCHED.replace("enable_thinking", "thinking"), {}, "--template-arg thinking=false"),
        (CHATML + "{% if thinking %}<think>{% endif %}", {}, None),  # not by default
        (CHATML + "{% if thinking %}<think>{% endif %}", {"thinking": True}, "thinking=false"),
        (CHATML + "<think>\n", {}, "--max-new-tokens"),
        (None, {}, None),
    ],
)
def test_a_template_that_thinks_unasked_is_said(template, arguments, said):
    remark = thinking_remark(ChatTemplate(template, arguments=arguments))
    assert (remark is None) if said is None else (said in (remark or ""))


def test_an_argument_that_no_template_reads_is_said():
    [remark] = unread_arguments(ChatTemplate(SWITCHED, arguments={"enable_thinkin": False}))
    assert "'enable_thinkin'" in remark
    assert "Did you mean 'enable_thinking'?" in remark
    assert unread_arguments(ChatTemplate(SWITCHED, arguments={"enable_thinking": False})) == []
    assert len(unread_arguments(ChatTemplate(None, arguments={"x": 1}))) == 1


def test_arguments_are_json_or_else_strings():
    given = ["a=false", "b=3", 'c={"d": [null]}', "e=low", "f=a=b", "g="]
    assert template_arguments(given) == {
        "a": False, "b": 3, "c": {"d": [None]}, "e": "low", "f": "a=b", "g": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "given", [["a"], ["=1"], ["a b=1"], ["messages=1"], ["a=1", "a=2"], ["a=" + "[" * 100_000]]
)
def test_arguments_of_no_use_are_refused(given):
    with pytest.raises(BadInput, match="--template-arg") as caught:
        template_arguments(given)
    assert caught.value.remedy


# --- which template ----------------------------------------------------------------------------


def test_of_several_templates_the_default_is_used_or_the_one_named():
    several = {"default": "a", "rag": "b"}
    assert one_template(several, "x") == "a"
    assert one_template({"only": "c"}, "x") == "c"
    assert chosen_template("rag", several, {}) == "b"
    assert chosen_template("base", "text", {}) == "text"
    assert chosen_template("base", None, {}) is None
    with pytest.raises(UnsupportedTemplate, match="rag, tool_use") as caught:
        one_template({"tool_use": "a", "rag": "b"}, "x")
    assert "--template NAME" in caught.value.remedy
    for broken in (3, ["a"], {"default": 3}, {}):
        with pytest.raises(UnsupportedTemplate):
            one_template(broken, "x")


def test_a_template_may_be_a_file(tmp_path):
    file = tmp_path / "mine.jinja"
    file.write_text(CHATML, encoding="utf-8")
    assert chosen_template(str(file), "other", {}) == CHATML
    with pytest.raises(BadInput, match="no such file") as caught:
        chosen_template("adaptor", {"default": "a", "rag": "b"}, {})
    assert "Did you mean 'adapter'?" in caught.value.remedy
    assert "rag" in caught.value.remedy
    file.write_bytes(b"x" * (1 << 21))
    with pytest.raises(BadInput, match="larger than 1 MB"):
        chosen_template(str(file), "other", {})


def test_the_template_that_adapters_bring_is_one():
    assert chosen_template("adapter", "a", {"x": "b", "y": None, "z": {"default": "b"}}) == "b"
    with pytest.raises(BadInput, match="no adapter brings"):
        chosen_template("adapter", "a", {"x": None})
    with pytest.raises(BadInput, match="x, y bring different"):
        chosen_template("adapter", "a", {"x": "b", "y": "c"})


def test_the_templates_of_a_folder_stand_where_transformers_looks(tmp_path: Path):
    assert folder_templates(tmp_path) is None
    config = tmp_path / "tokenizer_config.json"
    config.write_text(json.dumps({"chat_template": "a"}))
    assert folder_templates(tmp_path) == "a"
    config.write_text(json.dumps({"chat_template": [{"name": "rag", "template": "b"}]}))
    assert folder_templates(tmp_path) == {"rag": "b"}
    for broken in ("{", "[]", '{"chat_template": [3]}', "[" * 100_000):
        config.write_text(broken)
        with pytest.raises(BadInput, match=r"tokenizer_config\.json"):
            folder_templates(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("c")
    assert folder_templates(tmp_path) == "c"
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates" / "rag.jinja").write_text("d")
    assert folder_templates(tmp_path) == {"default": "c", "rag": "d"}
