"""What a result file may hold: types and committed schemas take and refuse the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

import rapport_bench.results
from rapport_bench.common.files import to_json
from rapport_bench.common.model import breaches
from rapport_bench.results.result import load, save
from rapport_bench.results.sections import Content
from rapport_bench.results.shared_sections import SharedContent

ROOT = Path(__file__).parents[2]
SCHEMAS = {
    model: jsonschema.Draft202012Validator(
        json.loads(Path(rapport_bench.results.__path__[0], name).read_text(encoding="utf-8"))
    )
    for model, name in (
        (Content, "result.schema.json"),
        (SharedContent, "result.text.schema.json"),
    )
}
A, B = "a" * 64, "b" * 64
FULL: dict[str, Any] = {
    "schema_version": "1.0", "status": "complete", "result_id": A,
    "suite": {
        "name": "rapport-zh", "version": "1.0.0", "suite_id": A, "data_sha256": A, "dialogues": 2,
        "tasks": {"rapport_aer": {"version": "1.0", "metric_sha256": A}},
        "protocol": {
            "history": "gold", "overlong": "skip", "system_sha256": A,
            "generation": {
                "method": "greedy", "max_new_tokens": 128, "seeds": [0], "top_p": 1,
                "temperature": 0.5,
            },
        },
    },
    "arm": {
        "name": "empathy-r16", "kind": "adapter", "arm_id": A,
        "base": {
            "name": "Qwen/Qwen1.5-1.8B", "weights_sha256": A, "quantization": "nf4",
            "dtype": "bfloat16",
        },
        "adapter": {
            "weights_sha256": A, "config_sha256": A, "rank": 16,
            "proof": {"max_logit_change": 1.5, "base_restored_exactly": True, "own_base": True},
        },
        "tokenizer_sha256": A, "chat_template_sha256": None, "prompts_sha256": B,
    },
    "numerics": {"device": "NVIDIA H200", "batch_tokens": 4096},
    "metrics": {
        "aer_share": {
            "value": 0.5, "se": None, "ci": [0.25, 1], "n": 3, "clusters": 2, "coverage": 1,
        },
    },
    "dialogues": {
        "id": ["d-1", "d-2"],
        "group": {"domain": ["情绪", None], "crisis": [False, True]},
        "columns": {"advice": [2, 0], "nll_sum": [-1, 2.5]},
    },
    "unscored": [{"dialogue": "d-2", "turn": 3, "metric": "aer", "reason": "crisis"}],
    "volatile": {
        "created": "2026-11-22T10:00:00Z", "seconds": 81.5, "rapport": "0.1.0",
        "git": {"commit": "c" * 40, "dirty": False}, "command": "rapport run --bots",
    },
}  # fmt: skip

OPTIONAL = {
    "suite/protocol/system_sha256", "suite/protocol/generation/top_p",
    "suite/protocol/generation/temperature", "arm/prompts_sha256",
    "arm/adapter/proof/own_base", "suite/tasks/rapport_aer", "metrics/aer_share",
    "numerics/device", "numerics/batch_tokens", "dialogues/columns/advice",
    "dialogues/columns/nll_sum", "volatile/created", "volatile/seconds", "volatile/rapport",
    "volatile/git", "volatile/command",
}  # fmt: skip
"""Keys that any result may lack."""
OPEN = {"suite/tasks", "numerics", "metrics", "dialogues/columns", "volatile"}
"""Objects with keys of the file's own."""

TEXT = "我很累，不想再说了。"
REFUSED: dict[str, list[Any]] = {
    "": [None, [], "text", 1],
    "schema_version": ["1.1", "1.0\n", 1.0],
    "status": ["partial", None],
    "result_id": [A[1:], A.upper(), None],
    "suite": [None, []],
    "suite/name": ["", "x" * 501, None, 1],
    "suite/version": [1.0, None],
    "suite/dialogues": [0, 2.5, "2", True],
    "suite/tasks/rapport_aer/metric_sha256": ["", None],
    "suite/protocol/history": ["own"],
    "suite/protocol/overlong": ["cut"],
    "suite/protocol/system_sha256": [None, "x"],
    "suite/protocol/generation/method": ["beam"],
    "suite/protocol/generation/top_p": [None, "1", True],
    "suite/protocol/generation/temperature": [None, False],
    "suite/protocol/generation/max_new_tokens": [0, 1.5, None],
    "suite/protocol/generation/seeds": [[], [0.5], [True], 0, None],
    "arm/kind": ["robot", None],
    "arm/base": ["Qwen", []],
    "arm/base/quantization": ["x" * 61, None],
    "arm/adapter/rank": [1.5, "16", None],
    "arm/adapter/proof": [None],
    "arm/adapter/proof/max_logit_change": [-1, None, "1", True],
    "arm/adapter/proof/base_restored_exactly": [False, None, 1, 1.0],
    "arm/adapter/proof/own_base": [False, None, 1],
    "arm/tokenizer_sha256": ["x", 1],
    "arm/prompts_sha256": [None, "x"],
    "numerics/device": [None, 1.5, True, [], "x" * 121],
    "metrics/aer_share/value": ["0.5", True, [0.5]],
    "metrics/aer_share/ci": [[1], [1, 2, 3], [None, 1], ["1", "2"], 1],
    "metrics/aer_share/n": [-1, None, 0.5],
    "metrics/aer_share/coverage": [-0.1, 1.1, "1"],
    "dialogues/id": [[], ["d-1", "d-1"], ["d-1", 2], ["d-1", ""], "ab", ["d-1", "x" * 501]],
    "dialogues/group/domain": [[None, 1], [None, "x" * 101], None],
    "dialogues/group/crisis": [[True, 1], [None, True]],
    "dialogues/columns/advice": [[1, -1], [1, 1e13], [1, True], [1, "2"], [1, None], None, 1],
    "dialogues/columns/nll_sum": [[1, -1e13], [1, 1e13], [[1], 2]],
    "unscored/0/turn": ["3", 0.5],
    "unscored/0/metric": ["AER", "", "x" * 61],
    "unscored/0/reason": ["tired", None],
    "volatile": [None, []],
    "volatile/created": ["x" * 41, None],
    "volatile/seconds": [-1, 1e10, "1", None],
    "volatile/rapport": ["x" * 61, None],
    "volatile/git": [[], "x"],
    "volatile/git/commit": ["c" * 65, None],
    "volatile/git/dirty": [1, None],
    "volatile/command": ["x" * 10_001, None],
}  # fmt: skip
OWN: dict[str, list[Any]] = {
    "suite/name": ["x" * 301, "a\nb", "a\u202eb"],
    "suite/version": [TEXT, "1 0", ""],
    "suite/tasks/rapport_aer/version": [TEXT],
    "arm/name": ["a\x1b[31m"],
    "arm/base/name": ["a\nb"],
    "arm/base/dtype": [TEXT],
    "numerics/device": [TEXT, ""],
    "dialogues/id": [["d-1", TEXT], ["d-1", "a b c d e"], ["d-1", "长" * 41], ["d-1", "x\n"]],
    "dialogues/group/domain": [[None, TEXT]],
    "unscored/0/dialogue": [TEXT],
    "volatile/created": ["2026-11-22", TEXT, "2026-11-22T10:00:00Z\n"],
    "volatile/rapport": [TEXT],
    "volatile/git/commit": ["c" * 39, "C" * 40],
    "volatile/command": ["python x.py", "rapport run\nx", "rapport " + "x" * 2001],
}
"""What only a result may have that is not shared."""
TAKEN: dict[str, list[Any]] = {
    "suite/dialogues": [2.0],
    "suite/protocol/generation/seeds": [[0, 1.0]],
    "arm/name": ["温柔的小鹿 v2", "x" * 300],
    "arm/base": [None],
    "arm/adapter": [None],
    "arm/adapter/rank": [-1],
    "numerics": [None, {}, {"device": 1}],
    "metrics/aer_share/value": [None, 3, -1e300],
    "metrics/aer_share/ci": [None, [0, 1]],
    "metrics/aer_share/n": [3.0],
    "dialogues/id": [["长" * 40, "train/0001.json#4"]],
    "dialogues/group/domain": [[None, None], ["婚恋、家庭", "work life"]],
    "dialogues/columns": [{}],
    "unscored": [[]],
    "unscored/0/turn": [None],
    "volatile": [{}],
    "volatile/seconds": [3],
    "volatile/git": [None],
}


def changed(place: str, value: Any) -> Any:
    """`FULL` with another value at a place."""
    if not place:
        return value
    data = copy.deepcopy(FULL)
    *above, key = place.split("/")
    there: Any = data
    for step in above:
        there = there[int(step) if isinstance(there, list) else step]
    there[key] = value
    return data


def takes(model: type[BaseModel], data: Any) -> bool:
    """Whether type and schema take it; they agree."""
    said = []
    try:
        model.model_validate(data)
    except ValidationError as error:
        said = breaches(error, data)
    taken = not said
    assert TEXT not in "".join(said)
    assert SCHEMAS[model].is_valid(data) == taken
    return taken


def cases(table: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(place, value, id=f"{place}-{number}")
        for place, values in table.items()
        for number, value in enumerate(values)
    ]


def objects(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield place, value
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inside in items:
        if isinstance(inside, dict | list):
            yield from objects(inside, f"{place}/{key}".lstrip("/"))


def test_a_full_result_is_taken() -> None:
    assert takes(Content, FULL)
    assert takes(SharedContent, FULL)


@pytest.mark.parametrize(("place", "value"), cases(REFUSED))
def test_what_no_result_may_hold(place: str, value: Any) -> None:
    assert not takes(Content, changed(place, value))
    assert not takes(SharedContent, changed(place, value))


@pytest.mark.parametrize(("place", "value"), cases(OWN))
def test_what_no_shared_result_may_hold(place: str, value: Any) -> None:
    assert takes(Content, changed(place, value))
    assert not takes(SharedContent, changed(place, value))


@pytest.mark.parametrize(("place", "value"), cases(TAKEN))
def test_what_any_result_may_hold_stays_as_it_was_written(place: str, value: Any) -> None:
    data = changed(place, value)
    assert takes(Content, data)
    assert takes(SharedContent, data)
    for model in (Content, SharedContent):
        assert to_json(model.model_validate(data).model_dump(exclude_unset=True, warnings=False)) == to_json(data)  # fmt: skip


@pytest.mark.parametrize("place", [place for place, _ in objects(FULL)])
def test_keys_are_the_known_ones_and_no_other(place: str) -> None:
    for key in dict(objects(FULL))[place]:
        data = copy.deepcopy(FULL)
        del dict(objects(data))[place][key]
        where = f"{place}/{key}".lstrip("/")
        assert takes(Content, data) == (where in OPTIONAL or place == "volatile/git"), where
        assert takes(SharedContent, data) == (where in OPTIONAL), where
    data = copy.deepcopy(FULL)
    there = dict(objects(data))[place]
    there["other"] = copy.deepcopy(next(iter(there.values())))
    assert takes(Content, data) == (place in OPEN)
    assert takes(SharedContent, data) == (place in OPEN - {"volatile"})


@pytest.mark.parametrize(
    "place", ["suite/tasks", "numerics", "metrics", "dialogues/columns", "volatile"]
)
def test_a_key_of_the_files_own_holds_no_text(place: str) -> None:
    data = copy.deepcopy(FULL)
    there = dict(objects(data))[place]
    there[TEXT] = copy.deepcopy(next(iter(there.values())))
    assert takes(Content, data) == (place in ("suite/tasks", "numerics", "volatile"))
    assert not takes(SharedContent, data)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("suite/dialogues", 3),
        ("dialogues/columns/advice", [1]),
        ("dialogues/group/crisis", [True]),
        ("dialogues/group/domain", [None]),
        ("dialogues/id", ["d-1"]),
    ],
)
def test_columns_are_of_one_length(place: str, value: Any) -> None:
    with pytest.raises(ValidationError, match="columns of lengths"):
        Content.model_validate(changed(place, value))


@pytest.mark.parametrize("path", sorted(ROOT.glob("results/v1/*/*/*.json")), ids=lambda p: p.stem)
def test_the_repositorys_results_are_saved_again_byte_for_byte(path: Path, tmp_path: Path) -> None:
    saved, new = save(load(path), tmp_path)
    assert new
    assert saved.path is not None
    assert saved.path.relative_to(tmp_path) == path.relative_to(ROOT / "results")
    assert saved.path.read_bytes() == path.read_bytes()
    SharedContent.model_validate(json.loads(path.read_text(encoding="utf-8")))
