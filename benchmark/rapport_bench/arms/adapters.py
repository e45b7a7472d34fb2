"""LoRA adapters before they are loaded: where they lie, what they are, whether they fit a base whole.

Which tensors an adapter must have is PEFT's business: it builds the adapter from its configuration on a
base without numbers, and what it makes is compared with what the file holds, name by name.
"""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import Field, ValidationError

from rapport_bench.arms.models import BaseModel, hash_weights, resolve_folder
from rapport_bench.arms.store import ResponseStore
from rapport_bench.common.identity import digest
from rapport_tasks.common.errors import AdapterMismatch, BadInput
from rapport_tasks.common.parsing import read_settings
from rapport_tasks.common.paths import encodable
from rapport_tasks.weights.hashes import ADAPTER_WEIGHTS, tensor_shapes
from rapport_training.loading.pretrained import empty_model, first_line, some

ADAPTER_CONFIG = "adapter_config.json"
_PICKLES = ("bin", "pt", "pth")
_NOT_IDENTITY = {
    "auto_mapping", "base_model_name_or_path", "inference_mode", "peft_type", "peft_version",
    "revision", "runtime_config", "task_type",
}  # fmt: skip
_PREFIX = "base_model.model."
AS = "scored_by_rapport"
"""What PEFT calls the adapter inside the model; no adapter's file has such a name in it."""


_LayerNumber = Annotated[int, Field(strict=True, ge=0, le=1000)]


class _Numbers(pydantic.BaseModel):
    """What PEFT computes with unchecked, within bounds in which it comes to an end."""

    r: Annotated[int, Field(strict=True, ge=1, lt=10**9)]
    lora_alpha: Annotated[float, Field(strict=True, gt=-1e9, lt=1e9)]
    layer_replication: (
        Annotated[list[tuple[_LayerNumber, _LayerNumber]], Field(min_length=1, max_length=100)]
        | None
    ) = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter on disk, safetensors only.

    Attributes:
        name: Shown in tables; the folder's name unless the user gave another.
        folder: Where its files lie.
        weights_sha256: Hash of its tensors.
        config_sha256: Hash of what its configuration sets other than PEFT's defaults, without what
            names the base and the versions; in any order, by any version.
        rank: LoRA rank r.
        base_name: The base it says it was trained on; a difference is a warning only.
    """

    name: str
    folder: Path
    weights_sha256: str
    config_sha256: str
    rank: int
    base_name: str


def identify_adapter(name: str, shown_as: str | None, store: ResponseStore | None) -> Adapter:
    """Locate an adapter, refuse what is unsafe or no LoRA, and hash what it is.

    Args:
        name: A folder, or a hub id.
        shown_as: What tables call it [default: the folder's name].
        store: Remembers hashes of weights; without one they are computed anew.

    Raises:
        BadInput: No such folder, no configuration, pickle weights, another kind of adapter, or
            settings that PEFT does not know or take.
    """
    folder = resolve_folder(name)
    for needed, what in (
        (ADAPTER_CONFIG, "it is no PEFT adapter"),
        (ADAPTER_WEIGHTS, "incomplete"),
    ):
        if not (folder / needed).is_file():
            pickled = any((folder / f"adapter_model.{kind}").is_file() for kind in _PICKLES)
            raise BadInput(
                f"{name}: no {needed} in this folder: {what}"
                + ("; its pickle, which runs code when loaded, is refused" if pickled else ""),
                remedy="Name the folder that training wrote, with both files; save_pretrained(..., "
                "safe_serialization=True) makes safetensors of a pickle that you trust.",
            )
    raw = read_settings(folder / ADAPTER_CONFIG)
    config = lora_config(folder)
    return Adapter(
        name=encodable(shown_as or folder.resolve().name),
        folder=folder,
        weights_sha256=hash_weights(folder / ADAPTER_WEIGHTS, store),
        config_sha256=digest(dict(_settings(config))),
        rank=config.r,
        base_name=str(raw.get("base_model_name_or_path") or ""),
    )


def lora_config(folder: Path) -> Any:
    """An adapter's configuration as PEFT's ``LoraConfig``.

    Keys that PEFT does not know are passed over where they are empty or false, as a newer version
    writes its defaults; one with a value would be ignored by PEFT in silence.

    Raises:
        BadInput: Not LoRA, an unknown setting, or values that PEFT does not take.
    """
    from peft import LoraConfig

    path = folder / ADAPTER_CONFIG
    raw = read_settings(path)
    if raw.get("peft_type") != "LORA":
        raise BadInput(
            f"{path}: a {str(raw.get('peft_type'))[:40]} adapter",
            remedy="Only LoRA adapters are scored.",
        )
    fields = {field.name for field in dataclasses.fields(LoraConfig)} - {"runtime_config"}
    unknown = [k for k in raw if k not in fields | _NOT_IDENTITY and raw[k]]
    if unknown:
        import peft

        raise BadInput(
            f"{path}: {some(unknown)}: unknown to the installed PEFT {peft.__version__}, which would "
            "leave it out",
            remedy="pip install --upgrade peft, or save the adapter with this version.",
        )
    try:
        _Numbers.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadInput(
            f"{path}: {first['loc'][0]} must be another number: {first['msg']}",
            remedy="Copy the file again.",
        ) from None
    kept = {k: v for k, v in raw.items() if k in fields and k != "base_model_name_or_path"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return LoraConfig(**kept)
    except Exception as error:  # whatever PEFT raises on settings that it cannot use
        raise BadInput(
            f"{path}: PEFT does not take it ({first_line(error)})", remedy="Copy the file again."
        ) from None


def _settings(config: Any) -> Iterator[tuple[str, Any]]:
    """What differs from PEFT's defaults, as JSON; an empty value is the default of none."""
    default = type(config)()
    for field in dataclasses.fields(config):
        value, usual = getattr(config, field.name), getattr(default, field.name)
        if field.name in _NOT_IDENTITY or value == usual or not (value or usual):
            continue
        if isinstance(value, set | frozenset | list | tuple):
            value = sorted(value, key=str) if field.name != "layer_replication" else list(value)
        yield field.name, json.loads(json.dumps(value, default=str), parse_constant=str)


def check_adapter(base: BaseModel, adapter: Adapter) -> list[str]:
    """Make sure that an adapter belongs to a base and is whole, before either is loaded.

    Returns:
        Warnings.

    Raises:
        AdapterMismatch: Other base weights by `training.json`; tensors that are missing, empty, of
            another shape, no finite numbers, or that PEFT would leave out. The message says which.
    """
    trained_on = training_record(adapter, "base", "weights_sha256")
    if trained_on is not None and trained_on != base.weights_sha256:
        raise AdapterMismatch(
            f"adapter {adapter.name!r} was trained on other base weights "
            f"({trained_on[:12]}) than {base.name} has ({base.weights_sha256[:12]})",
            remedy="Give the base it was trained on with --base.",
        )
    _check_tensors(base, adapter)
    bad = [key for key, tensor in adapter_tensors(adapter) if not bool(tensor.isfinite().all())]
    if bad:
        raise AdapterMismatch(
            f"adapter {adapter.name!r} has numbers that are not finite in {some(bad)}",
            remedy="Its training diverged, or the file is damaged: take an earlier checkpoint.",
        )
    named = adapter.base_name.rstrip("/").rsplit("/", 1)[-1]
    if trained_on is None and named and named != base.name.rsplit("/", 1)[-1]:
        return [
            f"adapter {adapter.name!r} names the base {named!r}, the run uses "
            f"{base.name!r}; shapes agree, and a copy under another name is as good"
        ]
    return []


def adapter_tensors(adapter: Adapter) -> Iterator[tuple[str, Any]]:
    """The tensors of an adapter's file, one after the other."""
    from safetensors import SafetensorError, safe_open

    path = adapter.folder / ADAPTER_WEIGHTS
    try:
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - not a dictionary
                yield key, file.get_tensor(key)
    except (SafetensorError, OSError) as error:
        raise BadInput(
            f"{path}: damaged ({error})", remedy="Copy or train the adapter again."
        ) from None


def changes_nothing(adapter: Adapter) -> bool:
    """Whether its file says so: it has lora_B matrices, and all of them are 0."""
    zero = [not bool(tensor.any()) for key, tensor in adapter_tensors(adapter) if is_lora_b(key)]
    return bool(zero) and all(zero)


def is_lora_b(key: str) -> bool:
    """Whether a tensor is the second factor of an update, which is zero before training."""
    return "lora_B" in key or "lora_embedding_B" in key


def training_record(adapter: Adapter, section: str, key: str) -> str | None:
    """What our own training recorded beside an adapter; of other tools' files `None`."""
    try:
        found = read_settings(adapter.folder / "training.json").get(section)
    except BadInput:
        return None
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


def _check_tensors(base: BaseModel, adapter: Adapter) -> None:
    """Compare the file with what PEFT makes of the configuration, and say what kind of damage it is."""
    found = tensor_shapes(adapter.folder / ADAPTER_WEIGHTS)
    remedy = (
        "Give the base it was trained on with --base, and the adapter_config.json that was saved with "
        "these weights; PEFT's save_pretrained saves both whole."
    )
    empty = [key for key, shape in found.items() if 0 in shape]
    if empty or not found:
        raise AdapterMismatch(
            f"adapter {adapter.name!r} has no numbers in {len(empty)} of {len(found)} tensors: "
            + _short(empty),
            remedy="Sharded training (DeepSpeed ZeRO-3, FSDP) leaves this: gather the weights before "
            "saving, for example with zero_to_fp32.py.",
        )
    expected, others = _expected_shapes(base, adapter, found)
    known = others | expected
    missing = sorted(expected.keys() - found.keys())
    strange = sorted(found.keys() - known.keys())
    differs = sorted(key for key in found if key in known and found[key] != known[key])
    if missing:
        problem = f"it lacks {len(missing)} of {len(expected)} tensors: {_short(missing)}"
        prefixed = [key for key in strange if _PREFIX + key in expected]
        if prefixed:
            problem += f"; there are names without the prefix {_PREFIX!r}: {some(prefixed)}"
        elif strange:
            problem += f"; there are names that PEFT does not know: {_short(strange)}"
    elif strange:
        problem = (
            f"it has {len(strange)} tensors that its configuration does not cover, which PEFT would leave "
            f"out: {_short(strange)}"
        )
    elif differs:
        key = differs[0]
        problem = (
            f"{len(differs)} tensors have another shape: {_short(differs)} "
            f"({key.rsplit('.', 2)[-2]} is {_times(found[key])}, should be {_times(known[key])})"
        )
        if "lora_" not in key and found[key][1:] == known[key][1:]:
            remedy = (
                "It was trained with another vocabulary: merge it into its base, tokenizer included, and "
                "score the whole with --model."
            )
    else:
        return
    raise AdapterMismatch(
        f"adapter {adapter.name!r} does not fit {base.name}: {problem}", remedy=remedy
    )


def _short(keys: Collection[str]) -> str:
    return some([key.removeprefix(_PREFIX) for key in keys])


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _expected_shapes(
    base: BaseModel, adapter: Adapter, found: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """(what the adapter's file must hold, tensors of the base that it may hold), by name."""
    import torch
    from peft import get_peft_model

    model = empty_model(base.folder, name=base.name)
    # How its matrices begin does not matter, and some ways would need the base's numbers.
    config = dataclasses.replace(lora_config(adapter.folder), init_lora_weights=True)
    try:
        with warnings.catch_warnings(), torch.device("meta"):
            warnings.simplefilter("ignore")
            adapted = get_peft_model(model, config, adapter_name=AS, low_cpu_mem_usage=True)
            own = adapter_state(adapted)
    except Exception as error:  # whatever PEFT raises on a configuration that does not fit
        raise AdapterMismatch(
            f"adapter {adapter.name!r} cannot be put on {base.name} ({first_line(error)})",
            remedy="Give the base it was trained on with --base; its adapter_config.json names the "
            "layers that it changes.",
        ) from None
    expected = {name: tuple(tensor.shape) for name, tensor in own.items()}
    everything = {name: tuple(tensor.shape) for name, tensor in whole_state(adapted).items()}
    return expected, {name: everything[name] for name in found if name in everything}


def adapter_state(peft_model: Any) -> dict[str, Any]:
    """The tensors of the adapter called `AS` as PEFT names them in a file."""
    from peft import get_peft_model_state_dict

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it comments on shapes of biases
        state: dict[str, Any] = get_peft_model_state_dict(
            peft_model, adapter_name=AS, save_embedding_layers=False
        )
    return state


def whole_state(peft_model: Any) -> dict[str, Any]:
    """Every tensor by its name in a file: adapters of a resized base bring some of the base's."""
    return {name.replace(f".{AS}", ""): t for name, t in peft_model.state_dict().items()}
