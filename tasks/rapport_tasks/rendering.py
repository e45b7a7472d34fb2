"""How a dialogue becomes the text a language model reads; the same bytes in training and evaluation.

A tokenizer's chat template renders it if there is one, otherwise `PLAIN_TEMPLATE`. Nothing here knows
a model: a renderer is a function, which lm-eval calls ``apply_chat_template``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rapport_tasks.dialogue import Dialogue
from rapport_tasks.errors import UnsupportedTemplate

Renderer = Callable[[list[dict[str, str]], bool], str]
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


def render_plain(messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
    """`PLAIN_TEMPLATE` without a template engine; a test asserts that both give the same bytes."""
    lines = [f"{_PLAIN_NAMES[m['role']]}：{m['content']}\n" for m in messages]
    return "".join(lines) + ("支持者：" if add_generation_prompt else "")


def tokenizer_renderer(tokenizer: Any) -> Renderer:
    """The one renderer of training and evaluation: the tokenizer's template, or the plain one."""
    template = tokenizer.chat_template or PLAIN_TEMPLATE

    def render(messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        text = tokenizer.apply_chat_template(
            messages,
            chat_template=template,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
        )
        assert isinstance(text, str)
        return text

    return render


def encode(tokenizer: Any, text: str) -> tuple[int, ...]:
    """Tokenise rendered text as stock lm-eval does: one BOS at most.

    Templates that write the BOS themselves get no second one; other tokenizers add what they add.
    """
    bos = tokenizer.bos_token
    special = not (bos and text.startswith(bos))
    return tuple(tokenizer.encode(text, add_special_tokens=special))


@dataclass(frozen=True, slots=True)
class TurnPrompt:
    """One assistant turn as a language model sees it.

    Attributes:
        turn: Index of the message in the dialogue.
        context: The rendered history up to and including the generation prompt.
        continuation: The reply's own text followed by `end_of_turn`; this is what is scored. A
            space that the template writes before the reply belongs to it, as tokenizers merge it
            with the first word.
        end_of_turn: What the template writes after a reply, through its first special token.
    """

    turn: int
    context: str
    continuation: str
    end_of_turn: str


# <|im_end|>, </s>, <end_of_turn>, <｜end▁of▁sentence｜>, [/INST]: how templates write special tokens.
_SPECIAL_TOKEN = re.compile(r"<[^<>\s]{1,40}>|\[/?[A-Z_]{2,20}\]")
_PROBE = {"role": "user", "content": "嗯"}


def turn_prompts(dialogue: Dialogue, render: Renderer) -> list[TurnPrompt]:
    """Render every assistant turn of a dialogue given its true history.

    The end-of-turn text is read from the rendering of history, reply and one further user message,
    because rendering a dialogue that ends with a reply drops the token in lm-eval
    (``continue_final_message``).

    Raises:
        UnsupportedTemplate: The template refuses the dialogue's roles or rewrites replies, so that
            the reply's own tokens cannot be told from the template's.
    """
    messages = [{"role": m.role, "content": m.content} for m in dialogue.messages]
    prompts = []
    for turn in dialogue.assistant_turns():
        context = _render(render, messages[:turn], dialogue.id)
        full = _render(render, [*messages[: turn + 1], _PROBE], dialogue.id)
        rest = full[len(context) :] if full.startswith(context) else ""
        lead = rest[: len(rest) - len(rest.lstrip())]  # Llama 2 writes a space before a reply
        reply = messages[turn]["content"]
        if rest.startswith(reply):
            lead = ""
        else:
            reply = reply.strip()  # many templates trim
        if not reply or not rest.startswith(lead + reply):
            raise UnsupportedTemplate(
                f"the chat template does not render message {turn} of {dialogue.id!r} as it is",
                remedy="Use a template that appends each message to the text before it.",
            )
        end = _end_of_turn(rest[len(lead) + len(reply) :])
        prompts.append(TurnPrompt(turn, context, lead + reply + end, end))
    return prompts


def generation_context(dialogue: Dialogue, turn: int, render: Renderer) -> str:
    """The rendered true history that a reply at message `turn` answers."""
    messages = [{"role": m.role, "content": m.content} for m in dialogue.messages[:turn]]
    return _render(render, messages, dialogue.id)


def _render(render: Renderer, messages: list[dict[str, str]], identity: str) -> str:
    from jinja2 import TemplateError

    try:
        return render(messages, True)
    except TemplateError as error:
        raise UnsupportedTemplate(
            f"the chat template refuses dialogue {identity!r}: {error}",
            remedy="Many templates accept no system message: remove it from the data.",
        ) from None


def _end_of_turn(after: str) -> str:
    special = _SPECIAL_TOKEN.search(after)
    if special is not None:
        return after[: special.end()]
    newline = after.find("\n")
    return after[: newline + 1] if newline >= 0 else ""
