"""Training: a recipe in, an adapter folder out (`rapport_training.adapter` says what is in it)."""

from __future__ import annotations

import hashlib
import logging
import math
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_callback import PrinterCallback

from rapport_tasks.dialogue import Dialogue, read_dialogues, select_runnable
from rapport_tasks.errors import BadInput
from rapport_tasks.rendering import tokenizer_renderer
from rapport_tasks.weights import weights_sha256
from rapport_training.adapter import add_adapter, check_only_lora, refuse_taken, write_adapter
from rapport_training.base import LoadedBase, load_base, resolve_base
from rapport_training.batches import Row, collate, keeps_packed_apart, pack
from rapport_training.corpus import EncodedCorpus, encode_corpus
from rapport_training.recipe import Recipe, dialogue_file
from rapport_training.validation import summed_nll

SCHEMA_VERSION = "1.0"
_PACKAGES = ("torch", "transformers", "peft", "accelerate", "bitsandbytes")

OnProgress = Callable[[int, int], None]
"""Called after every optimizer step with (steps done, steps in all)."""


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """What came out of a training.

    Attributes:
        out: The adapter's folder.
        record: The contents of its ``training.json``.
    """

    out: Path
    record: dict[str, Any]


def train(
    recipe: Recipe, out: str | Path, *, on_progress: OnProgress | None = None
) -> TrainingSummary:
    """Train a LoRA adapter.

    Args:
        recipe: What to train on what, and how.
        out: The folder to write; must not exist, or be empty.
        on_progress: Called after every optimizer step.

    Raises:
        BadInput: The folder is taken, the base, corpus or a required part is not there, no dialogue
            fits, a target module does not exist, or the loss is no longer a number.
    """
    begun = time.monotonic()
    out = Path(out)
    refuse_taken(out)
    dialogues = read_dialogues(recipe.corpus_file())
    held_out = _validation_dialogues(recipe)
    folder = resolve_base(recipe.base.name)
    base_sha256 = weights_sha256(folder)
    with _quiet():
        base = load_base(recipe, folder)
        corpus = _encode(recipe, base, dialogues)
        set_seed(recipe.train.seed)
        model = add_adapter(recipe, base)
        # A new adapter adds exactly nothing: this is the base's own value.
        before = summed_nll(model, base.tokenizer, held_out)
        losses = _fit(recipe, base, model, corpus, on_progress)
        after = summed_nll(model, base.tokenizer, held_out)
    record = {
        "schema_version": SCHEMA_VERSION,
        "recipe": recipe.model_dump(mode="json"),
        "effective": {
            "quantization": base.quantization,
            "optimizer": base.optimizer,
            "device": model.device.type,
            "fallbacks": list(base.fallbacks),
        },
        "base": {"name": recipe.base.name, "weights_sha256": base_sha256},
        "corpus": _describe(recipe, corpus),
        "parameters": _count_parameters(model),
        "seed": recipe.train.seed,
        "steps": len(losses),
        "loss": _ends(losses),
        "validation": {
            "dialogues": len(held_out),
            "tokens": after[1],
            "base_nll_sum": before[0],
            "adapter_nll_sum": after[0],
        },
        "seconds": round(time.monotonic() - begun, 1),
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "versions": {name: _version(name) for name in _PACKAGES},
    }
    if not held_out:
        record["validation"] = None
    write_adapter(model, record, out)
    return TrainingSummary(out, record)


def _validation_dialogues(recipe: Recipe) -> list[Dialogue]:
    if recipe.data.validation is None:
        return []
    return select_runnable(read_dialogues(dialogue_file(recipe.data.validation)))[0]


def _encode(recipe: Recipe, base: LoadedBase, dialogues: list[Dialogue]) -> EncodedCorpus:
    context = getattr(base.model.config, "max_position_embeddings", None)
    if context is not None and recipe.data.max_length > context:
        raise BadInput(
            f"data.max_length = {recipe.data.max_length}: {recipe.base.name} reads at most "
            f"{context} tokens",
            remedy=f"Use at most {context}.",
        )
    corpus = encode_corpus(
        dialogues,
        base.tokenizer,
        tokenizer_renderer(base.tokenizer),
        max_length=recipe.data.max_length,
        loss_on=recipe.data.loss_on,
    )
    if not corpus.sequences:
        raise BadInput(
            f"{recipe.data.corpus}: no dialogue left to train on ({corpus.overlong} longer than "
            f"{recipe.data.max_length} tokens, {sum(corpus.skipped.values())} not alternating)",
            remedy="Raise data.max_length, or split the dialogues.",
        )
    return corpus


def _fit(
    recipe: Recipe,
    base: LoadedBase,
    model: Any,
    corpus: EncodedCorpus,
    on_progress: OnProgress | None,
) -> list[float]:
    """Run the optimizer; returns the loss of every step."""
    rows: list[Row] = [(sequence,) for sequence in corpus.sequences]
    if recipe.data.packing:
        if not keeps_packed_apart(model, corpus.sequences):
            raise BadInput(
                f"data.packing: {recipe.base.name} does not keep packed dialogues apart",
                remedy="Set data.packing = false for this architecture.",
            )
        rows = pack(corpus.sequences, recipe.data.max_length)
    watch = _Watch(on_progress)
    cuda = torch.cuda.is_available()
    with tempfile.TemporaryDirectory(prefix="rapport-train-") as scratch:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=scratch,
                num_train_epochs=recipe.train.epochs,
                max_steps=recipe.train.max_steps or -1,
                per_device_train_batch_size=recipe.train.batch_size,
                gradient_accumulation_steps=recipe.train.gradient_accumulation,
                learning_rate=recipe.train.learning_rate,
                lr_scheduler_type="cosine",
                warmup_steps=recipe.train.warmup_ratio,
                optim="adamw_torch" if base.optimizer == "adamw" else base.optimizer,
                seed=recipe.train.seed,
                use_cpu=not cuda,
                dataloader_pin_memory=cuda,
                remove_unused_columns=False,
                label_names=["labels"],
                logging_steps=1,
                logging_nan_inf_filter=False,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
            ),
            train_dataset=rows,
            data_collator=collate,
            callbacks=[watch],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return watch.losses


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Collects losses, reports progress, and makes sure that nothing but the adapter learns."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self.losses: list[float] = []
        self._on_progress = on_progress

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        parameters = kwargs["model"].named_parameters()
        check_only_lora(name for name, p in parameters if p.grad is not None)

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        loss = (kwargs.get("logs") or {}).get("loss")
        if loss is None:  # the summary that the trainer logs at its end
            return
        if not math.isfinite(loss):
            raise BadInput(
                f"the loss is {loss} at step {state.global_step}: training has diverged",
                remedy="Lower train.learning_rate.",
            )
        self.losses.append(float(loss))
        if self._on_progress is not None:
            self._on_progress(state.global_step, state.max_steps)


def _describe(recipe: Recipe, corpus: EncodedCorpus) -> dict[str, Any]:
    return {
        "name": recipe.data.corpus,
        "sha256": hashlib.sha256(recipe.corpus_file().read_bytes()).hexdigest(),
        "dialogues": corpus.dialogues,
        "overlong": corpus.overlong,
        "skipped": dict(sorted(corpus.skipped.items())),
        "sequences": len(corpus.sequences),
        "tokens": sum(len(sequence.tokens) for sequence in corpus.sequences),
        "labelled_tokens": sum(sequence.scored() for sequence in corpus.sequences),
    }


def _count_parameters(model: Any) -> dict[str, int]:
    trainable, total = model.get_nb_trainable_parameters()  # sees through 4-bit storage
    return {"trainable": int(trainable), "total": int(total)}


def _ends(losses: list[float]) -> dict[str, float]:
    """Mean loss of the first and of the last tenth of the steps, in nats per labelled token."""
    edge = max(1, len(losses) // 10)
    return {"first": sum(losses[:edge]) / edge, "last": sum(losses[-edge:]) / edge}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars, nothing below an error from transformers, no noise between libraries."""
    from transformers.utils import logging as transformers_logging

    level = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # peft reads an attribute that transformers 5 has renamed.
            warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
            yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()
