"""JSON as it is found: strict, with NaN and raw line breaks, or as Python prints it."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import orjson

In = TypeVar("In")
Out = TypeVar("Out")

_LONGEST_LITERAL = 1 << 20
_NAMES = {"nan": None, "NaN": None, "null": None, "inf": None, "true": True, "false": False}


class Unreadable(Exception):
    """A record that cannot be read.

    Attributes:
        keys: The keys that were seen, where they did not tell a format.
    """

    def __init__(self, reason: str, keys: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.keys = keys


def quietly(read: Callable[[In], Out], value: In) -> Out | None:
    """What a function reads in a value, or `None` where that is unreadable."""
    try:
        return read(value)
    except Unreadable:
        return None


def load(data: bytes | str) -> Any:
    """Read one value; NaN becomes `None`.

    Returns:
        A dict, list, string or number. Strings may hold lone surrogates.

    Raises:
        Unreadable: ``not_utf8`` or ``not_json``.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError:
        raise Unreadable("not_utf8") from None
    try:
        return json.loads(text, parse_constant=lambda _: None, strict=False)
    except (ValueError, RecursionError):
        return _literal(text)


def _literal(text: str) -> Any:
    """What ``repr`` wrote of dicts and lists, also of NumPy's arrays of them."""
    text = text.strip()
    if text[:1] not in ("{", "[") or len(text) > _LONGEST_LITERAL:
        raise Unreadable("not_json")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            # An array of dicts is printed without commas; no string holds a raw line break.
            tree = ast.parse(text.replace("}\n {", "},\n {"), mode="eval")
        value = ast.literal_eval(_Plain().visit(tree))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise Unreadable("not_json") from None
    if not isinstance(value, dict | list):
        raise Unreadable("not_json")
    return value


class _Plain(ast.NodeTransformer):
    """Replaces ``nan`` and the like by constants, and ``array([...])`` by the list in it."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Constant(_NAMES[node.id]) if node.id in _NAMES else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return self.visit(node.args[0]) if node.args else ast.Constant(None)
