"""What `rapport prepare` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.builtin import EVALUATION_ZH
from rapport_training.prepare.alignment import Punctuation
from rapport_training.prepare.quality import QualityRules, load_rules, stripping
from rapport_training.prepare.structure import Structure

Emoji = Literal["drop", "strip"]


class PrepareSettings(BaseModel):
    """Settings that decide what comes out; none of them is about speed.

    Attributes:
        topics: Only dialogues of these topics; empty for all.
        percent: Share of the records to take, chosen by their hash.
        min_exchanges: Fewest user messages with a reply.
        punctuation: ``halfwidth`` converts Chinese punctuation, as the study did.
        structure: ``mend`` drops a leading greeting and joins neighbours of one role, ``strict``
            removes such dialogues.
        rules: Quality rules.
        emoji: ``strip`` takes out what the rule named ``emoji`` finds, and keeps the dialogue.
        near_duplicates: Jaccard similarity from which a dialogue is a copy; `None`, or ``off``,
            turns this off.
        anonymise: Whether identifiers are replaced by placeholders.
        evaluation: Files of evaluation dialogues that must not be trained on.
        validation: Share of dialogues to hold out.
        seed: Chooses sample and validation part.

    Raises:
        BadInput: A value is of no use.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    topics: tuple[str, ...] = ()
    percent: float = Field(default=100.0, gt=0, le=100, description="above 0 and at most 100")
    min_exchanges: int = Field(default=1, ge=1, description="of at least 1")
    punctuation: Punctuation = "keep"
    structure: Structure = "mend"
    rules: QualityRules = Field(default_factory=load_rules)
    emoji: Emoji = "drop"
    near_duplicates: Annotated[
        float | None, BeforeValidator(lambda given: None if given == "off" else given)
    ] = Field(default=0.8, gt=0, le=1, description="above 0 and at most 1, or off")
    anonymise: bool = True
    evaluation: tuple[Path, ...] = (EVALUATION_ZH,)
    validation: float = Field(default=0.05, ge=0, lt=1, description="from 0 to below 1")
    seed: int = 0

    @model_validator(mode="wrap")
    @classmethod
    def _refuse(cls, given: Any, check: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            settings = check(given)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            problem = "not a number" if first["type"].endswith("_parsing") else "out of range"
            valid = cls.model_fields[name].description if name in cls.model_fields else None
            raise BadInput(
                f"--{name.replace('_', '-')} {first['input']}: {problem}",
                remedy=f"Use a value {valid}." if valid else f"{first['msg']}.",
            ) from None
        settings.effective_rules()
        return settings

    def effective_rules(self) -> QualityRules:
        """The quality rules, as `emoji` changes them."""
        return stripping(self.rules, "emoji") if self.emoji == "strip" else self.rules

    def to_json(self) -> dict[str, Any]:
        """For the card: no path leads outside, so that equal settings look equal everywhere."""
        return self.model_dump(mode="json", exclude={"evaluation"})


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
