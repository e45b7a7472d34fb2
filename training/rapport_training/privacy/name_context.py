"""What stands around a name, weighed as evidence for it.

The weights are like logarithms of odds and were set by hand on the development sentences.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapport_training.privacy.name_words import (
    SURNAMES_DOUBLE,
    SURNAMES_LIKELY,
    SURNAMES_RARE,
    SURNAMES_SURE,
    TITLES,
)

TITLE = re.compile("|".join(sorted(TITLES, key=len, reverse=True)))

SHORT_TITLES = "哥姐总叔姨嫂婶董爷妈工导"
"""Titles of one character."""

ANY_TITLE = re.compile(f"{TITLE.pattern}|[{SHORT_TITLES}]")

GIVEN_TITLE = re.compile(f"{TITLE.pattern}|[哥姐叔姨嫂婶]")
"""What also follows a given name."""

MEASURED = re.compile(r"[一二两三四五六七八九十几每半这那多\d]$")


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name: where, and whether it may be looked for in the rest of the dialogue."""

    start: int
    end: int
    spreads: bool


def surname_at(text: str, start: int) -> tuple[int, float]:
    """Length and weight of a surname at `start`; no surname is (0, 0)."""
    double = text[start : start + 2]
    if double in SURNAMES_DOUBLE:
        return 2, 4.0
    character = text[start]
    if character in SURNAMES_SURE:
        return 1, 3.0
    if character in SURNAMES_LIKELY:
        return 1, 2.2
    if character in "高何曾":
        return 1, 0.0
    return (1, -1.5) if character in SURNAMES_RARE else (0, 0.0)
