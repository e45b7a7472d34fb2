"""What stands around a name, weighed as evidence for it.

The weights are like logarithms of odds and were set by hand on the development sentences.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapport_training.privacy.name_words import (
    BOUNDARY,
    CUE,
    INTRODUCED,
    LIGHT_LEFT,
    RIGHT,
    ROLE_CUE,
    SURNAMES_DOUBLE,
    SURNAMES_DOUBLE_WORDS,
    SURNAMES_LIKELY,
    SURNAMES_RARE,
    SURNAMES_SURE,
    TITLES,
)
from rapport_training.privacy.words import part_of_speech

TITLE = re.compile("|".join(sorted(TITLES, key=len, reverse=True)))

MEASURED = re.compile(r"[一二两三四五六七八九十几每半这那多\d]$")

AFTER_NAME = frozenset("说出在和来也就的是不没对跟要把被给")
"""What follows a name so often that a word made of both is cut: 小明说, not 小 明说."""


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name: where, and whether it may be looked for in the rest of the dialogue."""

    start: int
    end: int
    spreads: bool


@dataclass(frozen=True, slots=True)
class Around:
    """What stands on the left of a place in the text, as evidence for a name there."""

    cue: bool
    role: bool
    score: float


def look_around(text: str, words: list[str], index: int, start: int) -> Around:
    """Evidence on the left of `start`, where the word `index` begins."""
    before = text[max(0, start - 12) : start]
    cue = bool(CUE.search(before)) and not before.endswith("你叫我")
    role = bool(ROLE_CUE.search(before))
    if cue or role:
        return Around(cue, role, 6.0 if cue else 4.0)
    if INTRODUCED.search(before):
        return Around(False, True, 3.0)
    previous = words[index - 1] if index else "。"
    if previous in BOUNDARY:
        return Around(False, False, 1.5)
    if previous in {"了", "过", "着", "上"} and index > 1:
        previous = words[index - 2]
        light = previous in LIGHT_LEFT or part_of_speech(previous)[:1] == "v"
        return Around(False, False, 1.0 if light else 0.0)
    return Around(False, False, 1.5 if previous in LIGHT_LEFT else 0.0)


def right_of(text: str, words: list[str], end: int, index: int) -> float:
    """Evidence after `end`; `index` is that of the first word that begins there, if one does."""
    if end == len(text) or text[end] in BOUNDARY:
        return 1.5
    if TITLE.match(text, end):
        return 3.0
    word = words[index] if index < len(words) else ""
    if word in RIGHT:
        return 1.5
    return 0.7 if len(word) > 1 and part_of_speech(word)[:1] == "v" else 0.0


def surname_at(text: str, start: int) -> tuple[int, float]:
    """Length and weight of a surname at `start`; no surname is (0, 0)."""
    double = text[start : start + 2]
    if double in SURNAMES_DOUBLE:
        return 2, 1.0 if double in SURNAMES_DOUBLE_WORDS else 4.0
    character = text[start]
    if character in SURNAMES_SURE:
        return 1, 3.0
    if character in SURNAMES_LIKELY:
        return 1, 2.2
    if character in "高何曾":
        return 1, 0.0
    return (1, -1.5) if character in SURNAMES_RARE else (0, 0.0)
