"""What a training tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


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
        memory_bytes: Peak so far, as `rapport_training.memory` measures it.
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
