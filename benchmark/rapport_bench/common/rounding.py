"""Figures rounded for files, so that the last bits of a machine do not show."""

from __future__ import annotations

import math


def number(value: float | None) -> float | None:
    """Rounded to six decimals, so that the last bits of a machine do not show; never negative 0."""
    return None if value is None or not math.isfinite(value) else round(value, 6) + 0.0


def p_value(value: float | None) -> float | None:
    """Six significant digits: a small one is not 0."""
    return None if value is None else float(f"{value:.6g}")


def ends(interval: tuple[float, float] | None) -> tuple[float | None, float | None] | None:
    """Both ends, rounded."""
    return None if interval is None else (number(interval[0]), number(interval[1]))
