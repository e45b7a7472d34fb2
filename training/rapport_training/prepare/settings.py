"""What `rapport prepare` can be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.builtin import EVALUATION_ZH
from rapport_training.prepare.alignment import Punctuation
from rapport_training.prepare.quality import BUILTIN_RULES, QualityRules, load_rules, stripping
from rapport_training.prepare.structure import Structure

Emoji = Literal["drop", "strip"]


@dataclass(frozen=True, slots=True)
class PrepareSettings:
    """Settings that decide what comes out; none of them is about speed.

    Attributes:
        topics: Only dialogues of these topics; empty for all.
        percent: Share of the records to take, above 0 and at most 100, chosen by their hash.
        min_exchanges: Fewest user messages with a reply.
        punctuation: ``halfwidth`` converts Chinese punctuation, as the study did.
        structure: ``mend`` drops a leading greeting and joins neighbours of one role, ``strict``
            removes such dialogues.
        rules: Quality rules.
        emoji: ``strip`` takes out what the rule named ``emoji`` finds, and keeps the dialogue.
        near_duplicates: Jaccard similarity from which a dialogue is a copy; `None` turns this off.
        anonymise: Whether identifiers are replaced by placeholders.
        evaluation: Files of evaluation dialogues that must not be trained on.
        validation: Share of dialogues to hold out, 0 to below 1.
        seed: Chooses sample and validation part.
    """

    topics: tuple[str, ...] = ()
    percent: float = 100.0
    min_exchanges: int = 1
    punctuation: Punctuation = "keep"
    structure: Structure = "mend"
    rules: QualityRules = field(default_factory=lambda: load_rules(BUILTIN_RULES))
    emoji: Emoji = "drop"
    near_duplicates: float | None = 0.8
    anonymise: bool = True
    evaluation: tuple[Path, ...] = (EVALUATION_ZH,)
    validation: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        checks = (
            ("percent", self.percent, 0 < self.percent <= 100, "above 0 and at most 100"),
            ("min-exchanges", self.min_exchanges, self.min_exchanges >= 1, "at least 1"),
            (
                "near-duplicates",
                self.near_duplicates,
                self.near_duplicates is None or 0 < self.near_duplicates <= 1,
                "above 0 and at most 1, or off",
            ),
            ("validation", self.validation, 0 <= self.validation < 1, "from 0 to below 1"),
        )
        for name, value, good, valid in checks:
            if not good:
                raise BadInput(f"--{name} {value}: out of range", remedy=f"Use a value {valid}.")
        self.effective_rules()

    def effective_rules(self) -> QualityRules:
        """The quality rules, as `emoji` changes them."""
        return stripping(self.rules, "emoji") if self.emoji == "strip" else self.rules

    def to_json(self) -> dict[str, Any]:
        """For the card: no path leads outside, so that equal settings look equal everywhere."""
        return {
            "topics": list(self.topics),
            "percent": self.percent,
            "min_exchanges": self.min_exchanges,
            "punctuation": self.punctuation,
            "structure": self.structure,
            "rules": self.rules.model_dump(mode="json"),
            "emoji": self.emoji,
            "near_duplicates": self.near_duplicates,
            "anonymise": self.anonymise,
            "validation": self.validation,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Resources:
    """What the work may take; nothing of it changes the outcome.

    Attributes:
        workers: Processes; 1 works without any beside this one.
        memory: Bytes that all processes together should stay within.
    """

    workers: int = 1
    memory: int = 1 << 30

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise BadInput(f"--workers {self.workers}", remedy="Use at least 1.")
        if self.memory < 256 << 20:
            raise BadInput(
                f"--memory {self.memory >> 20}: too little for this", remedy="Use at least 256 MB."
            )

    @property
    def batch_bytes(self) -> int:
        """Raw bytes of one piece of work; it takes some 30 times that while it is worked on."""
        return min(1 << 20, self.memory // (128 * (self.workers + 1)))
