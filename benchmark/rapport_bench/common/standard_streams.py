"""Standard output and error as a user's machine has them: closed, full, without a reader, no UTF-8.

None of that may change what a command does or its exit code, but for output that is lost on a full disk.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from rapport_tasks.common.errors import Incomplete

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutputLost(Incomplete):
    """What a command had to say could not be written where it was to go."""


class _Stream(io.FileIO):
    """A file descriptor that turns into ``/dev/null`` once it cannot be written."""

    def __init__(self, handle: int, *, essential: bool) -> None:
        super().__init__(handle, "w", closefd=False)
        self._essential = essential

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
            if self._essential and not isinstance(error, BrokenPipeError):
                raise OutputLost(
                    f"standard output cannot be written ({error.strerror})",
                    remedy="Send it where there is space, and run the same command again.",
                ) from None
            return len(memoryview(data))


def settle() -> None:
    """Make standard output and error safe to write to, whatever they are.

    A reader that has gone (``| head``) stops nothing. Characters that the encoding lacks become ``?``.
    Of standard error nothing that is lost stops anything.
    """
    # A file opened later must not get a closed stream's number: what libraries print would go there.
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    sys.stdout = _settled(sys.stdout, 1)
    sys.stderr = _settled(sys.stderr, 2)


def _settled(stream: TextIO | None, handle: int) -> TextIO:
    if stream is not None:
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Stream(handle, essential=handle == 1)),
        encoding=stream.encoding if stream is not None else "utf-8",
        errors="replace",
        line_buffering=handle == 2 or os.isatty(handle),
    )


def is_unicode() -> bool:
    """Whether standard output can show every character."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return codecs.lookup(encoding).name.startswith("utf")
