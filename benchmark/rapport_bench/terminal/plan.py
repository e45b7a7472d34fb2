"""A plan for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from rapport_bench.common.rounding import number
from rapport_bench.human.analysis.generate import Design
from rapport_bench.human.analysis.power import MAX_ITEMS, MAX_RATERS, TARGET, Plan, Power
from rapport_bench.terminal import console
from rapport_bench.terminal.layout import simple_table
from rapport_bench.words.study import NEW_RATERS, THESE_RATERS

_WORDS = {"items": THESE_RATERS, "raters-and-items": NEW_RATERS}
_TESTS = {"items": "Wilcoxon, item means", "raters-and-items": "crossed, t"}


def show(plans: Sequence[Plan]) -> None:
    """Print plans of one design for several populations."""
    out = console.output()
    wanted, design = plans[0].wanted, plans[0].power.design
    out.print(
        f"{_size(design)}, {design.points} points, two arms that differ by {wanted.effect:g} "
        f"(about {plans[0].shown:+.2f} after rounding); two-sided {wanted.alpha:g}, "
        f"{wanted.draws} simulated studies",
        markup=False,
    )
    header = ("claim about", "test", "power", "dialogues needed", "raters needed")
    table = simple_table(header, left=header[:2])
    for plan in plans:
        table.add_row(
            _WORDS[plan.wanted.population],
            _TESTS[plan.wanted.population],
            f"{plan.power.value:.2f} ± {plan.power.error:.2f}",
            _reached(plan.more_items, "items", MAX_ITEMS),
            _reached(plan.more_raters, "raters", MAX_RATERS),
        )
    out.print(table)
    spread = ", ".join(f"{name} {value:g}" for name, value in asdict(wanted.spread).items())
    for line in (
        f"needed: the smallest number found that reaches power {TARGET:g}, with its simulated power, "
        "all else as it is. For one scale and one pair of arms.",
        f"Assumed standard deviations, in points before rounding: {spread}. They decide the answer: "
        "`rapport human score` on a pilot prints those to put in.",
    ):
        out.print(line, style="dim", markup=False)


def to_json(plans: Sequence[Plan]) -> dict[str, Any]:
    """Plans as `--json` prints them."""
    wanted, design = plans[0].wanted, plans[0].power.design
    return {
        "effect": wanted.effect,
        "alpha": wanted.alpha,
        "draws": wanted.draws,
        "seed": wanted.seed,
        "spread": asdict(wanted.spread),
        "design": asdict(design),
        "target": TARGET,
        "plans": [
            {
                "population": plan.wanted.population,
                "claim_about": _WORDS[plan.wanted.population],
                "power": _power(plan.power),
                "difference_after_rounding": number(plan.shown),
                "items_needed": _power(plan.more_items),
                "raters_needed": _power(plan.more_raters),
            }
            for plan in plans
        ],
    }


def _power(power: Power | None) -> dict[str, Any] | None:
    if power is None:
        return None
    return {
        "raters": power.design.raters,
        "items": power.design.items,
        "power": number(power.value),
        "two_standard_errors": number(power.error),
    }


def _size(design: Design) -> str:
    each = f", {design.per_item} raters each" if design.per_item else ""
    return f"{design.raters} raters x {design.items} dialogues{each}"


def _reached(power: Power | None, what: Literal["items", "raters"], most: int) -> str:
    if power is None:
        return f"over {most}"
    return f"{getattr(power.design, what)} ({power.value:.2f})"
