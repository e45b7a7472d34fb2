"""What a run is asked to do, and who is told how it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rapport_bench.arms.models import Quantization
from rapport_bench.running.suite import Suite
from rapport_tasks.common.protocol import Generation

Named = tuple[str | None, str]
"""(name to show, or `None` for the folder's own; path, hub id or file)."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What `rapport run` was asked to do.

    Attributes:
        base: Hub id or folder of the base, ``embedded``, or `None` without one.
        adapters: Scored on the base, in this order.
        models: Other full models, each loaded in turn.
        replies: Files of imported replies.
        bots: Whether gold replies and bots are scored too.
        data: A dialogue file instead of the built-in dialogues.
        limit: Only the first so many dialogues.
        tasks: Task names; empty for all.
        generation: How replies are drawn.
        template: Whose chat template renders dialogues: ``base``, ``adapter``, the name of one of the
            base's, or a file.
        template_args: What the template is given, as ``KEY=VALUE``.
        system: A system message for every dialogue, or a file of it; see `TaskSettings`.
        encoder: Sentence encoder by name or path.
        dtype: ``auto`` or a torch dtype's name.
        quantization: ``none`` or ``nf4``.
        device: ``auto`` or a torch device.
        batch_tokens: Padded tokens a batch.
        results: Folder for result files.
        store: Response store; `None` for the default file.
        reuse: Take an arm's result from the folder if it was scored there, instead of scoring it.
    """

    base: str | None = None
    adapters: tuple[Named, ...] = ()
    models: tuple[Named, ...] = ()
    replies: tuple[Named, ...] = ()
    bots: bool = False
    data: str | None = None
    limit: int | None = None
    tasks: tuple[str, ...] = ()
    generation: Generation = field(default_factory=Generation)
    template: str = "base"
    template_args: tuple[str, ...] = ()
    system: str | None = None
    encoder: str = "embedded"
    dtype: str = "auto"
    quantization: Quantization = "none"
    device: str = "auto"
    batch_tokens: int = 4096
    results: str = "results"
    store: str | None = None
    reuse: bool = False


class Reporter(Protocol):
    """Told how a run goes; see `rapport_bench.terminal.console`."""

    def suite(self, suite: Suite) -> None:
        """The data are read."""

    def arm(self, name: str, index: int, total: int) -> None:
        """An arm is begun."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Requests of the present arm are answered."""

    def warn(self, message: str) -> None:
        """Something to know that stops nothing."""


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # longer than any file's name, or with NUL in it
        return False


def named(value: str) -> Named:
    """Split ``NAME=PATH``; a bare path, or one that exists with an ``=`` in it, has no name."""
    name, separator, path = value.partition("=")
    if separator and name and path and not _exists(value) and "/" not in name:
        return name, path
    return None, value
