"""Bots against gold: by the rule, and on the built-in dialogues."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rapport_bench.judging.dominance import against_gold, notes
from rapport_bench.results.roles import ROLES
from rapport_bench.results.sections import UNDEFINED
from rapport_bench.running.config import RunConfig
from rapport_bench.running.run import run


class Quiet:
    def suite(self, suite: object) -> None: ...

    def arm(self, name: str, index: int, total: int) -> None: ...

    def progress(self, what: str, done: int, total: int) -> None: ...

    def warn(self, message: str) -> None: ...


def result(kind: str, **values: float | None):
    """A result with the given metrics; `coverage_x` sets the coverage of x."""
    metrics = {
        name: UNDEFINED.model_copy(
            update={"value": value, "coverage": values.get(f"coverage_{name}", 1.0)}
        )
        for name, value in values.items()
        if not name.startswith("coverage_")
    }
    columns = {
        "gold_advice": [2.0] * 20, "gold_empathy": [2.0] * 20,
        "gold_shifts": [1.0] * 20, "gold_shift_opportunities": [5.0] * 20,
    }  # fmt: skip
    return SimpleNamespace(
        kind=kind,
        role=ROLES[kind],
        name=kind,
        metrics=metrics,
        metric=lambda name: metrics.get(name, UNDEFINED),
        columns=columns,
    )


GOLD = {
    "aer_share": 0.5, "continuity": 0.4, "shift_rate": 2.0,
    "grounded_empathy": 0.3, "help_compliance": 0.8, "degenerate": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "dominates", "beaten"),
    [
        ({}, False, ()),
        ({"continuity": 0.41}, True, ()),
        ({"continuity": 0.5}, True, ("continuity",)),
        ({"continuity": 0.5, "help_compliance": 0.7}, False, ("continuity",)),
        ({"continuity": 0.5, "coverage_aer_share": 0.9}, False, ("continuity",)),
        ({"continuity": 0.5, "aer_share": 0.1}, False, ("continuity",)),
        ({"continuity": 0.5, "degenerate": 0.1}, False, ("continuity",)),
        ({"continuity": None, "grounded_empathy": 0.9}, False, ()),
        ({"shift_rate": 2.3}, False, ()),  # inside the band: no worse, no better
        ({"grounded_empathy": 0.9}, True, ()),
    ],
)
def test_the_rule(change: dict[str, float], dominates: bool, beaten: tuple[str, ...]) -> None:
    found = against_gold(result("bot", **GOLD | change), result("gold", **GOLD))
    assert (found.dominates, found.beaten) == (dominates, beaten)


def test_the_summary_says_what_a_bot_beats_gold_at() -> None:
    arms = [
        result("base", **GOLD),
        result("gold", **GOLD),
        result("bot", **GOLD | {"continuity": 0.5}),
    ]
    assert [line.split(":")[0] for line in notes(arms)] == [
        "bot dominates the gold replies",
        "bot, which understands nothing, beats gold on continuity",
    ]
    assert notes(arms[:1]) == []


def test_no_bot_dominates_gold_on_the_built_in_dialogues(tmp_path) -> None:
    config = RunConfig(bots=True, limit=13, results=str(tmp_path), store=str(tmp_path / "s.sqlite"))
    results = run(config, Quiet()).results
    gold = next(r for r in results if r.kind == "gold")
    bots = [r for r in results if r.kind == "bot"]
    assert len(bots) == 10
    assert not [bot.name for bot in bots if against_gold(bot, gold).dominates]
