"""Training: a recipe in, an adapter folder out (`rapport_training.lora.adapter` says what is in it)."""

from __future__ import annotations

import json
import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import reduce as reduce_processes
from transformers import TrainingArguments
from transformers.trainer_callback import PrinterCallback

from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.paths import file_sha256, require_encodable
from rapport_tasks.weights.hashes import weights_sha256
from rapport_training.disk import disk_full, is_full, refuse_taken
from rapport_training.lora import record as records
from rapport_training.lora.adapter import write_adapter
from rapport_training.lora.assembly import Assembly, assemble, effective, first_nll
from rapport_training.lora.base import resolve_base, shown_name
from rapport_training.lora.checkpoints import FULL_DISK_REMEDY, Checkpoints
from rapport_training.lora.loss import labelled_loss
from rapport_training.lora.memory import reset_peak
from rapport_training.lora.progress import Note, OnNote, OnProgress, log_lines
from rapport_training.lora.recipe import Recipe
from rapport_training.lora.trainer import LoraTrainer, load_weights
from rapport_training.lora.validation import sequences_nll
from rapport_training.lora.watch import Diverged, Watch, check_finite


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
    recipe: Recipe,
    out: str | Path,
    *,
    on_progress: OnProgress | None = None,
    on_note: OnNote | None = None,
    restart: bool = False,
) -> TrainingSummary:
    """Train a LoRA adapter, going on from a checkpoint that an interrupted training left.

    Under `accelerate launch` every process calls this; the first one alone writes and tells.

    Args:
        recipe: What to train on what, and how.
        out: The folder to write; must not exist, or be empty.
        on_progress: Called after every optimizer step.
        on_note: Called with fallbacks, evaluations and warnings, one sentence each.
        restart: Begin anew even where checkpoints lie.

    Raises:
        BadInput: The folder is taken, the base, corpus or a required part is not there, no dialogue
            fits, a target module does not exist, checkpoints of other settings lie there, or the
            loss is no longer a number. No adapter is left behind.
        Incomplete: The disk is full; the checkpoints that were complete are kept.
    """
    begun = time.monotonic()
    out = Path(out)
    refuse_taken(out)
    require_encodable(out)
    process = PartialState(cpu=not torch.cuda.is_available())
    base_folder = resolve_base(recipe.base.name)
    base_sha256 = weights_sha256(base_folder)
    reset_peak()
    checkpoints = Checkpoints(out)
    with _quiet():
        told = on_note if process.is_main_process else None
        made = assemble(recipe, base_folder, on_note=told)
        if process.is_main_process and on_note is not None:
            for text in made.fallbacks:
                on_note(Note("fallback", text))
        identity = _identity(recipe, made, base_sha256, process)
        found = checkpoints.open(identity, restart=restart) if process.is_main_process else None
        try:
            process.wait_for_everyone()
            found = found if process.is_main_process else checkpoints.last()
            watch = Watch(
                log=checkpoints.folder / "training.jsonl" if process.is_main_process else None,
                evaluates=bool(made.validation.sequences),
                on_progress=on_progress,
                on_note=on_note,
            )
            if found is not None and on_note is not None and process.is_main_process:
                on_note(Note("info", f"going on after step {found.name.rpartition('-')[2]}"))
            history = _fit(recipe, made, watch, checkpoints, found)
            # The last step changes weights that no later loss would tell of.
            check_finite("loss", first_nll(made.model, made.corpus, made.head), history[-1]["step"])
            record = {
                **_record(recipe, made, history, base_sha256, process),
                "warnings": watch.warnings,
                "seconds": round(time.monotonic() - begun, 1),
            }
            if process.is_main_process:
                write_adapter(made.model, record, history, out)
                checkpoints.remove()
            process.wait_for_everyone()
        except Diverged:
            if process.is_main_process:
                checkpoints.remove()
            raise
        except Exception as error:
            if is_full(error):
                raise disk_full(checkpoints.folder, FULL_DISK_REMEDY) from None
            raise
        finally:
            if process.is_main_process:
                checkpoints.close()
    return TrainingSummary(out, record)


def _identity(
    recipe: Recipe, made: Assembly, base_sha256: str, process: PartialState
) -> dict[str, Any]:
    """What must be the same for a training to go on; paths and what is only required are not of it."""
    tables = records.shown_recipe(recipe)
    del tables["require"], tables["train"]["checkpoint_steps"]
    for name in ("corpus", "validation"):
        del tables["data"][name]
    validation = recipe.validation_file()
    return {
        **tables,
        "base": tables["base"] | {"name": None, "weights_sha256": base_sha256},
        "corpus_sha256": file_sha256(recipe.corpus_file()),
        "validation_sha256": validation and file_sha256(validation),
        "tokenizer": records.describe_tokenizer(made.base, recipe, ""),
        "in_effect": effective(made, process.num_processes),
    }


def _fit(
    recipe: Recipe, made: Assembly, watch: Watch, checkpoints: Checkpoints, found: Path | None
) -> list[dict[str, Any]]:
    """Run the optimizer from the beginning or a checkpoint; returns the lines of the log."""
    trainer = LoraTrainer(
        evaluate_dialogues=lambda: _validate(made),
        autocast=autocast_of(made.works.base.dtype),
        model=made.model,
        args=_arguments(recipe, made, checkpoints.folder, evaluate_first=found is None),
        train_dataset=made.rows,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    if found is not None:
        state = json.loads((found / "trainer_state.json").read_text(encoding="utf-8"))
        lines = list(log_lines(state["log_history"]))
        if state["global_step"] >= state["max_steps"]:
            load_weights(made.model, found)
            return lines
        trainer.seconds_before = max((line.get("seconds", 0.0) for line in lines), default=0.0)
    with labelled_loss(made.model, made.head):
        trainer.train(resume_from_checkpoint=None if found is None else str(found))
    return list(log_lines(trainer.state.log_history))


def _arguments(
    recipe: Recipe, made: Assembly, folder: Path, *, evaluate_first: bool
) -> TrainingArguments:
    cuda = torch.cuda.is_available()
    rows, passes = _share(recipe, PartialState().num_processes)
    optimizer = made.works.train.optimizer
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=recipe.train.epochs,
        max_steps=recipe.train.max_steps or -1,
        per_device_train_batch_size=rows,
        gradient_accumulation_steps=passes,
        learning_rate=recipe.train.learning_rate,
        lr_scheduler_type=recipe.train.lr_schedule,
        warmup_steps=recipe.train.warmup_ratio,
        max_grad_norm=recipe.train.max_grad_norm,
        optim="adamw_torch" if optimizer == "adamw" else optimizer,
        seed=recipe.train.seed,
        use_cpu=not cuda,
        dataloader_pin_memory=cuda,
        ddp_find_unused_parameters=False,
        remove_unused_columns=False,
        label_names=["labels"],
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_on_start=evaluate_first and bool(made.validation.sequences),
        save_strategy="steps",
        save_steps=recipe.train.checkpoint_steps,
        report_to="none",
        disable_tqdm=True,
    )


def autocast_of(dtype: str) -> torch.dtype | None:
    """On a GPU the adapter computes in bfloat16 where its base does; see `LoraTrainer`."""
    return torch.bfloat16 if torch.cuda.is_available() and dtype == "bfloat16" else None


def _share(recipe: Recipe, processes: int) -> tuple[int, int]:
    """(rows a pass, passes a step) of each process, so that a step has the recipe's rows."""
    rows, passes = recipe.train.batch_size, recipe.train.gradient_accumulation
    if passes % processes == 0:
        return rows, passes // processes
    if rows % processes == 0:
        return rows // processes, passes
    raise BadInput(
        f"{processes} processes cannot share train.gradient_accumulation = {passes} or "
        f"train.batch_size = {rows}",
        remedy=f"Make one of them a multiple of {processes}.",
    )


def _validate(made: Assembly) -> tuple[float, int]:
    """Each process its share of the validation dialogues, summed over all of them."""
    process = PartialState()
    own = made.validation.sequences[process.process_index :: process.num_processes]
    nll, tokens = sequences_nll(made.model, own, head=made.head)
    if process.num_processes == 1:
        return nll, tokens
    sums = torch.tensor([nll, tokens], dtype=torch.float64, device=process.device)
    nll, count = reduce_processes(sums, reduction="sum").tolist()
    return nll, int(count)


def _record(
    recipe: Recipe,
    made: Assembly,
    history: list[dict[str, Any]],
    base_sha256: str,
    process: PartialState,
) -> dict[str, Any]:
    parameters = records.count_parameters(made.model)
    name = shown_name(recipe.base.name)
    validation = made.validation
    return {
        "schema_version": records.SCHEMA_VERSION,
        "recipe": records.shown_recipe(recipe),
        "effective": effective(made, process.num_processes) | {"fallbacks": made.fallbacks},
        "base": {
            "name": name,
            "weights_sha256": base_sha256,
            "license": records.base_license(resolve_base(recipe.base.name), name),
        },
        "tokenizer": records.describe_tokenizer(made.base, recipe, name),
        "corpus": records.describe_corpus(recipe, made.corpus, made.languages),
        "parameters": parameters,
        "memory": records.describe_memory(parameters["total"] - parameters["trainable"]),
        "seed": recipe.train.seed,
        "steps": sum("loss" in line for line in history),
        "loss": records.describe_loss(history),
        "validation": records.describe_validation(
            history, validation.dialogues, validation.overlong
        ),
        "training_seconds": round(max(line.get("seconds", 0.0) for line in history), 1),
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "versions": records.versions(),
    }


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
