"""How well predicted topic boundaries agree with reference ones.

A dialogue of n messages is labelled by n values, true where a message opens a new topic; the first
never counts. All measures are fractions in [0, 1], computed per dialogue and averaged over
dialogues, and 0 is perfect for `pk` and `window_diff`, 1 for `window_f1`.

No measure is worth reading alone: in dialogues with few shifts, predicting none does well on Pk
(30.9 against 38.4 for lexical TextTiling on Chinese service calls). Print `baselines` beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = Sequence[bool]
Measure = Callable[[Labels, Labels], float | None]


def window_size(reference: Labels) -> int:
    """K = max(2, round(half of the dialogue's mean reference segment)).

    >>> window_size([0, 0, 0, 0, 1, 0, 0, 0])
    2
    >>> window_size([0] * 12)
    6
    """
    segments = 1 + sum(map(bool, reference[1:]))
    return max(2, round(len(reference) / segments / 2))


def pk(reference: Labels, predicted: Labels) -> float | None:
    """Beeferman's Pk: share of windows whose two ends are wrongly put together or apart.

    Lower is better; `None` for a dialogue that is not longer than the window.

    >>> pk([0, 0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0])  # k = 2: 2 of 6 windows
    0.3333333333333333
    """
    return _window_errors(reference, predicted, lambda a, b: (a > 0) != (b > 0))


def window_diff(reference: Labels, predicted: Labels) -> float | None:
    """Pevzner and Hearst's WindowDiff: share of windows with a wrong number of boundaries.

    Lower is better; `None` for a dialogue that is not longer than the window.

    >>> window_diff([0, 0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, 0])
    0.3333333333333333
    """
    return _window_errors(reference, predicted, lambda a, b: a != b)


def window_f1(reference: Labels, predicted: Labels, tolerance: int = 1) -> float | None:
    """F1 of boundaries, each matched once to one at most `tolerance` messages away.

    Higher is better; `None` when neither side has a boundary.

    >>> window_f1([0, 0, 1, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0, 0])
    0.6666666666666666
    """
    _check(reference, predicted)
    wanted = [i for i, label in enumerate(reference) if i and label]
    found = [i for i, label in enumerate(predicted) if i and label]
    if not wanted and not found:
        return None
    hits, start = 0, 0
    for position in wanted:  # both ascending: taking the earliest free match is optimal
        while start < len(found) and found[start] < position - tolerance:
            start += 1
        if start < len(found) and found[start] <= position + tolerance:
            hits += 1
            start += 1
    return 2 * hits / (len(wanted) + len(found))


def average(
    measure: Measure, references: Sequence[Labels], predictions: Sequence[Labels]
) -> float | None:
    """Mean of a measure over the dialogues where it is defined, `None` where it never is."""
    values = [measure(r, p) for r, p in zip(references, predictions, strict=True)]
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None


@dataclass(frozen=True, slots=True)
class Baseline:
    """A splitter that reads no text."""

    name: str
    predictions: list[list[bool]]


def baselines(references: Sequence[Labels], *, seed: int = 0) -> tuple[Baseline, ...]:
    """No shift, evenly spaced shifts and random shifts, at the references' mean rate."""
    opportunities = sum(max(0, len(labels) - 1) for labels in references)
    shifts = sum(sum(map(bool, labels[1:])) for labels in references)
    rate = shifts / opportunities if opportunities else 0.0
    generator = np.random.default_rng(seed)
    none, even, random = [], [], []
    for labels in references:
        size = len(labels)
        none.append([False] * size)
        step = max(1, round(1 / rate)) if rate else size + 1
        even.append([i > 0 and i % step == 0 for i in range(size)])
        random.append([i > 0 and bool(generator.random() < rate) for i in range(size)])
    return Baseline("none", none), Baseline("even", even), Baseline("random", random)


def _check(reference: Labels, predicted: Labels) -> None:
    if len(reference) != len(predicted):
        raise ValueError(f"{len(reference)} reference labels against {len(predicted)} predicted")


def _window_errors(
    reference: Labels,
    predicted: Labels,
    wrong: Callable[[NDArray[Any], NDArray[Any]], NDArray[np.bool_]],
) -> float | None:
    """Share of i for which the boundaries in (i, i + k] are wrong."""
    _check(reference, predicted)
    k = window_size(reference)
    if len(reference) <= k:
        return None
    inside = []
    for labels in (reference, predicted):
        total = np.cumsum([0, *(bool(label) for label in labels[1:])])  # boundaries up to i
        inside.append(total[k:] - total[:-k])
    return float(np.mean(wrong(inside[0], inside[1])))
