"""What a user should be told while a model learns: a gradient out of bounds, a rise, a standstill."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Sequence

WINDOW = 50
"""Steps before the present one that its gradient norm is compared with."""

_FEWEST = 20
_STILL_STEPS = 20


def band(before: Sequence[float]) -> tuple[float, float] | None:
    """Mean minus and plus three standard deviations of the last `WINDOW` gradient norms.

    Returns:
        (low, high), low at least 0; `None` for fewer than 20 norms, which tell little.

    >>> band([1.0, 3.0] * 10)  # mean 2, standard deviation 1
    (0.0, 5.0)
    """
    recent = before[-WINDOW:]
    if len(recent) < _FEWEST:
        return None
    mean, deviation = statistics.fmean(recent), statistics.pstdev(recent)
    return max(0.0, mean - 3 * deviation), mean + 3 * deviation


class Monitor:
    """Watches the numbers of a training; every method returns the warnings that they call for."""

    def __init__(self) -> None:
        self._norms: list[float] = []
        self._losses: deque[float] = deque(maxlen=_STILL_STEPS)
        self._validation: list[float] = []
        self._quiet_until = 0
        self._still = False

    def step(self, step: int, loss: float, gradient_norm: float) -> list[str]:
        """After an optimizer step."""
        warnings = []
        bounds = band(self._norms)
        if bounds is not None and not bounds[0] <= gradient_norm <= bounds[1]:
            # One warning an excursion: what follows a jump is often outside too.
            if step >= self._quiet_until:
                warnings.append(
                    f"step {step}: gradient norm {gradient_norm:.3g} outside 3 sigma of the last "
                    f"{min(len(self._norms), WINDOW)} steps ({bounds[0]:.3g} to {bounds[1]:.3g})"
                )
            self._quiet_until = step + _FEWEST
        self._norms.append(gradient_norm)
        self._losses.append(loss)
        if not self._still and len(self._losses) == _STILL_STEPS:
            low, high = min(self._losses), max(self._losses)
            no_gradient = max(self._norms[-_STILL_STEPS:]) < 1e-8
            if no_gradient or high - low < 1e-5 * abs(high):
                self._still = True
                what = "there is no gradient" if no_gradient else "the loss does not move"
                warnings.append(
                    f"step {step}: {what} in {_STILL_STEPS} steps; is the learning rate too low, or "
                    "is nothing left to learn?"
                )
        return warnings

    def validation(self, step: int, nll_per_token: float) -> list[str]:
        """After an evaluation, the first of which is the base's own."""
        before = self._validation[-1] if self._validation else math.nan
        self._validation.append(nll_per_token)
        if nll_per_token > before:
            return [
                f"step {step}: validation loss rose from {before:.4f} to {nll_per_token:.4f} nats per "
                "token; more epochs may only learn the training dialogues by heart"
            ]
        if abs(nll_per_token - before) < 1e-6 * abs(before):
            return [f"step {step}: validation loss has not moved from {before:.4f} nats per token"]
        return []
