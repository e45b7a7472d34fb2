"""In whose words the arms of a base are asked: the chat template of all of them, and what to know of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rapport_bench.arms.adapters import Adapter, training_record
from rapport_bench.arms.loading import PROBE
from rapport_bench.arms.models import BaseModel
from rapport_tasks.common.errors import UnsupportedTemplate
from rapport_tasks.prompts.chat_template import (
    ChatTemplate,
    chosen_renderer,
    rendering_sha256,
    thinking_remark,
    unread_arguments,
)
from rapport_tasks.prompts.template_choice import (
    folder_templates,
    one_template,
    template_arguments,
)


def template_of(
    option: str,
    arguments: Sequence[str],
    base: BaseModel,
    adapters: Sequence[Adapter],
    tokenizer: Any,
) -> ChatTemplate:
    """The template that ``--template`` chooses for a base, with the arguments of ``--template-arg``.

    It becomes the tokenizer's own.

    Raises:
        BadInput: There is no such template, or it cannot be chosen for all arms.
    """
    brought = {adapter.name: folder_templates(adapter.folder) for adapter in adapters}
    option = option if adapters or option != "adapter" else "base"
    return chosen_renderer(
        option,
        template_arguments(arguments),
        tokenizer,
        folder=base.folder,
        name=base.name,
        brought=brought,
    )


def remarks(
    template: ChatTemplate, template_sha256: str, adapters: Sequence[Adapter], tokenizer: Any
) -> Iterator[str]:
    """What to know before arms are asked with a template.

    Args:
        template: Theirs.
        template_sha256: Its `rendering_sha256`.
        adapters: Those that are scored.
        tokenizer: The base's.
    """
    yield from unread_arguments(template)
    thinks = thinking_remark(template)
    if thinks is not None:
        yield thinks
    for adapter in adapters:
        yield from _template_remark(adapter, template, template_sha256)
        yield from _tokenizer_remark(adapter, tokenizer)


def _template_remark(
    adapter: Adapter, template: ChatTemplate, template_sha256: str
) -> Iterator[str]:
    brought = folder_templates(adapter.folder)
    if brought:
        try:
            source = one_template(brought, f"adapter {adapter.name!r}")
            theirs = ChatTemplate(source, "", template.arguments, template.specials)
            differs = rendering_sha256(theirs) != template_sha256
        except UnsupportedTemplate:
            differs = True
        if differs:
            yield (
                f"adapter {adapter.name!r} brings a chat template that renders otherwise than the one "
                f"in use, {template.name}; --template adapter, or a file, chooses another"
            )
    trained = training_record(adapter, "tokenizer", "rendering_sha256")
    if trained is not None and trained != template_sha256:
        yield (
            f"adapter {adapter.name!r} was trained on dialogues that were rendered otherwise than "
            f"by {template.name}: its training.json names another rendering"
        )


def _tokenizer_remark(adapter: Adapter, tokenizer: Any) -> Iterator[str]:
    from tokenizers import Tokenizer

    path = adapter.folder / "tokenizer.json"
    if not path.is_file():
        return
    try:
        own = Tokenizer.from_file(str(path))
    except Exception:  # what tokenizers raises is no more than that
        yield f"adapter {adapter.name!r} brings a tokenizer.json that cannot be read; the base's is used"
        return
    theirs, ours = own.get_vocab(with_added_tokens=True), tokenizer.get_vocab()
    other = len(theirs.items() ^ ours.items())
    encoded = own.encode(PROBE, add_special_tokens=False).ids
    if other or encoded != tokenizer.encode(PROBE, add_special_tokens=False):
        yield (
            f"adapter {adapter.name!r} brings a tokenizer that differs from the base's"
            + (f" in {other:,} tokens" if other else "")
            + "; the base's is used"
        )
