"""How an adapter was trained: curves and facts from what training left beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapport_bench.page.pictures import (
    BLUE,
    FAINT,
    INK,
    VERMILION,
    Picture,
    drawing,
    finish,
    new_figure,
)
from rapport_bench.page.subject import Subject
from rapport_bench.results.result import Result
from rapport_bench.words import formatting
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import parse_json, read_json
from rapport_tasks.weights.hashes import weights_sha256

_AGAIN = "Copy or train the adapter again."


@dataclass(frozen=True, slots=True)
class Training:
    """One adapter's training.

    Attributes:
        name: The arm's label, or the folder's name where no arm of the page has these weights.
        note: What is missing; empty if nothing is.
        facts: (what, value) from ``training.json``.
        picture: Of ``training.jsonl``; `None` without one.
    """

    name: str
    note: str
    facts: tuple[tuple[str, str], ...]
    picture: Picture | None


def trainings(found: Subject, folders: Sequence[str | Path]) -> list[Training]:
    """What is known of each adapter's training.

    Raises:
        BadInput: Not an adapter's folder, or its log is damaged.
    """
    return [_training(found, Path(folder), place) for place, folder in enumerate(folders, start=1)]


def _training(found: Subject, folder: Path, place: int) -> Training:
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise BadInput(
            f"{folder}: no adapter_model.safetensors in this folder",
            remedy="Name the folder that training wrote, the one with training.jsonl.",
        )
    arm = _arm_of(found.arms, weights_sha256(weights))
    name = found.label(arm) if arm else folder.resolve().name
    notes = [] if arm else ["No arm of this page has these weights."]
    card, log = folder / "training.json", folder / "training.jsonl"
    facts = _facts(read_json(card, remedy=_AGAIN)) if card.is_file() else ()
    if not card.is_file():
        notes.append("It has no training.json.")
    history = _history(log) if log.is_file() else []
    if not history:
        notes.append("It has no training.jsonl, so there are no curves.")
    picture = _curves(history, name, f"training-{place}") if history else None
    return Training(name, " ".join(notes), facts, picture)


def _arm_of(arms: Sequence[Result], weights: str) -> Result | None:
    for arm in arms:
        adapter = arm.arm.adapter
        if adapter and adapter.weights_sha256 == weights:
            return arm
    return None


def _history(path: Path) -> list[dict[str, Any]]:
    """Lines of the log that hold a step and numbers; a torn last line is passed over."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):
        raise BadInput(f"{path}: not readable text", remedy=_AGAIN) from None
    kept = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = parse_json(line)
            step = entry["step"]
        except (ValueError, KeyError, TypeError):
            if number == len(lines):
                continue
            raise BadInput(
                f"{path}:{number}: not a line of a training log", remedy=_AGAIN
            ) from None
        if _is_number(step):
            kept.append({key: value for key, value in entry.items() if _is_number(value)})
    return kept


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_FACTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("base", ("base", "name")),
    ("corpus", ("corpus", "name")),
    ("dialogues", ("corpus", "dialogues")),
    ("labelled tokens", ("corpus", "labelled_tokens")),
    ("parameters that learn", ("parameters", "trainable")),
    ("rank", ("recipe", "lora", "r")),
    ("epochs", ("recipe", "train", "epochs")),
    ("learning rate", ("recipe", "train", "learning_rate")),
    ("seed", ("recipe", "train", "seed")),
    ("loss, first tenth of steps", ("loss", "first")),
    ("loss, last tenth of steps", ("loss", "last")),
    ("trained", ("created",)),
)


def _facts(card: Any) -> tuple[tuple[str, str], ...]:
    rows = []
    for what, keys in _FACTS:
        value: Any = card
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str):
            rows.append((what, value[:200]))
        elif _is_number(value):
            whole = isinstance(value, int)
            rows.append((what, f"{value:,}" if whole and what != "seed" else f"{value:g}"))
    return tuple(rows)


def _curves(history: Sequence[dict[str, Any]], name: str, file: str) -> Picture | None:
    """Loss and validation loss over the steps; in words the latter, where there is one."""
    drawn: list[tuple[str, list[float]]] = []
    looks: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("training", "loss", {"color": BLUE, "linewidth": 1}),
        (
            "validation",
            "validation_nll_per_token",
            {"color": VERMILION, "linewidth": 1.4, "marker": "o", "markersize": 5},
        ),
    )
    with drawing():
        figure, (axis,) = new_figure(2.6)
        for label, key, look in looks:
            lines = [line for line in history if key in line]
            values = [line[key] for line in lines]
            axis.plot([line["step"] for line in lines], values, label=label, **look)
            drawn += [(label, values)] if values else []
        axis.grid(color=FAINT, linewidth=0.5)
        axis.set_axisbelow(True)
        axis.set_xlabel("optimizer step", color=INK)
        axis.set_ylabel("nats per labelled token")
        axis.legend()
        finish(figure)
    if not drawn:
        return None
    what, values = drawn[-1]
    return Picture(
        file,
        f"Training of {name}",
        f"{what.capitalize()} loss went from {formatting.number(values[0])} to "
        f"{formatting.number(values[-1])} nats per labelled token.",
        figure,
    )
