"""Tables of text that every medium shows: the terminal, Markdown and the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rapport_bench.common.escape import markdown_text


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table and what is said about it.

    Attributes:
        title: What it shows.
        header: Heads of the columns; a line break is where a head may be broken.
        rows: Cells, as many as heads.
        notes: Sentences below.
        left: Heads of the columns with words; the others have figures.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def markdown_lines(table: TextTable) -> Iterator[str]:
    """Head and rows, without title and notes."""
    yield f"| {' | '.join(table.header)} |"
    yield "|" + "".join(" --- |" if name in table.left else " ---: |" for name in table.header)
    for row in table.rows:
        yield f"| {' | '.join(map(markdown_text, row))} |"
