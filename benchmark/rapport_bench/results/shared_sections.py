"""What a result in a shared repository holds: no string or key can hold a dialogue's text.

`result.text.schema.json` is generated from `SharedContent`; these types are those of `sections`, with
bounds on every string that someone else may have written.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from rapport_bench.results.fields import END, LINE, Key, Label, OneLine, OrAbsent, Whole, Word
from rapport_bench.results.sections import (
    ArmSection,
    BaseSection,
    Content,
    DialoguesSection,
    GitSection,
    GroupSection,
    SavedMetric,
    SuiteSection,
    TaskSection,
    UnscoredSection,
    VolatileSection,
    once,
)


class SharedTask(TaskSection):
    """A task as it was when it was run."""

    version: Word


class SharedSuite(SuiteSection):
    """What was asked."""

    name: OneLine
    version: Word
    tasks: dict[Key, SharedTask]  # type: ignore[assignment]  # frozen


class SharedBase(BaseSection):
    """A base model."""

    name: OneLine
    dtype: Word


class SharedArm(ArmSection):
    """What was scored."""

    name: OneLine
    base: SharedBase | None


class SharedGroup(GroupSection):
    """What dialogues are divided by; one entry a dialogue."""

    domain: list[Annotated[Label, Field(max_length=100)] | None]


class SharedDialogues(DialoguesSection):
    """Sufficient statistics, columnar, one entry a dialogue in suite order."""

    id: Annotated[
        list[Label],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        AfterValidator(once),
    ]
    group: SharedGroup


class SharedUnscored(UnscoredSection):
    """A turn, or a dialogue, that a metric could not be computed of."""

    dialogue: Label


class SharedGit(GitSection):
    """The checkout that the program ran from."""

    commit: Annotated[str, Field(pattern=rf"^[0-9a-f]{{40,64}}{END}")]
    dirty: bool


class SharedVolatile(VolatileSection):
    """When and how a result was made: only what the program itself writes."""

    model_config = ConfigDict(extra="forbid")

    created: OrAbsent[
        Annotated[str, Field(pattern=rf"^\d{{4}}-\d{{2}}-\d{{2}}T\d{{2}}:\d{{2}}:\d{{2}}Z{END}")]
    ] = None
    rapport: OrAbsent[Word] = None
    git: SharedGit | None = None
    command: OrAbsent[Annotated[str, Field(pattern=rf"^rapport(?: {LINE}{{0,2000}})?{END}")]] = None


_DeviceName = Annotated[str, Field(pattern=rf"^[!-~]{{1,40}}(?: [!-~]{{1,40}}){{0,7}}{END}")]


class SharedContent(Content):
    """What one arm did on one suite, in bounds that no dialogue's text fits into."""

    suite: SharedSuite
    arm: SharedArm
    numerics: dict[Key, Annotated[_DeviceName, Field(max_length=120)] | Whole] | None
    metrics: dict[Key, SavedMetric]
    dialogues: SharedDialogues
    unscored: list[SharedUnscored]  # type: ignore[assignment]  # frozen
    volatile: SharedVolatile
