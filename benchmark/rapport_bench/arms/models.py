"""Base models before they are loaded: where they lie and what they are.

Nothing here reads a tensor into a model. Identities are hashes of weights, never of paths: a local copy
is as good as a hub id, and a folder whose weights changed is another model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rapport_bench.arms.store import ResponseStore
from rapport_bench.common.identity import digest
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import read_settings
from rapport_tasks.common.paths import encodable, local_path
from rapport_tasks.weights.hashes import weight_files, weights_sha256
from rapport_tasks.weights.hub import find_folder

Quantization = Literal["none", "nf4"]
_SMALL = 64 << 20  # bytes of weights that are hashed in a moment, every time
_VOLATILE_CONFIG = (
    "_name_or_path",
    "transformers_version",
    "torch_dtype",
    "dtype",
    "use_cache",
    "_attn_implementation",
    "transformers_weights",
)


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A causal language model on disk.

    Attributes:
        name: Hub id, or a local folder's own name; shown, never hashed.
        folder: Where its files lie.
        weights_sha256: Hash of its tensors; the same however they are sharded.
        config_sha256: Hash of its architecture.
        quantization: ``none``, ``nf4`` for weights that are quantised while they are loaded, or the
            method and bits of weights that lie there quantised.
        dtype: ``float32``, ``bfloat16`` or ``float16``.
    """

    name: str
    folder: Path
    weights_sha256: str
    config_sha256: str
    quantization: str
    dtype: str


def resolve_folder(name: str) -> Path:
    """A model's or adapter's folder; see `rapport_tasks.weights.hub.find_folder`."""
    from rapport_training import EMBEDDED_BASE

    return find_folder(name, embedded=EMBEDDED_BASE)


def identify_base(
    name: str, *, quantization: Quantization, dtype: str, store: ResponseStore
) -> BaseModel:
    """Locate a base model and hash what it is.

    Raises:
        BadInput: No such model, no configuration, no safetensors weights, or weights that are
            quantised already in another way than asked for.
    """
    folder = resolve_folder(name)
    if not (folder / "config.json").is_file():
        what = "a LoRA adapter" if (folder / "adapter_config.json").is_file() else "no model"
        raise BadInput(
            f"{name}: {what}: it has no config.json",
            remedy="Give adapters with --adapter and their base with --base.",
        )
    config = read_settings(folder / "config.json")
    kept = {key: value for key, value in config.items() if key not in _VOLATILE_CONFIG}
    # Constants such as Infinity stand in some configurations; JSON proper has no word for them.
    kept = json.loads(json.dumps(kept), parse_constant=str)
    return BaseModel(
        name=encodable(folder.resolve().name if local_path(name).is_dir() else name),
        folder=folder,
        weights_sha256=hash_weights(folder, store),
        config_sha256=digest(kept),
        quantization=_quantized(config, quantization, name),
        dtype=dtype,
    )


def _quantized(config: dict[str, Any], asked: Quantization, name: str) -> str:
    """How the weights are quantised: as they lie there, or else while they are loaded."""
    there = config.get("quantization_config")
    if not there:
        return asked
    if not isinstance(there, dict):
        raise BadInput(
            f"{name}: quantization_config in its config.json is no table",
            remedy="Copy the configuration that belongs to these weights.",
        )
    method = str(there.get("quant_method", "unknown"))[:40]
    bits = there.get(
        "bits", 4 if there.get("load_in_4bit") else 8 if there.get("load_in_8bit") else ""
    )
    kind = str(there.get("bnb_4bit_quant_type", "")) if there.get("load_in_4bit") else ""
    found = "-".join(part for part in (method, f"{bits}bit" if bits else "", kind) if part)
    if asked == "nf4" and found != "bitsandbytes-4bit-nf4":
        raise BadInput(
            f"{name}: its weights are quantised already ({found})",
            remedy="Leave --nf4 out, or name the base before it was quantised.",
        )
    return found


def hash_weights(path: Path, store: ResponseStore | None) -> str:
    """Hash tensors; of large files once, for as long as they are the same file untouched."""
    files = weight_files(path)
    stats = [file.stat() for file in files]
    if store is None or sum(stat.st_size for stat in stats) <= _SMALL:
        return weights_sha256(path)
    stamps = [
        [str(file.resolve()), s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino, s.st_dev]
        for file, s in zip(files, stats, strict=True)
    ]
    key = f"weights-2:{digest(stamps)}"
    known = store.recall(key)
    if isinstance(known, str):
        return known
    value = weights_sha256(path)
    store.remember(key, value)
    return value
