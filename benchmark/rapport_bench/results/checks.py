"""What must hold of a result besides its form and identity: its figures follow from its columns."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rapport_bench.results.columns import summarise
from rapport_bench.results.metrics import KNOWN
from rapport_bench.results.sections import Content
from rapport_tasks.specs.specification import RESERVED


def figures_problem(content: Content) -> str | None:
    """Which figures of a result are not what its columns give; `None` if all are."""
    stored_metrics = content.metrics
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            derived = summarise(content.dialogues.columns)
    except KeyError as error:
        return f"its columns are incomplete: {error.args[0]} is missing"
    except (ValueError, ArithmeticError) as error:
        return f"no figures follow from its columns: {error}"
    # What a task of another package saved can be read where that package is not installed.
    extended = any(not task.startswith(RESERVED) for task in content.suite.tasks)
    lacking = stored_metrics.keys() - derived.keys()
    wrong = [f"{name} has no columns" for name in lacking if name in KNOWN or not extended]
    # A metric that a later version derives from the same columns is missing in older files.
    if content.volatile.rapport == importlib.metadata.version("rapport-bench"):
        wrong += [f"{name} is missing" for name in derived.keys() - stored_metrics.keys()]
    for name in derived.keys() & stored_metrics.keys():
        places = differing(stored_metrics[name].to_json(), derived[name], name)
        wrong += [
            f"{where} is {_rounded(one)}, not {_rounded(other)}" for where, one, other in places
        ]
    return f"its figures do not follow from its columns: {first(sorted(wrong))}" if wrong else None


def first(wrong: Sequence[str]) -> str:
    """Three of them, and how many more there are."""
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return "; ".join(wrong[:3]) + more


def differing(
    stored: Any, derived: Any, where: str, *, relative: float = 1e-6, absolute: float = 1e-9
) -> Iterator[tuple[str, Any, Any]]:
    """Places where two contents differ by more than machines do, with what stands there."""
    within = {"relative": relative, "absolute": absolute}
    if isinstance(stored, Mapping) and isinstance(derived, Mapping):
        for key in sorted({*stored, *derived}):
            inside = f"{where}.{key}".lstrip(".")
            yield from differing(stored.get(key), derived.get(key), inside, **within)
    elif isinstance(stored, list) and isinstance(derived, list) and len(stored) == len(derived):
        for place, (one, other) in enumerate(zip(stored, derived, strict=True)):
            yield from differing(one, other, f"{where}[{place}]", **within)
    elif isinstance(stored, int | float) and isinstance(derived, int | float):
        if not math.isclose(stored, derived, rel_tol=relative, abs_tol=absolute):
            yield where, stored, derived
    elif stored != derived:
        yield where, stored, derived


def _rounded(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_rounded, value))}]"
    return "undefined" if value is None else f"{value:.6g}"
