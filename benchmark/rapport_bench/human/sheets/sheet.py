"""One rater's sheet: contexts and blinded replies in the order shown. No arm, dialogue id or seed is in it.

The same content is written as a rating page, a workbook and a CSV file; `Sheet.sha256` identifies it in
``study.json`` and in what the rater sends back.

Replies of an item are judged one after the other, not side by side. The scales are absolute, and a reply
beside a weak one looks stronger than it is; read alone, with its context, it is judged for itself. What is
left of carrying over from one reply to the next is spread evenly over the arms, since which arm comes
first is balanced for every rater and every item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rapport_bench.common.identity import digest
from rapport_bench.human.sheets.study import Scale

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a context.

    Attributes:
        role: ``system``, ``user`` or ``assistant``.
        content: Its text.
    """

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One blinded reply.

    Attributes:
        letter: Which of the item's arms, without saying which.
        content: Its text, never blank.
    """

    letter: str
    content: str


@dataclass(frozen=True, slots=True)
class SheetItem:
    """One item as a rater sees it.

    Attributes:
        id: Of the item, the repetition or the attention check.
        context: The dialogue up to the reply.
        replies: In the order shown.
    """

    id: str
    context: tuple[Line, ...]
    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one rater is asked.

    Attributes:
        study: Name of the study.
        rater: Code of the rater.
        scales: To judge every reply on.
        items: In the order shown.
        crisis: Whether some of the dialogues are of people at risk; the notice says so.
    """

    study: str
    rater: str
    scales: tuple[Scale, ...]
    items: tuple[SheetItem, ...]
    crisis: bool = False

    @property
    def sha256(self) -> str:
        """Hash of the content."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The content, as the rating page holds it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "study": self.study,
            "rater": self.rater,
            "crisis": self.crisis,
            "scales": [asdict(scale) for scale in self.scales],
            "items": [
                {
                    "id": item.id,
                    "context": [asdict(line) for line in item.context],
                    "replies": [asdict(reply) for reply in item.replies],
                }
                for item in self.items
            ],
        }


def attention_text(scale: Scale, value: int) -> str:
    """A reply that openly says which value to give, in Chinese and English.

    Openly, because a check is meant to find those who do not read, not to trap those who do.
    """
    return (
        f"【注意力检查】这不是真正的回复，只用来确认评分者读了内容。请在“{scale.label['zh']}”上选 {value}，"
        "其他各项任选。\n"
        "[Attention check] This is not a real reply; it shows that replies are being read. Please "
        f"choose {value} for “{scale.label['en']}” and any value for the other scales."
    )


def naming(sheets: Sequence[Sheet], names: Sequence[str]) -> int:
    """How many distinct replies contain one of these names, whatever its case: blinding they undo."""
    lowered = [name.lower() for name in names]
    replies = {reply.content for sheet in sheets for item in sheet.items for reply in item.replies}
    return sum(any(name in reply.lower() for name in lowered) for reply in replies)
