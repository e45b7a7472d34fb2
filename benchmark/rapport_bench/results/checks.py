"""What must hold of a result besides its form and identity: its figures follow from its columns."""

from __future__ import annotations

import importlib.metadata
import math
from typing import Any

import numpy as np

from rapport_bench.results.columns import summarise
from rapport_bench.results.metrics import KNOWN
from rapport_bench.results.sections import Content
from rapport_tasks.specs.specification import RESERVED

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""Machines differ in the last bits of a sum, not in the sixth digit of a figure."""


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
        for part, value in derived[name].items():
            stored = getattr(stored_metrics[name], part)
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
