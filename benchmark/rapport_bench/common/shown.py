"""Results of any kind as a short table: in a terminal, in a notebook, and as rows for a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_MOST_ROWS = 24


class Shown:
    """What prints shortly, from a title and rows.

    `to_rows` gives plain dictionaries with the same keys, which ``pandas.DataFrame(shown.to_rows())`` and
    ``polars.DataFrame(shown.to_rows())`` take as they are; `to_dict` all of it, as ``--json`` prints it.
    """

    def title(self) -> str:
        """One line on what it is."""
        raise NotImplementedError

    def to_rows(self) -> list[dict[str, Any]]:
        """One dictionary a row; numbers as they are, `None` for what is undefined."""
        raise NotImplementedError

    def __repr__(self) -> str:
        rows = [[_cell(value) for value in row.values()] for row in self.to_rows()[:_MOST_ROWS]]
        if not rows:
            return self.title()
        table = [list(self.to_rows()[0]), *rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in table]
        return "\n".join([self.title(), *lines, *_left_out(self.to_rows())])

    def _repr_html_(self) -> str:
        rows = self.to_rows()
        head = "".join(f"<th>{escape(name)}</th>" for name in (rows[0] if rows else ()))
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(_cell(value))}</td>' for value in row.values())}</tr>"
            for row in rows[:_MOST_ROWS]
        )
        after = "".join(map(escape, _left_out(rows)))
        return f"<p>{escape(self.title())}</p><table><tr>{head}</tr>{body}</table>{after}"


def ends(ci: Sequence[float] | None) -> dict[str, float | None]:
    """An interval as two columns."""
    low, high = ci or (None, None)
    return {"low": low, "high": high}


def _left_out(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"... and {len(rows) - _MOST_ROWS} more"] if len(rows) > _MOST_ROWS else []


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3g}"
    return " ".join(str(value).split())
