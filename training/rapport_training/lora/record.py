"""The record of a training, ``training.json``: what was trained on what, how, and what came out.

It names no path of the machine and quotes no dialogue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from yaml import YAMLError

from rapport_tasks.common.paths import file_sha256
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.prompts.chat_template import PLAIN_TEMPLATE, rendering_sha256
from rapport_tasks.prompts.template_choice import system_name, system_text
from rapport_training.lora.base import LoadedBase, shown_name
from rapport_training.lora.memory import (
    BYTES_PER_TUNED_PARAMETER,
    full_tuning_bytes,
    peak_bytes,
    peak_kind,
)
from rapport_training.lora.recipe import Recipe
from rapport_training.sequences.corpus import EncodedCorpus

SCHEMA_VERSION = "1.1"
_PACKAGES = ("rapport-bench", "torch", "transformers", "peft", "accelerate", "bitsandbytes")


def shown_recipe(recipe: Recipe) -> dict[str, Any]:
    """The recipe as JSON, with local paths reduced to their last part."""
    tables: dict[str, dict[str, Any]] = recipe.model_dump(mode="json")
    tables["base"]["name"] = shown_name(recipe.base.name)
    tables["data"]["corpus"] = shown_name(recipe.data.corpus)
    if recipe.data.validation is not None:
        tables["data"]["validation"] = shown_name(recipe.data.validation)
    tables["base"]["template"] = shown_name(recipe.base.template)
    if recipe.data.system is not None:
        tables["data"]["system"] = system_name(recipe.data.system)
    return tables


def describe_corpus(recipe: Recipe, corpus: EncodedCorpus, spoken: list[str]) -> dict[str, Any]:
    """What was learned from, in numbers."""
    return {
        "name": shown_name(recipe.data.corpus),
        "sha256": file_sha256(recipe.corpus_file()),
        "languages": spoken,
        "dialogues": corpus.dialogues,
        "overlong": corpus.overlong,
        "skipped": dict(sorted(corpus.skipped.items())),
        "sequences": len(corpus.sequences),
        "tokens": sum(len(sequence.tokens) for sequence in corpus.sequences),
        "labelled_tokens": sum(sequence.scored() for sequence in corpus.sequences),
    }


def languages(dialogues: Sequence[Dialogue]) -> list[str]:
    """Codes of the languages of at least a fifth of the letters: ``zh`` by script, ``en`` by Latin."""
    text = "".join(m.content for d in dialogues[:1000] for m in d.messages)
    han = sum("\u4e00" <= character <= "\u9fff" for character in text)
    latin = sum(character.isascii() and character.isalpha() for character in text) / 4
    # A Chinese character says about as much as four letters.
    least = 0.2 * max(1.0, han + latin)
    return [code for code, count in (("zh", han), ("en", latin)) if count >= least]


def base_license(folder: Path, name: str) -> str:
    """The licence that the base's own card names; ``other`` where it names none."""
    from huggingface_hub import ModelCard

    if name == "embedded":
        return "apache-2.0"
    try:
        found = ModelCard.load(folder / "README.md", ignore_metadata_errors=True).data.license
    except (OSError, ValueError, YAMLError):
        return "other"
    return found if isinstance(found, str) else "other"


def describe_tokenizer(base: LoadedBase, recipe: Recipe, name: str) -> dict[str, Any]:
    """Whose tokenizer it is (the adapter brings none of its own), and how dialogues were rendered.

    ``rendering_sha256`` is what `rapport run` calls ``chat_template_sha256``.
    """
    source, option = base.template.source, recipe.base.template
    system = system_text(recipe.data.system)
    return {
        "name": name,
        "template": "plain"
        if source is None
        else "own"
        if option == "base"
        else shown_name(option),
        "template_sha256": hashlib.sha256((source or PLAIN_TEMPLATE).encode()).hexdigest(),
        "rendering_sha256": rendering_sha256(base.template),
        "system_sha256": system and hashlib.sha256(system.encode()).hexdigest(),
    }


def describe_memory(parameters: int) -> dict[str, Any]:
    """Peak memory as measured, and full fine-tuning's as computed."""
    return {
        "peak_bytes": peak_bytes(),
        "peak_is": peak_kind(),
        "full_fine_tuning_bytes": full_tuning_bytes(parameters),
        "full_fine_tuning_is": f"{BYTES_PER_TUNED_PARAMETER} bytes x {parameters} parameters, "
        "computed, without activations",
    }


def count_parameters(model: Any) -> dict[str, int]:
    """Parameters that learn, and all of them; sees through 4-bit storage."""
    trainable, total = model.get_nb_trainable_parameters()
    return {"trainable": int(trainable), "total": int(total)}


def describe_loss(history: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Loss of the last step, and means of the first and last tenth, in nats per labelled token."""
    losses = [line["loss"] for line in history if "loss" in line]
    edge = max(1, len(losses) // 10)
    return {
        "first": sum(losses[:edge]) / edge,
        "last": sum(losses[-edge:]) / edge,
        "final": losses[-1],
    }


def describe_validation(
    history: Sequence[dict[str, Any]], dialogues: int, overlong: int
) -> dict[str, Any] | None:
    """The first evaluation, which is the base's, the last one, and those between; or `None`."""
    checks = [line for line in history if "validation_nll_sum" in line]
    if not checks:
        return None
    return {
        "dialogues": dialogues,
        "overlong": overlong,
        "tokens": checks[0]["validation_tokens"],
        "base_nll_sum": checks[0]["validation_nll_sum"],
        "adapter_nll_sum": checks[-1]["validation_nll_sum"],
        "epochs": [
            {"epoch": line["epoch"], "nll_sum": line["validation_nll_sum"]} for line in checks[1:]
        ],
    }


def versions() -> dict[str, str | None]:
    """Installed versions of what computes."""

    def found(package: str) -> str | None:
        try:
            return version(package)
        except PackageNotFoundError:
            return None

    return {name: found(name) for name in _PACKAGES}
