"""What a run is asked to do, and who is told how it goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from rapport_bench.arms.models import Quantization
from rapport_bench.running.suite import Suite
from rapport_tasks.common.errors import BadInput, close_match
from rapport_tasks.common.protocol import Generation

Named = tuple[str | None, str]
"""(name to show, or `None` for the folder's own; path, hub id or file)."""

Dtype = Literal["auto", "float32", "bfloat16", "float16"]


def named(value: str) -> Named:
    """Split ``NAME=PATH``; a bare path, or one that exists with an ``=`` in it, has no name."""
    # Path.exists raises on what is longer than any file's name.
    name, separator, path = value.partition("=")
    if separator and name and path and "/" not in name and not os.path.exists(value):  # noqa: PTH110
        return name, path
    return None, value


def _plain(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _all_named(given: Any) -> Any:
    """Paths, ``NAME=PATH``, pairs of both, or a mapping of names to paths."""
    if isinstance(given, str | os.PathLike):
        given = (given,)
    pairs = given.items() if isinstance(given, Mapping) else given
    return tuple(
        named(_plain(one)) if isinstance(one, str | os.PathLike) else (one[0], _plain(one[1]))
        for one in pairs
    )


Text = Annotated[str, BeforeValidator(_plain), Field(min_length=1)]
Arms = Annotated[tuple[Named, ...], BeforeValidator(_all_named)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class RunConfig:
    """What `rapport run` was asked to do; it refuses what no run could do.

    Adapters, models and replies are paths, ``NAME=PATH``, or a mapping of names to paths.

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

    base: Text | None = None
    adapters: Arms = ()
    models: Arms = ()
    replies: Arms = ()
    bots: bool = False
    data: Text | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    tasks: tuple[str, ...] = ()
    generation: Generation = field(default_factory=Generation)
    template: Text = "base"
    template_args: tuple[str, ...] = ()
    system: str | None = None
    encoder: Text = "embedded"
    dtype: Dtype = "auto"
    quantization: Quantization = "none"
    device: Text = "auto"
    batch_tokens: Annotated[int, Field(ge=1)] = 4096
    results: Text = "results"
    store: Text | None = None
    reuse: bool = False

    @model_validator(mode="wrap")
    @classmethod
    def _refused(cls, given: Any, build: Callable[[Any], Self]) -> Self:
        """What pydantic finds, as an error that a user can act on."""
        try:
            made = build(given)
        except ValidationError as error:
            raise _refusal(error, tuple(cls.__dataclass_fields__)) from None
        if made.adapters and not made.base:
            raise BadInput("--adapter without --base", remedy="Name the base it was trained on.")
        if not (made.base or made.models or made.replies or made.bots):
            raise BadInput("nothing to score", remedy="Give --base, --model, --replies or --bots.")
        return made


def _refusal(error: ValidationError, known: Sequence[str]) -> BadInput:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "configuration"
    if first["type"] == "unexpected_keyword_argument":
        return BadInput(
            f"{name!r} is no part of a run's configuration",
            remedy=close_match(name, known) + f"Use {', '.join(known)}.",
        )
    return BadInput(
        f"{name} {first['input']!r}: {first['msg']}", remedy="See `rapport run --help`."
    )


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


class Quiet:
    """A `Reporter` that shows nothing and keeps the warnings, each once."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def suite(self, suite: Suite) -> None:
        """Say what was left out of the data."""
        if suite.skipped:
            reasons = ", ".join(f"{why} {n}" for why, n in sorted(suite.skipped.items()))
            self.warn(
                f"{suite.skipped.total()} dialogues cannot be scored and were skipped: {reasons}"
            )

    def arm(self, name: str, index: int, total: int) -> None:
        """Nothing."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Nothing."""

    def warn(self, message: str) -> None:
        """Keep it."""
        if message not in self.warnings:
            self.warnings.append(message)
