"""Finding and loading the base model that a recipe names."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rapport_tasks.chat_template import ChatTemplate
from rapport_tasks.errors import BadInput
from rapport_tasks.hub import find_folder
from rapport_tasks.template_choice import chosen_template, template_file
from rapport_training import EMBEDDED_BASE
from rapport_training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class LoadedBase:
    """A base ready to be adapted.

    Attributes:
        model: A transformers causal LM.
        tokenizer: Its tokenizer, with the chat template that the recipe names.
        template: That template, with the recipe's arguments.
        quantization: In effect; differs from the recipe's only if that is not required.
        optimizer: In effect; likewise.
        fallbacks: What is not as asked, and why.
    """

    model: Any
    tokenizer: Any
    template: ChatTemplate
    quantization: str
    optimizer: str
    fallbacks: tuple[str, ...]


def resolve_base(name: str) -> Path:
    """A base model's folder; see `rapport_tasks.hub.find_folder`."""
    return find_folder(name, embedded=EMBEDDED_BASE)


def load_base(recipe: Recipe, folder: Path) -> LoadedBase:
    """Load model and tokenizer as the recipe asks, or nearly so where it allows that.

    Raises:
        BadInput: The model cannot be loaded, or a required part is missing here.
    """
    import torch
    from transformers import AutoTokenizer

    fallbacks: list[str] = []
    quantization: str = recipe.base.quantization
    optimizer: str = recipe.train.optimizer
    lacking = _missing_for_bits()
    if quantization != "none" and lacking:
        allow_fallback(
            recipe.require.quantization, "base.quantization", quantization, lacking, fallbacks
        )
        quantization = "none"
    if optimizer != "adamw" and lacking:
        allow_fallback(recipe.require.optimizer, "train.optimizer", optimizer, lacking, fallbacks)
        optimizer = "adamw"
    if optimizer.startswith("paged_") and not torch.cuda.is_available():
        problem = "optimizer states are paged to and from a GPU, and there is none"
        allow_fallback(recipe.require.optimizer, "train.optimizer", optimizer, problem, fallbacks)
        optimizer = optimizer.removeprefix("paged_")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = _load_model(folder, recipe, quantization)
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(
            f"base.name: {recipe.base.name!r} cannot be loaded ({error})",
            remedy="Name a causal language model with safetensors weights that transformers knows.",
        ) from None
    template = _template(recipe, folder, tokenizer)
    return LoadedBase(model, tokenizer, template, quantization, optimizer, tuple(fallbacks))


def _template(recipe: Recipe, folder: Path, tokenizer: Any) -> ChatTemplate:
    """As `rapport run` chooses it for the base."""
    option = recipe.base.template
    source = chosen_template(option, tokenizer.chat_template, {})
    of = template_file(folder) if option == "base" else shown_name(option)
    tokenizer.chat_template = source
    return ChatTemplate(
        source,
        f"the chat template of {shown_name(recipe.base.name)} ({of})",
        recipe.base.template_args,
        tokenizer.special_tokens_map if source is not None else {},
    )


def _load_model(folder: Path, recipe: Recipe, quantization: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    kind = getattr(torch, recipe.base.dtype)
    if quantization == "none":
        return AutoModelForCausalLM.from_pretrained(folder, dtype=kind, use_safetensors=True)
    return AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=kind,
        use_safetensors=True,
        device_map={"": torch.cuda.current_device()} if torch.cuda.is_available() else None,
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=recipe.base.double_quantization,
            bnb_4bit_compute_dtype=kind,
        ),
    )


def _missing_for_bits() -> str | None:
    return None if find_spec("bitsandbytes") else "bitsandbytes is not installed"


def allow_fallback(
    required: bool, key: str, value: object, problem: str, fallbacks: list[str]
) -> None:
    """Note that a part of the recipe is done without.

    Raises:
        BadInput: The recipe requires it.
    """
    if required:
        raise BadInput(
            f"{key} = {value!r}: {problem}",
            remedy=f"Provide it, or allow training without: require.{key.split('.')[1]} = false.",
        )
    fallbacks.append(f"{key} = {value!r} not used: {problem}")


def shown_name(name: str) -> str:
    """A base or corpus as files name it: a hub id as it is, a local path by its last part."""
    if name.startswith("builtin:") or not Path(name).expanduser().exists():
        return name
    return Path(name).expanduser().resolve().name
