"""What an arm of a kind is to those who read results; nothing else looks at the kind itself."""

from __future__ import annotations

from dataclasses import dataclass

from rapport_bench.results.sections import Kind


@dataclass(frozen=True, slots=True)
class Role:
    """What holds for all arms of a kind.

    Attributes:
        weights: Whether a base answers, whose replies lie in the response store.
        adapted: Whether there is an adapter on it.
        baseline: Whether the others of a run are set against it.
        candidate: Whether it is ranked, compared and gated.
        bot: Whether it answers without understanding.
        gold: Whether its replies are the data's own.
    """

    weights: bool = False
    adapted: bool = False
    baseline: bool = False
    candidate: bool = False
    bot: bool = False
    gold: bool = False

    @property
    def reference(self) -> bool:
        """Whether it stands in tables without a rank."""
        return self.bot or self.gold


ROLES: dict[Kind, Role] = {
    "base": Role(weights=True, baseline=True),
    "adapter": Role(weights=True, adapted=True, candidate=True),
    "model": Role(weights=True, candidate=True),
    "replies": Role(candidate=True),
    "bot": Role(bot=True),
    "gold": Role(gold=True),
}
