"""From ratings to pairs for preference tuning: which reply people preferred, where they clearly did.

The rule, for every item and every two of its replies:

1. A rater counts who rated both replies on the scale (on all scales for ``mean``), at the first showing.
   Their score of a reply is its value, or the mean of its values; their preference is the difference of
   the two scores, so a severe rater weighs as much as a mild one.
2. At least ``min_raters`` raters must count.
3. The mean preference must be at least ``margin`` in size: the reply ahead is chosen, the other
   rejected. A mean of 0 is a tie and never exported, whatever the margin.

Two replies of the same text are no pair. Attention checks, second showings and skipped items never count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from rapport_bench.human.sheets.sheet import SheetItem
from rapport_bench.human.sheets.study import Key
from rapport_bench.results.ratings import Ratings
from rapport_bench.statistics.clusters import Floats

REASONS = ("same_text", "too_few_raters", "tied", "under_margin")
"""Why a pair is not exported."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes a pair.

    Attributes:
        scale: Name of the scale, or ``mean`` for all of them.
        margin: Smallest mean preference, in points; 0 or more.
        min_raters: Fewest raters who judged both replies; 1 or more.
    """

    scale: str = "mean"
    margin: float = 1.0
    min_raters: int = 2


@dataclass(frozen=True, slots=True)
class Preferences:
    """What is exported.

    Attributes:
        pairs: ``{"prompt", "chosen", "rejected"}``, each a list of messages, by item.
        left_out: How many pairs were not exported, by reason.
        chosen: How often each arm (by result id) is the chosen one.
        raters: Raters behind the pairs, on average; `None` without a pair.
    """

    pairs: tuple[dict[str, Any], ...]
    left_out: Counter[str]
    chosen: Counter[str]
    raters: float | None


def prefer(ratings: Ratings, key: Key, items: Mapping[str, SheetItem], rule: Rule) -> Preferences:
    """Apply the rule.

    Args:
        ratings: Of the raters who count.
        key: Which letter is which arm.
        items: What was shown, by item id, as `rapport_bench.human.sheets.shown` reads it.
        rule: What makes a pair.
    """
    scores = _scores(ratings, rule.scale)
    arms = [arm.result_id for arm in key.arms]
    pairs, raters = [], []
    left_out, chosen = Counter[str](), Counter[str]()
    for place, name in enumerate(ratings.items):
        texts = {key.items[name].letters[r.letter]: r.content for r in items[name].replies}
        prompt = [{"role": line.role, "content": line.content} for line in items[name].context]
        for one, other in combinations(range(len(arms)), 2):
            differences = scores[one, place] - scores[other, place]
            differences = differences[~np.isnan(differences)]
            reason = _reason(differences, texts[arms[one]] == texts[arms[other]], rule)
            if reason:
                left_out[reason] += 1
                continue
            better, worse = (one, other) if differences.mean() > 0 else (other, one)
            pairs.append(
                {
                    "prompt": prompt,
                    "chosen": [{"role": "assistant", "content": texts[arms[better]]}],
                    "rejected": [{"role": "assistant", "content": texts[arms[worse]]}],
                }
            )
            chosen[arms[better]] += 1
            raters.append(len(differences))
    average = float(np.mean(raters)) if raters else None
    return Preferences(tuple(pairs), left_out, chosen, average)


def _scores(ratings: Ratings, scale: str) -> Floats:
    """(arms, items, raters), NaN where a rater did not judge a reply on all that counts."""
    if scale != "mean":
        return ratings.cells(ratings.scales.index(scale))
    scores: Floats = np.mean([ratings.cells(s) for s in range(len(ratings.scales))], axis=0)
    return scores


def _reason(differences: Floats, same: bool, rule: Rule) -> str | None:
    if same:
        return "same_text"
    if len(differences) < rule.min_raters:
        return "too_few_raters"
    mean = abs(float(differences.mean()))
    # Sums of thirds: .999... is a whole point, and 1e-17 a tie.
    if mean < 1e-9:
        return "tied"
    return "under_margin" if mean < rule.margin - 1e-9 else None
