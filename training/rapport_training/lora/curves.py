"""The picture of a training: losses over steps, and the gradient norm in its 3-sigma band."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rapport_training.lora.monitor import band


def draw_curves(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the lines of ``training.jsonl`` as a PNG.

    Args:
        history: Lines with ``loss`` and ``grad_norm`` (steps) or ``validation_nll_per_token``
            (evaluations), each with its ``step``.
        path: The PNG file to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps = [line for line in history if "loss" in line]
    checks = [line for line in history if "validation_nll_per_token" in line]
    figure = Figure(figsize=(8, 7), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    at = [line["step"] for line in steps]
    above.plot(at, [line["loss"] for line in steps], color="C0", linewidth=1, label="training")
    if checks:
        above.plot(
            [line["step"] for line in checks],
            [line["validation_nll_per_token"] for line in checks],
            color="C1",
            marker="o",
            label="validation",
        )
    above.set_ylabel("loss (nats per labelled token)")
    above.legend()
    norms = [line["grad_norm"] for line in steps]
    bands = [(step, band(norms[:i])) for i, step in enumerate(at)]
    known = [(step, bounds) for step, bounds in bands if bounds is not None]
    if known:
        below.fill_between(
            [step for step, _ in known],
            [bounds[0] for _, bounds in known],
            [bounds[1] for _, bounds in known],
            color="C2",
            alpha=0.25,
            linewidth=0,
            label="3 sigma of the steps before",
        )
    below.plot(at, norms, color="C2", linewidth=1, label="gradient norm")
    below.set_ylabel("gradient norm")
    below.set_xlabel("optimizer step")
    below.legend()
    figure.savefig(path, dpi=120)
