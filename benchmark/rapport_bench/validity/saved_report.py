"""What a validity report in a shared repository holds; `validity.schema.json` is generated from it.

No string or key can hold an utterance.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from rapport_bench.results.fields import (
    AS_WRITTEN,
    END,
    Compact,
    Count,
    DataLabel,
    Ends,
    Number,
    OneLine,
    OrAbsent,
    Section,
    Whole,
)

_KEY = rf"^[\w.:@/+-]{{1,100}}{END}"
Name = TypeAliasType("Name", Annotated[str, Field(pattern=_KEY)])
"""Of a scorer, a figure, a setting or a count."""
Counts = TypeAliasType("Counts", "Whole | dict[DataLabel, Counts]")
"""How many, by labels of the data set."""
Settings = dict[
    Name,
    Compact | Number | bool | Annotated[list[Compact | Number], Field(max_length=20)] | None,
]


class SavedFigure(Section):
    """One number with its interval, rounded to six decimals."""

    value: Number | None
    """Null where it is undefined."""
    ci: Ends | None
    """95 % interval."""
    clusters: Count
    """Dialogues, or lines, that it rests on."""
    p: OrAbsent[Annotated[float, Field(ge=0, le=1), AS_WRITTEN]] = None
    """Two-sided, of no difference; of differences alone."""
    reason: OrAbsent[Annotated[str, Field(pattern=rf"^[ -~]{{1,100}}{END}")]] = None
    """Why something is null."""


class ValidatedData(Section):
    """The labelled data, and counts of what was used of it."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"propertyNames": {"pattern": _KEY}})
    __pydantic_extra__: dict[str, Counts]

    name: OneLine
    """The file's, without folder and suffix."""
    sha256: Annotated[str, Field(pattern=rf"^[0-9a-f]{{64}}{END}")]

    @model_validator(mode="after")
    def _known_keys(self) -> ValidatedData:
        if not all(re.match(_KEY, key) for key in self.model_extra or ()):
            raise PydanticCustomError("key", "a key that does not belong there")
        return self


class SavedReport(Section):
    """What one validation found in one file."""

    schema_version: Literal["1.0"]
    what: Literal["acts", "shifts", "continuity"]
    data: ValidatedData
    scorer: Settings
    """Name and versions of what was validated."""
    settings: Settings
    """What else the figures depend on."""
    validated: Name
    """Which of the scorers."""
    figures: dict[Name, dict[Name, SavedFigure]]
    """By scorer; others than the validated one are baselines."""
    differences: dict[Name, dict[Name, SavedFigure]]
    """Of the validated one minus each other, paired."""
    confusion: OrAbsent[Counts] = None
    """By scorer, label and what it was taken for."""
