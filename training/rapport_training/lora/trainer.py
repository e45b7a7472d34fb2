"""transformers' Trainer with this package's loss, evaluation and checkpoints.

``log_history``, which the Trainer keeps in its checkpoints, is the record of a training: its lines
become ``training.jsonl``, and those from before an interruption are still there after it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import Trainer

from rapport_training.disk import disk_problem, sync
from rapport_training.lora.checkpoints import FULL_DISK_REMEDY
from rapport_training.lora.memory import peak_bytes
from rapport_training.sequences.batches import Row, collate

_WEIGHTS = "lora.safetensors"  # not the name of an adapter's weights: a checkpoint is none

Evaluate = Callable[[], tuple[float, int]]
"""Returns (summed NLL in nats, tokens) of the validation dialogues; called on every process."""


def lora_weights(model: Any) -> dict[str, torch.Tensor]:
    """The adapter's tensors under the names that PEFT gives them in files; no layer of the base."""
    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}


def load_weights(model: Any, checkpoint: Path) -> None:
    """Put a checkpoint's adapter into a model that `add_adapter` has prepared alike."""
    set_peft_model_state_dict(model, load_file(checkpoint / _WEIGHTS))


def collate_counted(rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    """A batch, and how many tokens of it are no padding."""
    tokens = sum(len(sequence.tokens) for row in rows for sequence in row)
    return collate(rows) | {"tokens": torch.tensor([tokens])}


class LoraTrainer(Trainer):  # type: ignore[misc]
    """Trains an adapter.

    Args:
        evaluate_dialogues: `None` where there is nothing to validate on.
        autocast: Compute what the float32 matrices of the adapter add in this type. On a GPU that
            halves what the many small operations around them move, and with bfloat16, in which the
            sum is rounded anyway, it changes no more than a rounding. Validation does without it, as
            the benchmark does.
        **arguments: As the Trainer takes them.
    """

    def __init__(
        self,
        *,
        evaluate_dialogues: Evaluate | None,
        autocast: torch.dtype | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(data_collator=collate_counted, **arguments)
        self._evaluate_dialogues = evaluate_dialogues
        self._autocast = autocast
        self._tokens = 0
        self._begun: float | None = None
        self._evaluating = 0.0
        self.seconds_before = 0.0
        """What earlier processes spent on this training."""

    @property
    def training_seconds(self) -> float:
        """Since the first batch of this process, evaluations left out."""
        if self._begun is None:
            return 0.0
        return time.monotonic() - self._begun - self._evaluating

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Count the tokens, then let the model compute its loss."""
        if self._begun is None:
            self._begun = time.monotonic()
        self._tokens += int(self.accelerator.reduce(inputs.pop("tokens")))
        with torch.autocast(
            self.args.device.type, self._autocast, enabled=self._autocast is not None
        ):
            return super().compute_loss(model, inputs, *args, **kwargs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add speed, memory and time to a step's line."""
        if "loss" in logs:
            seconds = self.training_seconds
            logs["tokens_per_second"] = self._tokens / max(seconds, 1e-9)
            logs["memory_bytes"] = peak_bytes()
            logs["seconds"] = self.seconds_before + seconds
        super().log(logs, start_time)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Summed NLL of the validation dialogues, as the benchmark sums it."""
        assert self._evaluate_dialogues is not None
        begun = time.monotonic()
        nll, tokens = self._evaluate_dialogues()
        if self._begun is not None:
            self._evaluating += time.monotonic() - begun
        found = {
            "validation_nll_sum": nll,
            "validation_tokens": tokens,
            "validation_nll_per_token": nll / tokens,
        }
        self.log(dict(found))
        self.control: Any = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics=found
        )
        return found

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        assert output_dir is not None
        Path(output_dir).mkdir(parents=True, exist_ok=True)
        save_file(lora_weights(self.model), Path(output_dir) / _WEIGHTS, metadata={"format": "pt"})

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_weights(self.model, Path(resume_from_checkpoint))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write aside, and move among the checkpoints what is complete; only the last is kept."""
        folder, name = Path(self.args.output_dir), f"checkpoint-{self.state.global_step}"
        part = folder / f".{name}.unfinished-part"
        first = self.is_world_process_zero()
        try:
            self.args.output_dir = str(part)
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if first:
                sync(part / name)
                (part / name).replace(folder / name)
        except Exception as error:
            problem = disk_problem(error, folder / name, FULL_DISK_REMEDY)
            if problem is not None:
                raise problem from None
            raise
        finally:
            self.args.output_dir = str(folder)
            if first:
                shutil.rmtree(part, ignore_errors=True)
        if first:
            for older in folder.glob("checkpoint-*"):
                if older.name != name:
                    shutil.rmtree(older, ignore_errors=True)
