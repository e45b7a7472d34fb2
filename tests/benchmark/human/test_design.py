"""The design is balanced by construction: counted here, whatever the seed."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from rapport_bench.human.sheets.design import (
    arrange,
    assign,
    balanced_first,
    is_connected,
    unshared_pairs,
)

DESIGNS = [(5, 5, 20), (8, 3, 100), (5, 2, 30), (4, 2, 7), (9, 4, 37), (12, 5, 60), (1, 1, 3)]


@pytest.mark.parametrize(("raters", "per_item", "items"), DESIGNS)
def test_every_item_has_its_raters_and_loads_differ_by_one_at_most(raters, per_item, items) -> None:
    groups = [("家庭", "职场", None)[n % 3] for n in range(items)]
    chosen = assign(groups, raters, per_item, np.random.default_rng(3))
    assert {len(set(picked)) for picked in chosen} == {per_item}
    loads = Counter(rater for picked in chosen for rater in picked)
    assert max(loads.values()) - min(loads[r] for r in range(raters)) <= 1
    for group in set(groups):
        within = Counter(
            r for picked, g in zip(chosen, groups, strict=True) if g == group for r in picked
        )
        assert max(within.values()) - min(within[r] for r in range(raters)) <= 2
    together = Counter(pair for picked in chosen for pair in combinations(picked, 2))
    counts = [together[pair] for pair in combinations(range(raters), 2)]
    if counts:
        assert max(counts) - min(counts) <= 2
    assert is_connected(chosen, raters)


def test_a_design_without_links_is_told() -> None:
    assert is_connected([(0, 1), (1, 2)], 3)
    assert not is_connected([(0, 1), (2, 3)], 4)
    assert unshared_pairs([(0, 1), (1, 2)], 3) == 1
    assert unshared_pairs([(0, 1, 2)], 3) == 0


@pytest.mark.parametrize("arms", [2, 3, 5])
@pytest.mark.parametrize(("raters", "per_item", "items"), DESIGNS)
def test_which_arm_is_first_is_balanced_for_each_rater_and_each_item(
    raters, per_item, items, arms
) -> None:
    rng = np.random.default_rng(arms)
    chosen = assign(["x"] * items, raters, per_item, rng)
    pairs = [(r, i) for i, picked in enumerate(chosen) for r in picked]
    first = balanced_first(pairs, arms, rng)
    for side in (0, 1):
        seen: dict[int, Counter[int]] = {}
        for pair, arm in zip(pairs, first, strict=True):
            seen.setdefault(pair[side], Counter())[arm] += 1
        for counts in seen.values():
            each = [counts[arm] for arm in range(arms)]
            assert max(each) - min(each) <= 1


@pytest.mark.parametrize(
    ("items", "repeats", "checks"), [(100, 5, 2), (9, 3, 1), (3, 1, 0), (3, 0, 4)]
)
def test_a_repetition_comes_a_third_of_the_sheet_later(items, repeats, checks) -> None:
    names = [f"i{n}" for n in range(items)]
    again = {f"r{n}": f"i{n}" for n in range(repeats)}
    extra = [f"c{n}" for n in range(checks)]
    places = set()
    for seed in range(30):
        order = arrange(names, again, extra, np.random.default_rng(seed))
        assert sorted(order) == sorted([*names, *again, *extra])
        for name, original in again.items():
            assert order.index(name) - order.index(original) > items // 3
        assert not extra or order[0] not in extra
        places |= {order.index(name) for name in extra}
    assert len(places) >= (3 if checks else 0)  # elsewhere for each rater
