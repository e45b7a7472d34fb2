"""The identity of weights: a hash of the tensors, not of the files that hold them.

Re-sharding a model, copying it elsewhere or saving it with another header changes nothing here;
changing one number changes the hash. Only safetensors are read, by this module itself: it needs no
torch and no more memory than one block.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rapport_tasks.errors import BadInput

_BLOCK = 1 << 20
_LARGEST_HEADER = 100_000_000  # what the safetensors format itself allows
_INDEX = "model.safetensors.index.json"
_SINGLE = ("model.safetensors", "adapter_model.safetensors")


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def weights_sha256(path: str | Path) -> str:
    """Hash the tensors of a model or adapter.

    Args:
        path: A safetensors file, or a folder: with shards and their index, else with
            ``model.safetensors``, else ``adapter_model.safetensors``, else any safetensors files.

    Returns:
        Hex sha256 over the sorted (name, dtype, shape, sha256 of the bytes) of all tensors.

    Raises:
        BadInput: No safetensors there, a damaged file, or one tensor name in two files.
    """
    tensors: dict[str, list[Any]] = {}
    for file in _weight_files(Path(path)):
        for tensor, sha256 in _hash_tensors(file):
            if tensor.name in tensors:
                raise BadInput(
                    f"{file}: tensor {tensor.name!r} stands in another file of this folder too",
                    remedy="Keep one set of weights in the folder.",
                )
            tensors[tensor.name] = [tensor.name, tensor.dtype, list(tensor.shape), sha256]
    listing = [tensors[name] for name in sorted(tensors)]
    text = json.dumps(listing, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _weight_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    index = path / _INDEX
    if index.is_file():
        try:
            shards = sorted(
                set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
            )
        except (ValueError, KeyError, AttributeError, TypeError):
            raise _damaged(index, "not a safetensors index") from None
        missing = [name for name in shards if not (path / name).is_file()]
        if missing:
            raise _damaged(index, f"{missing[0]} is not there")
        return [path / name for name in shards]
    for name in _SINGLE:
        if (path / name).is_file():
            return [path / name]
    files = sorted(path.glob("*.safetensors"))
    if not files:
        raise BadInput(
            f"{path}: no safetensors weights there",
            remedy="Name a folder with model.safetensors; pickles (.bin, .pt) are not read.",
        )
    return files


def _hash_tensors(file: Path) -> Iterator[tuple[_Tensor, str]]:
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            for tensor in _read_header(stream, file, size):
                yield tensor, _hash_range(stream, tensor.begin, tensor.end)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}", remedy="Name a readable file.") from None


def _read_header(stream: BinaryIO, file: Path, size: int) -> list[_Tensor]:
    prefix = stream.read(8)
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else -1
    if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
        raise _damaged(file, "not a safetensors file, or cut off")
    first = 8 + length
    try:
        header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        tensors = [
            _Tensor(
                name,
                str(entry["dtype"]),
                tuple(int(n) for n in entry["shape"]),
                first + int(entry["data_offsets"][0]),
                first + int(entry["data_offsets"][1]),
            )
            for name, entry in header.items()
        ]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise _damaged(file, "its header cannot be read") from None
    for tensor in tensors:
        if not first <= tensor.begin <= tensor.end <= size:
            raise _damaged(file, f"tensor {tensor.name!r} lies outside the file")
    return sorted(tensors, key=lambda tensor: tensor.begin)


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
