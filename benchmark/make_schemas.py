"""Write the JSON Schemas of the files that rapport-bench keeps, from the types that read them.

    python benchmark/make_schemas.py

A test compares the committed schemas with what the types say.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from rapport_bench.common.files import to_json
from rapport_bench.common.model import json_schema
from rapport_bench.human.sheets.study import Key, Study
from rapport_bench.results.human_sections import HumanContent
from rapport_bench.results.sections import Content
from rapport_bench.results.shared_sections import SharedContent
from rapport_bench.validity.saved_report import SavedReport

FOLDER = Path(__file__).parent / "rapport_bench"
SCHEMAS: dict[str, type[BaseModel]] = {
    "human/sheets/study.schema.json": Study,
    "human/sheets/key.schema.json": Key,
    "results/human_result.schema.json": HumanContent,
    "results/result.schema.json": Content,
    "results/result.text.schema.json": SharedContent,
    "results/validity.schema.json": SavedReport,
}

if __name__ == "__main__":
    for name, model in SCHEMAS.items():
        (FOLDER / name).write_text(to_json(json_schema(model)), encoding="utf-8")
