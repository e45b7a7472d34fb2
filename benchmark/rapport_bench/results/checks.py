"""What must hold of a result besides its identity: the schema, and figures that follow from columns.

Columns beyond the schema's bounds would overflow or divide by nothing where they are compared, so a
file with such is no result for any command, whoever sealed it.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from rapport_bench.results.columns import summarise

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""Machines differ in the last bits of a sum, not in the sixth digit of a figure."""


@lru_cache
def validator(schema: str) -> Any:
    """The validator of one of this package's schema files."""
    import jsonschema

    text = (files("rapport_bench.results") / schema).read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def schema_problem(data: Any) -> str | None:
    """Where a result breaks the schema, or has columns of several lengths; `None` if nowhere."""
    of_results = validator("result.schema.json")
    error = next(iter(of_results.iter_errors(_abridged(data))), None)
    # The full content again, so that the place of an entry in the message is right.
    error = error and next(iter(of_results.iter_errors(data)), error)
    if error is not None:
        return schema_message(error)
    lengths = {len(data["dialogues"]["id"]), data["suite"]["dialogues"]}
    for group in ("columns", "group"):
        lengths |= {len(column) for column in data["dialogues"][group].values()}
    return f"columns of lengths {sorted(lengths)}" if len(lengths) > 1 else None


def schema_message(error: Any) -> str:
    """What a schema error says: the place and the rule, never the value, which may be anyone's words.

    Args:
        error: A `jsonschema.ValidationError`.
    """
    parts = [str(part) for part in error.absolute_path]
    where = "/".join(p if re.fullmatch(r"[\w.-]{1,60}", p, re.ASCII) else "…" for p in parts)
    rule = str(error.validator)
    said = {
        "required": error.message,
        "type": f"not of type {error.validator_value}",
        "const": f"not {error.validator_value!r}",
        "enum": f"not one of {error.validator_value}",
        "additionalProperties": "a key that does not belong there",
        "propertyNames": "a key that does not belong there",
        "pattern": "not of the form that belongs there",
        "uniqueItems": "an entry stands there twice",
        "maxLength": f"longer than {error.validator_value} characters",
        "minimum": f"below {error.validator_value}",
        "maximum": f"above {error.validator_value}",
    }.get(rule, f"breaks {rule} {error.validator_value}")
    return f"{where or 'top level'}: {said[:200]}"


def _abridged(data: Any) -> Any:
    """A result with fewer entries a dialogue, which the schema would walk one by one.

    A column whose entries all are numbers is valid if the lowest and the highest are, a group if its
    distinct values are, and ids that differ if the shortest and the longest are, as the schema limits
    their length alone. Any other list is left as it is.
    """
    try:
        dialogues = data["dialogues"]
        short = {
            "columns": {name: _outermost(v) for name, v in dialogues["columns"].items()},
            "group": {name: _distinct(v) for name, v in dialogues["group"].items()},
            "id": _extremes(dialogues["id"]),
        }
    except (TypeError, KeyError, AttributeError):
        return data
    return data | {"dialogues": dialogues | short}


def _outermost(values: Any) -> Any:
    numbers = isinstance(values, list) and values and {*map(type, values)} <= {int, float}
    return [min(values), max(values)] if numbers else values


def _distinct(values: Any) -> Any:
    plain = isinstance(values, list) and {*map(type, values)} <= {str, bool, type(None)}
    return list(dict.fromkeys(values)) if plain else values


def _extremes(names: Any) -> Any:
    texts = isinstance(names, list) and {*map(type, names)} == {str}
    if not texts or len(set(names)) < len(names):
        return names
    return list({min(names, key=len): None, max(names, key=len): None})


def figures_problem(data: Any) -> str | None:
    """Which figures of a result are not what its columns give; `None` if all are.

    Args:
        data: Valid by the schema.
    """
    stored_metrics = data["metrics"]
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            derived = summarise(data["dialogues"]["columns"])
    except KeyError as error:
        return f"its columns are incomplete: {error.args[0]} is missing"
    except (ValueError, ArithmeticError) as error:
        return f"no figures follow from its columns: {error}"
    wrong = [f"{name} has no columns" for name in stored_metrics.keys() - derived.keys()]
    # A metric that a later version derives from the same columns is missing in older files.
    if data["volatile"].get("rapport") == importlib.metadata.version("rapport-bench"):
        wrong += [f"{name} is missing" for name in derived.keys() - stored_metrics.keys()]
    for name in derived.keys() & stored_metrics.keys():
        for part, value in derived[name].items():
            stored = stored_metrics[name][part]
            if not _agree(stored, value):
                wrong.append(f"{name}.{part} is {_rounded(stored)}, not {_rounded(value)}")
    if not wrong:
        return None
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    listed = "; ".join(sorted(wrong)[:3])
    return f"its figures do not follow from its columns: {listed}{more}"


def _agree(stored: Any, derived: Any) -> bool:
    if isinstance(stored, list) and isinstance(derived, list):
        return all(map(_agree, stored, derived))
    if isinstance(stored, int | float) and isinstance(derived, int | float):
        return math.isclose(stored, derived, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return stored is None and derived is None


def _rounded(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_rounded, value))}]"
    return "undefined" if value is None else f"{value:.6g}"
