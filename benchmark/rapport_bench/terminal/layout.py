"""Tables that fit the console: what their columns need at least, and how many stand side by side."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rapport_bench.words.tables import TextTable

_GAP = 3  # between two cells of a table without edges
_EDGES = 2
_FIRST = 18  # the first column wraps down to this width
_NAME = 16  # a longer word of a head is folded


@dataclass(frozen=True, slots=True)
class Column:
    """A head with its cells, one a row.

    Attributes:
        head: May be wrapped between words.
        cells: Their lines are never broken, unless `wraps`.
        wraps: Whether a cell's line may be broken between words.
        right: Whether figures are aligned to the right.
    """

    head: Text
    cells: tuple[Text, ...]
    wraps: bool = False
    right: bool = True

    @property
    def narrowest(self) -> int:
        """Width that it needs: its longest line, or word if lines may be broken."""
        pieces = [
            piece for cell in self.cells for piece in cell.plain.split(None if self.wraps else "\n")
        ]
        head = [min(cell_len(word), _NAME) for word in self.head.plain.split()]
        return max([*map(cell_len, pieces), *head], default=1)

    @property
    def natural(self) -> int:
        """Width at which nothing of it is wrapped."""
        lines = [line for text in (self.head, *self.cells) for line in text.plain.split("\n")]
        return max(map(cell_len, lines), default=1)


def needed(columns: Sequence[Column], *, first: int = _FIRST) -> int:
    """Width of a table of these columns after a first one of that width."""
    return _EDGES + first + sum(column.narrowest + _GAP for column in columns)


def groups(
    columns: Sequence[Column], width: int, *, repeated: Sequence[Column] = ()
) -> list[list[Column]]:
    """Neighbouring columns that fit beside each other and the repeated ones; at least one each."""
    found: list[list[Column]] = []
    for column in columns:
        if found and needed([*repeated, *found[-1], column]) <= width:
            found[-1].append(column)
        else:
            found.append([column])
    return found


def table(
    first: Column, columns: Sequence[Column], *, width: int, ends: Collection[int] = ()
) -> Table:
    """A table no wider than `width`, whose first column gives way; a line after each row in `ends`."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    widths = _widths(first, columns, width)
    made.add_column(first.head, overflow="fold", width=widths[0])
    for column, size in zip(columns, widths[1:], strict=True):
        justify: Literal["left", "right"] = "right" if column.right else "left"
        made.add_column(column.head, justify=justify, overflow="fold", width=size)
    for row, label in enumerate(first.cells):
        cells = [column.cells[row] for column in columns]
        made.add_row(label, *cells, end_section=row in ends)
    return made


def simple_table(header: Sequence[str], *, left: Collection[str]) -> Table:
    """A table that rich lays out, still without rows; columns that are not `left` have figures."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in header:
        made.add_column(Text(name), justify="left" if name in left else "right", overflow="fold")
    return made


def print_table(out: Console, shown: TextTable) -> None:
    """Title, table and notes, after an empty line."""
    out.print()
    out.print(shown.title, style="bold", markup=False)
    made = simple_table(shown.header, left=shown.left)
    for row in shown.rows:
        made.add_row(*map(Text, row))
    out.print(made)
    for note in shown.notes:
        out.print(note, style="dim", markup=False)


def _widths(first: Column, columns: Sequence[Column], width: int) -> list[int]:
    """What each column gets: what it needs, then what is left over from the left to the right.

    Rich would take from the columns that cannot give.
    """
    wanted = [column.natural for column in (first, *columns)]
    found = [min(_FIRST, wanted[0]), *(column.narrowest for column in columns)]
    left = width - _EDGES - sum(found) - _GAP * len(columns)
    for i, size in enumerate(found):
        more = max(0, min(wanted[i] - size, left))
        found[i] += more
        left -= more
    return found


def folded(name: str, width: int = _NAME) -> str:
    r"""A name in lines of at most `width` cells, broken after a blank or ``- _ / .`` where it can be.

    Example:
        >>> folded("empathy-r16-emotion-v2").split("\n")
        ['empathy-r16-', 'emotion-v2']
    """
    lines = [""]
    for part in re.split(r"(?<=[-_/. ])", name):
        if cell_len(lines[-1] + part) <= width:
            lines[-1] += part
        else:
            lines += chop_cells(part, width)
    return "\n".join(line for line in lines if line)
