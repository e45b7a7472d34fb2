"""Where the text that results leave out is looked for."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sources:
    """Where text is looked for.

    Attributes:
        data: A dialogue file; `None` for the built-in dialogues.
        store: The response store; `None` for the default file.
        replies: Files of imported replies, told apart by their content.
    """

    data: str | None = None
    store: str | None = None
    replies: tuple[str, ...] = ()

    def options(self) -> str:
        """As `rapport report` takes them, each after a space; empty for the defaults.

        >>> Sources(data="my data.jsonl", replies=("a.jsonl",)).options()
        " --data 'my data.jsonl' --replies a.jsonl"
        """
        given = [
            ("data", self.data),
            ("store", self.store),
            *(("replies", r) for r in self.replies),
        ]
        return "".join(f" --{name} {shlex.quote(value)}" for name, value in given if value)
