from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from rapport_tasks.common.errors import BadInput
from rapport_tasks.weights.hashes import weights_sha256

TENSORS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.arange(4, dtype=np.float16),
    "empty": np.zeros((0, 3), dtype=np.float32),
}


def write(folder: Path, tensors: dict[str, np.ndarray], name: str = "model.safetensors") -> Path:
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / name, metadata={"written": name})
    return folder


def test_sharding_and_metadata_change_nothing(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole", TENSORS)
    parts = tmp_path / "parts"
    write(parts, {"b": TENSORS["b"], "empty": TENSORS["empty"]}, "model-00001-of-00002.safetensors")
    write(parts, {"a": TENSORS["a"]}, "model-00002-of-00002.safetensors")
    places = {"a": 2, "b": 1, "empty": 1}
    index = {n: f"model-0000{place}-of-00002.safetensors" for n, place in places.items()}
    (parts / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    write(parts, {"stray": TENSORS["a"]}, "consolidated.safetensors")
    assert weights_sha256(parts) == weights_sha256(whole)
    assert weights_sha256(whole / "model.safetensors") == weights_sha256(whole)


@pytest.mark.parametrize(
    "tensors",
    [
        {**TENSORS, "a": TENSORS["a"] + 1},
        {**TENSORS, "a": TENSORS["a"].reshape(3, 2)},
        {**TENSORS, "a": TENSORS["a"].view(np.int32)},
        {"c" if name == "a" else name: value for name, value in TENSORS.items()},
        {"a": TENSORS["a"], "b": TENSORS["b"]},
    ],
    ids=["value", "shape", "dtype", "name", "missing"],
)
def test_what_a_tensor_is_changes_the_hash(tmp_path: Path, tensors: dict[str, np.ndarray]) -> None:
    other = weights_sha256(write(tmp_path / "other", tensors))
    assert other != weights_sha256(write(tmp_path / "whole", TENSORS))


def test_an_adapter_folder_is_hashed_by_its_adapter(tmp_path: Path) -> None:
    adapter = write(tmp_path / "adapter", TENSORS, "adapter_model.safetensors")
    assert weights_sha256(adapter) == weights_sha256(write(tmp_path / "whole", TENSORS))


def index_of(folder: Path, *names: str) -> None:
    places = {str(number): name for number, name in enumerate(names)}
    text = json.dumps({"weight_map": places})
    (folder / "model.safetensors.index.json").write_text(text, encoding="utf-8")


def test_one_name_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, TENSORS, "one.safetensors")
    write(tmp_path, TENSORS, "two.safetensors")
    index_of(tmp_path, "one.safetensors", "two.safetensors")
    with pytest.raises(BadInput, match="'a' stands in another file"):
        weights_sha256(tmp_path)


def test_no_safetensors_and_damaged_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(BadInput, match="no safetensors weights"):
        weights_sha256(tmp_path)
    with pytest.raises(BadInput, match="no safetensors weights"):
        weights_sha256(tmp_path / "nowhere")
    file = write(tmp_path, TENSORS) / "model.safetensors"
    whole = file.read_bytes()
    for cut in (0, 5, 40, len(whole) - 1):
        file.write_bytes(whole[:cut])
        with pytest.raises(BadInput, match=r"model\.safetensors: "):
            weights_sha256(tmp_path)
    file.write_bytes(b"\xff" * 64)
    with pytest.raises(BadInput, match="not a safetensors file"):
        weights_sha256(tmp_path)


def test_an_index_that_names_a_missing_shard_is_refused(tmp_path: Path) -> None:
    index_of(tmp_path, "model-1.safetensors")
    with pytest.raises(BadInput, match=r"model-1\.safetensors is not there"):
        weights_sha256(tmp_path)
    index_of(tmp_path, "../model-1.safetensors")
    with pytest.raises(BadInput, match="files outside its folder"):
        weights_sha256(tmp_path)
    for text, problem in (("[]", "not a JSON object"), ("{}", "not a safetensors index")):
        (tmp_path / "model.safetensors.index.json").write_text(text)
        with pytest.raises(BadInput, match=problem):
            weights_sha256(tmp_path)


def test_of_a_model_the_files_count_that_transformers_loads(tmp_path: Path) -> None:
    """An index beside one whole file, and other weights that nothing names, are passed over."""
    loaded = weights_sha256(write(tmp_path, TENSORS))
    write(tmp_path, {"a": TENSORS["a"] + 1}, "stale.safetensors")
    index_of(tmp_path, "stale.safetensors")
    assert weights_sha256(tmp_path) == loaded
    (tmp_path / "config.json").write_text(json.dumps({"transformers_weights": "stale.safetensors"}))
    assert weights_sha256(tmp_path) == weights_sha256(tmp_path / "stale.safetensors") != loaded
    (tmp_path / "config.json").write_text(json.dumps({"transformers_weights": "../x.safetensors"}))
    with pytest.raises(BadInput, match="names no file of this folder"):
        weights_sha256(tmp_path)
