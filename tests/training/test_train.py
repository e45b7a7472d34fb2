from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainingArguments

from rapport_tasks.common.errors import BadInput, Incomplete
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_tasks.prompts.rendering import tokenizer_renderer, turn_prompts
from rapport_tasks.weights.hashes import weights_sha256
from rapport_training import RECIPES, disk
from rapport_training.loading import capabilities
from rapport_training.lora import assembly
from rapport_training.lora import train as train_module
from rapport_training.lora.adapter import add_adapter, check_only_lora
from rapport_training.lora.base import load_base
from rapport_training.lora.loss import labelled_loss
from rapport_training.lora.recipe import LARGEST, Recipe, load_recipe
from rapport_training.lora.train import TrainingSummary, autocast_of, train
from rapport_training.lora.trainer import LoraTrainer
from rapport_training.lora.validation import sequences_nll, summed_nll
from rapport_training.lora.watch import Diverged, Watch
from rapport_training.sequences.batches import collate
from rapport_training.sequences.corpus import encode_corpus

FILES = {
    "README.md",
    "adapter_config.json",
    "adapter_model.safetensors",
    "curves.png",
    "training.json",
    "training.jsonl",
}


def changed(recipe: Recipe, section: str, **values: Any) -> Recipe:
    tables = recipe.model_dump()
    tables[section] |= values
    return Recipe.model_validate(tables)


@pytest.fixture(scope="module")
def trained(
    tiny_model: Path, corpus_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainingSummary, list[tuple[int, int]]]:
    recipe = Recipe.model_validate(
        {
            "base": {"name": str(tiny_model)},
            "data": {"corpus": str(corpus_file), "validation": str(corpus_file), "max_length": 512},
            "lora": {"r": 4, "alpha": 16},
            "train": {
                "batch_size": 2,
                "gradient_accumulation": 2,
                "learning_rate": 0.02,
                "epochs": 10,
            },
        }
    )
    told: list[tuple[int, int]] = []
    out = tmp_path_factory.mktemp("trained") / "adapter"
    return train(recipe, out, on_progress=lambda at: told.append((at.step, at.steps))), told


def test_the_folder_holds_exactly_the_adapter_and_its_record(
    trained: tuple[TrainingSummary, Any],
) -> None:
    out = trained[0].out
    assert {path.name for path in out.iterdir()} == FILES
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_training_lowers_the_loss_and_reports_every_step(
    trained: tuple[TrainingSummary, list[tuple[int, int]]],
) -> None:
    record = trained[0].record
    assert record["steps"] == 20
    assert trained[1] == [(step, 20) for step in range(1, 21)]
    assert record["loss"]["last"] < record["loss"]["first"]
    assert record["validation"]["adapter_nll_sum"] < record["validation"]["base_nll_sum"]


def test_the_record_says_what_was_trained_on_what(
    trained: tuple[TrainingSummary, Any], tiny_model: Path
) -> None:
    record = json.loads((trained[0].out / "training.json").read_text(encoding="utf-8"))
    assert record == trained[0].record
    assert record["base"]["weights_sha256"] == weights_sha256(tiny_model)
    assert record["parameters"]["trainable"] == 2 * 4 * (32 + 32 + 2 * (32 + 16) + 32 + 32)
    assert record["recipe"]["train"]["learning_rate"] == 0.02
    assert (record["corpus"]["dialogues"], record["corpus"]["overlong"]) == (6, 0)
    assert len(record["corpus"]["sha256"]) == 64


def test_the_saved_adapter_gives_the_recorded_likelihood(
    trained: tuple[TrainingSummary, Any], tiny_model: Path, corpus_file: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    dialogues = read_dialogues(corpus_file)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    recorded = trained[0].record["validation"]
    nll, tokens = summed_nll(model, tokenizer, dialogues)
    assert nll == pytest.approx(recorded["base_nll_sum"], rel=1e-6)
    adapted = PeftModel.from_pretrained(model, trained[0].out)
    nll, tokens = summed_nll(adapted, tokenizer, dialogues)
    assert nll == pytest.approx(recorded["adapter_nll_sum"], rel=1e-6)
    assert tokens == recorded["tokens"]


def test_summed_nll_is_the_sum_over_turns(tiny_model: Path, corpus_file: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    dialogues = read_dialogues(corpus_file)[:2]
    total, tokens = 0.0, 0
    for dialogue in dialogues:
        for prompt in turn_prompts(dialogue, tokenizer_renderer(tokenizer)):
            context = tokenizer(prompt.context)["input_ids"]
            reply = tokenizer(prompt.continuation)["input_ids"]
            with torch.inference_mode():
                logits = model(torch.tensor([context + reply])).logits[0].float()
            logprobs = logits.log_softmax(-1)[len(context) - 1 : -1]
            total -= float(logprobs.gather(-1, torch.tensor(reply)[:, None]).sum())
            tokens += len(reply)
    model.train()
    assert summed_nll(model, tokenizer, dialogues) == (pytest.approx(total, rel=1e-6), tokens)
    assert model.training


def test_lora_parameters_alone_receive_gradients(recipe: Recipe, tiny_model: Path) -> None:
    loaded = load_base(recipe, tiny_model)
    model = add_adapter(recipe, loaded)
    render = tokenizer_renderer(loaded.tokenizer)
    dialogues = read_dialogues(recipe.corpus_file())
    corpus = encode_corpus(dialogues, loaded.tokenizer, render, max_length=512)
    batch = collate([(sequence,) for sequence in corpus.sequences])
    model(**{name: tensor.to(model.device) for name, tensor in batch.items()}).loss.backward()
    learning = {name for name, p in model.named_parameters() if p.grad is not None}
    assert learning == {name for name, _ in model.named_parameters() if ".lora_" in name}
    assert len(learning) == 2 * 4 * 2
    with pytest.raises(RuntimeError, match=r"embed_tokens\.weight"):
        check_only_lora(["model.layers.0.q_proj.lora_A.weight", "model.embed_tokens.weight"])


def test_same_seed_same_weights_other_seed_other_weights(recipe: Recipe, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(changed(recipe, "train", seed=seed), tmp_path / name)
    assert weights_sha256(tmp_path / "a") == weights_sha256(tmp_path / "b")
    assert weights_sha256(tmp_path / "a") != weights_sha256(tmp_path / "c")
    config = "adapter_config.json"
    assert (tmp_path / "a" / config).read_bytes() == (tmp_path / "b" / config).read_bytes()


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_every_shipped_recipe_runs_and_names_no_machine_path(
    name: str, wide_model: Path, corpus_folder: Path, tmp_path: Path
) -> None:
    shipped = load_recipe(name)
    settings = {
        "base.name": str(wide_model),
        "data.corpus": str(corpus_folder),
        "data.max_length": 512,
        "train.epochs": 1,
        "require.optimizer": False,
    }
    out = train(load_recipe(name, settings), tmp_path / "adapter").out
    record = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert record["effective"]["quantization"] == shipped.base.quantization
    assert record["effective"]["packing"] == shipped.data.packing
    assert record["effective"]["loss"] == "chunked"
    assert record["validation"]["dialogues"] == 2
    config = json.loads((out / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == "qwen"
    assert config["target_modules"] == sorted(shipped.lora.target_modules)
    for path in out.iterdir():
        content = path.read_bytes()
        for private in (str(tmp_path), str(wide_model), str(corpus_folder), "睡不着", "很累"):
            assert private.encode() not in content


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("base", {"quantization": "nf4"}),
        ("base", {"dtype": "float16"}),
        ("data", {"packing": True}),
        ("train", {"optimizer": "adamw_8bit"}),
        ("train", {"gradient_checkpointing": True}),
        ("train", {"lr_schedule": "linear"}),
        ("base", {"quantization": "nf4", "double_quantization": True, "dtype": "bfloat16"}),
    ],
)
def test_each_option_of_the_recipe_works(
    recipe: Recipe, wide_model: Path, tmp_path: Path, section: str, values: dict[str, Any]
) -> None:
    wide = changed(recipe, "base", name=str(wide_model))
    out = train(changed(wide, section, **values), tmp_path / "adapter").out
    weights = load_file(out / "adapter_model.safetensors")
    assert len(weights) == 2 * 4 * 2
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())
    assert any(tensor.abs().max() > 0 for name, tensor in weights.items() if "lora_B" in name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="paging works there")
def test_what_is_missing_stops_training_unless_the_recipe_allows_it(
    recipe: Recipe, tmp_path: Path
) -> None:
    paged = changed(recipe, "train", optimizer="paged_adamw_8bit")
    with pytest.raises(BadInput, match=r"train\.optimizer"):
        train(paged, tmp_path / "adapter")
    effective = train(changed(paged, "require", optimizer=False), tmp_path / "adapter").record[
        "effective"
    ]
    assert effective["optimizer"] == "adamw_8bit"
    assert len(effective["fallbacks"]) == 1
    assert "not paged" in effective["fallbacks"][0]


def test_an_adapter_may_compute_in_bfloat16_but_is_validated_in_full(
    recipe: Recipe, tiny_model: Path, tmp_path: Path
) -> None:
    made = assembly.assemble(recipe, tiny_model)
    seen: set[torch.dtype] = set()
    for name, module in made.model.named_modules():
        if name.endswith("lora_A.default"):
            module.register_forward_hook(lambda _module, _inputs, out: seen.add(out.dtype))
    trainer = LoraTrainer(
        evaluate_dialogues=None,
        autocast=torch.bfloat16,
        model=made.model,
        args=TrainingArguments(
            output_dir=str(tmp_path),
            max_steps=1,
            per_device_train_batch_size=2,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
            remove_unused_columns=False,
            label_names=["labels"],
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=made.rows,
    )
    with labelled_loss(made.model, made.head):
        trainer.train()
        assert seen == {torch.bfloat16}
        assert {p.dtype for p in made.model.parameters() if p.requires_grad} == {torch.float32}
        seen.clear()
        sequences_nll(made.model, made.corpus.sequences[:1], head=made.head)
    assert seen == {torch.float32}


@pytest.mark.parametrize(
    ("dtype", "cuda", "expected"),
    [
        ("bfloat16", True, torch.bfloat16),
        ("bfloat16", False, None),
        ("float32", True, None),
    ],
)
def test_only_a_bfloat16_base_on_a_gpu_is_trained_with_autocast(
    monkeypatch: pytest.MonkeyPatch, dtype: str, cuda: bool, expected: torch.dtype | None
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert autocast_of(dtype) is expected


def test_packing_that_the_base_cannot_keep_apart(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capabilities, "keeps_packed_apart", lambda *_: False)
    packed = changed(recipe, "data", packing=True)
    with pytest.raises(BadInput, match=r"data\.packing") as caught:
        train(packed, tmp_path / "adapter")
    assert "require.packing" in caught.value.remedy
    notes: list[Any] = []
    done = train(
        changed(packed, "require", packing=False), tmp_path / "adapter", on_note=notes.append
    )
    effective = done.record["effective"]
    assert effective["packing"] is False
    assert [n.text for n in notes if n.kind == "fallback"] == effective["fallbacks"]
    assert "keep packed dialogues apart" in effective["fallbacks"][0]
    assert effective["fallbacks"][0] in (done.out / "README.md").read_text(encoding="utf-8")


def test_an_adapted_head_is_trained_on_the_models_own_logits(
    recipe: Recipe, models: dict[str, Path], tmp_path: Path
) -> None:
    adapted = changed(recipe, "lora", target_modules=["q_proj", "lm_head"], dropout=0.0)
    done = train(changed(adapted, "base", name=str(models["llama"])), tmp_path / "adapter")
    assert done.record["effective"]["loss"] == "model"
    assert "chunked loss not used" in done.record["effective"]["fallbacks"][0]
    assert done.record["loss"]["last"] < done.record["loss"]["first"]


def test_missing_target_modules_are_named_with_those_that_exist(
    recipe: Recipe, tmp_path: Path
) -> None:
    with pytest.raises(BadInput) as caught:
        train(changed(recipe, "lora", target_modules=["q_proj", "v_prj"]), tmp_path / "adapter")
    assert "'v_prj'" in caught.value.message
    assert "Did you mean 'v_proj'?" in caught.value.remedy
    for name in ("q_proj", "k_proj", "o_proj", "gate_proj", "up_proj", "down_proj"):
        assert name in caught.value.remedy
    assert "embed_tokens" not in caught.value.remedy


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        ("lora", {"target_modules": ["q_prj"]}, "no linear layer named 'q_prj'"),
        ("data", {"max_length": 2048}, "at most 512 tokens"),
        ("data", {"max_length": 16}, "6 longer than 16 tokens"),
        ("data", {"corpus": "nowhere.jsonl"}, "no such file"),
        ("data", {"corpus": os.devnull}, "no dialogue in this file"),
        ("train", {"learning_rate": 1e30}, "diverged"),
    ],
)
def test_what_cannot_work_is_said_and_leaves_nothing(
    recipe: Recipe, tmp_path: Path, section: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        train(changed(recipe, section, **values), tmp_path / "adapter")
    assert list(tmp_path.iterdir()) == []


def with_weights(
    base: Path, folder: Path, change: Callable[[dict[str, torch.Tensor]], None]
) -> Path:
    """A copy of a base, its tensors changed in place."""
    shutil.copytree(base, folder)
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def overflow_float16(tensors: dict[str, torch.Tensor]) -> None:
    for name, tensor in tensors.items():
        if "up_proj" in name or "gate_proj" in name:
            tensor *= 300


@pytest.mark.parametrize("packing", [False, True])
def test_a_base_that_computes_no_numbers_is_refused_before_the_first_step(
    recipe: Recipe, tiny_model: Path, tmp_path: Path, packing: bool
) -> None:
    base = with_weights(tiny_model, tmp_path / "base", overflow_float16)
    asked = changed(recipe, "base", name=str(base), dtype="float16")
    asked = changed(asked, "data", packing=packing, validation=asked.data.corpus)
    with pytest.raises(Diverged, match="at step 0: training has diverged before") as caught:
        train(asked, tmp_path / "adapter")
    assert "float16" in caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["base"]
    done = train(changed(asked, "base", dtype="bfloat16"), tmp_path / "adapter")
    assert done.record["steps"] == 3


def test_a_validation_dialogue_that_overflows_is_said_and_leaves_nothing(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "sequences_nll", lambda *_, **__: (float("inf"), 7))
    asked = changed(recipe, "data", validation=recipe.data.corpus)
    with pytest.raises(Diverged, match="validation loss is inf at step 0"):
        train(asked, tmp_path / "adapter")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"loss": float("nan"), "grad_norm": 1.0}, "the loss is nan"),
        ({"loss": 1.0, "grad_norm": float("inf")}, "the gradient norm is inf"),
        ({"validation_nll_sum": float("nan")}, "the validation loss is nan"),
    ],
)
def test_each_number_of_the_log_must_be_one(line: dict[str, float], message: str) -> None:
    watch = Watch(log=None, evaluates=False, on_progress=None, on_note=None)
    state = SimpleNamespace(log_history=[line | {"step": 4}])
    with pytest.raises(Diverged, match=f"{message} at step 4: training has diverged$"):
        watch.on_log(None, state, None)


def test_a_last_step_that_leaves_no_numbers_is_no_adapter(recipe: Recipe, tmp_path: Path) -> None:
    once = changed(recipe, "train", max_steps=1, learning_rate=LARGEST, warmup_ratio=0.0)
    with pytest.raises(Diverged, match="at step 1: training has diverged"):
        train(once, tmp_path / "adapter")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="never overwritten"):
        train(recipe, tmp_path / "adapter")
    assert (tmp_path / "adapter" / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_full_disk_at_the_end_leaves_no_half_adapter(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path) -> None:
        assert folder.name == ".adapter.unfinished"
        raise OSError(28, "No space left on device")

    once = changed(recipe, "train", max_steps=1)
    with monkeypatch.context() as patch:
        patch.setattr(disk, "sync", full)
        with pytest.raises(Incomplete, match="disk is full") as caught:
            train(once, tmp_path / "adapter")
    assert "same command again" in caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == [".adapter.checkpoints"]
    assert not list(tmp_path.rglob("adapter_config.json"))
    train(once, tmp_path / "adapter")
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]
