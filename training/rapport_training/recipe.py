"""Training recipes: TOML in, validated settings out.

A recipe is five small tables. Every key has a default except `base.name` and `data.corpus`; a key
that is not listed here is refused, with the nearest key that is.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rapport_tasks.builtin import TRAINING_EN, TRAINING_ZH
from rapport_tasks.errors import BadInput, close_match

BUILTIN_CORPORA = {"builtin:train_zh": TRAINING_ZH, "builtin:train_en": TRAINING_EN}
"""Names that `data.corpus` accepts besides paths."""


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class BaseSection(_Section):
    """The model that is adapted; its weights stay as they are."""

    name: str = Field(min_length=1)
    """``embedded`` for the model that comes with the package, a local folder, or a hub id."""

    quantization: Literal["none", "nf4"] = "none"
    """``nf4`` holds the base's linear layers in 4 bits (QLoRA, with double quantisation)."""

    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Type of the base's weights and, under nf4, of its arithmetic. LoRA weights are float32."""


class DataSection(_Section):
    """What is learned from."""

    corpus: str = Field(min_length=1)
    """A dialogue file (JSONL), a folder with ``train.jsonl``, or ``builtin:train_zh``."""

    validation: str | None = None
    """A dialogue file whose summed NLL is recorded before and after; never trained on."""

    max_length: int = Field(default=1024, ge=8)
    """Tokens a sequence may have. Longer dialogues are left out and counted, never cut."""

    loss_on: Literal["assistant", "all"] = "assistant"
    """``assistant``: replies and their end-of-turn tokens. ``all``: every token."""

    packing: bool = False
    """Put several dialogues into one row of at most `max_length` tokens, unseen by each other."""


class LoraSection(_Section):
    """Shape of the adapter."""

    r: int = Field(default=16, ge=1)
    """Rank of the update matrices."""

    alpha: float = Field(default=64, gt=0)
    """The update is scaled by alpha / r."""

    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Dropout before the update matrices, in training only."""

    target_modules: tuple[str, ...] = Field(
        default=("q_proj", "k_proj", "v_proj", "o_proj"), min_length=1
    )
    """Names of the linear layers that are adapted."""


class TrainSection(_Section):
    """How it is learned."""

    epochs: float = Field(default=3.0, gt=0)
    """Passes over the corpus."""

    batch_size: int = Field(default=4, ge=1)
    """Rows a forward pass."""

    gradient_accumulation: int = Field(default=4, ge=1)
    """Forward passes a step."""

    learning_rate: float = Field(default=2e-4, gt=0)
    """Highest learning rate; a cosine leads from there to zero."""

    warmup_ratio: float = Field(default=0.03, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""

    optimizer: Literal["adamw", "adamw_8bit", "paged_adamw_8bit"] = "adamw"
    """The 8-bit ones need bitsandbytes, and paging needs a GPU."""

    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of the adapter's first weights, of the order of the data and of dropout."""

    max_steps: int | None = Field(default=None, ge=1)
    """Stop after so many steps whatever `epochs` says."""


class RequireSection(_Section):
    """Parts that must work as asked; otherwise training goes on without them and says so."""

    quantization: bool = True
    """Stop if the base cannot be quantised here."""

    optimizer: bool = True
    """Stop if the optimizer does not work here."""


class Recipe(_Section):
    """A whole recipe. Paths in it are relative to the working directory."""

    base: BaseSection
    """The model that is adapted."""

    data: DataSection
    """What is learned from."""

    lora: LoraSection = LoraSection()
    """Shape of the adapter."""

    train: TrainSection = TrainSection()
    """How it is learned."""

    require: RequireSection = RequireSection()
    """Parts that must work as asked."""

    def corpus_file(self) -> Path:
        """The dialogue file to train on."""
        return dialogue_file(self.data.corpus)


def dialogue_file(name: str) -> Path:
    """Resolve a corpus name: a built-in corpus, a folder with ``train.jsonl``, or a file.

    Raises:
        BadInput: An unknown built-in corpus. A missing file is reported when it is read.
    """
    if name.startswith("builtin:"):
        if name not in BUILTIN_CORPORA:
            raise BadInput(
                f"data.corpus: {name!r} does not exist",
                remedy=close_match(name, BUILTIN_CORPORA)
                + f"Built-in corpora: {', '.join(BUILTIN_CORPORA)}.",
            )
        return BUILTIN_CORPORA[name]
    path = Path(name).expanduser()
    return path / "train.jsonl" if path.is_dir() else path


def load_recipe(path: str | Path) -> Recipe:
    """Read and validate a recipe file.

    Raises:
        BadInput: The file is missing or not TOML, a key is unknown or missing, or a value is of no
            use; the message names the file and the key.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        nearby = [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        raise BadInput(
            f"{path}: no such file", remedy=close_match(path.name, nearby) + "Name a recipe."
        ) from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}", remedy="Name a readable recipe.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not TOML ({error})", remedy="Correct the line.") from None
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        raise _explain(path, error) from None


def _explain(path: Path, error: ValidationError) -> BadInput:
    first = error.errors()[0]
    location = [part for part in first["loc"] if isinstance(part, str)]
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        known = _keys(location[:-1])
        return BadInput(
            f"{path}: unknown key {key!r}",
            remedy=close_match(location[-1], known) + f"Known here: {', '.join(known)}.",
        )
    if first["type"] == "missing":
        return BadInput(f"{path}: {key!r} is missing", remedy=f"Add {key!r} to the recipe.")
    value: Any = first["input"]
    return BadInput(f"{path}: {key} = {value!r}: {first['msg']}", remedy="Correct the value.")


def _keys(location: list[str]) -> list[str]:
    fields = Recipe.model_fields
    for part in location:
        section = fields[part].annotation
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        fields = section.model_fields
    return list(fields)
