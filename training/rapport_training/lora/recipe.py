"""Training recipes: TOML in, validated settings out.

A recipe is five small tables. Every key has a default except `base.name` and `data.corpus`; a key
that is not listed here is refused, with the nearest key that is. `rapport train --explain` prints the
documentation that stands under the fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from rapport_tasks.common.errors import BadInput, close_match, shown
from rapport_tasks.common.parsing import Malformed, NotToml, parse_toml, read_toml
from rapport_tasks.common.paths import local_path
from rapport_tasks.dialogues.builtin import TRAINING_EN, TRAINING_ZH
from rapport_training import RECIPES

BUILTIN_CORPORA = {"builtin:train_zh": TRAINING_ZH, "builtin:train_en": TRAINING_EN}
"""Names that `data.corpus` accepts besides paths."""


def _nameable(name: str) -> str:
    if "\0" in name or any(len(part.encode()) > 255 for part in name.split("/")):
        raise ValueError("no file can be called so")
    return name


_Place = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_nameable)]
_MANY = 1_000_000_000
LARGEST = 1e30
"""What float32 still holds after a few multiplications; optimizers fail above it."""


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class BaseSection(_Section):
    """The model that is adapted; its weights stay as they are."""

    name: _Place
    """``embedded`` for the model that comes with the package, a local folder, or a hub id."""

    quantization: Literal["none", "nf4"] = "none"
    """``nf4`` holds the base's linear layers in 4 bits (QLoRA); the embeddings stay as they are."""

    double_quantization: bool = False
    """Under nf4, quantise the scales of the 4-bit blocks too: 0.4 bits less a parameter."""

    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Type of the base's weights and, under nf4, of its arithmetic. LoRA weights are float32."""

    template: str = "base"
    """Chat template: ``base`` for the base's own, the name of one where it has several, or a file."""

    template_args: dict[str, Any] = {}
    """What the chat template is given, such as ``enable_thinking = false``."""


class DataSection(_Section):
    """What is learned from."""

    corpus: _Place
    """A dialogue file (JSONL), a folder with ``train.jsonl`` as `rapport prepare` writes it, or
    ``builtin:train_zh``."""

    validation: _Place | None = None
    """Dialogues whose NLL is measured before, after each epoch and after; never trained on. If not
    given, the ``validation.jsonl`` of a corpus folder, where there is one."""

    max_length: int = Field(default=1024, ge=8, le=1_000_000)
    """Tokens a sequence may have. Longer dialogues are left out and counted, never cut."""

    system: str | None = None
    """System message of every dialogue instead of its own, or a file of it; empty for none."""

    loss_on: Literal["assistant", "all"] = "assistant"
    """``assistant``: replies and their end-of-turn tokens. ``all``: every token."""

    packing: bool = False
    """Put several dialogues into one row of at most `max_length` tokens, unseen by each other.
    A batch then has more dialogues: lower `train.batch_size` to keep the steps."""


class LoraSection(_Section):
    """Shape of the adapter."""

    r: int = Field(default=16, ge=1, le=10_000)
    """Rank of the update matrices."""

    alpha: float = Field(default=64, gt=0, le=1_000_000)
    """The update is scaled by alpha / r."""

    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Dropout before the update matrices, in training only."""

    target_modules: tuple[str, ...] = Field(
        default=("q_proj", "k_proj", "v_proj", "o_proj"), min_length=1
    )
    """Names of the linear layers that are adapted."""


class TrainSection(_Section):
    """How it is learned."""

    epochs: float = Field(default=3.0, gt=0, le=100_000)
    """Passes over the corpus."""

    batch_size: int = Field(default=4, ge=1, le=100_000)
    """Rows a forward pass on one device. Several devices share `gradient_accumulation`, or else
    the rows, so that a step sees the same rows on any number of them."""

    gradient_accumulation: int = Field(default=4, ge=1, le=100_000)
    """Forward passes a step. The loss of a step is the mean over all its labelled tokens."""

    learning_rate: float = Field(default=2e-4, gt=0, le=LARGEST)
    """Highest learning rate."""

    lr_schedule: Literal["linear", "cosine"] = "cosine"
    """How the learning rate falls from there to zero."""

    warmup_ratio: float = Field(default=0.03, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""

    max_grad_norm: float = Field(default=1.0, gt=0, le=_MANY)
    """A gradient with a larger norm is scaled down to this one."""

    optimizer: Literal["adamw", "adamw_8bit", "paged_adamw_8bit"] = "adamw"
    """The 8-bit ones need bitsandbytes, and paging needs a GPU."""

    gradient_checkpointing: bool = False
    """Compute activations a second time instead of keeping them: less memory, a third slower, the
    same result."""

    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of the adapter's first weights, of the order of the data and of dropout."""

    max_steps: int | None = Field(default=None, ge=1, le=_MANY)
    """Stop after so many steps whatever `epochs` says."""

    checkpoint_steps: int = Field(default=100, ge=1, le=_MANY)
    """Steps between checkpoints. A training that was killed goes on from the last one."""


class RequireSection(_Section):
    """Parts that must work as asked; otherwise training goes on without them and says so.

    Each is tried before it is relied on, forward and backward: packing on the base itself, the others
    on small layers like the base's, before it is loaded.
    """

    quantization: bool = True
    """Stop if layers like the base's do not work in 4 bits here."""

    dtype: bool = True
    """Stop if layers of `base.dtype` do not work here, instead of taking float32."""

    optimizer: bool = True
    """Stop if the optimizer does not work here."""

    packing: bool = True
    """Stop if the base does not keep packed dialogues apart."""


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

    def validation_file(self) -> Path | None:
        """The dialogue file to validate on: `data.validation`, or the corpus folder's own."""
        if self.data.validation is not None:
            return dialogue_file(self.data.validation, default="validation.jsonl")
        beside = local_path(self.data.corpus) / "validation.jsonl"
        return beside if beside.is_file() and beside.stat().st_size else None


def dialogue_file(name: str, default: str = "train.jsonl") -> Path:
    """Resolve a corpus name: a built-in corpus, a folder with the file `default`, or a file.

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
    path = local_path(name)
    return path / default if path.is_dir() else path


def load_recipe(path: str | Path, settings: Mapping[str, Any] | None = None) -> Recipe:
    """Read and validate a recipe.

    Args:
        path: A recipe file, or the name of a shipped recipe, such as ``embedded``.
        settings: Values by ``section.key`` that take the place of the file's (`parse_settings`).

    Raises:
        BadInput: The file is missing or not TOML, a key is unknown or missing, or a value is of no
            use; the message names the file, or ``--set``, and the key.
    """
    path = _find_recipe(path)
    settings = settings or {}
    raw = read_toml(path, remedy="Correct the line.", unreadable="Name a readable recipe.")
    for key, value in settings.items():
        section, _, name = key.partition(".")
        table = raw.setdefault(section, {})
        if not isinstance(table, dict):
            raise BadInput(f"{path}: {shown(section)} is no table", remedy=f"Write [{section}].")
        table[name] = value
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        raise _explain(path, settings, error) from None


def parse_settings(arguments: Iterator[str] | tuple[str, ...] | list[str]) -> dict[str, Any]:
    """Parse ``section.key=value`` arguments; values are TOML, and a bare word is a string.

    Raises:
        BadInput: An argument of another form; one with an unknown key is refused by `load_recipe`.
    """
    settings = {}
    for argument in arguments:
        key, equals, value = (part.strip() for part in argument.partition("="))
        if not equals or key.count(".") != 1 or not all(key.split(".")):
            near = close_match(key, [f"{section}.{name}" for section, name, _ in recipe_keys()])
            raise BadInput(
                f"--set {argument}: not of the form section.key=value",
                remedy=near + "For example --set train.learning_rate=1e-4.",
            )
        try:
            settings[key] = parse_toml(f"value = {value}")["value"]
        except NotToml:
            settings[key] = value
        except Malformed as error:
            raise BadInput(f"--set {key}: {error.problem}", remedy="Correct the value.") from None
    return settings


def recipe_keys() -> Iterator[tuple[str, str, Any]]:
    """Every (section, key, pydantic field) of a recipe, in the order of this module."""
    for section, field in Recipe.model_fields.items():
        model = field.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        for name, inner in model.model_fields.items():
            yield section, name, inner


def _find_recipe(path: str | Path) -> Path:
    shipped = {recipe.stem: recipe for recipe in RECIPES.glob("*.toml")}
    found = local_path(path)
    try:
        there = found.exists()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}", remedy="Name a recipe file.") from None
    if not found.is_file() and str(path) in shipped:
        return shipped[str(path)]
    if not there:
        nearby = [p.name for p in found.parent.glob("*.toml")] if found.parent.is_dir() else []
        raise BadInput(
            f"{path}: no such file",
            remedy=close_match(found.name, [*nearby, *shipped])
            + f"Name a recipe file, or a shipped recipe: {', '.join(sorted(shipped))}.",
        )
    return found


def _explain(path: Path, settings: Mapping[str, Any], error: ValidationError) -> BadInput:
    first = error.errors()[0]
    location = [part for part in first["loc"] if isinstance(part, str)]
    key = ".".join(location)
    set_here = key in settings or key in {name.partition(".")[0] for name in settings}
    source = "--set" if set_here else path
    if first["type"] == "extra_forbidden":
        section = location[0]
        known = list(dict.fromkeys(s for s, _, _ in recipe_keys()))
        if len(location) > 1:
            known = [name for s, name, _ in recipe_keys() if s == section]
        return BadInput(
            f"{source}: unknown key {shown(key)}",
            remedy=close_match(location[-1], known) + f"Known here: {', '.join(known)}.",
        )
    if first["type"] == "missing":
        return BadInput(f"{path}: {key!r} is missing", remedy=f"Add {key!r} to the recipe.")
    value: Any = first["input"]
    return BadInput(
        f"{source}: {key} = {shown(value)}: {first['msg']}", remedy="Correct the value."
    )
