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
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 7), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for key, label, marker in (
        ("loss", "training", ""),
        ("validation_nll_per_token", "validation", "o"),
    ):
        points = [(line["step"], line[key]) for line in history if key in line]
        if points:
            above.plot(*zip(*points, strict=True), linewidth=1, marker=marker, label=label)
    above.set_ylabel("loss (nats per labelled token)")
    above.legend()
    at = [line["step"] for line in history if "loss" in line]
    norms = [line["grad_norm"] for line in history if "loss" in line]
    bands = [band(norms[:i]) for i in range(len(norms))]
    known = [(step, *bounds) for step, bounds in zip(at, bands, strict=True) if bounds]
    if known:
        below.fill_between(
            *zip(*known, strict=True),
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
