"""Who judges what, in which order: a design that is balanced by construction, not on average.

* Each item has exactly K raters; loads of raters differ by at most one, overall and nearly so within each
  domain, and pairs of raters share items as evenly as the numbers allow (`assign`).
* Which arm comes first is balanced twice: for each rater over the items, and for each item over the
  raters, each arm is first equally often up to one (`balanced_first`).
* A repeated item comes at least a third of the sheet after the item it repeats; attention checks are
  spread over the sheet, elsewhere for each rater (`arrange`).

Everything here is about numbers; nothing knows a dialogue or an arm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from math import comb

import numpy as np

_EXHAUSTIVE = 300  # sets of raters that are compared one by one for an item


def assign(
    groups: Sequence[str | None], raters: int, per_item: int, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Choose `per_item` raters for every item.

    Items are handled group by group, and the raters with the lowest load come first, so loads differ
    by at most one after every item. Among sets of equal load the one whose pairs have shared fewest
    items so far is taken, at random among equals.

    Args:
        groups: The domain of each item.
        raters: How many there are.
        per_item: How many judge each item, in [1, raters].
        rng: Breaks ties.

    Returns:
        Sorted raters of each item.
    """
    load = np.zeros(raters, dtype=np.int64)
    shared = np.zeros((raters, raters), dtype=np.int64)
    chosen: list[tuple[int, ...]] = [()] * len(groups)
    order = rng.permutation(len(groups)).tolist()
    for item in sorted(order, key=lambda i: (groups[i] is None, groups[i] or "")):
        picked = _least_shared(load, shared, per_item, rng)
        load[list(picked)] += 1
        for one, other in combinations(picked, 2):
            shared[one, other] += 1
            shared[other, one] += 1
        chosen[item] = picked
    return chosen


def _least_shared(
    load: np.ndarray, shared: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[int, ...]:
    must: list[int] = []
    others = np.flatnonzero(load == load.min())
    if len(others) < count:
        must, others = others.tolist(), np.flatnonzero(load > load.min())
    need = count - len(must)
    free = rng.permutation(others).tolist() if len(others) else []

    def cost(picked: Sequence[int]) -> int:
        # Squares, so that no pair runs ahead of the others.
        block = shared[np.ix_(picked, picked)]
        return int((2 * block + 1)[np.triu_indices(len(picked), 1)].sum())

    if comb(len(free), need) <= _EXHAUSTIVE:
        best = min(combinations(free, need), key=lambda some: cost([*must, *some]))
        return tuple(sorted([*must, *best]))
    picked = list(must)
    while len(picked) < count:
        nearest = min((r for r in free if r not in picked), key=lambda r: cost([*picked, r]))
        picked.append(nearest)
    return tuple(sorted(picked))


def unshared_pairs(chosen: Sequence[Sequence[int]], raters: int) -> int:
    """How many pairs of raters share no item."""
    together = {pair for picked in chosen for pair in combinations(sorted(picked), 2)}
    return raters * (raters - 1) // 2 - len(together)


def is_connected(chosen: Sequence[Sequence[int]], raters: int) -> bool:
    """Whether shared items link every rater with every other, so that severities compare."""
    reached, todo = {0}, [0]
    while todo:
        rater = todo.pop()
        for picked in chosen:
            if rater in picked:
                todo += set(picked) - reached
                reached |= set(picked)
    return len(reached) == raters


def balanced_first(
    pairs: Sequence[tuple[Hashable, Hashable]], arms: int, rng: np.random.Generator
) -> list[int]:
    """Which arm comes first in each (rater, item), so that rows and columns are balanced.

    Every rater and every item sees each arm first equally often, up to one. That is an equitable edge
    colouring of a bipartite graph, which always exists (de Werra 1971): split every vertex into
    pieces of `arms` edges, then colour the edges properly with `arms` colours (König), recolouring
    an alternating path where the two ends of an edge share no free colour.

    Args:
        pairs: (rater, item), each once.
        arms: How many arms, at least 2.
        rng: Shuffles pairs and colours.

    Returns:
        Index of the first arm, in the order of `pairs`.
    """
    at: dict[tuple[Hashable, ...], dict[int, int]] = {}  # vertex -> colour -> pair
    ends: dict[int, tuple[tuple[Hashable, ...], tuple[Hashable, ...]]] = {}
    degree: Counter[tuple[Hashable, ...]] = Counter()
    colour: dict[int, int] = {}
    names = rng.permutation(arms).tolist()
    for edge in rng.permutation(len(pairs)).tolist():
        pieces = []
        for side, end in enumerate(pairs[edge]):
            pieces.append((side, end, degree[side, end] // arms))
            degree[side, end] += 1
        one, other = ends[edge] = (pieces[0], pieces[1])
        free = [[c for c in range(arms) if c not in at.setdefault(v, {})] for v in (one, other)]
        common = [c for c in free[0] if c in free[1]]
        if common:
            chosen = common[int(rng.integers(len(common)))]
        else:
            chosen, taken = free[0][0], free[1][0]
            _flip_path(at, ends, colour, other, (chosen, taken))
        colour[edge] = chosen
        at[one][chosen] = at[other][chosen] = edge
    return [names[colour[edge]] for edge in range(len(pairs))]


def _flip_path(
    at: dict[tuple[Hashable, ...], dict[int, int]],
    ends: Mapping[int, tuple[tuple[Hashable, ...], tuple[Hashable, ...]]],
    colour: dict[int, int],
    start: tuple[Hashable, ...],
    colours: tuple[int, int],
) -> None:
    """Exchange two colours along the path that begins at `start` with the first of them."""
    path, vertex, wanted = [], start, colours[0]
    while wanted in at[vertex]:
        edge = at[vertex][wanted]
        path.append(edge)
        vertex = ends[edge][1] if ends[edge][0] == vertex else ends[edge][0]
        wanted = colours[1] if wanted == colours[0] else colours[0]
    for edge in path:
        for end in ends[edge]:
            if at[end].get(colour[edge]) == edge:
                del at[end][colour[edge]]
    for edge in path:
        colour[edge] = colours[1] if colour[edge] == colours[0] else colours[0]
        for end in ends[edge]:
            at[end][colour[edge]] = edge


def arrange(
    items: Sequence[str],
    repeats: Mapping[str, str],
    checks: Sequence[str],
    rng: np.random.Generator,
) -> list[str]:
    """The order of one rater's sheet.

    Args:
        items: The rater's items proper.
        repeats: Id of the repetition -> one of `items`; at most a third as many.
        checks: Ids of attention checks.
        rng: The rater's own.

    Returns:
        All ids. Repeated items stand in the first third of the items, their repetitions in the last
        third in the same order, so that at least a third of the items lies between.
    """
    repeated = {original: name for name, original in repeats.items()}
    early = [items[i] for i in rng.permutation(len(items)) if items[i] in repeated]
    others = [items[i] for i in rng.permutation(len(items)) if items[i] not in repeated]
    third = len(items) // 3
    places = set(rng.choice(third, len(early), replace=False).tolist()) if early else set()
    originals, rest = iter(early), iter(others)
    order = [next(originals if place in places else rest) for place in range(len(items))]
    slots = np.sort(rng.integers(len(items) - third, len(items) + 1, len(early))).tolist()
    for original, slot in reversed(list(zip(early, slots, strict=True))):
        order.insert(slot, repeated[original])
    # Checks come last: one more entry between an item and its repetition only helps.
    width = len(order) / (len(checks) + 1)
    for index, check in enumerate(rng.permutation(checks).tolist() if checks else []):
        place = round(width * (index + 1) + rng.uniform(-0.3, 0.3) * width) + index
        order.insert(min(max(place, 1), len(order)), check)
    return order
