"""What is drawn: by domain, from replies that all arms have, whatever the order of the file."""

from __future__ import annotations

from collections import Counter

import pytest

from made_sheets import dialogues
from rapport_bench.human.sheets.draw import allocate, common_turns, draw
from rapport_tasks.common.errors import BadInput


def all_replies(made):
    return {(d.id, t): "嗯" for d in made for t in d.assistant_turns()}


@pytest.mark.parametrize(
    ("strata", "count", "expected"),
    [
        # quotas 2.0, 1.2, .8: the largest remainder is .8
        ({"a": 5, "b": 3, "c": 2}, 4, {"a": 2, "b": 1, "c": 1}),
        # quotas 1.5, 1.5: a tie, to the first name
        ({"b": 3, "a": 3}, 3, {"a": 2, "b": 1}),
        # a tie of remainders goes to the larger stratum: 4.5, 1.5
        ({"a": 2, "b": 6}, 6, {"a": 1, "b": 5}),
        ({"a": 2, "b": 1}, 3, {"a": 2, "b": 1}),
        ({"a": 2, "b": 1}, 0, {"a": 0, "b": 0}),
        ({}, 0, {}),
    ],
)
def test_shares_are_the_largest_remainders(strata, count, expected) -> None:
    assert allocate(strata, count) == expected


def test_domains_get_their_share() -> None:
    made = dialogues(70)
    turns = {d.id: d.assistant_turns() for d in made}
    drawn = draw(made, turns, 21, seed=1)
    sizes = Counter(d.domain for d in made)
    found = Counter(d.dialogue.domain for d in drawn)
    assert {name: found[name] / 21 for name in sizes} == pytest.approx(
        {name: size / 70 for name, size in sizes.items()}, abs=1 / 21
    )
    assert len({d.dialogue.id for d in drawn}) == 21


def test_the_order_of_the_file_and_other_domains_change_nothing() -> None:
    made = dialogues(70)
    turns = {d.id: d.assistant_turns() for d in made}
    key = lambda drawn: {(d.dialogue.id, d.turn) for d in drawn}  # noqa: E731
    assert key(draw(made, turns, 20, seed=4)) == key(draw(made[::-1], turns, 20, seed=4))
    assert key(draw(made, turns, 20, seed=4)) != key(draw(made, turns, 20, seed=5))


def test_turns_are_those_that_every_arm_answered() -> None:
    made = dialogues(6)  # 1, 2, 3, 1, 2, 3 assistant turns
    full = all_replies(made)
    gaps = {turn: text for turn, text in full.items() if turn != ("d-2", 3)} | {("d-1", 3): " \n"}
    usable, silent = common_turns(made, {"one": full, "two": gaps}, "later")
    assert usable == {"d-0": [1], "d-2": [5], "d-3": [1], "d-4": [3], "d-5": [3, 5]}
    assert silent == {"two": 2}
    usable, _ = common_turns(made, {"one": full, "two": gaps}, "any")
    assert usable["d-1"] == [1]
    assert usable["d-2"] == [1, 5]
    usable, _ = common_turns(made, {"one": full}, "last")
    assert usable["d-5"] == [5]


def test_too_few_dialogues_says_how_many_there_are() -> None:
    made = dialogues(9)
    turns = {d.id: d.assistant_turns() for d in made[1:]}
    with pytest.raises(BadInput, match="--items 9: only 8 dialogues can be rated") as caught:
        draw(made, turns, 9, seed=0)
    assert "--items 8" in caught.value.remedy
    assert len(draw(made, turns, 8, seed=0)) == 8
    with pytest.raises(BadInput, match="only 7"):
        draw(made, turns, 8, seed=0, leave_out={"d-3"})
