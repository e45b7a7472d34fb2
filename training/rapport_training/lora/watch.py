"""Watching a training step by step: its log, its progress, its warnings, and that only LoRA learns."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from rapport_tasks.common.errors import BadInput
from rapport_training.lora.adapter import check_only_lora
from rapport_training.lora.monitor import Monitor
from rapport_training.lora.progress import Note, OnNote, OnProgress, Progress, log_lines, to_jsonl

_NUMBERS = {"loss": "loss", "gradient norm": "grad_norm", "validation loss": "validation_nll_sum"}
"""What must be finite in a line of the log, and its key."""


class Diverged(BadInput):
    """The loss or its gradient is no longer a number: nothing of this training is of use."""


def check_finite(name: str, value: float, step: int) -> None:
    """Go on only with a number.

    Args:
        name: What it is, for the message.
        value: Its value.
        step: Optimizer steps done so far.

    Raises:
        Diverged: It is infinite or no number.
    """
    if math.isfinite(value):
        return
    if step == 0:
        raise Diverged(
            f"the {name} is {value} at step 0: training has diverged before anything was learned",
            remedy='If base.dtype is "float16", which ends at 65,504, use "bfloat16" or "float32"; '
            "otherwise the base's weights are damaged: get its files again.",
        )
    raise Diverged(
        f"the {name} is {value} at step {step}: training has diverged",
        remedy="Lower train.learning_rate, or raise train.warmup_ratio; a base in float16 overflows "
        "where bfloat16 and float32 do not.",
    )


class Watch(TrainerCallback):  # type: ignore[misc]
    """Turns the Trainer's log into progress, notes and a file.

    On processes other than the first `log` is `None` and nobody is told anything.
    """

    def __init__(
        self,
        *,
        log: Path | None,
        evaluates: bool,
        on_progress: OnProgress | None,
        on_note: OnNote | None,
    ) -> None:
        self.monitor = Monitor()
        self.warnings: list[str] = []
        self._log = log
        self._evaluates = evaluates
        self._on_progress = on_progress
        self._on_note = on_note
        self._first_step = 0
        self._seconds_before = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take up what an earlier process logged, and no line of what it lost."""
        self._first_step = state.global_step
        lines = list(log_lines(state.log_history))
        for line in lines:
            self._judge(line)
            self._seconds_before = line.get("seconds", self._seconds_before)
        if self._log is not None:
            self._log.write_text(to_jsonl(lines), encoding="utf-8")

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Make sure that nothing but the adapter learns."""
        parameters = kwargs["model"].named_parameters()
        check_only_lora(name for name, p in parameters if p.grad is not None)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Evaluate at the end of each epoch, before the step's checkpoint so that it holds it."""
        ends = float(state.epoch).is_integer() or state.global_step >= state.max_steps
        if ends and self._evaluates:
            control.should_evaluate = True

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tell of a step or an evaluation."""
        line = state.log_history[-1]
        if not any(log_lines([line])):  # the summary that the trainer logs at its end
            return
        for name, key in _NUMBERS.items():
            if key in line:
                check_finite(name, line[key], line["step"])
        warnings = self._judge(line)
        if self._log is None:
            return
        with self._log.open("a", encoding="utf-8") as stream:
            stream.write(to_jsonl([line]))
        if "loss" in line:
            self._tell_progress(line, state.max_steps)
        else:
            loss = line["validation_nll_per_token"]
            self._note(
                Note(
                    "info",
                    f"step {line['step']}: validation loss {loss:.4f} nats per token, perplexity "
                    f"{math.exp(min(loss, 700)):.4g}",
                )
            )
        for text in warnings:
            self._note(Note("warning", text))

    def _judge(self, line: dict[str, Any]) -> list[str]:
        if "loss" in line:
            found = self.monitor.step(line["step"], line["loss"], line["grad_norm"])
        else:
            found = self.monitor.validation(line["step"], line["validation_nll_per_token"])
        self.warnings += found
        return found

    def _tell_progress(self, line: dict[str, Any], steps: int) -> None:
        if self._on_progress is None:
            return
        step = line["step"]
        here = line["seconds"] - self._seconds_before
        self._on_progress(
            Progress(
                step=step,
                steps=steps,
                loss=line["loss"],
                learning_rate=line["learning_rate"],
                grad_norm=line["grad_norm"],
                tokens_per_second=line["tokens_per_second"],
                memory_bytes=line["memory_bytes"],
                seconds_left=here / max(1, step - self._first_step) * (steps - step),
            )
        )

    def _note(self, note: Note) -> None:
        if self._on_note is not None:
            self._on_note(note)
