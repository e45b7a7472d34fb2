"""What a person sees in the terminal: width and colour, progress, figures and names as text.

Tables and verdicts go to standard output, progress and warnings to standard error. Verdicts are told by
sign and word, never by colour alone; without a terminal, or with NO_COLOR, everything is plain text.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from rapport_bench.running.config import Quiet
from rapport_bench.statistics.verdicts import Verdict
from rapport_bench.words.signs import VERDICTS

_PLAIN_WIDTH = 120
_NARROWEST = 40


def output(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or as ``COLUMNS`` says; plain with ``NO_COLOR``.

    When piped it is 120 columns wide unless ``COLUMNS`` is set, and writes no escapes.
    """
    console = Console(stderr=stderr, highlight=False, emoji=False)
    if not console.is_terminal:
        return Console(
            stderr=stderr, highlight=False, emoji=False, width=_columns(), color_system=None
        )
    if os.environ.get("NO_COLOR"):  # rich would still write bold and dim
        return Console(stderr=stderr, highlight=False, emoji=False, color_system=None)
    return console


def _columns() -> int:
    given = os.environ.get("COLUMNS", "")
    return max(int(given), _NARROWEST) if given.isdecimal() else _PLAIN_WIDTH


class RunReporter(Quiet):
    """Progress bars of long work; silent when standard error is no terminal. A context manager."""

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        super().__init__()
        self._console = console or output(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
            transient=True,
        )
        self._task: TaskID | None = None
        self._arm = ""
        self._what = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def arm(self, name: str, index: int, total: int) -> None:
        """Begin an arm's bars."""
        self._arm, self._what = f"{name} ({index + 1}/{total})", ""

    def progress(self, what: str, done: int, total: int, *, rate: str = "") -> None:
        """Move the present bar, or begin one; `rate` stands beside it instead of the speed."""
        if what == "bytes":
            what, done, total = "megabytes", done // 10**6, total // 10**6
        if what != self._what:
            self._what = what
            if self._task is not None:
                self._progress.remove_task(self._task)
            label = f"{self._arm} · {what}" if self._arm else what
            self._task = self._progress.add_task(label, total=total, rate="")
        assert self._task is not None
        speed = self._progress.tasks[-1].speed if self._progress.tasks else None
        rate = rate or (f"{speed:.1f}/s" if speed else "")
        self._progress.update(self._task, completed=done, rate=rate)

    def warn(self, message: str) -> None:
        """Print a warning once, and keep it for `--json`."""
        if message not in self.warnings:
            super().warn(message)
            self._console.print(Text("warning: ", style="yellow") + Text(message))


def verdict_text(verdict: Verdict) -> Text:
    """A verdict with its sign, on its own in a cell."""
    look = VERDICTS[verdict]
    return Text(f"{look.sign} {verdict}".replace(" (", "\n("), style=look.style)
