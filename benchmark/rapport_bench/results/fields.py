"""Kinds of values in the files below a results folder.

JSON Schemas are generated from these types, so a type accepts what its schema accepts: 3.0 is a whole
number, `true` is none, and a key that may be absent is not null.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import CoreSchema, PydanticCustomError
from typing_extensions import TypeAliasType

from rapport_bench.common.model import FileModel

_T = TypeVar("_T")


class Section(FileModel):
    """Part of a file: these keys and no others."""

    model_config = ConfigDict(
        strict=True, regex_engine="python-re", json_schema_serialization_defaults_required=False
    )

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file; a key that is absent there is absent here."""
        return self.model_dump(exclude_unset=True, warnings=False)


def _as_written(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    check(value)
    return value


def _whole_as_written(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    check(int(value) if isinstance(value, float) and value.is_integer() else value)
    return value


# Neither 1 becomes 1.0 nor 1.0 becomes 1: a file that is read and written again has the same bytes.
AS_WRITTEN = WrapValidator(_as_written)
WHOLE_AS_WRITTEN = WrapValidator(_whole_as_written)


def _certain(value: bool) -> bool:
    if not value:
        raise PydanticCustomError("certain", "should be true")
    return value


Certain = Annotated[bool, AfterValidator(_certain), WithJsonSchema({"const": True})]
"""What is true or not said at all."""


class _NotNull:
    """Takes the null out of a type whose `None` stands for an absent key."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        nullable: Any = handler(source)
        inner: CoreSchema = nullable["schema"]
        return inner


OrAbsent = Annotated[_T | None, _NotNull()]
"""A key that may be absent (then the attribute is `None`) but never null; needs the default `None`."""

Number = Annotated[float, AS_WRITTEN]
NotNegative = Annotated[float, Field(ge=0), AS_WRITTEN]
Whole = Annotated[int, WHOLE_AS_WRITTEN]
Count = Annotated[int, Field(ge=0), WHOLE_AS_WRITTEN]
Positive = Annotated[int, Field(ge=1), WHOLE_AS_WRITTEN]
Ends = Annotated[list[Number], Field(min_length=2, max_length=2)]
"""Lower and upper end of a 95 % interval."""

Name = TypeAliasType("Name", Annotated[str, Field(min_length=1, max_length=500)])

# What others contribute must not be able to hold a dialogue's text. (?![\s\S]) is the end of the text
# in every dialect, where $ allows a line break.
END = r"(?![\s\S])"
_TURNING = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSEEN = r"\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069"
_SENTENCE_MARKS = '!?;"。！？；，…“”「」『』'
_LABEL_WORD = rf"[^\s{_UNSEEN}{_SENTENCE_MARKS}]+"

NAME = re.compile(rf"^[^{_TURNING}]{{1,300}}{END}")
"""Any script, one line, no mark that turns the direction of writing."""
LABEL = re.compile(
    rf"^(?=[\s\S]{{1,128}}{END})"
    rf"(?=(?:[\u0000-\u007f]*[^\u0000-\u007f]){{0,40}}[\u0000-\u007f]*{END})"
    rf"{_LABEL_WORD}(?: {_LABEL_WORD}){{0,3}}{END}"
)
"""Up to 128 characters, 40 of them outside ASCII; up to four words; no mark that ends a sentence or
quotes."""
LINE = rf"[^{_TURNING}]"
"""One character of a single line."""

OneLine = TypeAliasType("OneLine", Annotated[str, Field(pattern=NAME.pattern)])
Label = TypeAliasType("Label", Annotated[str, Field(pattern=LABEL.pattern)])
Word = TypeAliasType("Word", Annotated[str, Field(pattern=rf"^[!-~]{{1,60}}{END}")])
Key = TypeAliasType("Key", Annotated[str, Field(pattern=rf"^[a-z0-9_]{{1,60}}{END}")])
DataLabel = TypeAliasType(
    "DataLabel",
    Annotated[str, Field(pattern=rf"^[^{_SENTENCE_MARKS}{_UNSEEN}]{{0,40}}{END}")],
)
"""A label of a data set."""
Compact = TypeAliasType("Compact", Annotated[str, Field(pattern=rf"^[^\s{_UNSEEN}]{{1,100}}{END}")])
"""Text without spaces, such as a version or a file's name."""
