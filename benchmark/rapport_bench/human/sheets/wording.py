"""What raters read around the dialogues, from ``wording.toml``, in Chinese and English."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from rapport_bench.human.sheets.study import Text


def words(name: str) -> dict[str, Any]:
    """The content of a file of texts beside this module."""
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


_WORDING = words("wording.toml")
NOTICE: dict[str, Text] = _WORDING["notice"]
"""Shown before anything else; ``crisis`` only where it applies."""
TABLE_HELP: Text = _WORDING["table_help"]
ROLES: dict[str, Text] = _WORDING["roles"]
PAGE: dict[str, Text] = _WORDING["page"]
"""Texts of the rating page."""
