"""Directions of the embedding space that speak for a new topic, or against one.

A similarity says how close two messages are, not where they lie. "do you have any pets ?" opens a topic
in most small talk and "three times a week ." in none, whatever stood before; after a message that
thanks or wishes well something else is due; two messages can differ in what they are about or only
in how they say it; and where a message ends, the talk goes on, however long it answered before. A
direction is one weight for each dimension of a vector; how far a message points there is a scalar
product.

What a direction has learned is a matter of the embedded encoder, whose dimensions it weighs, and of the
talk it was fitted on: topics that people there like to turn to count too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rapport_tasks.embedding.encoder import Vectors

ASPECTS = ("message", "closing", "last", "difference")
"""The vector of the message, that of its last sentence, that of the message before, and how far apart
the two messages are, dimension by dimension, whatever the sign."""

Aspects = Mapping[str, Vectors]
Directions = Mapping[str, Sequence[float]]


def aspects_of(message: Vectors, closing: Vectors, last: Vectors) -> Aspects:
    """What directions are compared with, by the names in `ASPECTS`; each (dimensions,).

    >>> found = aspects_of(np.array([0.6, 0.8]), np.array([0.0, 1.0]), np.array([0.8, -0.6]))
    >>> found["difference"].round(1).tolist()
    [0.2, 1.4]
    """
    return dict(zip(ASPECTS, (message, closing, last, np.abs(message - last)), strict=True))


def lean(directions: Directions, aspects: Aspects) -> float:
    """How far a message points in the directions, in logits; 0 without any.

    >>> lean({"message": [2.0, 1.0], "last": [0.0, 1.0]}, {"message": [0.6, 0.8], "last": [0, 1]})
    3.0
    """
    # Not a matrix product: its last bits depend on the machine's threads.
    parts = (np.multiply(weights, aspects[name]).sum() for name, weights in directions.items())
    return float(sum(parts))
