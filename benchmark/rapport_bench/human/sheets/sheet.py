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
from typing import Literal

from rapport_bench.common.identity import digest
from rapport_bench.common.model import FileModel
from rapport_bench.human.sheets.study import Scale

SCHEMA_VERSION: Literal["1.0"] = "1.0"


class Line(FileModel):
    """One message of a context."""

    role: str
    """``system``, ``user`` or ``assistant``."""
    content: str
    """Its text."""


class Reply(FileModel):
    """One blinded reply."""

    letter: str
    """Which of the item's arms, without saying which."""
    content: str
    """Its text, never blank."""


class SheetItem(FileModel):
    """One item as a rater sees it."""

    id: str
    """Of the item, the repetition or the attention check."""
    context: tuple[Line, ...]
    """The dialogue up to the reply."""
    replies: tuple[Reply, ...]
    """In the order shown."""

    def in_order(self, letters: str) -> SheetItem:
        """The item with its replies in the order of these letters."""
        by_letter = {reply.letter: reply for reply in self.replies}
        replies = tuple(by_letter[letter] for letter in letters)
        return self.model_copy(update={"replies": replies})


class Sheet(FileModel):
    """What one rater is asked; as JSON, what the rating page holds."""

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    study: str
    """Name of the study."""
    rater: str
    """Code of the rater."""
    scales: tuple[Scale, ...]
    """To judge every reply on."""
    items: tuple[SheetItem, ...]
    """In the order shown."""
    crisis: bool = False
    """Whether some of the dialogues are of people at risk; the notice says so."""

    @property
    def sha256(self) -> str:
        """Hash of the content."""
        return digest(self.to_json())


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
