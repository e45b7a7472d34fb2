"""Bases and adapters before they are loaded: where they lie, what they are, whether they fit.

Nothing here reads a tensor into a model. Identities are hashes of weights, never of paths: a local copy
is as good as a hub id, and a folder whose weights changed is another model.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rapport_bench.store import ResponseStore, digest
from rapport_tasks.errors import AdapterMismatch, BadInput, close_match
from rapport_tasks.hub import find_folder
from rapport_tasks.paths import encodable, local_path
from rapport_tasks.weights import weights_sha256

Quantization = Literal["none", "nf4"]
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
_PICKLES = ("adapter_model.bin", "adapter_model.pt", "adapter_model.pth")
_NOT_IDENTITY = ("base_model_name_or_path", "revision", "inference_mode")
_VOLATILE_CONFIG = (
    "_name_or_path",
    "transformers_version",
    "torch_dtype",
    "dtype",
    "use_cache",
    "_attn_implementation",
)


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A causal language model on disk.

    Attributes:
        name: Hub id, or a local folder's own name; shown, never hashed.
        folder: Where its files lie.
        weights_sha256: Hash of its tensors; the same however they are sharded.
        config_sha256: Hash of its architecture.
        quantization: ``none`` or ``nf4``.
        dtype: ``float32``, ``bfloat16`` or ``float16``.
    """

    name: str
    folder: Path
    weights_sha256: str
    config_sha256: str
    quantization: Quantization
    dtype: str


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter on disk, safetensors only.

    Attributes:
        name: Shown in tables; the folder's name unless the user gave another.
        folder: Where its files lie.
        weights_sha256: Hash of its tensors.
        config_sha256: Hash of its configuration without what names the base.
        rank: LoRA rank r.
        base_name: The base it says it was trained on; a difference is a warning only.
    """

    name: str
    folder: Path
    weights_sha256: str
    config_sha256: str
    rank: int
    base_name: str


def resolve_folder(name: str) -> Path:
    """A model's or adapter's folder; see `rapport_tasks.hub.find_folder`."""
    from rapport_training import EMBEDDED_BASE

    return find_folder(name, embedded=EMBEDDED_BASE)


def identify_base(
    name: str, *, quantization: Quantization, dtype: str, store: ResponseStore
) -> BaseModel:
    """Locate a base model and hash what it is.

    Raises:
        BadInput: No such model, no configuration, or no safetensors weights.
    """
    folder = resolve_folder(name)
    if not (folder / "config.json").is_file():
        what = "a LoRA adapter" if (folder / ADAPTER_CONFIG).is_file() else "no model"
        raise BadInput(
            f"{name}: {what}: it has no config.json",
            remedy="Give adapters with --adapter and their base with --base.",
        )
    config = _read_json(folder / "config.json")
    kept = {key: value for key, value in config.items() if key not in _VOLATILE_CONFIG}
    return BaseModel(
        name=encodable(folder.resolve().name if local_path(name).is_dir() else name),
        folder=folder,
        weights_sha256=_hash_weights(folder, store),
        config_sha256=digest(kept),
        quantization=quantization,
        dtype=dtype,
    )


def identify_adapter(name: str, shown_as: str | None, store: ResponseStore | None) -> Adapter:
    """Locate an adapter, refuse what is unsafe or no LoRA, and hash what it is.

    Args:
        name: A folder, or a hub id.
        shown_as: What tables call it [default: the folder's name].
        store: Remembers hashes of weights; without one they are computed anew.

    Raises:
        BadInput: No such folder, no configuration, pickle weights, another kind of adapter.
    """
    folder = resolve_folder(name)
    if not (folder / ADAPTER_CONFIG).is_file():
        raise BadInput(
            f"{name}: no {ADAPTER_CONFIG} in this folder, so it is no PEFT adapter",
            remedy="Name the folder that training wrote, the one with adapter_config.json.",
        )
    if not (folder / ADAPTER_WEIGHTS).is_file():
        pickle = next((p for p in _PICKLES if (folder / p).is_file()), None)
        if pickle:
            raise BadInput(
                f"{name}: {pickle} is a pickle, which runs code when loaded; refused",
                remedy="Load it where you trust it and save it with save_pretrained(..., "
                "safe_serialization=True).",
            )
        raise BadInput(
            f"{name}: no {ADAPTER_WEIGHTS} in this folder", remedy="The adapter is incomplete."
        )
    config = _read_json(folder / ADAPTER_CONFIG)
    if config.get("peft_type") != "LORA":
        raise BadInput(
            f"{name}: a {config.get('peft_type')} adapter", remedy="Only LoRA adapters are scored."
        )
    kept = {key: value for key, value in config.items() if key not in _NOT_IDENTITY}
    return Adapter(
        name=encodable(shown_as or folder.resolve().name),
        folder=folder,
        weights_sha256=_hash_weights(folder / ADAPTER_WEIGHTS, store),
        config_sha256=digest(kept),
        rank=int(config.get("r", 0)),
        base_name=str(config.get("base_model_name_or_path") or ""),
    )


def check_adapter(base: BaseModel, adapter: Adapter) -> list[str]:
    """Make sure that an adapter belongs to a base, before either is loaded.

    Returns:
        Warnings.

    Raises:
        AdapterMismatch: Other base weights by `training.json`, modules that the base lacks, other
            shapes, another vocabulary; the message says what differs.
    """
    trained_on = _trained_on(adapter)
    if trained_on is not None and trained_on != base.weights_sha256:
        raise AdapterMismatch(
            f"adapter {adapter.name!r} was trained on other base weights "
            f"({trained_on[:12]}) than {base.name} has ({base.weights_sha256[:12]})",
            remedy="Give the base it was trained on with --base.",
        )
    modules = _module_shapes(base)
    for key, shape in _tensor_shapes(adapter.folder / ADAPTER_WEIGHTS):
        _check_tensor(adapter, base, modules, key, shape)
    named = adapter.base_name.rstrip("/").rsplit("/", 1)[-1]
    if trained_on is None and named and named != base.name.rsplit("/", 1)[-1]:
        return [
            f"adapter {adapter.name!r} names the base {adapter.base_name!r}, the run uses "
            f"{base.name!r}; shapes agree, and a copy under another name is as good"
        ]
    return []


def _trained_on(adapter: Adapter) -> str | None:
    path = adapter.folder / "training.json"
    if not path.is_file():
        return None
    recorded = _read_json(path).get("base", {})
    value = recorded.get("weights_sha256") if isinstance(recorded, dict) else None
    return value if isinstance(value, str) else None


def _check_tensor(
    adapter: Adapter,
    base: BaseModel,
    modules: dict[str, tuple[int, ...]],
    key: str,
    shape: tuple[int, ...],
) -> None:
    name = key.removeprefix("base_model.model.")
    found = re.fullmatch(
        r"(.+)\.lora_(A|B|embedding_A|embedding_B|magnitude_vector)(\.weight)?", name
    )
    module = found.group(1) if found else re.sub(r"\.(weight|bias)$", "", name)
    if module not in modules:
        raise AdapterMismatch(
            f"adapter {adapter.name!r} changes {module}, which {base.name} does not have",
            remedy=close_match(module, modules) + "Give the base it was trained on with --base.",
        )
    out_features, in_features = modules[module][0], modules[module][-1]
    part = found.group(2) if found else ""
    if part == "A":
        differs = ("input width", shape[1], in_features)
    elif part == "B":
        differs = ("output width", shape[0], out_features)
    elif not part and len(shape) == 2:
        what = "vocabulary" if shape[1] == in_features else "width"
        axis = 0 if what == "vocabulary" else 1
        differs = (what, shape[axis], modules[module][axis])
    else:
        return
    if differs[1] != differs[2]:
        raise AdapterMismatch(
            f"adapter {adapter.name!r} does not fit {base.name}: {module} has {differs[0]} "
            f"{differs[2]}, the adapter was trained for {differs[1]}",
            remedy="Give the base it was trained on with --base.",
        )


def _module_shapes(base: BaseModel) -> dict[str, tuple[int, ...]]:
    """(outputs, inputs) of every module with a weight, from the architecture alone."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(base.folder)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
    except (ValueError, OSError, KeyError) as error:
        raise BadInput(
            f"{base.name}: transformers cannot build this model ({error})",
            remedy="Use a causal language model that transformers knows.",
        ) from None
    shapes = {}
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.Tensor):
            shape = tuple(weight.shape)
            shapes[name] = shape[::-1] if type(module).__name__ == "Conv1D" else shape
    return shapes


def _tensor_shapes(path: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            for key in file.keys():  # noqa: SIM118 - not a dictionary
                yield key, tuple(file.get_slice(key).get_shape())
    except SafetensorError as error:
        raise BadInput(
            f"{path}: damaged ({error})", remedy="Copy or train the adapter again."
        ) from None


def _hash_weights(path: Path, store: ResponseStore | None) -> str:
    """Hash tensors once per (path, size, time of change): gigabytes take seconds."""
    if store is None:
        return weights_sha256(path)
    paths = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    stamps = [
        [str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns] for p in paths if p.is_file()
    ]
    key = f"weights:{hashlib.sha256(json.dumps(stamps).encode()).hexdigest()}"
    known = store.recall(key) if stamps else None
    if isinstance(known, str):
        return known
    value = weights_sha256(path)
    store.remember(key, value)
    return value


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise BadInput(f"{path}: not readable JSON ({error})", remedy="Copy it again.") from None
    if not isinstance(value, dict):
        raise BadInput(f"{path}: not a JSON object", remedy="Copy it again.")
    return value
