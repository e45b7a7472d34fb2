"""JSON and TOML that anyone may have written: one meaning, and nothing that a later step cannot hold.

Every file of settings, results and dialogues is parsed here, so that all refuse the same: text of
another form, a key that stands twice, nesting that recursion cannot follow, whole numbers beyond 64
bits, numbers that are not finite, and half of a surrogate pair.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from rapport_tasks.common.errors import BadInput, shown

DEEPEST = 50
"""Levels of nesting; the formats here have eight at most."""
LONGEST_TOML_LINE = 10_000
"""Characters: a dotted key costs the square of its length."""
_LARGEST_TOML = 1_000_000
_LARGEST_JSON = 500_000_000
_INTEGERS = 2**63
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOO_DEEP = f"nested deeper than {DEEPEST} levels"
_TOO_LARGE = "a whole number beyond 64 bits"

_Parsed = TypeVar("_Parsed")


class Malformed(ValueError):
    """Text that is not what it should be.

    Attributes:
        place: The line, or the key; may be empty.
        problem: What is wrong there; never a text from the file.
        remedy: What to do, where this is not the same for every problem of a file.
    """

    def __init__(self, place: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.place = place
        self.problem = problem
        self.remedy = remedy


class NotToml(Malformed):
    """Text of another form than TOML's."""


def parse_json(text: str) -> Any:
    """A JSON value.

    Raises:
        Malformed: Not JSON, or what this module's first lines list.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Malformed("", f"not JSON: {error.msg} at {where}") from None
    except Malformed:
        raise
    except (RecursionError, ValueError) as error:
        raise _beyond(error) from None
    _require_plain(value)
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """A TOML document.

    Raises:
        NotToml: Not TOML.
        Malformed: What this module's first lines list, or a line of enormous length.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_TOML_LINE:
            raise Malformed(f"line {number}", f"longer than {LONGEST_TOML_LINE:,} characters")
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml("", f"not TOML: {error}") from None
    except (RecursionError, ValueError) as error:
        raise _beyond(error) from None
    _require_plain(value)
    return value


def read_json(path: Path, *, remedy: str, unreadable: str = "", what: str = "") -> Any:
    """The JSON value that a file holds.

    Args:
        path: The file.
        remedy: Said of a file that is damaged.
        unreadable: Said of one that cannot be read [default: the same].
        what: What a damaged file is said not to be.

    Raises:
        BadInput: It cannot be read, is too large or no UTF-8, or `parse_json` refuses it.
    """
    return _parsed(
        path, read_bytes(path, _LARGEST_JSON, unreadable or remedy), parse_json, remedy, what
    )


def read_toml(path: Path, *, remedy: str, unreadable: str = "") -> dict[str, Any]:
    """The TOML document that a file holds; arguments and errors as of `read_json`."""
    return _parsed(
        path, read_bytes(path, _LARGEST_TOML, unreadable or remedy), parse_toml, remedy, ""
    )


def read_settings(path: Path) -> dict[str, Any]:
    """The JSON object in a file of a model's or adapter's folder.

    Other libraries write these, Infinity and long whole numbers included; for files of this project's own
    forms `read_json` is stricter.

    Raises:
        BadInput: It is not readable, not JSON, nested without end, or no object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        problem = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BadInput(f"{path}: not readable JSON ({problem})", remedy="Copy it again.") from None
    if not isinstance(value, dict):
        raise BadInput(f"{path}: not a JSON object", remedy="Copy it again.")
    return value


def read_bytes(path: Path, limit: int, remedy: str) -> bytes:
    """What a file holds, if that is no more than `limit` bytes.

    Raises:
        BadInput: It cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}", remedy=remedy) from None
    except ValueError:  # a name with NUL in it
        raise BadInput(f"{shown(str(path))}: not the name of a file", remedy=remedy) from None
    if len(data) > limit:
        raise BadInput(f"{path}: larger than {limit / 1e6:g} MB", remedy=remedy)
    return data


def _parsed(
    path: Path, data: bytes, parse: Callable[[str], _Parsed], remedy: str, what: str
) -> _Parsed:
    where = f"{path}: not {what}" if what else f"{path}"
    if data.startswith(b"\xef\xbb\xbf"):
        raise BadInput(
            f"{where}: line 1 begins with a byte order mark",
            remedy="Save it as UTF-8 without one.",
        )
    try:
        return parse(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{where}: line {line} is not UTF-8", remedy="Save it as UTF-8.") from None
    except Malformed as error:
        raise BadInput(f"{where}: {error}", remedy=error.remedy or remedy) from None


def _beyond(error: Exception) -> Malformed:
    """Of a parser's own limits: those of recursion, and of digits that Python reads."""
    deep = isinstance(error, RecursionError)
    return Malformed("", _TOO_DEEP if deep else _TOO_LARGE)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        double = next(key for key in keys if keys.count(key) > 1)
        raise Malformed(_key(double), "a key stands twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise Malformed("", f"{name} is not JSON")


def _key(name: str) -> str:
    """A key as a place names it; longer ones and other alphabets may be a text."""
    return name if re.fullmatch(r"[\w-]{1,60}", name, re.ASCII) else "…"


def _require_plain(value: Any, place: str = "", depth: int = 0) -> None:
    if isinstance(value, dict | list) and depth > DEEPEST:
        raise Malformed(place[:60], _TOO_DEEP)
    if isinstance(value, dict):
        for key, entry in value.items():
            inner = f"{place}.{_key(key)}".lstrip(".")
            _require_plain(key, inner, depth + 1)
            _require_plain(entry, inner, depth + 1)
    elif isinstance(value, list):
        if not _are_numbers(value):
            for number, entry in enumerate(value):
                _require_plain(entry, f"{place}[{number}]", depth + 1)
    elif problem := _problem(value):
        raise Malformed(place, *problem)


def _are_numbers(values: list[Any]) -> bool:
    """Whether a list holds finite numbers alone, such as the column of a result; at C's speed."""
    if not {*map(type, values)} <= {int, float}:
        return False
    small = not values or (min(values) >= -_INTEGERS and max(values) < _INTEGERS)
    return small and all(map(math.isfinite, values))


def _problem(value: Any) -> tuple[str, ...] | None:
    """What is wrong and, where it is not the file's, the remedy."""
    if isinstance(value, str):
        if not value.isascii() and _SURROGATE.search(value):
            remedy = "Escape characters outside the basic plane as a surrogate pair."
            return "holds an unpaired surrogate escape", remedy
        return None
    if isinstance(value, int) and not -_INTEGERS <= value < _INTEGERS:
        return (_TOO_LARGE,)
    if isinstance(value, float) and not math.isfinite(value):
        return (f"{value} is not a finite number",)
    return None
