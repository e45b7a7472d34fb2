"""Types of what lies in files: strict, frozen, unknown keys refused. Their JSON Schemas are made from them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails

from rapport_bench.common.identity import canonical
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import read_json

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
Count = Annotated[int, Field(ge=0)]


class FileModel(BaseModel):
    """Base of what a file holds. What stands under a field is its description in the schema."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return self.model_dump(mode="json")


_Model = TypeVar("_Model", bound=BaseModel)


def parsed(model: type[_Model], data: Any) -> _Model:
    """The JSON value `data` as a model; no string is taken for a number, no number for a truth.

    Raises:
        ValidationError: `breaches` says it in words.
    """
    return model.model_validate_json(canonical(data), strict=True)


def read_file(
    model: type[_Model], path: Path, *, version: str, what: str, remedy: str, unreadable: str
) -> tuple[_Model, Any]:
    """Read a JSON file of a type.

    Args:
        model: Of its content.
        path: Where it lies.
        version: The ``schema_version`` that is read.
        what: What the file should be, with its article.
        remedy: Where its content is wrong.
        unreadable: Where it cannot be read at all.

    Returns:
        Its content as the type has it, and as it stands there.

    Raises:
        BadInput: No such file, not JSON, of another version, or of another type.
    """
    data = read_json(path, remedy=remedy, unreadable=unreadable, what=what)
    given = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(given, str) and given != version:
        raise BadInput(
            f"{path}: of another schema version, this program reads {version}",
            remedy="Use the version of rapport-bench that wrote it, or a newer one.",
        )
    try:
        return parsed(model, data), data
    except ValidationError as error:
        said = breaches(error, data)[0]
        raise BadInput(f"{path}: not {what}: {said}", remedy=remedy) from None


def breaches(error: ValidationError, data: Any) -> list[str]:
    """What a file breaks: each place and its rule, never the value, which may be anyone's words.

    Args:
        error: Of the type of the file's content.
        data: That content.
    """
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return [_breach(problem, data) for problem in problems]


def _breach(problem: ErrorDetails, data: Any) -> str:
    rule, steps = problem["type"], list(problem["loc"])
    said = {
        "missing": f"{steps[-1] if steps else ''} is missing",
        "string_pattern_mismatch": "not of the form that belongs there",
    }.get(rule, problem["msg"].removeprefix("Input ").partition(" or instance of ")[0])
    if rule == "extra_forbidden" or steps[-1:] == ["[key]"]:
        said = "a key that does not belong there"
        steps = steps[: -2 if steps[-1] == "[key]" else -1]
    place = []
    for step in steps:  # members of a union and absent keys are no place in the file
        inside = step in data if isinstance(data, dict) else isinstance(data, list)
        if not inside or isinstance(step, str) == isinstance(data, list):
            break
        data = data[step]
        place.append(str(step))
    where = "/".join(p if re.fullmatch(r"[\w.-]{1,60}", p, re.ASCII) else "…" for p in place)
    return f"{where or 'top level'}: {said[:200]}"


class _Schema(GenerateJsonSchema):
    """Without titles that only repeat names and nulls that say "absent", and strict about keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        found = super().default_schema(schema)
        return {k: v for k, v in found.items() if (k, v) != ("default", None)}

    def dict_schema(self, schema: Any) -> dict[str, Any]:
        found = {
            "type": "object",
            "propertyNames": self.generate_inner(schema["keys_schema"]),
            "additionalProperties": self.generate_inner(schema["values_schema"]),
        }
        return found | ({"minProperties": least} if (least := schema.get("min_length")) else {})


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a file of this type."""
    schema = model.model_json_schema(schema_generator=_Schema, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
