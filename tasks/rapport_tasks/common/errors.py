"""Errors that a user can act on.

    RapportError                 one message, one remedy, one exit code; shown without a traceback
    ├── BadInput                 a file, value or option that cannot be used          (exit 2)
    │   ├── BadDialogue          ... in a dialogue file: file, line, field, remedy
    │   ├── UnsupportedTemplate  ... a chat template that rewrites replies, refuses or fails
    │   │   └── EndlessTemplate  ... or takes more time or memory than it is given
    │   └── AdapterMismatch      ... an adapter that does not belong to the base
    ├── NotComparable            two results that must not be compared                (exit 3)
    └── Incomplete               a run that ended before every response was there     (exit 4)

Messages never contain dialogue text.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of an `OSError` that say that there is no room: on the disk, under a quota, under a limit."""


class RapportError(Exception):
    """A problem outside this program, said in one message with what to do about it."""

    exit_code = 2

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    @property
    def kind(self) -> str:
        """The class name, as `--json` prints it."""
        return type(self).__name__


class BadInput(RapportError):
    """A file, value or option that cannot be used as it is."""


class BadDialogue(BadInput):
    """A line of a dialogue file that does not follow the format."""

    def __init__(self, path: Path, line: int, field: str, problem: str, remedy: str) -> None:
        super().__init__(f"{path}:{line}: {field}: {problem}", remedy=remedy)
        self.path = path
        self.line = line
        self.field = field


class UnsupportedTemplate(BadInput):
    """A chat template that renders a dialogue not at all, or so that no reply can be read back."""


class EndlessTemplate(UnsupportedTemplate):
    """A chat template that exceeds the limits of time, memory and size."""


class AdapterMismatch(BadInput):
    """An adapter that does not belong to the base model it is asked to run on."""


class NotComparable(RapportError):
    """Results, or arms, that must not be set against each other; says what differs."""

    exit_code = 3


class Incomplete(RapportError):
    """Work that stopped before all of it was done; what was finished is kept."""

    exit_code = 4


def shown(value: object) -> str:
    """A value that others chose, for a message: a number or plain word as it is, else described.

    Ids, roles, domains, keys and settings may be anything, a sentence of a dialogue too, and messages
    hold no dialogue text.

    >>> shown("d-17"), shown("I cannot sleep"), shown([1]), shown(2.5)
    ("'d-17'", 'a text of 14 characters', 'a list', '2.5')
    """
    if isinstance(value, str) and value:
        if re.fullmatch(r"[\w.:/@+-]{1,40}", value, re.ASCII):
            return repr(value)
        return f"a text of {len(value)} characters"
    if not value or isinstance(value, bool | int | float):
        return repr(value)
    return f"a {type(value).__name__}"


def close_match(value: str, choices: Iterable[str]) -> str:
    """Return `Did you mean 'x'? ` for the nearest of `choices`, or an empty string."""
    found = get_close_matches(value, list(choices), n=1, cutoff=0.5)
    return f"Did you mean {found[0]!r}? " if found else ""
