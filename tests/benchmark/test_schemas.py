"""The JSON Schemas in the repository are what the types say."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import jsonschema
import pytest

from rapport_bench.common.files import to_json
from rapport_bench.common.model import json_schema

SCRIPT = Path(__file__).parents[2] / "benchmark" / "make_schemas.py"
_spec = importlib.util.spec_from_file_location("make_schemas", SCRIPT)
assert _spec
assert _spec.loader
make_schemas = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = make_schemas
_spec.loader.exec_module(make_schemas)


@pytest.mark.parametrize("name", make_schemas.SCHEMAS)
def test_a_schema_is_what_its_type_says(name) -> None:
    schema = json_schema(make_schemas.SCHEMAS[name])
    jsonschema.Draft202012Validator.check_schema(schema)
    committed = (make_schemas.FOLDER / name).read_text(encoding="utf-8")
    assert committed == to_json(schema), "python benchmark/make_schemas.py"
