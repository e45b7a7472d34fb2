"""Which dialogues are rated, and which reply of each: drawn with a seed, by domain, blind to quality.

Nothing about how an arm replied moves the draw, except that every arm must have replied at all; how many
turns that leaves out is reported, since an arm that falls silent on the hard turns is spared them.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.dialogue import Dialogue

Turns = Literal["later", "any", "last"]
Replies = Mapping[tuple[str, int], str]
"""(dialogue id, turn) -> one arm's reply; turns without one are missing."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One context to be judged.

    Attributes:
        dialogue: Its dialogue.
        turn: Index of the assistant message that the replies stand for.
    """

    dialogue: Dialogue
    turn: int


def random_for(seed: int, *what: object) -> np.random.Generator:
    """A generator that depends on the seed and on what it is for, not on what was drawn before."""
    text = "\x1f".join(map(str, (seed, *what)))
    return np.random.default_rng(list(hashlib.sha256(text.encode()).digest()))


def common_turns(
    dialogues: Sequence[Dialogue], arms: Mapping[str, Replies], turns: Turns
) -> tuple[dict[str, list[int]], Counter[str]]:
    """The turns that can be rated: those to which every arm has a reply that is not blank.

    Args:
        dialogues: Candidates.
        arms: Name -> replies.
        turns: ``later`` leaves out a dialogue's first reply where there is a later one, since it
            has no history to be coherent with; ``last`` takes the last one; ``any`` all.

    Returns:
        Turns by dialogue id (at least one each), and how many turns each arm's silence cost.
    """
    usable, silent = {}, Counter[str]()
    for dialogue in dialogues:
        asked = dialogue.assistant_turns()
        if turns == "last":
            asked = asked[-1:]
        elif turns == "later" and len(asked) > 1:
            asked = asked[1:]
        answered = []
        for turn in asked:
            without = [n for n, r in arms.items() if not r.get((dialogue.id, turn), "").strip()]
            silent.update(without)
            if not without:
                answered.append(turn)
        if answered:
            usable[dialogue.id] = answered
    return usable, silent


def allocate(strata: Mapping[str, int], count: int) -> dict[str, int]:
    """Share `count` among strata in proportion to their sizes, by largest remainder.

    Ties go to the larger stratum, then to the first by name. No stratum gets more than it has.

    >>> allocate({"家庭": 5, "职场": 3, "校园": 2}, 4)
    {'家庭': 2, '校园': 1, '职场': 1}
    """
    total = sum(strata.values())
    if not 0 <= count <= total:
        raise ValueError(f"{count} of {total}")
    given = {name: count * size // total if total else 0 for name, size in strata.items()}
    left = count - sum(given.values())

    def claim(name: str) -> tuple[int, int, str]:
        return (-(count * strata[name] % total), -strata[name], name)

    for name in sorted(strata, key=claim)[:left]:
        given[name] += 1
    return {name: given[name] for name in sorted(given)}


def draw(
    dialogues: Sequence[Dialogue],
    turns: Mapping[str, Sequence[int]],
    count: int,
    *,
    seed: int,
    leave_out: Collection[str] = (),
) -> list[Drawn]:
    """Draw dialogues by domain and one turn of each.

    Each dialogue's place in the draw, and its turn, depend on the seed and its id alone, so the
    order of the file changes nothing.

    Args:
        dialogues: Candidates.
        turns: Turns that can be rated, by dialogue id; others are no candidates.
        count: How many to draw.
        seed: Of the study.
        leave_out: Ids that are taken already.

    Raises:
        BadInput: There are fewer candidates than `count`.
    """
    strata: dict[str, list[Dialogue]] = defaultdict(list)
    for dialogue in dialogues:
        if turns.get(dialogue.id) and dialogue.id not in leave_out:
            strata[dialogue.domain or ""].append(dialogue)
    available = sum(map(len, strata.values()))
    if count > available:
        raise BadInput(
            f"--items {count}: only {available} dialogues can be rated",
            remedy=f"Use --items {available} or fewer." if available else "",
        )
    shares = allocate({name: len(members) for name, members in strata.items()}, count)
    drawn = []
    for name, share in shares.items():
        ranked = sorted(strata[name], key=lambda d: (random_for(seed, "draw", d.id).random(), d.id))
        for dialogue in ranked[:share]:
            choice = random_for(seed, "turn", dialogue.id).integers(len(turns[dialogue.id]))
            drawn.append(Drawn(dialogue, turns[dialogue.id][int(choice)]))
    return drawn
