"""What a training tells whoever watches it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Progress:
    """The state after an optimizer step.

    Attributes:
        step: Optimizer steps done, those before an interruption among them.
        steps: Optimizer steps in all.
        loss: Mean NLL of the step's labelled tokens, in nats.
        learning_rate: In effect at this step.
        grad_norm: Norm of the gradient before it was clipped.
        tokens_per_second: Since this process began to train, padding and evaluations left out.
        memory_bytes: Peak so far, as `rapport_training.lora.memory` measures it.
        seconds_left: Estimated from the steps of this process.
    """

    step: int
    steps: int
    loss: float
    learning_rate: float
    grad_norm: float
    tokens_per_second: float
    memory_bytes: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence to show; warnings and fallbacks are also kept in ``training.json``."""

    kind: Literal["info", "fallback", "warning"]
    text: str


OnProgress = Callable[[Progress], None]
OnNote = Callable[[Note], None]


def log_lines(log_history: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The lines of a Trainer's log that are about a step or an evaluation."""
    return (line for line in log_history if "loss" in line or "validation_nll_sum" in line)


def to_jsonl(lines: Iterator[dict[str, Any]] | Sequence[dict[str, Any]]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(line, sort_keys=True, allow_nan=False) + "\n" for line in lines)
