"""The loss against plain torch: packed or not, chunked or not, in one pass or in several."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    TrainingArguments,
    set_seed,
)
from transformers import Trainer as StockTrainer

from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_tasks.prompts.rendering import tokenizer_renderer
from rapport_training.lora import loss as loss_module
from rapport_training.lora.adapter import adapt, add_adapter
from rapport_training.lora.base import load_base
from rapport_training.lora.loss import labelled_loss, linear_head, token_nll
from rapport_training.lora.recipe import LoraSection, Recipe
from rapport_training.lora.train import train
from rapport_training.sequences.batches import Row, collate, pack
from rapport_training.sequences.corpus import IGNORED, LabelledSequence, encode_corpus


@pytest.fixture
def adapted(recipe: Recipe, tiny_model: Path) -> Any:
    """A tiny model with an adapter that is not a no-op, without dropout."""
    torch.manual_seed(3)
    tables = recipe.model_dump()
    tables["lora"]["dropout"] = 0.0
    model = add_adapter(Recipe.model_validate(tables), load_base(recipe, tiny_model))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(0.1 * torch.randn_like(parameter))
    return model


@pytest.fixture
def sequences(recipe: Recipe, tokenizer: Any) -> tuple[LabelledSequence, ...]:
    dialogues = read_dialogues(recipe.corpus_file())
    return encode_corpus(
        dialogues, tokenizer, tokenizer_renderer(tokenizer), max_length=512
    ).sequences


def batch_for(model: Any, rows: list[Row]) -> dict[str, torch.Tensor]:
    return {name: tensor.to(model.device) for name, tensor in collate(rows).items()}


def plain_loss(model: Any, sequences: Any) -> torch.Tensor:
    """The mean over all labelled tokens, one sequence at a time, by torch's own cross-entropy."""
    total, count = torch.zeros((), device=model.device), 0
    for sequence in sequences:
        ids = torch.tensor([sequence.tokens], device=model.device)
        logits = model(input_ids=ids).logits[0, :-1]
        labels = torch.tensor(sequence.labels[1:], device=model.device)
        total = total + torch.nn.functional.cross_entropy(
            logits, labels, ignore_index=IGNORED, reduction="sum"
        )
        count += int((labels != IGNORED).sum())
    return total / count


def gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }


def batches_of(kind: str, sequences: Any) -> list[list[Row]]:
    """Rows in two unequal passes, as gradient accumulation makes them."""
    rows: list[Row] = [(sequence,) for sequence in sequences]
    if kind == "packed":
        rows = pack(sequences, 300)
        assert max(len(row) for row in rows) > 1
    return [rows[:1], rows[1:]]


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "whole"])
@pytest.mark.parametrize("kind", ["packed", "apart"])
def test_loss_and_gradients_are_plain_torchs(
    adapted: Any, sequences: Any, kind: str, chunked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = plain_loss(adapted, sequences)
    wanted = gradients(adapted, expected)
    for device in ("cpu", "cuda"):
        monkeypatch.setitem(loss_module._CHUNK_ELEMENTS, device, 448 * 7)  # seven rows a chunk
    adapted.eval()
    head = linear_head(adapted, list(sequences[0].tokens[:32]))
    assert head is not None
    count = sum(label != IGNORED for s in sequences for label in s.labels[1:])
    total = torch.zeros((), device=adapted.device)
    with labelled_loss(adapted, head if chunked else None):
        for rows in batches_of(kind, sequences):
            batch = batch_for(adapted, rows)
            total = total + adapted(**batch, num_items_in_batch=torch.tensor(count)).loss
    torch.testing.assert_close(total, expected, rtol=0, atol=1e-5)
    found = gradients(adapted, total)
    assert found.keys() == wanted.keys()
    assert len(found) == 16
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, wanted[name], rtol=0, atol=1e-5)
        assert gradient.abs().max() > 1e-3


def test_the_models_forward_is_its_own_again_afterwards(adapted: Any, sequences: Any) -> None:
    batch = batch_for(adapted, [(sequences[0],)])
    with labelled_loss(adapted, None):
        assert not hasattr(adapted(**batch), "past_key_values")
        assert adapted(input_ids=batch["input_ids"]).logits.shape[-1] == 448
    assert adapted(**batch).logits.shape[-1] == 448


def test_no_logit_matrix_of_all_tokens_is_made(adapted: Any, sequences: Any) -> None:
    adapted.eval()
    head = linear_head(adapted, list(sequences[0].tokens[:32]))
    assert head is not None
    sizes: list[int] = []
    hook = torch.nn.Linear.forward

    def note(layer: Any, hidden: torch.Tensor) -> torch.Tensor:
        made = hook(layer, hidden)
        sizes.append(made.numel() if made.shape[-1] == 448 else 0)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.Linear, "forward", note)
        batch = batch_for(adapted, [(s,) for s in sequences])
        token_nll(adapted, batch, head).sum().backward()
        assert max(sizes) == 0
        token_nll(adapted, batch, None)
        assert max(sizes) > 0


def gemma(cap: float | None) -> Any:
    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, final_logit_softcapping=cap,
    )  # fmt: skip
    return Gemma2ForCausalLM(config).eval().requires_grad_(False)


def test_a_head_that_does_more_than_a_product_is_noticed() -> None:
    assert linear_head(gemma(None), [1, 2, 3, 4]) is not None
    assert linear_head(gemma(5.0), [1, 2, 3, 4]) is None


def test_an_adapted_head_is_noticed(tiny_model: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    with warnings.catch_warnings(action="ignore"):  # peft doubts that a tied head can be adapted
        adapted = adapt(model, LoraSection(target_modules=("lm_head",)), base_name="tiny")
    assert linear_head(adapted.eval(), [1, 2, 3, 4]) is None


def tables_of(recipe: Recipe, **train_values: Any) -> Recipe:
    tables = recipe.model_dump()
    tables["lora"]["dropout"] = 0.0
    tables["train"] |= {"max_steps": None, "epochs": 2, "lr_schedule": "linear", **train_values}
    return Recipe.model_validate(tables)


def test_the_first_steps_are_a_hand_written_loops(
    recipe: Recipe, tiny_model: Path, tmp_path: Path, sequences: Any
) -> None:
    """Two epochs of three dialogues in passes of one: order, schedule, clipping, AdamW, loss."""
    settings = tables_of(recipe, batch_size=1, gradient_accumulation=3, warmup_ratio=0.25)
    told: list[Any] = []
    train(settings, tmp_path / "adapter", on_progress=told.append)
    assert len(told) == 4

    set_seed(settings.train.seed)
    model = add_adapter(settings, load_base(settings, tiny_model)).train()
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=0.01, weight_decay=0.0)
    for number, at in enumerate(told):
        rate = 0.01 * (number / 1 if number < 1 else (4 - number) / (4 - 1))
        epoch, place = divmod(number, 2)
        order = torch.randperm(6, generator=torch.Generator().manual_seed(epoch))
        chosen = [sequences[i] for i in order[3 * place : 3 * place + 3]]
        optimizer.param_groups[0]["lr"] = rate
        loss = plain_loss(model, chosen)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        assert at.learning_rate == pytest.approx(rate)
        assert at.loss == pytest.approx(loss.item(), abs=1e-5)
        assert at.grad_norm == pytest.approx(norm.item(), rel=1e-4)


def test_a_step_is_the_same_however_it_is_accumulated(recipe: Recipe, tmp_path: Path) -> None:
    """Transformers' Trainer must count the labelled tokens of the whole step."""
    curves = []
    for rows, passes in ((6, 1), (2, 3), (1, 6)):
        told: list[float] = []
        settings = tables_of(recipe, batch_size=rows, gradient_accumulation=passes)
        train(
            settings, tmp_path / f"{rows}", on_progress=lambda at, told=told: told.append(at.loss)
        )
        curves.append(told)
    assert curves[1] == pytest.approx(curves[0], abs=1e-5)
    assert curves[2] == pytest.approx(curves[0], abs=1e-5)


def test_losses_are_those_of_a_stock_trainer(
    recipe: Recipe, tiny_model: Path, tmp_path: Path, sequences: Any
) -> None:
    settings = tables_of(recipe, batch_size=2, gradient_accumulation=1, gradient_checkpointing=True)
    told: list[float] = []
    train(settings, tmp_path / "adapter", on_progress=lambda at: told.append(at.loss))
    set_seed(0)
    stock = StockTrainer(
        model=add_adapter(settings, load_base(settings, tiny_model)),
        args=TrainingArguments(
            output_dir=str(tmp_path / "stock"), num_train_epochs=2, per_device_train_batch_size=2,
            learning_rate=0.01, lr_scheduler_type="linear", warmup_steps=0.03, seed=0, use_cpu=True,
            remove_unused_columns=False, logging_steps=1, save_strategy="no", report_to="none",
            disable_tqdm=True, dataloader_pin_memory=False,
        ),
        train_dataset=[(sequence,) for sequence in sequences],
        data_collator=collate,
    )  # fmt: skip
    stock.train()
    theirs = [line["loss"] for line in stock.state.log_history if "loss" in line]
    assert told == pytest.approx(theirs, abs=2e-5)
