"""Before anything is scored: that the results can be shared, by the bounds of `rapport results verify`.

Results hold no text, and what stands in them under other names must not be able to hold one. A run that
found out after hours of scoring would have done them in vain.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapport_bench.arms.arm import Arm
from rapport_bench.results.fields import LABEL, NAME
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
    for number, dialogue in enumerate(suite.dialogues, start=1):
        for what in ("id", "domain"):
            if (label := getattr(dialogue, what)) is not None and not LABEL.match(label):
                raise BadInput(
                    f"{suite.settings.data or suite.name}: the {what} of dialogue {number} of those "
                    "that are scored could be a text",
                    remedy=_LABEL,
                )
    if not NAME.match(suite.name):
        raise BadInput("--data: the file's name cannot stand in a result", remedy=_NAME)


def require_shareable_arms(arms: Sequence[Arm]) -> None:
    """Refuse arms and bases whose names cannot stand in a result.

    Raises:
        BadInput: With which of them it is.
    """
    for number, arm in enumerate(arms, start=1):
        for name, whose in ((arm.name, ""), (arm.base.name if arm.base else None, ": its base")):
            if name is not None and not NAME.match(name):
                raise BadInput(
                    f"arm {number}, {arm.kind}{whose}: a name that cannot stand in a result",
                    remedy=_NAME,
                )
