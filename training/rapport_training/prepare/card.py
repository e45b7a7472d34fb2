"""The card of a corpus: what it holds, what was removed and why, and how to make it again.

``card.json`` is for programs, ``card.md`` for people, ``histogram.png`` for a glance. They hold counts,
names of files and topics, and hashes; no text of a dialogue, no date, nothing of the machine.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        held_out: Which of them are for validation.
        placeholders: How many of each kind stand in the text.
        touched: In how many dialogues.
    """

    settings: PrepareSettings
    found: FirstPass
    figures: NDArray[np.void]
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
        "rapport": _version(),
        "settings": prepared.settings.to_json(),
        "evaluation": [
            {"name": path.name, "sha256": _sha256(path)} for path in prepared.settings.evaluation
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
        "dialogues": _split_sizes(prepared.held_out),
        "lengths": _lengths(prepared.figures),
        "outputs": [
            {"name": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)}
            for path in sorted(folder.iterdir())
        ],
    }
    text = json.dumps(card, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (folder / "card.json").write_text(text + "\n", encoding="utf-8")
    (folder / "card.md").write_text(render_card(card), encoding="utf-8")
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
    rows = []
    for number, topic in enumerate(prepared.found.topics):
        mine = prepared.figures["topic"] == number
        if mine.any():
            rows.append({"topic": topic} | _split_sizes(prepared.held_out[mine]))
    return sorted(rows, key=lambda row: (-row["total"], row["topic"] or ""))


def _split_sizes(held_out: NDArray[np.bool_]) -> dict[str, int]:
    validation = int(held_out.sum())
    return {
        "total": len(held_out),
        "train": len(held_out) - validation,
        "validation": validation,
    }


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
    low, quarter, middle, upper, high, top = np.quantile(
        values, (0, 0.25, 0.5, 0.75, 0.95, 1), method="inverted_cdf"
    ).tolist()
    return {
        "mean": round(float(values.mean()), 2),
        "min": low,
        "p25": quarter,
        "median": middle,
        "p75": upper,
        "p95": high,
        "max": top,
    }


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


def render_card(card: dict[str, Any]) -> str:
    """``card.md`` of a ``card.json``."""
    size, lengths = card["dialogues"], card["lengths"]
    lines = [
        "# Corpus card",
        "",
        f"{size['total']:,} dialogues of {card['records']:,} records: "
        f"{size['train']:,} for training, {size['validation']:,} for validation, "
        "apart by opening.",
        "",
        "## Dialogues by topic",
        "",
        *_table(
            ("topic", "total", "train", "validation"),
            [
                (row["topic"] or "(none)", row["total"], row["train"], row["validation"])
                for row in card["topics"]
            ],
        ),
        "",
        "## What each stage removed",
        "",
        *_table(
            ("stage", "in", "removed", "out", "reasons"),
            [
                (
                    row["stage"],
                    row["in"],
                    row["in"] - row["out"],
                    row["out"],
                    ", ".join(f"{reason} {count:,}" for reason, count in row["removed"].items()),
                )
                for row in card["stages"]
            ],
        ),
        "",
        "What each quality rule removes by itself:",
        "",
        *_table(
            ("rule", "alone", "and no other"),
            [(row["rule"], row["alone"], row["no_other"]) for row in card["rules"]],
        ),
        "",
        *(f"- Warning: {warning}." for warning in card["warnings"]),
        *([""] if card["warnings"] else []),
        *(
            f"- Of no known format: {row['records']:,} records with the keys {', '.join(row['keys'])}."
            for row in card["unknown"]
        ),
        *([""] if card["unknown"] else []),
        _counted("Changed, not removed", card["changed"]),
        "",
        _counted(
            f"Placeholders in {card['anonymised']['dialogues']:,} dialogues",
            card["anonymised"]["placeholders"],
        ),
        "",
        "## Lengths",
        "",
        "![histogram](histogram.png)",
        "",
        *_table(
            ("", *lengths["exchanges"]),
            [(what, *lengths[what].values()) for what in ("exchanges", "characters")],
        ),
        "",
        f"Characters a user message {lengths['characters_per_user_message']}, "
        f"a reply {lengths['characters_per_reply']} (before anonymisation).",
        "",
        "## Settings",
        "",
        *_table(("setting", "value"), [(k, f"`{v}`") for k, v in card["settings"].items()]),
        "",
        "## Files",
        "",
        *_table(
            ("file", "bytes", "sha256"),
            [
                (f"{kind} {file['name']}", file.get("bytes", ""), f"`{file['sha256']}`")
                for kind in ("inputs", "evaluation", "outputs")
                for file in card[kind]
            ],
        ),
    ]
    return "\n".join(lines) + "\n"


def _counted(what: str, counts: dict[str, int]) -> str:
    return f"{what}: " + (", ".join(f"{k} {n:,}" for k, n in counts.items()) or "none") + "."


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    def cell(value: Any) -> str:
        text = f"{value:,}" if isinstance(value, int | float) else str(value)
        return text.replace("|", "\\|").replace("\n", " ")

    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(map(cell, row)) + " |" for row in rows),
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version() -> str | None:
    try:
        return version("rapport-bench")
    except PackageNotFoundError:
        return None
