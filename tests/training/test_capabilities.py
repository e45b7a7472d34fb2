"""Trials of what a machine can do, on machines that cannot: each fault is one that a library shows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from rapport_tasks.common.errors import BadInput
from rapport_training.loading import capabilities
from rapport_training.loading.capabilities import (
    USUAL_LAYERS,
    LayerKind,
    dtype_problem,
    four_bit_problem,
    keep_unpacked,
    layer_kinds,
    optimizer_problem,
    packing_problem,
)
from rapport_training.loading.pretrained import empty_model
from rapport_training.lora.adapter import adapt
from rapport_training.lora.base import load_base
from rapport_training.lora.recipe import LoraSection, Recipe, load_recipe
from rapport_training.lora.train import train
from rapport_training.sequences.corpus import LabelledSequence

WITH_BIAS, WITHOUT_BIAS = LayerKind(64, 96, bias=True), LayerKind(64, 96, bias=False)


def changed(recipe: Recipe, **values: Any) -> Recipe:
    tables = recipe.model_dump()
    for key, value in values.items():
        section, _, name = key.partition("__")
        tables[section][name] = value
    return Recipe.model_validate(tables)


def nf4(kind: LayerKind, *, training: bool, dtype: str = "bfloat16") -> str | None:
    return four_bit_problem(
        [kind], device="cpu", dtype=dtype, double_quantization=True, training=training
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("double", [True, False])
def test_what_works_here_has_no_problem(dtype: str, double: bool) -> None:
    for training in (False, True):
        assert dtype_problem(USUAL_LAYERS, device="cpu", dtype=dtype, training=training) is None
        problem = four_bit_problem(
            USUAL_LAYERS, device="cpu", dtype=dtype, double_quantization=double, training=training
        )
        assert problem is None


def test_kinds_of_layers_come_from_the_bases_configuration(
    models: dict[str, Path], wide_model: Path, tmp_path: Path
) -> None:
    assert kinds_of(wide_model) == (
        LayerKind(64, 32, bias=True),  # k_proj and v_proj
        LayerKind(64, 64, bias=False),
        LayerKind(64, 64, bias=True),
        LayerKind(64, 128, bias=False),
        LayerKind(128, 64, bias=False),
    )
    # GPT-2 keeps its weights the other way round.
    assert LayerKind(32, 96, bias=True) in kinds_of(models["plain"])
    config = json.loads((wide_model / "config.json").read_text(encoding="utf-8"))
    config |= {"hidden_size": 896, "intermediate_size": 4864 + 8, "num_attention_heads": 14}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    shutil.copy(wide_model / "model.safetensors", tmp_path)
    # Smaller, but of the same width as far as blocks of 64 and 256 go.
    assert LayerKind(256 + 896 % 256, 256 + 4872 % 256, bias=False) in kinds_of(tmp_path)


def kinds_of(folder: Path) -> tuple[LayerKind, ...]:
    return layer_kinds(empty_model(folder, name="base"))


def test_trials_leave_the_random_numbers_of_training_alone(wide_model: Path) -> None:
    before = torch.random.get_rng_state()
    nf4(WITH_BIAS, training=True)
    optimizer_problem("adamw_8bit", device="cpu")
    kinds_of(wide_model)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.usefixtures("packing_processor")
def test_packed_weights_fail_the_trial_and_unpacked_ones_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for kind in (WITH_BIAS, WITHOUT_BIAS):
        assert nf4(kind, training=True) is None
    monkeypatch.setattr(capabilities, "keep_unpacked", lambda layer: layer)
    problem = nf4(WITH_BIAS, training=True)
    assert problem is not None
    assert "64 inputs and 96 outputs with bias" in problem
    assert "in-place operation" in problem
    problem = nf4(WITHOUT_BIAS, training=True)
    assert problem is not None
    assert "no gradient comes back" in problem
    assert nf4(WITH_BIAS, training=False) is None


@pytest.mark.usefixtures("packing_processor")
def test_a_base_that_was_scored_can_still_be_trained(recipe: Recipe, wide_model: Path) -> None:
    quantised = changed(recipe, base__quantization="nf4", base__dtype="bfloat16")
    model = load_base(quantised, wide_model).model.eval()
    layer = model.model.layers[0].mlp.up_proj
    held = layer.weight.detach().clone()
    with torch.inference_mode():
        model(input_ids=torch.tensor([[1, 2, 3]], device=model.device))
    assert torch.equal(layer.weight, held)
    assert not getattr(layer.weight.quant_state, "packing_format_for_cpu", False)


def test_the_recommended_recipe_learns_the_same_where_bitsandbytes_would_pack(
    wide_model: Path, corpus_folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = {
        "base.name": str(wide_model),
        "data.corpus": str(corpus_folder),
        "data.max_length": 512,
        "train.max_steps": 2,
        "train.learning_rate": 0.01,
    }
    recipe = load_recipe("qwen1.5-1.8b-emotion-recommended", settings)
    usual = train(recipe, tmp_path / "usual")
    request.getfixturevalue("packing_processor")
    packing = train(recipe, tmp_path / "packing")
    assert packing.record["effective"] == usual.record["effective"]
    assert packing.record["effective"]["quantization"] == "nf4"
    assert packing.record["validation"] == usual.record["validation"]
    weights = [load_file(done.out / "adapter_model.safetensors") for done in (usual, packing)]
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())
    assert any(bool(tensor.any()) for name, tensor in weights[0].items() if "lora_B" in name)


def refuse_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    from bitsandbytes.nn import Linear4bit

    usual = Linear4bit.forward

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        if self.bias is not None and x.requires_grad:
            raise RuntimeError("a view of a leaf Variable is being used in an in-place operation.")
        result: torch.Tensor = usual(self, x)
        return result

    monkeypatch.setattr(Linear4bit, "forward", forward)


def confuse_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    from bitsandbytes import functional

    usual = functional.dequantize_4bit

    def dequantize(*arguments: Any) -> torch.Tensor:
        weights: torch.Tensor = usual(*arguments).roll(1, 0)
        return weights

    monkeypatch.setattr(functional, "dequantize_4bit", dequantize)


def refuse_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = torch.nn.Linear.forward

    def forward(self: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
        if x.dtype == torch.bfloat16:
            raise RuntimeError("no kernel for BFloat16")
        return usual(self, x)

    monkeypatch.setattr(torch.nn.Linear, "forward", forward)


def refuse_states(monkeypatch: pytest.MonkeyPatch) -> None:
    from bitsandbytes.optim import AdamW

    def step(self: Any, *_: Any) -> None:
        raise NotImplementedError("no 8-bit kernel")

    monkeypatch.setattr(AdamW, "step", step)


def stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    from bitsandbytes.optim import AdamW

    monkeypatch.setattr(AdamW, "step", lambda *_: None)


@pytest.mark.parametrize(
    ("fault", "asked", "key", "instead", "reason"),
    [
        (refuse_bias, "nf4", "base.quantization", "none", "in-place operation"),
        (confuse_weights, "nf4", "base.quantization", "none", "quantised weights are not those"),
        (refuse_bfloat16, "bfloat16", "base.dtype", "float32", "no kernel for BFloat16"),
        (refuse_states, "adamw_8bit", "train.optimizer", "adamw", "no 8-bit kernel"),
        (stand_still, "adamw_8bit", "train.optimizer", "adamw", "steps are not AdamW's"),
    ],
)
def test_what_fails_its_trial_stops_training_or_is_done_without(
    recipe: Recipe,
    wide_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[pytest.MonkeyPatch], None],
    asked: str,
    key: str,
    instead: str,
    reason: str,
) -> None:
    name = key.partition(".")[2]
    asking = changed(recipe, base__name=str(wide_model), **{key.replace(".", "__"): asked})
    fault(monkeypatch)
    with pytest.raises(BadInput, match=reason) as caught:
        train(asking, tmp_path / "adapter")
    assert caught.value.message.startswith(f"{key} = {asked!r}: ")
    assert f"require.{name} = false" in caught.value.remedy
    assert not list(tmp_path.iterdir())
    allowing = changed(asking, **{f"require__{name}": False})
    effective = train(allowing, tmp_path / "adapter").record["effective"]
    assert effective[name] == instead
    assert len(effective["fallbacks"]) == 1
    assert reason in effective["fallbacks"][0]
    if name == "dtype":
        assert "none quantisation, float32" in (tmp_path / "adapter" / "README.md").read_text(
            "utf-8"
        )


def test_a_base_stored_in_4_bits_that_do_not_work_is_refused_whatever_is_required(
    recipe: Recipe, wide_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = tmp_path / "stored"
    usual = AutoModelForCausalLM.from_pretrained(
        wide_model, quantization_config=BitsAndBytesConfig(load_in_4bit=True)
    )
    usual.save_pretrained(stored)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(wide_model / name, stored)
    asked = changed(recipe, base__name=str(stored), require__quantization=False)
    assert train(asked, tmp_path / "adapter").record["steps"] == 3
    refuse_bias(monkeypatch)
    with pytest.raises(BadInput, match=r"is stored in 4 bits: .*in-place") as caught:
        train(asked, tmp_path / "other")
    assert "made of" in caught.value.remedy
    assert not (tmp_path / "other").exists()


def test_packing_is_tried_backward_too(tiny_model: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    base.config.use_cache = False
    model = adapt(base, LoraSection(r=2), base_name="tiny")
    dialogues = [LabelledSequence(ids, ids) for ids in ((5, 6, 7, 8), (9, 10, 11))]
    assert packing_problem(model, dialogues) is None
    assert all(p.grad is None for p in model.parameters())

    def fail(*_: Any) -> None:
        raise RuntimeError("no backward kernel for this mask")

    base.model.layers[0].self_attn.register_full_backward_hook(fail)
    assert packing_problem(model, dialogues) == "RuntimeError: no backward kernel for this mask"


def test_states_that_are_not_in_8_bits_are_no_8_bit_optimizer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from bitsandbytes import optim

    assert optimizer_problem("adamw_8bit", device="cpu") is None
    usual = optim.AdamW

    def full_width(*arguments: Any, optim_bits: int, **others: Any) -> Any:
        return usual(*arguments, optim_bits=32, **others)

    monkeypatch.setattr(optim, "AdamW", full_width)
    assert optimizer_problem("adamw_8bit", device="cpu") == "its states are not held in 8 bits"


def test_a_wrong_result_fails_a_trial_as_an_error_does(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = torch.nn.Linear.forward
    for wrong in (lambda self, x: usual(self, x) - (0 if self.bias is None else self.bias),
                  lambda self, x: usual(self, x) * float("nan"),
                  lambda self, x: usual(self, x.detach())):  # fmt: skip
        monkeypatch.setattr(torch.nn.Linear, "forward", wrong)
        problem = dtype_problem([WITH_BIAS], device="cpu", dtype="float32", training=True)
        assert problem is not None
        assert "with bias does not work on cpu" in problem
    monkeypatch.setattr(torch.nn.Linear, "forward", usual)
    problem = dtype_problem([WITH_BIAS], device="nowhere", dtype="float32", training=False)
    assert problem is not None
    assert "nowhere" in problem


def test_unpacked_is_a_mark_on_4_bit_layers_alone() -> None:
    from bitsandbytes.nn import Linear4bit

    model = torch.nn.Sequential(torch.nn.Linear(4, 4), Linear4bit(64, 64, quant_type="nf4"))
    model[1].support_avx512bf16_for_cpu = True
    keep_unpacked(model)
    assert model[1].support_avx512bf16_for_cpu is False
    assert not hasattr(model[0], "support_avx512bf16_for_cpu")
