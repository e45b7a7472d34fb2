"""Everything that the optimizer needs, made from a recipe: base, adapter, rows, validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from transformers import set_seed

from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.dialogue import Dialogue, read_dialogues
from rapport_tasks.prompts.chat_template import rendering_sha256, unread_arguments
from rapport_tasks.prompts.template_choice import system_text
from rapport_training.loading.capabilities import packing_problem
from rapport_training.lora.adapter import add_adapter
from rapport_training.lora.base import LoadedBase, do_without, load_base, shown_name
from rapport_training.lora.loss import LinearHead, linear_head
from rapport_training.lora.progress import Note, OnNote
from rapport_training.lora.recipe import Recipe
from rapport_training.lora.record import languages
from rapport_training.lora.validation import sequences_nll
from rapport_training.lora.watch import check_finite
from rapport_training.sequences.batches import Row, pack
from rapport_training.sequences.corpus import EncodedCorpus, encode_corpus


@dataclass(frozen=True, slots=True)
class Assembly:
    """What a recipe comes to on this machine.

    Attributes:
        base: The base.
        works: The recipe as it is in effect.
        model: The base with its new adapter.
        head: See `linear_head`.
        rows: What one forward pass takes `train.batch_size` of.
        corpus: What the rows are made of.
        languages: Of the corpus; see `record.languages`.
        validation: Assistant turns, as evaluation scores them; empty if there are none.
        fallbacks: What is not as asked, and why.
    """

    base: LoadedBase
    works: Recipe
    model: Any
    head: LinearHead | None
    rows: list[Row]
    corpus: EncodedCorpus
    languages: list[str]
    validation: EncodedCorpus
    fallbacks: list[str]


def assemble(recipe: Recipe, base_folder: Path, *, on_note: OnNote | None = None) -> Assembly:
    """Load, encode, adapt and pack.

    Args:
        recipe: What to train on what, and how.
        base_folder: Where the base lies.
        on_note: Told what takes long.

    Raises:
        BadInput: No dialogue fits, a target module does not exist, a required part is missing, or the
            base computes no numbers.
    """
    dialogues = read_dialogues(recipe.corpus_file())
    base = load_base(recipe, base_folder)
    fallbacks = list(base.fallbacks)
    rendering_sha256(base.template)  # before anything long: it may refuse everything, or never end
    fallbacks += unread_arguments(base.template)
    if base.template.source is None:
        fallbacks.append(
            f"{shown_name(recipe.base.name)} has no chat template: dialogues are rendered as labelled "
            "lines, as `rapport run` renders them for it"
        )
    if on_note is not None:
        on_note(Note("info", f"encoding {len(dialogues):,} dialogues"))
    corpus, validation = _encode(recipe, base, dialogues)
    set_seed(recipe.train.seed)
    model = add_adapter(recipe, base)
    model.eval()
    head = linear_head(model, list(corpus.sequences[0].tokens[:32]))
    check_finite("loss", first_nll(model, corpus, head), 0)
    if head is None:
        fallbacks.append(
            "chunked loss not used: the head is adapted, or not all that comes after the decoder; "
            "the base's own logits set the memory"
        )
    works = base.works
    if works.data.packing and (problem := packing_problem(model, corpus.sequences)):
        works = do_without(works, "data.packing", False, problem, fallbacks)
    rows: list[Row] = [(sequence,) for sequence in corpus.sequences]
    if works.data.packing:
        rows = pack(corpus.sequences, works.data.max_length)
    return Assembly(
        base, works, model, head, rows, corpus, languages(dialogues), validation, fallbacks
    )


def _encode(
    recipe: Recipe, base: LoadedBase, dialogues: Sequence[Dialogue]
) -> tuple[EncodedCorpus, EncodedCorpus]:
    """What is learned from; and what is validated on, up to the model's own length."""
    data, file = recipe.data, recipe.validation_file()
    context = getattr(base.model.config, "max_position_embeddings", None)
    if context is not None and data.max_length > context:
        raise BadInput(
            f"data.max_length = {data.max_length}: {shown_name(recipe.base.name)} reads at most "
            f"{context} tokens",
            remedy=f"Use at most {context}.",
        )
    encode = partial(
        encode_corpus,
        tokenizer=base.tokenizer,
        render=base.template,
        system=system_text(data.system),
    )
    corpus = encode(dialogues, max_length=data.max_length, loss_on=data.loss_on)
    if not corpus.sequences:
        raise BadInput(
            f"{data.corpus}: no dialogue left to train on ({corpus.overlong} longer than "
            f"{data.max_length} tokens, {sum(corpus.skipped.values())} not alternating)",
            remedy="Raise data.max_length, or split the dialogues.",
        )
    validation = read_dialogues(file) if file is not None else []
    return corpus, encode(validation, max_length=context or 1 << 30)


def first_nll(model: Any, corpus: EncodedCorpus, head: LinearHead | None) -> float:
    """What the first dialogue costs in nats: before and after training, whether that is a number."""
    return sequences_nll(model, corpus.sequences[:1], head=head)[0]


def effective(made: Assembly, processes: int) -> dict[str, Any]:
    """The parts that a machine decides, as JSON."""
    return {
        "quantization": made.works.base.quantization,
        "dtype": made.works.base.dtype,
        "optimizer": made.works.train.optimizer,
        "packing": made.works.data.packing,
        "loss": "model" if made.head is None else "chunked",
        "device": made.model.device.type,
        "processes": processes,
    }
