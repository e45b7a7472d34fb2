"""Types of what lies in files: strict, frozen, unknown keys refused. Their JSON Schemas are made from them."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from rapport_bench.common.identity import canonical

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
        ValidationError: `problem` says it in words.
    """
    return model.model_validate_json(canonical(data), strict=True)


def problem(error: ValidationError) -> str:
    """Where data break their type first, and how; never a value or a free key, which may be anyone's words."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    parts = [str(part) for part in first["loc"] if part != "[key]"]
    where = "/".join(
        part if re.fullmatch(r"[\w.-]{1,40}", part, re.ASCII) else "…" for part in parts
    )
    return f"{where or 'top level'}: {first['msg']}"


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
