"""The identity of weights: a hash of the tensors, not of the files that hold them.

Re-sharding a model, copying it elsewhere or saving it with another header changes nothing here;
changing one number changes the hash. Of a model's folder exactly those files count that transformers
loads from it. Only safetensors are read, without torch and with no more memory than one block.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any, BinaryIO

from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import read_settings

_BLOCK = 1 << 20
_SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"


def weights_sha256(path: str | Path) -> str:
    """Hash the tensors of a model or adapter.

    Args:
        path: A safetensors file, or the folder of a model or of an adapter.

    Returns:
        Hex sha256 over the sorted (name, dtype, shape, sha256 of the bytes) of all tensors.

    Raises:
        BadInput: No safetensors there, a damaged file, or one tensor name in two files.
    """
    tensors: dict[str, list[Any]] = {}
    for file in weight_files(Path(path)):
        first, header = _header(file)
        try:
            with file.open("rb") as stream:
                for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
                    if name in tensors:
                        raise BadInput(
                            f"{file}: tensor {name!r} stands in another file of this folder too",
                            remedy="Keep one set of weights in the folder.",
                        )
                    begin, end = entry["data_offsets"]
                    sha256 = _hash_range(stream, first + begin, first + end)
                    tensors[name] = [name, entry["dtype"], entry["shape"], sha256]
        except OSError as error:
            raise _damaged(file, str(error)) from None
    listing = [tensors[name] for name in sorted(tensors)]
    text = json.dumps(listing, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def tensor_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of a model or adapter, from the headers of its files.

    Raises:
        BadInput: As `weights_sha256` does.
    """
    headers = (_header(file)[1] for file in weight_files(Path(path)))
    return {name: tuple(entry["shape"]) for header in headers for name, entry in header.items()}


def weight_files(path: Path) -> list[Path]:
    """The files that hold the weights, those that transformers or PEFT reads and no others.

    Args:
        path: A safetensors file, which is the answer; or a folder. transformers takes what
            ``transformers_weights`` of its ``config.json`` names, else ``model.safetensors``, else the
            shards of ``model.safetensors.index.json``. Without a ``config.json`` it is an adapter's.

    Raises:
        BadInput: No weights there, or an index that names what is not in the folder.
    """
    if path.is_file():
        return [path]
    if not (path / "config.json").is_file() and (path / ADAPTER_WEIGHTS).is_file():
        return [path / ADAPTER_WEIGHTS]
    name = _named_weights(path / "config.json")
    if name is None:
        name = _INDEX if not (path / _SINGLE).is_file() and (path / _INDEX).is_file() else _SINGLE
    if not (path / name).is_file():
        raise BadInput(
            f"{path}: no safetensors weights there ({name})",
            remedy="Name a folder with model.safetensors; pickles (.bin, .pt) are not read.",
        )
    return _shards(path / name) if name.endswith(".index.json") else [path / name]


def _named_weights(config: Path) -> str | None:
    """The weights that a configuration names itself, which transformers then prefers."""
    if not config.is_file():
        return None
    name = read_settings(config).get("transformers_weights")
    if name is None:
        return None
    if not isinstance(name, str) or not _lies_inside(name):
        raise BadInput(
            f"{config}: transformers_weights names no file of this folder",
            remedy="Remove that key; transformers then takes model.safetensors.",
        )
    return name


def _shards(index: Path) -> list[Path]:
    places = read_settings(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise _damaged(index, "not a safetensors index")
    names = set(places.values())
    if not all(isinstance(name, str) and _lies_inside(name) for name in names):
        raise _damaged(index, "it names files outside its folder")
    missing = sorted(name for name in names if not (index.parent / name).is_file())
    if missing:
        raise _damaged(index, f"{missing[0]} is not there")
    return [index.parent / name for name in sorted(names)]


def _lies_inside(name: str) -> bool:
    return name.endswith((".safetensors", _INDEX)) and ".." not in name and not name.startswith("/")


def _header(file: Path) -> tuple[int, dict[str, Any]]:
    """Where a file's tensors begin, and what it says of each; safetensors has found it sound."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np"), file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header: dict[str, Any] = json.loads(stream.read(length))
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(file, f"not a safetensors file, or cut off ({error})") from None
    header.pop("__metadata__", None)
    return 8 + length, header


def _hash_range(stream: BinaryIO, begin: int, end: int) -> str:
    stream.seek(begin)
    hasher = hashlib.sha256()
    left = end - begin
    while left:
        block = stream.read(min(_BLOCK, left))
        if not block:
            raise OSError(5, "the file became shorter while it was read")
        hasher.update(block)
        left -= len(block)
    return hasher.hexdigest()


def _damaged(file: Path, problem: str) -> BadInput:
    return BadInput(f"{file}: {problem}", remedy="Download or copy the weights again.")
