"""A chat template as the one function that renders dialogues, in training and evaluation.

A tokenizer's template is run with the arguments that the user gave it, within the limits of
`rapport_tasks.prompts.template_limits`; without a template `PLAIN_TEMPLATE` takes its place. What a template is
is what it renders: `rendering_sha256` is the hash of fixed dialogues as it renders them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rapport_tasks.common.errors import EndlessTemplate, UnsupportedTemplate, close_match
from rapport_tasks.dialogues.thoughts import prompted_block
from rapport_tasks.prompts.template_choice import (
    Templates,
    chosen_template,
    one_template,
    template_file,
)
from rapport_tasks.prompts.template_limits import OverLimit, compiled

Messages = list[dict[str, str]]
Renderer = Callable[[Messages, bool], str]
"""(messages, add_generation_prompt) -> text."""

PLAIN_TEMPLATE = (
    "{%- set names = {'system': '背景', 'user': '来访者', 'assistant': '支持者'} -%}"
    "{%- for message in messages -%}"
    "{{ names[message['role']] + '：' + message['content'] + '\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '支持者：' }}{%- endif -%}"
)
"""The chat template for a model that has none: one labelled line a message, ended by a newline.

It ends without white space before a reply, so that every tokenizer splits there as stock lm-eval does.
"""

_PLAIN_NAMES = {"system": "背景", "user": "来访者", "assistant": "支持者"}
OTHER_TEMPLATE = "Choose another template: --template FILE (base.template in a recipe)."


def render_plain(messages: Messages, add_generation_prompt: bool = True) -> str:
    """`PLAIN_TEMPLATE` without a template engine; a test asserts that both give the same bytes."""
    lines = [f"{_PLAIN_NAMES[m['role']]}：{m['content']}\n" for m in messages]
    return "".join(lines) + ("支持者：" if add_generation_prompt else "")


@dataclass(frozen=True, slots=True, eq=False)
class ChatTemplate:
    """What renders dialogues for a model; call it with messages.

    Attributes:
        source: Jinja, or `None` for the plain template.
        name: What messages call it.
        arguments: What the user gives the template, such as ``enable_thinking``.
        specials: The tokenizer's special tokens by their names, such as ``bos_token``.
    """

    source: str | None
    name: str = "the chat template"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    specials: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, messages: Messages, add_generation_prompt: bool = True) -> str:
        """The text that the model reads.

        Raises:
            UnsupportedTemplate: The template refuses the messages, fails, or exceeds its limits. The
                message quotes the template at most, never the dialogue.
        """
        if self.source is None:
            return render_plain(messages, add_generation_prompt)
        given = {
            **self.specials,
            **self.arguments,
            "messages": [dict(message) for message in messages],
            "tools": None,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
        }
        try:
            return compiled(self.source)[0](given)
        except Exception as error:  # a template can raise anything
            raise _failure(error, self) from None

    def reads(self) -> frozenset[str]:
        """Names of what the template can be given.

        Raises:
            UnsupportedTemplate: It is no template.
        """
        if self.source is None:
            return frozenset()
        try:
            return compiled(self.source)[1]
        except Exception as error:
            raise _failure(error, self) from None


def _failure(error: Exception, template: ChatTemplate) -> UnsupportedTemplate:
    """What went wrong, without a word that is not the template's own."""
    from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError

    if isinstance(error, OverLimit):
        return EndlessTemplate(f"{template.name} takes {error}", remedy=OTHER_TEMPLATE)
    source, said = template.source or "", str(error)[:200]
    if isinstance(error, TemplateSyntaxError):
        what = f"is no template: {str(error.message)[:200]} (line {error.lineno})"
    elif type(error) is TemplateError:
        what = f"refuses it: {said}" if said and said in source else "refuses it"
    else:
        what = f"fails: {type(error).__name__}"
        names = [name for name in _QUOTED.findall(said) if not name.endswith(" object")]
        if isinstance(error, UndefinedError) and all(name in source for name in names):
            what += f" ({said})"
    return UnsupportedTemplate(f"{template.name} {what}", remedy=OTHER_TEMPLATE)


_QUOTED = re.compile(r"'([^']*)'")


def tokenizer_renderer(tokenizer: Any) -> ChatTemplate:
    """The tokenizer's own template, or the plain one."""
    if not tokenizer.chat_template:
        return ChatTemplate(None)
    source = one_template(tokenizer.chat_template, "the tokenizer")
    return ChatTemplate(source, specials=tokenizer.special_tokens_map)


def chosen_renderer(
    option: str,
    arguments: Mapping[str, Any],
    tokenizer: Any,
    *,
    folder: Path,
    name: str,
    brought: Mapping[str, Templates] | None = None,
) -> ChatTemplate:
    """The template that ``--template`` chooses for a base; it becomes the tokenizer's own.

    Args:
        option: As `rapport_tasks.prompts.template_choice.chosen_template` takes it.
        arguments: What the template is given.
        tokenizer: The base's.
        folder: The base's.
        name: What messages call the base.
        brought: What each adapter's folder brings, by the adapter's name.

    Raises:
        BadInput: There is no such template.
    """
    source = chosen_template(option, tokenizer.chat_template, brought or {})
    tokenizer.chat_template = source
    if source is None:
        return ChatTemplate(None, "the plain template", arguments)
    of = template_file(folder) if option == "base" else Path(option).name
    named = f"the chat template of {name} ({of})"
    return ChatTemplate(source, named, arguments, tokenizer.special_tokens_map)


# --- what a template is ---------------------------------------------------------------------------

_SYSTEM = {"role": "system", "content": "你是一位倾听者。"}
_TALK = [
    {"role": "user", "content": "  最近总是睡不好，\nI can't sleep. "},
    {"role": "assistant", "content": " 听起来很累。\n\nHow long has it been?\n"},
    {"role": "user", "content": "两周了"},
    {"role": "assistant", "content": "<think>两周。</think>这两周很难熬。"},
    {"role": "user", "content": "嗯"},
]
_PROBES = tuple([*system, *_TALK[:n]] for system in ([], [_SYSTEM]) for n in (1, 2, 3, 4, 5))


def rendering_sha256(render: Renderer) -> str:
    """Hash of fixed dialogues as a template renders them: its identity.

    They have one to five messages, with and without a system message and the prompt for a reply. What
    a template refuses counts as refused.

    Raises:
        UnsupportedTemplate: It refuses all of them, or exceeds its limits.
    """
    rendered: list[str | None] = []
    refusal = None
    for messages, generate in _probes():
        try:
            rendered.append(render(messages, generate))
        except EndlessTemplate:
            raise
        except UnsupportedTemplate as error:
            rendered.append(None)
            refusal = refusal or error
    if refusal is not None and not any(rendered):
        raise refusal
    text = json.dumps(rendered, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _probes() -> Iterator[tuple[Messages, bool]]:
    return ((messages, generate) for messages in _PROBES for generate in (True, False))


_SWITCHES = ("enable_thinking", "thinking")


def thinking_remark(template: ChatTemplate) -> str | None:
    """What to know of a template that has the model think before it replies, or `None`."""
    off = [name for name in _SWITCHES if name in template.reads()]
    without = [replace(template, arguments={**template.arguments, name: False}) for name in off]
    asked = [_prompts(template), *map(_prompts, without)]
    switch = next((n for n, p in zip(off, asked[1:], strict=True) if p != asked[0]), None)
    opens = any(prompted_block(prompt)[1] for prompt in asked[0])
    if not opens and switch is None:
        return None
    way = f"--template-arg {switch}=false has it reply at once, and " if switch else ""
    return (
        f"{template.name} lets the model think before it replies; thoughts are cut off and counted, "
        f"and a reply that is all thought is degenerate: {way}--max-new-tokens leaves room for both"
    )


def _prompts(template: ChatTemplate) -> list[str]:
    found = []
    for messages in _PROBES:
        try:
            found.append(template(messages, True))
        except UnsupportedTemplate:
            found.append("")
    return found


def unread_arguments(template: ChatTemplate) -> Sequence[str]:
    """A remark on every argument that the template does not read."""
    reads = template.reads()
    return [
        f"{template.name} does not read its argument {name!r}, which changes nothing. "
        + close_match(name, reads)
        for name in template.arguments
        if name not in reads
    ]
