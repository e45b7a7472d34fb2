"""The scorers a suite uses. A better one replaces its line here; tasks and records stay as they are.

Each is built once per process; their versions and weights are part of the suite's identity.
"""

from __future__ import annotations

from functools import lru_cache

from rapport_tasks.acts.classifier import ActClassifier, RuleActClassifier
from rapport_tasks.dialogues.pool import load_pool
from rapport_tasks.embedding.encoder import load_encoder
from rapport_tasks.metrics.continuity import ContrastiveContinuity
from rapport_tasks.metrics.topic_shift import BoundaryScorer, WindowBoundaryScorer


@lru_cache(maxsize=1)
def act_classifier() -> ActClassifier:
    """Sentence -> advice, empathy, question, other."""
    return RuleActClassifier()


@lru_cache(maxsize=4)
def continuity_scorer(encoder: str = "embedded") -> ContrastiveContinuity:
    """Reply and history -> contrastive relevance, with the frozen pools of both languages."""
    return ContrastiveContinuity(load_encoder(encoder), load_pool)


@lru_cache(maxsize=4)
def boundary_scorer(encoder: str = "embedded") -> BoundaryScorer:
    """Message and history -> does it open a new topic."""
    return WindowBoundaryScorer(load_encoder(encoder))
