"""How records lie in one JSON object: as itself, below a key such as ``data``, or as columns."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from rapport_training.prepare.formats import is_dialogue, is_message, is_turn
from rapport_training.prepare.roles import folded
from rapport_training.prepare.turns import FIELD_KEYS, LIST_KEYS

Layout = Literal["records", "by key", "below a key", "columns"]

_DECODER = json.JSONDecoder(strict=False)
_GAP = re.compile(r"[\s,:]*")
_FIRST_IN_OBJECT = re.compile(r'\{\s*"([^"\\]{0,80})"\s*:\s*')
_FIRST_IN_ARRAY = re.compile(r"\[\s*")


def layout_of(lead: str) -> Layout:
    """Tell from the beginning of an object what it is.

    Returns:
        ``records``: the object is a record, and others may follow it; ``by key``: ``{"d-1":
        record, ...}``; ``below a key``: ``{"data": [record, ...], ...}``; ``columns``: perhaps a
        table as pandas writes it, for `rows_of` to say.
    """
    at = _skip(lead, 1)
    while lead[at : at + 1] == '"':
        try:
            key, at = _DECODER.raw_decode(lead, at)
            at = _skip(lead, at)
            found = _tell(folded(key), lead, at)
            if found is not None:
                return found
            _, at = _DECODER.raw_decode(lead, at)
        except (ValueError, RecursionError):
            break
        at = _skip(lead, at)
    return "records"


def rows_of(value: Any) -> list[Any]:
    """The records of a table in columns; anything else is one record."""
    if not isinstance(value, dict) or not value:
        return [value]
    names, data = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(data, list):
        names = list(map(str, names))
        return [dict(zip(names, r, strict=False)) if isinstance(r, list) else r for r in data]
    columns = [list(c.values()) if isinstance(c, dict) else c for c in value.values()]
    sizes = {len(column) if isinstance(column, list) else -1 for column in columns}
    if len(sizes) != 1 or -1 in sizes:
        return [value]
    return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]


def _skip(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return found.end() if found else at


def _tell(key: str, lead: str, at: int) -> Layout | None:
    """What the value at a place says about the whole; `None` if nothing."""
    if inside := _FIRST_IN_ARRAY.match(lead, at):
        first = _decoded(lead, inside.end())
        if key in LIST_KEYS:
            if isinstance(first, str) or is_turn(first):
                return "records"
            return "columns" if isinstance(first, list) else "below a key"
        if key in FIELD_KEYS or key == "columns":
            return "columns" if isinstance(first, str) else "records"
        if is_message(first):
            return "by key"
        return "below a key" if is_dialogue(first) else None
    if inside := _FIRST_IN_OBJECT.match(lead, at):
        if key in LIST_KEYS or key in FIELD_KEYS:
            return "columns" if inside[1].isdigit() else "records"
        if is_dialogue(_decoded(lead, at)):
            return "by key"
        if is_dialogue(_decoded(lead, inside.end())):
            return "below a key"
        return "columns" if inside[1].isdigit() else None
    return None


def _decoded(lead: str, at: int) -> Any:
    """The value at a place; `None` if it does not end in this part of the text."""
    try:
        return _DECODER.raw_decode(lead, at)[0]
    except (ValueError, RecursionError):
        return None
