"""Before anything is scored: that the results can be shared, by the bounds of `rapport results verify`.

Results hold no text, and what stands in them under other names must not be able to hold one. A run that
found out after hours of scoring would have done them in vain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rapport_bench.arms.arm import Arm
from rapport_bench.results.checks import validator
from rapport_bench.running.suite import Suite
from rapport_tasks.common.errors import BadInput

_LABEL = (
    "Up to 128 characters, 40 of them outside ASCII, four words, and no mark that ends a sentence: "
    "like d-0001."
)
_NAME = "Use a name of up to 300 characters on one line."


def require_shareable_suite(suite: Suite) -> None:
    """Refuse dialogues whose ids or domains could be a text, and a data file of an impossible name.

    Raises:
        BadInput: With the place of the first dialogue; its id or domain is not quoted.
    """
    dialogues = suite.dialogues
    groups = {"domain": [dialogue.domain for dialogue in dialogues]}
    for place in _breaches(
        {"dialogues": {"id": [dialogue.id for dialogue in dialogues], "group": groups}}
    ):
        what, which = ("id", place[2]) if place[1] == "id" else ("domain", place[3])
        where = suite.settings.data or suite.name
        raise BadInput(
            f"{where}: the {what} of dialogue {which + 1} of those that are scored could be a text",
            remedy=_LABEL,
        )
    if any(_breaches({"suite": suite.to_json()})):
        raise BadInput("--data: the file's name cannot stand in a result", remedy=_NAME)


def require_shareable_arms(arms: Sequence[Arm]) -> None:
    """Refuse arms and bases whose names cannot stand in a result.

    Raises:
        BadInput: With which of them it is.
    """
    for number, arm in enumerate(arms, start=1):
        base = arm.base and {"name": arm.base.name, "dtype": arm.base.dtype}
        for place in _breaches({"arm": {"name": arm.name} | ({"base": base} if base else {})}):
            whose = f"arm {number}, {arm.kind}" + (": its base" if "base" in place else "")
            raise BadInput(f"{whose}: a name that cannot stand in a result", remedy=_NAME)


def _breaches(part: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for error in validator("result.text.schema.json").iter_errors(part):
        yield tuple(error.absolute_path)
