"""Finding and loading the base model that a recipe names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.paths import encodable, local_path
from rapport_tasks.prompts.chat_template import ChatTemplate, chosen_renderer
from rapport_tasks.weights.hub import find_folder
from rapport_training import EMBEDDED_BASE
from rapport_training.loading.pretrained import (
    embedding_rows,
    empty_model,
    load_causal_lm,
    load_tokenizer,
)
from rapport_training.lora.recipe import Recipe


@dataclass(frozen=True, slots=True)
class LoadedBase:
    """A base ready to be adapted.

    Attributes:
        model: A transformers causal LM.
        tokenizer: Its tokenizer, with the chat template that the recipe names.
        template: That template, with the recipe's arguments.
        works: The recipe as it is in effect; it differs only in what is not required.
        fallbacks: What is not as asked, and why.
    """

    model: Any
    tokenizer: Any
    template: ChatTemplate
    works: Recipe
    fallbacks: tuple[str, ...]


def resolve_base(name: str) -> Path:
    """A base model's folder; see `rapport_tasks.weights.hub.find_folder`."""
    return find_folder(name, embedded=EMBEDDED_BASE)


def load_base(recipe: Recipe, folder: Path) -> LoadedBase:
    """Load model and tokenizer as the recipe asks, or nearly so where it allows that.

    Raises:
        BadInput: The model cannot be loaded, or a required part is missing here.
    """
    from rapport_training.loading.capabilities import keep_unpacked

    works, fallbacks = _what_works(recipe, folder)
    model = keep_unpacked(_load_model(folder, works))
    name = shown_name(recipe.base.name)
    tokenizer = load_tokenizer(folder, name=name, rows=embedding_rows(model))
    template = chosen_renderer(
        recipe.base.template, recipe.base.template_args, tokenizer, folder=folder, name=name
    )
    return LoadedBase(model, tokenizer, template, works, tuple(fallbacks))


def _what_works(recipe: Recipe, folder: Path) -> tuple[Recipe, list[str]]:
    """The recipe with what this machine can do of it, by trial, and what is done without."""
    from rapport_training.loading.capabilities import (
        dtype_problem,
        four_bit_problem,
        layer_kinds,
        optimizer_problem,
        stored_in_4_bits,
        training_device,
    )

    device, works = training_device(), recipe
    fallbacks: list[str] = []
    kinds = layer_kinds(empty_model(folder, name=shown_name(recipe.base.name)))
    problem = dtype_problem(kinds, device=device, dtype=works.base.dtype, training=True)
    if problem:
        works = do_without(works, "base.dtype", "float32", problem, fallbacks)
    stored = stored_in_4_bits(folder)
    if stored or works.base.quantization != "none":
        problem = four_bit_problem(
            kinds,
            device=device,
            dtype=works.base.dtype,
            double_quantization=works.base.double_quantization,
            training=True,
        )
        if problem and stored:
            raise BadInput(
                f"base.name: {recipe.base.name!r} is stored in 4 bits: {problem}",
                remedy="Name the base that it was made of.",
            )
        if problem:
            works = do_without(works, "base.quantization", "none", problem, fallbacks)
    while (name := works.train.optimizer) != "adamw" and (
        problem := optimizer_problem(name, device=device)
    ):
        instead = "adamw_8bit" if name == "paged_adamw_8bit" else "adamw"
        works = do_without(works, "train.optimizer", instead, problem, fallbacks)
    return works, fallbacks


def _load_model(folder: Path, recipe: Recipe) -> Any:
    import torch

    base, name = recipe.base, shown_name(recipe.base.name)
    if base.quantization == "none":
        return load_causal_lm(folder, name=name, dtype=base.dtype)
    return load_causal_lm(
        folder,
        name=name,
        dtype=base.dtype,
        nf4=True,
        double=base.double_quantization,
        device=f"cuda:{torch.cuda.current_device()}" if torch.cuda.is_available() else "cpu",
    )


def do_without(
    recipe: Recipe, key: str, instead: object, problem: str, fallbacks: list[str]
) -> Recipe:
    """The recipe with another value for a part that does not work; notes it among `fallbacks`.

    Raises:
        BadInput: The recipe requires it.
    """
    section, name = key.split(".")
    table = getattr(recipe, section)
    value = getattr(table, name)
    if getattr(recipe.require, name):
        raise BadInput(
            f"{key} = {value!r}: {problem}",
            remedy=f"Provide it, or allow training without: require.{name} = false.",
        )
    fallbacks.append(f"{key} = {value!r} not used: {problem}")
    return recipe.model_copy(update={section: table.model_copy(update={name: instead})})


def shown_name(name: str) -> str:
    """A base or corpus as files name it: a hub id as it is, a local path by its last part."""
    if name.startswith("builtin:") or not local_path(name).exists():
        return name
    return encodable(local_path(name).resolve().name)
