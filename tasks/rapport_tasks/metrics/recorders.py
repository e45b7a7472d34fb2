"""What turns a dialogue's answers into the columns of each task, with the scorers that a suite uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapport_tasks.common.protocol import TaskSettings
from rapport_tasks.common.record import Record
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.dialogues.pool import pool_identity
from rapport_tasks.metrics.advice_to_empathy import act_record
from rapport_tasks.metrics.continuity import continuity_record
from rapport_tasks.metrics.crisis import crisis_record
from rapport_tasks.metrics.perplexity import likelihood_record
from rapport_tasks.metrics.scorers import act_classifier, boundary_scorer, continuity_scorer
from rapport_tasks.metrics.topic_shift import shift_record

Replies = Sequence[tuple[int, str | None]]


def likelihoods(dialogue: Dialogue, answers: Sequence[Any], settings: TaskSettings) -> Record:
    """Sums of negative log-likelihood, tokens and characters."""
    return likelihood_record(dialogue, answers)


def acts(dialogue: Dialogue, answers: Replies, settings: TaskSettings) -> Record:
    """Counts of acts in the replies and in the gold replies."""
    return act_record(dialogue, answers, act_classifier())


def acts_identity(settings: TaskSettings) -> str:
    """Of the act classifier."""
    return act_classifier().version


def continuity(dialogue: Dialogue, answers: Replies, settings: TaskSettings) -> Record:
    """Sums of contrastive relevance and order."""
    return continuity_record(dialogue, answers, continuity_scorer(settings.encoder))


def continuity_identity(settings: TaskSettings) -> list[str]:
    """Of the encoder with what was learned on it, and of the pools."""
    return [continuity_scorer(settings.encoder).identity, pool_identity()]


def topic_shifts(dialogue: Dialogue, answers: Replies, settings: TaskSettings) -> Record:
    """Counts of assistant-initiated shifts in the replies and in the gold replies."""
    return shift_record(dialogue, answers, boundary_scorer(settings.encoder))


def shift_identity(settings: TaskSettings) -> str:
    """Of the boundary scorer."""
    return boundary_scorer(settings.encoder).identity


def crisis(dialogue: Dialogue, answers: Replies, settings: TaskSettings) -> Record:
    """Counts of what the replies do about risk."""
    return crisis_record(dialogue, answers)
