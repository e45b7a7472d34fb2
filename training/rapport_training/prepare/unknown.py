"""What is said of records of no known format: their keys, never a value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rapport_training.prepare.roles import folded, role_of
from rapport_training.prepare.turns import FIELD_KEYS, LIST_KEYS

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,29}")
_MOST = 12
_OTHERS = "others that may be text"
MOST_SETS = 1000
"""Different sets of keys that are counted."""


def shown_keys(keys: Sequence[str]) -> tuple[str, ...]:
    """Keys as they may be shown: a key that could be a sentence is not."""
    names = [
        key
        for key in map(str, keys)
        if _NAME.fullmatch(key) or folded(key) in LIST_KEYS | FIELD_KEYS or role_of(key)
    ]
    more = len(names) < len(keys) or len(names) > _MOST
    return (*names[:_MOST], _OTHERS) if more else tuple(names)


def describe_unknown(unknown: Counter[tuple[str, ...]]) -> list[dict[str, Any]]:
    """The most frequent sets of keys, for the card."""
    ranked = sorted(unknown.items(), key=lambda item: (-item[1], item[0]))
    return [{"keys": list(keys), "records": count} for keys, count in ranked[:5]]


def seen_keys(unknown: Counter[tuple[str, ...]]) -> str:
    """The same as the end of a sentence; empty if there is nothing to say."""
    rows = describe_unknown(unknown)[:2]
    return f"; keys seen: {' | '.join(', '.join(row['keys']) for row in rows)}" if rows else ""
