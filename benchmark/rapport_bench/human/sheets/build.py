"""From results with their replies to a blinded study: items, letters, orders, key and sheets.

Everything is drawn from the seed, each thing by a generator of its own, so the same inputs give the same
bytes. Whoever knows the program, the seed and the results can draw the letters again: sheets hold no
seed, and ``study.json`` stays with whoever holds the key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapport_bench.human.sheets.blind import (
    draw_checks,
    draw_ids,
    draw_letters,
    draw_orders,
    with_check,
)
from rapport_bench.human.sheets.design import arrange, assign, is_connected, unshared_pairs
from rapport_bench.human.sheets.draw import Drawn, Replies, Turns, common_turns, draw, random_for
from rapport_bench.human.sheets.scales import SCALES
from rapport_bench.human.sheets.sheet import Line, Reply, Sheet, SheetItem
from rapport_bench.human.sheets.study import SCHEMA_VERSION, Key, KeyItem, Study, letter
from rapport_bench.results.human_sections import RatedArm
from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.dialogue import Dialogue

REPEATS = 5


@dataclass(frozen=True, slots=True)
class Request:
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

    @property
    def each(self) -> int:
        """Raters of each item."""
        return self.per_item or self.raters


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


def build(
    asked: Request, suite_id: str, dialogues: Sequence[Dialogue], arms: Mapping[RatedArm, Replies]
) -> Built:
    """Draw, blind and arrange.

    Args:
        asked: What was asked for.
        suite_id: Of the results.
        dialogues: Of the suite.
        arms: What each replied; at least two, with distinct result ids.

    Raises:
        BadInput: Too few dialogues or items, or too many repeats.
    """
    calm = [d for d in dialogues if asked.include_crisis or not d.crisis]
    usable, silent = common_turns(
        calm, {arm.name: replies for arm, replies in arms.items()}, asked.turns
    )
    try:
        drawn = draw(calm, usable, asked.items, seed=asked.seed)
    except BadInput as error:
        left_out = len(dialogues) - len(calm)
        raise BadInput(
            error.message + _where_they_went(left_out, silent), remedy=error.remedy
        ) from None
    raters = [f"r{number:02d}" for number in range(1, asked.raters + 1)]
    chosen = assign(
        [d.dialogue.domain for d in drawn],
        asked.raters,
        asked.each,
        random_for(asked.seed, "raters"),
    )
    own = [[i for i, picked in enumerate(chosen) if r in picked] for r in range(asked.raters)]
    if not all(own):
        raise BadInput(
            f"{asked.items} items for {asked.raters} raters, {asked.each} an item: "
            "somebody would have nothing to judge",
            remedy="Use more --items or a larger --per-item, or fewer --raters.",
        )
    again = _repeated(asked, own)
    doubled = sorted({item for items in again for item in items})
    checks = _check_contexts(asked, calm, usable, drawn)
    ids = draw_ids(asked.seed, len(drawn) + len(doubled) + len(checks))
    item_ids, check_ids = ids[: len(drawn)], ids[len(drawn) + len(doubled) :]
    repeat_ids = dict(zip(doubled, ids[len(drawn) :], strict=False))
    behind = dict(
        zip(
            item_ids + check_ids,
            draw_letters(asked.seed, len(drawn) + len(checks), len(arms)),
            strict=True,
        )
    )
    contexts = dict(zip(item_ids + check_ids, [*drawn, *checks], strict=True))
    key = Key(
        schema_version=SCHEMA_VERSION,
        study=asked.study,
        suite_id=suite_id,
        arms=tuple(arms),
        items={name: _key_item(contexts[name], behind[name], arms) for name in item_ids},
        repeats={repeat_ids[i]: item_ids[i] for i in doubled},
        attention=draw_checks(asked.seed, check_ids, len(arms)),
    )
    shown = {name: _shown(name, contexts[name], behind[name], arms) for name in contexts}
    for name, check in key.attention.items():
        shown[name] = with_check(shown[name], check)
    for name, original in key.repeats.items():
        shown[name] = shown[original].model_copy(update={"id": name})
        behind[name] = behind[original]
    assignments = {
        rater: arrange(
            [item_ids[i] for i in own[number]],
            {repeat_ids[i]: item_ids[i] for i in again[number]},
            check_ids,
            random_for(asked.seed, "order", rater),
        )
        for number, rater in enumerate(raters)
    }
    orders = draw_orders(asked.seed, assignments, behind, len(arms))
    crisis = any(d.dialogue.crisis for d in contexts.values())
    sheets = tuple(
        Sheet(
            study=asked.study,
            rater=rater,
            scales=SCALES,
            items=tuple(
                shown[name].in_order(order)
                for name, order in zip(names, orders[rater], strict=True)
            ),
            crisis=crisis,
        )
        for rater, names in assignments.items()
    )
    study = Study(
        schema_version=SCHEMA_VERSION,
        study=asked.study,
        seed=asked.seed,
        simulated=False,
        language=("zh", "en"),
        scales=SCALES,
        raters=tuple(raters),
        per_item=asked.each,
        items=tuple(sorted(item_ids)),
        letters=len(arms),
        assignments={rater: tuple(names) for rater, names in assignments.items()},
        orders={rater: tuple(order) for rater, order in orders.items()},
        sheets={sheet.rater: sheet.sha256 for sheet in sheets},
        key_sha256=key.sha256,
    )
    return Built(study, key, sheets, tuple(_warnings(asked, chosen, silent, shown, key)))


def _key_item(drawn: Drawn, order: Sequence[int], arms: Mapping[RatedArm, Replies]) -> KeyItem:
    results = [arm.result_id for arm in arms]
    return KeyItem(
        dialogue=drawn.dialogue.id,
        turn=drawn.turn,
        domain=drawn.dialogue.domain,
        letters={letter(place): results[arm] for place, arm in enumerate(order)},
    )


def _shown(
    name: str, drawn: Drawn, order: Sequence[int], arms: Mapping[RatedArm, Replies]
) -> SheetItem:
    replies = [of[drawn.dialogue.id, drawn.turn] for of in arms.values()]
    before = drawn.dialogue.messages[: drawn.turn]
    return SheetItem(
        id=name,
        context=tuple(Line(role=m.role, content=m.content) for m in before),
        replies=tuple(
            Reply(letter=letter(place), content=replies[arm]) for place, arm in enumerate(order)
        ),
    )


def _where_they_went(crisis: int, silent: Mapping[str, int]) -> str:
    parts = []
    if crisis:
        parts.append(f"{crisis} with someone at risk are left out (--include-crisis keeps them)")
    if silent:
        worst = max(sorted(silent), key=lambda name: silent[name])
        parts.append(f"{worst} has no reply at {silent[worst]} turns")
    return f" ({'; '.join(parts)})" if parts else ""


def _repeated(asked: Request, own: Sequence[Sequence[int]]) -> list[list[int]]:
    """Which items each rater judges twice: the same for all raters as far as they share items."""
    most = min(map(len, own)) // 3
    if asked.repeats is not None and asked.repeats > most:
        raise BadInput(
            f"--repeats {asked.repeats}: a rater has {min(map(len, own))} items, and at most a third "
            "of them can be judged twice far enough apart",
            remedy=f"Use --repeats {most} or fewer, or more items.",
        )
    count = min(REPEATS, most) if asked.repeats is None else asked.repeats
    order = random_for(asked.seed, "repeats").permutation(asked.items).tolist()
    rank = {item: place for place, item in enumerate(order)}
    return [sorted(items, key=rank.__getitem__)[:count] for items in own]


def _check_contexts(
    asked: Request,
    dialogues: Sequence[Dialogue],
    usable: Mapping[str, Sequence[int]],
    drawn: Sequence[Drawn],
) -> list[Drawn]:
    """Contexts for attention checks: of other dialogues while there are any."""
    taken = {d.dialogue.id for d in drawn}
    free = sum(1 for d in dialogues if d.id in usable and d.id not in taken)
    fresh = min(asked.attention, free)
    checks = draw(dialogues, usable, fresh, seed=asked.seed, leave_out=taken)
    generator = random_for(asked.seed, "checks")
    for place in generator.integers(len(drawn), size=asked.attention - fresh).tolist():
        again = drawn[place]
        other = [t for t in usable[again.dialogue.id] if t != again.turn] or [again.turn]
        checks.append(Drawn(again.dialogue, other[int(generator.integers(len(other)))]))
    return checks


def _warnings(
    asked: Request,
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
    if asked.each == 1:
        said.append("no item has two raters: their agreement cannot be known")
    elif not is_connected(chosen, asked.raters):
        said.append("shared items do not link all raters: their severity cannot be compared")
    elif unshared := unshared_pairs(chosen, asked.raters):
        said.append(f"{unshared} pairs of raters share no item")
    if asked.include_crisis:
        said.append("raters will read dialogues with someone at risk: tell them before they agree")
    return said
