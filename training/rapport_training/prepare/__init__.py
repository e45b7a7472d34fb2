"""Corpus preparation: counselling dialogues from any common format into a clean, split corpus.

Stages, in this order, each counted with its reasons: parse, selection, structure, syntax alignment,
quality, exact duplicates, near-duplicates, anonymisation, contamination, split.
"""

from rapport_training.prepare.pipeline import prepare
from rapport_training.prepare.settings import PrepareSettings, Resources

__all__ = ["PrepareSettings", "Resources", "prepare"]
