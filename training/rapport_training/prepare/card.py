"""The card of a corpus: what it holds, what was removed and why, and how to make it again.

``card.json`` is for programs, ``card.md`` for people, ``histogram.png`` for a glance. They hold counts,
names of files and topics, and hashes; no text of a dialogue, no date, nothing of the machine.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapport_tasks.common.paths import file_sha256
from rapport_training.cards import render_card
from rapport_training.prepare.advice import STAGES, large_removals
from rapport_training.prepare.encoding import UTF8
from rapport_training.prepare.first_pass import FirstPass
from rapport_training.prepare.quality import QualityFilter
from rapport_training.prepare.settings import PrepareSettings
from rapport_training.prepare.unknown import describe_unknown

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that the card tells.

    Attributes:
        settings: As asked.
        found: What the first pass counted, and the removals since.
        figures: Entries of the dialogues that stay (`stages.ENTRY`).
        topics: Their topics.
        held_out: Which of them are for validation.
        placeholders: How many of each kind stand in the text.
        touched: In how many dialogues.
    """

    settings: PrepareSettings
    found: FirstPass
    figures: NDArray[np.void]
    topics: list[str | None]
    held_out: NDArray[np.bool_]
    placeholders: Counter[str]
    touched: int


def write_card(folder: Path, prepared: Prepared) -> dict[str, Any]:
    """Write ``card.json``, ``card.md`` and ``histogram.png`` beside the splits.

    Returns:
        The contents of ``card.json``.
    """
    _draw(folder / "histogram.png", prepared.figures)
    card = {
        "schema_version": SCHEMA_VERSION,
        "rapport": version("rapport-bench"),
        "settings": prepared.settings.to_json(),
        "evaluation": [
            {"name": path.name, "sha256": file_sha256(path)}
            for path in prepared.settings.evaluation
        ],
        "inputs": prepared.found.inputs,
        "records": prepared.found.counts["read", ""],
        "stages": _stages(prepared.found.counts),
        "rules": _rules(prepared),
        "warnings": _warnings(prepared),
        "changed": {
            rule: count
            for (stage, rule), count in sorted(prepared.found.counts.items())
            if stage == "changed"
        },
        "anonymised": {
            "dialogues": prepared.touched,
            "placeholders": dict(sorted(prepared.placeholders.items())),
        },
        "unreadable": prepared.found.unreadable,
        "unknown": describe_unknown(prepared.found.unknown),
        "topics": _topics(prepared),
        "dialogues": _split_sizes(len(prepared.held_out), int(prepared.held_out.sum())),
        "lengths": _lengths(prepared.figures),
        "outputs": [
            {"name": path.name, "bytes": path.stat().st_size, "sha256": file_sha256(path)}
            for path in sorted(folder.iterdir())
        ],
    }
    text = json.dumps(card, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (folder / "card.json").write_text(text + "\n", encoding="utf-8")
    (folder / "card.md").write_text(
        render_card(Path(__file__).with_name("card.md.jinja"), card), encoding="utf-8"
    )
    return card


def _stages(counts: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    rows = []
    left = counts["read", ""]
    for stage in STAGES:
        reasons = {r: n for (s, r), n in sorted(counts.items()) if s == stage and n}
        rows.append({"stage": stage, "in": left, "removed": reasons})
        left -= sum(reasons.values())
        rows[-1]["out"] = left
    return rows


def _rules(prepared: Prepared) -> list[dict[str, Any]]:
    """What each quality rule removes by itself, of what reaches that stage."""
    counts = prepared.found.counts
    names = QualityFilter(prepared.settings.effective_rules()).names()
    return [
        {"rule": name, "alone": counts["alone", name], "no_other": counts["only", name]}
        for name in names
    ]


def _warnings(prepared: Prepared) -> list[str]:
    encoded = [
        f"{file['name']}: {file['encoding'].upper()}, not UTF-8; it was read as that"
        for file in prepared.found.inputs
        if file["encoding"] not in (UTF8, "parquet")
    ]
    return encoded + large_removals(prepared.found.counts)


def _topics(prepared: Prepared) -> list[dict[str, Any]]:
    held_out = Counter(compress(prepared.topics, prepared.held_out.tolist()))
    rows = [
        {"topic": topic, **_split_sizes(total, held_out[topic])}
        for topic, total in Counter(prepared.topics).items()
    ]
    return sorted(rows, key=lambda row: (-row["total"], row["topic"] or ""))


def _split_sizes(total: int, validation: int) -> dict[str, int]:
    return {"total": total, "train": total - validation, "validation": validation}


def _lengths(figures: NDArray[np.void]) -> dict[str, Any]:
    """Lengths before anonymisation; characters a message are ratios of sums."""
    exchanges = figures["exchanges"].astype(np.int64)
    user, assistant = (figures[f"{r}_chars"].astype(np.int64) for r in ("user", "assistant"))
    return {
        "exchanges": _spread(exchanges),
        "characters": _spread(user + assistant),
        "characters_per_user_message": round(float(user.sum() / exchanges.sum()), 2),
        "characters_per_reply": round(float(assistant.sum() / exchanges.sum()), 2),
    }


def _spread(values: NDArray[np.int64]) -> dict[str, float]:
    shares = {"min": 0, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95, "max": 1}
    marks = np.quantile(values, [*shares.values()], method="inverted_cdf").tolist()
    return {"mean": round(float(values.mean()), 2)} | dict(zip(shares, marks, strict=True))


def _draw(path: Path, figures: NDArray[np.void]) -> None:
    from matplotlib.figure import Figure

    picture = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = picture.subplots(1, 2)
    exchanges = figures["exchanges"]
    left.hist(exchanges, bins=np.arange(0.5, min(int(exchanges.max()), 60) + 1.5))
    left.set(xlabel="exchanges", ylabel="dialogues")
    characters = figures["user_chars"].astype(np.int64) + figures["assistant_chars"]
    right.hist(np.minimum(characters, np.quantile(characters, 0.995)), bins=50)
    right.set(xlabel="characters (longest 0.5 % at the edge)", ylabel="dialogues")
    picture.suptitle(f"{len(figures):,} dialogues")
    picture.savefig(path, dpi=120, metadata={"Software": None})
