"""From results with their replies to a blinded study: items, letters, orders, key and sheets.

Everything is drawn from the seed, each thing by a generator of its own, so the same inputs give the same
bytes. Whoever knows the program, the seed and the results can draw the letters again: sheets hold no
seed, and ``study.json`` stays with whoever holds the key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rapport_bench.human.sheets.blind import (
    draw_checks,
    draw_ids,
    draw_letters,
    draw_orders,
    in_order,
    letter,
    with_check,
)
from rapport_bench.human.sheets.design import arrange, assign, is_connected, unshared_pairs
from rapport_bench.human.sheets.draw import Drawn, Replies, Turns, common_turns, draw, random_for
from rapport_bench.human.sheets.scales import SCALES
from rapport_bench.human.sheets.sheet import Line, Reply, Sheet, SheetItem
from rapport_bench.human.sheets.study import Key, KeyArm, KeyItem, Study
from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.dialogue import Dialogue

REPEATS = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for.

    Attributes:
        study: Name of the study.
        items: How many dialogues are judged.
        raters: How many people judge.
        per_item: How many of them judge each item; `None` for all.
        seed: Of every draw.
        repeats: Items that each rater judges twice; `None` for 5, or fewer where sheets are short.
        attention: Attention checks in each sheet.
        turns: Which reply of a dialogue may be drawn.
        include_crisis: Whether dialogues with someone at risk are shown to raters.
    """

    study: str
    items: int = 100
    raters: int = 5
    per_item: int | None = None
    seed: int = 0
    repeats: int | None = None
    attention: int = 2
    turns: Turns = "later"
    include_crisis: bool = False

    def __post_init__(self) -> None:
        for name, lowest, highest in (
            ("items", 1, 5000),
            ("raters", 1, 99),
            ("per_item", 1, self.raters),
            ("repeats", 0, 1000),
            ("attention", 0, 100),
        ):
            value = getattr(self, name)
            if value is not None and not lowest <= value <= highest:
                option = "--" + name.replace("_", "-")
                why = " (there are that many raters)" if name == "per_item" else ""
                raise BadInput(
                    f"{option} {value}: not from {lowest} to {highest}{why}",
                    remedy=f"Give {option} a number from {lowest} to {highest}.",
                )


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm with what it replied.

    Attributes:
        identity: As the key names it.
        replies: (dialogue id, turn) -> reply.
    """

    identity: KeyArm
    replies: Replies


@dataclass(frozen=True, slots=True)
class Built:
    """A study with its sheets.

    Attributes:
        study: The public part.
        key: The secret part.
        sheets: One a rater.
        warnings: What to know before the sheets are handed out.
    """

    study: Study
    key: Key
    sheets: tuple[Sheet, ...]
    warnings: tuple[str, ...]


def build(plan: Plan, suite_id: str, dialogues: Sequence[Dialogue], arms: Sequence[Arm]) -> Built:
    """Draw, blind and arrange.

    Args:
        plan: What was asked for.
        suite_id: Of the results.
        dialogues: Of the suite.
        arms: At least two, with distinct result ids.

    Raises:
        BadInput: Too few dialogues or items, or too many repeats.
    """
    calm = [d for d in dialogues if plan.include_crisis or not d.crisis]
    usable, silent = common_turns(calm, {a.identity.name: a.replies for a in arms}, plan.turns)
    try:
        drawn = draw(calm, usable, plan.items, seed=plan.seed)
    except BadInput as error:
        left_out = len(dialogues) - len(calm)
        raise BadInput(
            error.message + _where_they_went(left_out, silent), remedy=error.remedy
        ) from None
    raters = [f"r{number:02d}" for number in range(1, plan.raters + 1)]
    chosen = assign(
        [d.dialogue.domain for d in drawn],
        plan.raters,
        plan.per_item or plan.raters,
        random_for(plan.seed, "raters"),
    )
    own = [[i for i, picked in enumerate(chosen) if r in picked] for r in range(plan.raters)]
    if not all(own):
        raise BadInput(
            f"{plan.items} items for {plan.raters} raters, {plan.per_item or plan.raters} an item: "
            "somebody would have nothing to judge",
            remedy="Use more --items or a larger --per-item, or fewer --raters.",
        )
    again = _repeated(plan, own)
    doubled = sorted({item for items in again for item in items})
    checks = _check_contexts(plan, calm, usable, drawn)
    ids = draw_ids(plan.seed, len(drawn) + len(doubled) + len(checks))
    item_ids, check_ids = ids[: len(drawn)], ids[len(drawn) + len(doubled) :]
    repeat_ids = dict(zip(doubled, ids[len(drawn) :], strict=False))
    letters = draw_letters(plan.seed, len(drawn) + len(checks), len(arms))
    key = Key(
        study=plan.study,
        suite_id=suite_id,
        arms=tuple(arm.identity for arm in arms),
        items=_key_items(arms, drawn, letters, item_ids),
        repeats={repeat_ids[i]: item_ids[i] for i in doubled},
        attention=draw_checks(plan.seed, check_ids, len(arms)),
    )
    behind = dict(zip(item_ids + check_ids, letters, strict=True))
    shown = _contents(arms, [*drawn, *checks], letters, item_ids + check_ids)
    for name, check in key.attention.items():
        shown[name] = with_check(shown[name], check)
    for name, original in key.repeats.items():
        shown[name] = replace(shown[original], id=name)
        behind[name] = behind[original]
    assignments = {
        rater: arrange(
            [item_ids[i] for i in own[number]],
            {repeat_ids[i]: item_ids[i] for i in again[number]},
            check_ids,
            random_for(plan.seed, "order", rater),
        )
        for number, rater in enumerate(raters)
    }
    orders = draw_orders(plan.seed, assignments, behind, len(arms))
    crisis = any(d.dialogue.crisis for d in [*drawn, *checks])
    sheets = tuple(
        Sheet(plan.study, rater, SCALES, _as_shown(shown, names, orders[rater]), crisis)
        for rater, names in assignments.items()
    )
    study = Study(
        study=plan.study,
        seed=plan.seed,
        simulated=False,
        language=("zh", "en"),
        scales=SCALES,
        raters=tuple(raters),
        per_item=plan.per_item or plan.raters,
        items=tuple(sorted(item_ids)),
        letters=len(arms),
        assignments={rater: tuple(names) for rater, names in assignments.items()},
        orders={rater: tuple(order) for rater, order in orders.items()},
        sheets={sheet.rater: sheet.sha256 for sheet in sheets},
        key_sha256=key.sha256,
    )
    return Built(study, key, sheets, tuple(_warnings(plan, chosen, silent, shown, key)))


def _key_items(
    arms: Sequence[Arm],
    drawn: Sequence[Drawn],
    letters: Sequence[Sequence[int]],
    names: Sequence[str],
) -> dict[str, KeyItem]:
    results = [arm.identity.result_id for arm in arms]
    return {
        name: KeyItem(
            d.dialogue.id,
            d.turn,
            d.dialogue.domain,
            {letter(place): results[arm] for place, arm in enumerate(order)},
        )
        for name, d, order in zip(names, drawn, letters, strict=False)
    }


def _as_shown(
    shown: Mapping[str, SheetItem], names: Sequence[str], orders: Sequence[str]
) -> tuple[SheetItem, ...]:
    return tuple(in_order(shown[name], order) for name, order in zip(names, orders, strict=True))


def _where_they_went(crisis: int, silent: Mapping[str, int]) -> str:
    parts = []
    if crisis:
        parts.append(f"{crisis} with someone at risk are left out (--include-crisis keeps them)")
    if silent:
        worst = max(sorted(silent), key=lambda name: silent[name])
        parts.append(f"{worst} has no reply at {silent[worst]} turns")
    return f" ({'; '.join(parts)})" if parts else ""


def _repeated(plan: Plan, own: Sequence[Sequence[int]]) -> list[list[int]]:
    """Which items each rater judges twice: the same for all raters as far as they share items."""
    most = min(map(len, own)) // 3
    if plan.repeats is not None and plan.repeats > most:
        raise BadInput(
            f"--repeats {plan.repeats}: a rater has {min(map(len, own))} items, and at most a third "
            "of them can be judged twice far enough apart",
            remedy=f"Use --repeats {most} or fewer, or more items.",
        )
    count = min(REPEATS, most) if plan.repeats is None else plan.repeats
    order = random_for(plan.seed, "repeats").permutation(plan.items).tolist()
    rank = {item: place for place, item in enumerate(order)}
    return [sorted(items, key=rank.__getitem__)[:count] for items in own]


def _check_contexts(
    plan: Plan,
    dialogues: Sequence[Dialogue],
    usable: Mapping[str, Sequence[int]],
    drawn: Sequence[Drawn],
) -> list[Drawn]:
    """Contexts for attention checks: of other dialogues while there are any."""
    taken = {d.dialogue.id for d in drawn}
    free = sum(1 for d in dialogues if d.id in usable and d.id not in taken)
    fresh = min(plan.attention, free)
    checks = draw(dialogues, usable, fresh, seed=plan.seed, leave_out=taken)
    generator = random_for(plan.seed, "checks")
    for place in generator.integers(len(drawn), size=plan.attention - fresh).tolist():
        again = drawn[place]
        other = [t for t in usable[again.dialogue.id] if t != again.turn] or [again.turn]
        checks.append(Drawn(again.dialogue, other[int(generator.integers(len(other)))]))
    return checks


def _contents(
    arms: Sequence[Arm],
    contexts: Sequence[Drawn],
    letters: Sequence[Sequence[int]],
    names: Sequence[str],
) -> dict[str, SheetItem]:
    return {
        name: SheetItem(
            name,
            tuple(Line(m.role, m.content) for m in d.dialogue.messages[: d.turn]),
            tuple(
                Reply(letter(place), arms[arm].replies[d.dialogue.id, d.turn])
                for place, arm in enumerate(order)
            ),
        )
        for name, d, order in zip(names, contexts, letters, strict=False)
    }


def _warnings(
    plan: Plan,
    chosen: Sequence[Sequence[int]],
    silent: Mapping[str, int],
    shown: Mapping[str, SheetItem],
    key: Key,
) -> list[str]:
    said = [
        f"{count} turns could not be drawn because {name} has no reply there"
        for name, count in sorted(silent.items())
    ]
    same = sum(
        len({reply.content for reply in shown[name].replies}) < len(key.arms) for name in key.items
    )
    if same:
        said.append(f"{same} of {len(key.items)} items show two replies of the same text")
    if (plan.per_item or plan.raters) == 1:
        said.append("no item has two raters: their agreement cannot be known")
    elif not is_connected(chosen, plan.raters):
        said.append("shared items do not link all raters: their severity cannot be compared")
    elif unshared := unshared_pairs(chosen, plan.raters):
        said.append(f"{unshared} pairs of raters share no item")
    if plan.include_crisis:
        said.append("raters will read dialogues with someone at risk: tell them before they agree")
    return said
