"""How a dialogue becomes the text a language model reads; the same bytes in training and evaluation.

A chat template renders it (`rapport_tasks.prompts.chat_template`); tokens are made of it in one place, too
(`rapport_tasks.prompts.tokenisation`). Nothing here knows a model: a renderer is a function, which lm-eval calls
``apply_chat_template``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from functools import lru_cache

from rapport_tasks.common.errors import EndlessTemplate, UnsupportedTemplate
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.dialogues.thoughts import blank_block, prompted_block
from rapport_tasks.prompts.chat_template import (
    OTHER_TEMPLATE,
    PLAIN_TEMPLATE,
    Messages,
    Renderer,
    render_plain,
    tokenizer_renderer,
)
from rapport_tasks.prompts.rendered import Part, RenderedDialogue, TurnPrompt
from rapport_tasks.prompts.tokenisation import encode

__all__ = [
    "PLAIN_TEMPLATE",
    "RenderedDialogue",
    "Renderer",
    "TurnPrompt",
    "cached_prompts",
    "encode",
    "generation_context",
    "prompts_sha256",
    "render_plain",
    "tokenizer_renderer",
    "turn_prompts",
]


@lru_cache(maxsize=4096)
def cached_prompts(
    dialogue: Dialogue, render: Renderer, system: str | None = None
) -> RenderedDialogue:
    """`turn_prompts`, remembered: several tasks and arms ask for the same."""
    return turn_prompts(dialogue, render, system=system)


def turn_prompts(
    dialogue: Dialogue, render: Renderer, *, system: str | None = None
) -> RenderedDialogue:
    """Render every assistant turn of a dialogue given its true history.

    The end-of-turn text is read from the rendering of history, reply and one further user message,
    because rendering a dialogue that ends with a reply drops the token in lm-eval
    (``continue_final_message``).

    Args:
        dialogue: What is rendered.
        render: The chat template.
        system: A system message for the dialogue, instead of its own; empty for none.

    Raises:
        UnsupportedTemplate: The template refuses the dialogue, fails or exceeds its limits, or
            rewrites replies, so that the reply's own tokens cannot be told from the template's.
    """
    messages, shift = _messages(dialogue, system)
    places = [turn + shift for turn in dialogue.assistant_turns()]

    def read(index: int) -> _Read:
        return _read(render, messages, places[index], shift, dialogue.id)

    if len(places) > _EACH:
        parts = _at_once(render, messages, places, shift, dialogue.id, read)
        if parts is not None:
            return RenderedDialogue(parts)
    return RenderedDialogue(_joined(map(read, range(len(places)))))


def generation_context(
    dialogue: Dialogue, turn: int, render: Renderer, *, system: str | None = None
) -> str:
    """The rendered true history that a reply at message `turn` answers."""
    messages, shift = _messages(dialogue, system)
    return _render(render, messages[: turn + shift], dialogue.id)


def prompts_sha256(
    dialogues: Iterable[Dialogue], render: Renderer, *, system: str | None = None
) -> str:
    """Hash of every prompt and reply of these dialogues as the template renders them."""
    found = hashlib.sha256()
    for dialogue in dialogues:
        parts = [astuple(part) for part in cached_prompts(dialogue, render, system).parts]
        line = json.dumps([dialogue.id, parts], ensure_ascii=False)
        found.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return found.hexdigest()


def _messages(dialogue: Dialogue, system: str | None) -> tuple[Messages, int]:
    """What is rendered, and by how much its indices are above the dialogue's."""
    messages = [{"role": m.role, "content": m.content} for m in dialogue.messages]
    if system is None:
        return messages, 0
    if messages and messages[0]["role"] == "system":
        del messages[0]
    if system:
        messages.insert(0, {"role": "system", "content": system})
    return messages, len(messages) - len(dialogue.messages)


# --- one turn -----------------------------------------------------------------------------------

# <|im_end|>, </s>, <end_of_turn>, <｜end▁of▁sentence｜>, [/INST]: how templates write special tokens.
_SPECIAL_TOKEN = re.compile(r"<[^<>\s]{1,40}>|\[/?[A-Z_]{2,20}\]")
_PROBE = {"role": "user", "content": "嗯"}


@dataclass(frozen=True, slots=True)
class _Read:
    """A turn as `Part` has it, but with all of the text before `shown`."""

    turn: int
    before: str
    shown: str
    aside: str
    prompt: str
    space: str
    continuation: str
    end_of_turn: str


def _read(render: Renderer, messages: Messages, place: int, shift: int, identity: str) -> _Read:
    before = _render(render, messages[:place], identity)
    full = _render(render, [*messages[: place + 1], _PROBE], identity)
    prompt, aside = "", ""
    if not full.startswith(before):  # the prompt ends with a block that history does not show
        prompt, is_open = prompted_block(before)
        before = before.removesuffix(prompt) if prompt else before
        aside = "" if is_open else prompt
    rest = full[len(before) :] if full.startswith(before) else ""
    shown = blank_block(rest)
    rest = rest[len(shown) :]
    space = rest[: len(rest) - len(rest.lstrip())]  # Llama 2 writes one
    reply = messages[place]["content"]
    if shown or rest.startswith(reply):
        space = ""
    if not rest.startswith(reply):
        reply = reply.strip()  # many templates trim
    if not reply or not rest.startswith(space + reply):
        raise UnsupportedTemplate(
            f"the chat template does not render message {place - shift} of {identity!r} as it is",
            remedy="Use a template that appends each message to the text before it: --template FILE.",
        )
    end = _end_of_turn(rest[len(space) + len(reply) :])
    return _Read(
        place - shift, before, shown, aside or shown, prompt, space, space + reply + end, end
    )


def _render(render: Renderer, messages: Messages, identity: str) -> str:
    from jinja2 import TemplateError

    try:
        return render(messages, True)
    except EndlessTemplate:
        raise
    except (UnsupportedTemplate, TemplateError) as error:
        raise UnsupportedTemplate(
            f"dialogue {identity!r}: {error}", remedy=_remedy(render, messages)
        ) from None


def _remedy(render: Renderer, messages: Messages) -> str:
    """What to do about a refusal, found out by trying the other way."""
    has_system = messages[0]["role"] == "system"
    other = messages[1:] if has_system else [{"role": "system", "content": "嗯"}, *messages]
    try:
        render(other, True)
    except Exception:  # whatever stock lm-eval's renderer raises
        return OTHER_TEMPLATE
    if has_system:
        return (
            "It takes no system message: leave out those of the data with --system '' "
            "(data.system = '' in a recipe)."
        )
    return "It needs a system message: give one with --system TEXT (data.system in a recipe)."


def _end_of_turn(after: str) -> str:
    special = _SPECIAL_TOKEN.search(after)
    if special is not None:
        return after[: special.end()]
    newline = after.find("\n")
    return after[: newline + 1] if newline >= 0 else ""


def _joined(turns: Iterable[_Read]) -> Iterator[Part]:
    """Turns as what each adds to the one before, where its text goes on from that one's."""
    history = None
    for turn in turns:
        goes_on = history is not None and turn.before.startswith(history)
        lead = turn.before[len(history or "") :] if goes_on else turn.before
        yield Part(
            turn.turn, goes_on, lead, turn.shown, turn.aside, turn.prompt, turn.continuation,
            turn.end_of_turn,
        )  # fmt: skip
        history = turn.before + turn.shown + turn.continuation


# --- many turns ---------------------------------------------------------------------------------

_EACH = 32
"""A dialogue with more turns is rendered as a whole: one rendering a turn would be quadratic."""


def _at_once(
    render: Renderer,
    messages: Messages,
    places: list[int],
    shift: int,
    identity: str,
    read: Callable[[int], _Read],
) -> list[Part] | None:
    """The parts of a long dialogue from two renderings, or `None` where turns are not all alike.

    One is of the dialogue with a mark for each reply, which shows where the replies stand; the other is
    cut there. The first turns, the last, and those at powers of two are read one by one as well, and
    must be what was cut.
    """
    talk = messages[: places[-1] + 1]
    marks = {place: f"\ue000{place}\ue001" for place in places}
    marked = [m | {"content": marks.get(i, m["content"])} for i, m in enumerate(talk)]
    try:
        frame, text = (_render(render, [*m, _PROBE], identity) for m in (marked, talk))
    except UnsupportedTemplate:
        return None  # which turn it refuses is found one by one
    first = read(0)
    between, end = first.shown + first.space, first.end_of_turn
    parts: list[Part] = []
    seen, at = 0, 0
    for number, place in enumerate(places):
        mark = frame.find(marks[place], seen)
        segment, reply = frame[seen:mark], messages[place]["content"]
        seen = mark + len(marks[place])
        start = at + len(segment)
        if not text.startswith(reply, start):
            reply = reply.strip()
        lead = segment.removeprefix(end) if number else segment
        fits = segment.endswith(between) and (not number or segment.startswith(end))
        if mark < 0 or not fits or not text.startswith(segment, at):
            return None
        if not text.startswith(reply + end, start):
            return None
        at = start + len(reply)
        parts.append(
            Part(
                place - shift,
                number > 0,
                lead.removesuffix(between),
                first.shown,
                first.aside,
                first.prompt,
                first.space + reply + end,
                end,
            )
        )
    found = RenderedDialogue(parts)
    powers = (1 << n for n in range(len(places).bit_length()))
    for index in {*range(4), *(n for n in powers if n < len(places)), len(places) - 1}:
        part = parts[index]
        whole = replace(part, goes_on=False, lead=found.history(index) + part.lead)
        if list(_joined([read(index)])) != [whole]:
            return None
    return parts
