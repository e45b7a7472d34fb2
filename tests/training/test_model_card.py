"""What a training leaves beside the adapter: the card, the log, the picture, the memory figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import Qwen2Config, Qwen2ForCausalLM

from rapport_training.lora.adapter import adapt
from rapport_training.lora.memory import full_tuning_bytes, peak_bytes
from rapport_training.lora.recipe import Recipe, load_recipe
from rapport_training.lora.record import base_license, count_parameters
from rapport_training.lora.train import TrainingSummary, train


@pytest.fixture(scope="module")
def trained(
    tiny_model: Path, corpus_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> TrainingSummary:
    recipe = Recipe.model_validate(
        {
            "base": {"name": str(tiny_model)},
            "data": {"corpus": str(corpus_folder), "max_length": 512},
            "lora": {"r": 4},
            "train": {"batch_size": 20, "gradient_accumulation": 1, "epochs": 2},
        }
    )
    return train(recipe, tmp_path_factory.mktemp("card") / "empathy-r4")


def test_the_studys_adapter_has_6_29_of_1836_8_million_parameters() -> None:
    """Qwen1.5-1.8B: 24 layers x 4 projections x 16 x (2048 + 2048), on a head of its own."""
    config = Qwen2Config(
        vocab_size=151936,
        hidden_size=2048,
        intermediate_size=5504,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_key_value_heads=16,
        tie_word_embeddings=False,
    )
    with torch.device("meta"):
        model = Qwen2ForCausalLM(config)
    adapted = adapt(model, load_recipe("qwen1.5-1.8b-emotion").lora, base_name="Qwen1.5-1.8B")
    counted = count_parameters(adapted)
    assert counted["trainable"] == 6_291_456
    assert counted["total"] - counted["trainable"] == 1_836_828_672
    assert full_tuning_bytes(1_836_828_672) / 1e9 == pytest.approx(29.39, abs=0.01)


def test_the_hub_can_read_the_card(trained: TrainingSummary) -> None:
    card = ModelCard.load(trained.out / "README.md")
    data = card.data.to_dict()
    assert data["base_model"] == "qwen"
    assert data["library_name"] == "peft"
    assert data["license"] == "other"
    assert data["datasets"] == ["corpus"]
    assert data["language"] == ["zh"]
    assert data["pipeline_tag"] == "text-generation"
    assert "lora" in data["tags"]
    (index,) = data["model-index"]
    assert index["name"] == "empathy-r4"
    (metric,) = index["results"][0]["metrics"]
    validation = trained.record["validation"]
    expected = 2.718281828 ** (validation["adapter_nll_sum"] / validation["tokens"])
    assert metric["value"] == pytest.approx(expected, rel=1e-3)


def test_the_card_says_what_was_measured(trained: TrainingSummary) -> None:
    text = (trained.out / "README.md").read_text(encoding="utf-8")
    record = trained.record
    assert "**Trainable parameters: 1,792 of" in text
    assert record["parameters"]["trainable"] == 1792
    assert 10**8 < record["memory"]["peak_bytes"] <= peak_bytes()
    base_parameters = record["parameters"]["total"] - 1792
    assert record["memory"]["full_fine_tuning_bytes"] == 16 * base_parameters
    assert f"16 bytes x {base_parameters} parameters" in text


def test_a_base_without_validation_or_licence_leaves_the_index_open(
    recipe: Recipe, tmp_path: Path
) -> None:
    out = train(recipe, tmp_path / "adapter").out
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "model-index:\n- name: adapter\n  results: []\n" in card


def test_the_base_licence_is_read_from_its_card(tmp_path: Path) -> None:
    assert base_license(tmp_path, "some-base") == "other"
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n# base\n", encoding="utf-8")
    assert base_license(tmp_path, "some-base") == "mit"
    (tmp_path / "README.md").write_text("---\nlicense: [\n---\n# base\n", encoding="utf-8")
    assert base_license(tmp_path, "some-base") == "other"
    assert base_license(tmp_path, "embedded") == "apache-2.0"


def test_the_log_has_a_line_a_step_and_an_evaluation(trained: TrainingSummary) -> None:
    lines = [
        json.loads(line)
        for line in (trained.out / "training.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    kinds = ["step" if "loss" in line else "check" for line in lines]
    assert kinds == ["check", "step", "step", "check", "step", "step", "check"]
    assert [line["step"] for line in lines] == [0, 1, 2, 2, 3, 4, 4]
    for line in lines:
        if "loss" in line:
            assert line.keys() == {
                "step", "epoch", "loss", "learning_rate", "grad_norm", "tokens_per_second",
                "memory_bytes", "seconds",
            }  # fmt: skip
    checks = trained.record["validation"]
    assert [e["nll_sum"] for e in checks["epochs"]] == [
        line["validation_nll_sum"] for line in lines if "validation_nll_sum" in line
    ][1:]


def test_the_picture_is_one(trained: TrainingSummary) -> None:
    assert (trained.out / "curves.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_base_without_a_template_is_said(
    recipe: Recipe, models: dict[str, Path], tmp_path: Path
) -> None:
    tables = recipe.model_dump()
    tables["base"]["name"] = str(models["plain"])
    tables["lora"]["target_modules"] = ["c_attn"]
    notes: list[Any] = []
    made = train(Recipe.model_validate(tables), tmp_path / "adapter", on_note=notes.append)
    (fallback,) = (note for note in notes if note.kind == "fallback")
    assert "no chat template" in fallback.text
    assert made.record["tokenizer"]["template"] == "plain"
    assert "no chat template" in (made.out / "README.md").read_text(encoding="utf-8")
