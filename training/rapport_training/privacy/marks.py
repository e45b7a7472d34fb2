"""Sentences with their identifiers marked, and how well a finder does on them.

A marked file has one text a line, identifiers written `{kind|surface}`:

    我叫{姓名|小明}，住{地点|武侯区}

A line without marks is a counterexample: nothing in it should be found. Blank lines and lines that
begin with `#` are skipped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rapport_tasks.common.errors import BadInput
from rapport_training.privacy.anonymisation import KINDS, Span

_MARK = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text without marks, and the spans that were marked in it."""

    text: str
    spans: tuple[Span, ...]


def parse_marked(line: str) -> MarkedText:
    """Read one line with marks.

    Raises:
        ValueError: A brace is left over, a kind is not one of `KINDS`, or a surface is empty.
    """
    parts: list[str] = []
    spans: list[Span] = []
    done = length = 0
    for match in _MARK.finditer(line):
        kind, surface = match.groups()
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}")
        if not surface:
            raise ValueError("empty mark")
        before = line[done : match.start()]
        length += len(before)
        spans.append(Span(length, length + len(surface), kind))
        parts += [before, surface]
        length += len(surface)
        done = match.end()
    text = "".join([*parts, line[done:]])
    if "{" in text or "}" in text:
        raise ValueError("a brace that belongs to no mark")
    return MarkedText(text, tuple(spans))


def read_marked(path: Path) -> list[MarkedText]:
    """Read a marked file.

    Raises:
        BadInput: A line cannot be read; names file and line.
    """
    texts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                texts.append(parse_marked(line))
            except ValueError as error:
                raise BadInput(
                    f"{path}:{number}: {error}",
                    remedy=f"Write marks as {{kind|surface}} with kinds {' '.join(KINDS)}.",
                ) from error
    return texts


@dataclass(slots=True)
class Tally:
    """Counts by kind.

    Attributes:
        marked: Marked identifiers.
        exact: Marked ones that were found with the same ends and kind.
        overlapping: ... with the right kind and at least one character in common.
        masked: ... with at least one character in common, whatever kind.
        found: Identifiers that were found.
        right: Found ones that overlap a marked one of the same kind.
        right_exact: Found ones with the ends and kind of a marked one.
        false: Found ones that overlap nothing marked.
        clean: Texts without marks; under the key "" only.
        clean_kept: ... in which nothing was found.
    """

    marked: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    overlapping: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    right_exact: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    clean: int = 0
    clean_kept: int = 0


def tally(pairs: Iterable[tuple[Sequence[Span], Sequence[Span]]]) -> Tally:
    """Count over texts; each pair is what was marked and what was found in one text."""
    counts = Tally()
    for marked, found in pairs:
        counts.clean += not marked
        counts.clean_kept += not marked and not found
        for span in marked:
            near = [other for other in found if _overlap(span, other)]
            counts.marked[span.kind] += 1
            counts.exact[span.kind] += span in found
            counts.overlapping[span.kind] += any(other.kind == span.kind for other in near)
            counts.masked[span.kind] += bool(near)
        for span in found:
            near = [other for other in marked if _overlap(span, other)]
            counts.found[span.kind] += 1
            counts.right[span.kind] += any(other.kind == span.kind for other in near)
            counts.right_exact[span.kind] += span in marked
            counts.false[span.kind] += not near
    return counts


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
