"""What hides the arms: ids that all look alike, letters, the order in which replies are shown.

Each is drawn from the study's seed by a generator of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapport_bench.human.sheets.design import balanced_first
from rapport_bench.human.sheets.draw import random_for
from rapport_bench.human.sheets.scales import SCALES
from rapport_bench.human.sheets.sheet import Reply, SheetItem, attention_text
from rapport_bench.human.sheets.study import Attention, letter

_EXPECTED = (1, 2, 4, 5)  # not the middle, which is what a rater who does not read may well choose


def draw_ids(seed: int, count: int) -> list[str]:
    """Ids that all look alike, in an order that tells nothing."""
    width = max(3, len(str(count)))
    numbers = random_for(seed, "ids").permutation(count).tolist()
    return [f"i{number + 1:0{width}d}" for number in numbers]


def draw_letters(seed: int, contexts: int, arms: int) -> list[list[int]]:
    """For each context the arms behind the letters A, B, ...; A is each arm equally often."""
    generator = random_for(seed, "letters")
    first = generator.permutation([place % arms for place in range(contexts)]).tolist()
    return [
        [arm, *generator.permutation([a for a in range(arms) if a != arm]).tolist()]
        for arm in first
    ]


def draw_checks(seed: int, names: Sequence[str], arms: int) -> dict[str, Attention]:
    """What each attention check asks for; scales and values take turns in a random order."""
    generator = random_for(seed, "attention")
    order = generator.permutation(len(SCALES)).tolist()
    values = generator.permutation(_EXPECTED).tolist()
    return {
        name: Attention(
            letter=letter(int(generator.integers(arms))),
            scale=SCALES[order[number % len(order)]].name,
            expected=values[number % len(values)],
        )
        for number, name in enumerate(names)
    }


def draw_orders(
    seed: int,
    assignments: Mapping[str, Sequence[str]],
    order_of: Mapping[str, Sequence[int]],
    arms: int,
) -> dict[str, list[str]]:
    """Letters in the order shown: the first arm balanced, the others at random."""
    generator = random_for(seed, "first")
    pairs = [(rater, name) for rater, names in assignments.items() for name in names]
    first = balanced_first(pairs, arms, generator)
    orders: dict[str, list[str]] = {rater: [] for rater in assignments}
    for (rater, name), arm in zip(pairs, first, strict=True):
        letters = {a: letter(place) for place, a in enumerate(order_of[name])}
        rest = generator.permutation([a for a in range(arms) if a != arm]).tolist()
        orders[rater].append("".join(letters[a] for a in [arm, *rest]))
    return orders


def with_check(item: SheetItem, check: Attention) -> SheetItem:
    """The item with one reply replaced by the check's instruction."""
    scale = next(scale for scale in SCALES if scale.name == check.scale)
    told = Reply(letter=check.letter, content=attention_text(scale, check.expected))
    replies = tuple(told if reply.letter == check.letter else reply for reply in item.replies)
    return item.model_copy(update={"replies": replies})
