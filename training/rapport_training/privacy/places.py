"""Places in one text, with its schools and employers.

Divisions of China and places abroad come from a gazetteer (`privacy.gazetteer`), smaller places from
their last part (`privacy.headed`) and from the trained model (`privacy.entities`). China itself and
regions (东北, 江南) stay: they point at nobody. Neighbouring parts of one address make one span.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from rapport_training.privacy.entities import located
from rapport_training.privacy.gazetteer import find_listed
from rapport_training.privacy.headed import DOOR, find_headed
from rapport_training.privacy.known import find_employers, find_schools
from rapport_training.privacy.model import Entity
from rapport_training.privacy.patterns import Found
from rapport_training.privacy.place_words import FUNCTION_WORDS

_BELOW = re.compile(
    rf"[^{FUNCTION_WORDS}本全某几多小农山乡古老渔邻同整自\W\da-zA-Z]{{2,3}}"
    r"(?:(?:镇|乡|村|街道)(?![上里长])|(?=这边|那边|附近|一带))"
)
"""What follows a city or a county in an address: 宣威市 | 热水镇."""


def find_places(text: str, words: list[str], entities: Sequence[Entity]) -> list[Found]:
    """Places, schools and employers of `text`, whose words are `words`; sorted, no overlap."""
    starts = [0, *accumulate(map(len, words))]
    found = find_listed(text, words, starts)
    found += find_headed(text, starts, words)
    found += find_schools(text, words, starts)
    found += find_employers(text, starts)
    found += located(text, entities)
    return _joined(text, found)


def _joined(text: str, found: list[Found]) -> list[Found]:
    """Sort, let longer spans win, and make one span of the parts of an address."""
    order = {"学校": 0, "单位": 1, "地点": 2}
    kept: list[Found] = []
    for start, end, kind in sorted(set(found), key=lambda f: (-(f[1] - f[0]), order[f[2]], f[0])):
        if all(end <= low or start >= high for low, high, _ in kept):
            kept.append((start, end, kind))
    result: list[Found] = []
    for start, end, kind in sorted(kept):
        if kind == "地点":
            door = DOOR.match(text, end)
            if door and text[end - 1] in "路街道段巷弄苑庄区园厦村寓庭府城胡同里":
                end = door.end()
            below = _BELOW.match(text, end)
            if below and text[end - 1] in "市区县州":
                end = below.end()
        last = result[-1] if result else (0, 0, "")
        part = last[2] == "地点" and kind != "地点" and text[last[1] - 1] not in "路街区县"
        if last[2] == kind == "地点" and last[1] >= start:
            result[-1] = (last[0], max(end, last[1]), kind)
        elif part and last[1] == start:
            result[-1] = (last[0], end, kind)
        elif not result or start >= last[1]:
            result.append((start, end, kind))
    return result
