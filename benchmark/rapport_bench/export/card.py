"""A result in the metadata of an adapter's model card: ``model-index``, as the hub reads it.

Only our own entries are replaced, those whose task is named `MARK`. The text stays byte for byte; the
metadata above it keep their meaning, and are written as the hub's library writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult, ModelCard
from huggingface_hub.repocard import REGEX_YAML_BLOCK
from huggingface_hub.repocard_data import eval_results_to_model_index

from rapport_bench.arms.adapters import Adapter
from rapport_bench.common.files import write_atomically
from rapport_bench.results.figures import NamedFigure, figures
from rapport_bench.results.result import Result
from rapport_bench.results.sections import SavedMetric
from rapport_tasks.common.errors import BadInput

MARK = "rapport-bench"
"""Name of the task in every entry of ours; others' entries have another, or none."""
_INDEX = "model-index"
_REPAIR = "Repair the metadata block at the top of the README, or remove its model-index."


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a model card.

    Attributes:
        path: The README.
        entries: How many entries of ours it has now.
        kept: How many of others.
        undefined: Metrics without a value, left out.
        changed: Whether the file is another than before.
    """

    path: Path
    entries: int
    kept: int
    undefined: tuple[str, ...]
    changed: bool


def belonging(results: Sequence[Result], adapter: Adapter) -> tuple[list[Result], list[Result]]:
    """Results that were scored with exactly these weights and settings.

    Returns:
        The newest of every suite, and the older ones.
    """
    newest: dict[str, Result] = {}
    older = []
    for result in sorted(results, key=_age, reverse=True):
        if _mismatch(result, adapter) is not None:
            continue
        if result.suite_id in newest:
            older.append(result)
        newest.setdefault(result.suite_id, result)
    return sorted(newest.values(), key=lambda result: result.suite_id), older


def _age(result: Result) -> tuple[str, str]:
    return str(result.created or ""), result.result_id


def require_belonging(result: Result, adapter: Adapter) -> None:
    """Refuse a result of other weights.

    Raises:
        BadInput: It is no adapter's, or another adapter's.
    """
    problem = _mismatch(result, adapter)
    if problem:
        raise BadInput(
            f"result {result.result_id[:8]} ({result.name}) does not belong to {adapter.folder}: "
            f"{problem}",
            remedy="Score this adapter with `rapport run --adapter`, or name the result's own.",
        )


def _mismatch(result: Result, adapter: Adapter) -> str | None:
    scored = result.arm.adapter
    if scored is None:
        return f"it is the result of a {result.kind}, not of an adapter"
    for what, theirs, ours in (
        ("weights", scored.weights_sha256, adapter.weights_sha256),
        ("config", scored.config_sha256, adapter.config_sha256),
    ):
        if theirs != ours:
            return f"it was scored with {what} {theirs[:12]}, the folder has {ours[:12]}"
    return None


def write_card(adapter: Adapter, results: Sequence[Result], *, everything: bool = False) -> Written:
    """Put results into the README of an adapter's folder.

    Args:
        adapter: Whose card.
        results: One for a suite, of this adapter.
        everything: Whether markers are written too.

    Raises:
        BadInput: The README's metadata cannot be read, or the file cannot be written.
    """
    path = adapter.folder / "README.md"
    before = _read(path)
    text = before if before is not None else _new_card(adapter)
    model, others = _index_of(text, path)
    shown = [
        [f for f in figures(result) if everything or f.family != "marker"] for result in results
    ]
    ours = [_entry(result, rows) for result, rows in zip(results, shown, strict=True)]
    kept = [entry for entry in model["results"] if not _replaced(entry, ours, adapter)]
    entries = [*kept, *ours]
    after = _with_index(text, [model | {"results": entries}, *others], path)
    if after != before:
        write_atomically(path, after)
    own = sum(map(_is_ours, entries))
    undefined = {f.name: None for rows in shown for f in rows if f.saved.value is None}
    return Written(path, own, len(entries) - own, tuple(undefined), after != before)


def _entry(result: Result, shown: Sequence[NamedFigure]) -> dict[str, Any]:
    """One entry of the model-index: a suite with all its metrics."""
    suite, base, adapter = result.suite, result.arm.base, result.arm.adapter
    rows = [
        EvalResult(
            task_type="text-generation",
            task_name=MARK,
            dataset_type=suite.name,
            dataset_name=f"{suite.name} {suite.version}, {suite.dialogues} dialogues",
            dataset_revision=suite.suite_id,
            dataset_args={
                "result_id": result.result_id,
                "adapter_weights_sha256": adapter and adapter.weights_sha256,
                "base_weights_sha256": base and base.weights_sha256,
                "quantization": base and base.quantization,
                "dtype": base and base.dtype,
            },
            metric_type=figure.name,
            metric_name=figure.label,
            metric_value=_six_digits(figure.saved.value),
            metric_args=_arguments(figure.saved, figure.direction),
        )
        for figure in shown
        if figure.saved.value is not None
    ]
    if not rows:
        raise BadInput(
            f"result {result.result_id[:8]}: no metric has a value",
            remedy="Score the adapter again with `rapport run`.",
        )
    (model,) = eval_results_to_model_index(result.name, rows)
    (entry,) = model["results"]
    found: dict[str, Any] = entry
    return found


def _arguments(saved: SavedMetric, direction: str) -> dict[str, Any]:
    ends = [_six_digits(end) for end in saved.ci] if saved.ci else None
    found: dict[str, Any] = {
        "better": direction,
        "ci95": ends,
        "turns": saved.n,
        "dialogues": saved.clusters,
    }
    if saved.coverage is not None:
        found["coverage"] = _six_digits(saved.coverage)
    return found


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")


def _is_ours(entry: Any) -> bool:
    return isinstance(entry, dict) and _part(entry, "task").get("name") == MARK


def _part(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    part = entry.get(key)
    return part if isinstance(part, dict) else {}


def _replaced(entry: Any, ours: Sequence[dict[str, Any]], adapter: Adapter) -> bool:
    """Whether an entry is ours and out of date: of a suite written now, or of former weights."""
    if not _is_ours(entry):
        return False
    dataset = _part(entry, "dataset")
    if _part(dataset, "args").get("adapter_weights_sha256") != adapter.weights_sha256:
        return True
    return dataset.get("revision") in {new["dataset"]["revision"] for new in ours}


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}", remedy="Make it readable.") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}: not UTF-8", remedy="Save it as UTF-8.") from None


def _new_card(adapter: Adapter) -> str:
    return f"---\nlibrary_name: peft\n---\n\n# {adapter.folder.resolve().name}\n"


def _metadata(text: str, path: Path) -> dict[str, Any]:
    match = REGEX_YAML_BLOCK.search(text.removeprefix("\ufeff"))
    try:
        data = yaml.safe_load(match.group(2)) if match else {}
    except (yaml.YAMLError, ValueError, RecursionError):
        raise BadInput(f"{path}: its metadata is not YAML", remedy=_REPAIR) from None
    if not isinstance(data or {}, dict):
        raise BadInput(f"{path}: its metadata is not a table of keys", remedy=_REPAIR)
    return data or {}


def _index_of(text: str, path: Path) -> tuple[dict[str, Any], list[Any]]:
    """The first model of the index, with its results as a list, and further models."""
    index = _metadata(text, path).get(_INDEX) or []
    if not isinstance(index, list) or not all(isinstance(model, dict) for model in index):
        raise BadInput(f"{path}: model-index is not a list of models", remedy=_REPAIR)
    first = index[0] if index else {}
    results = first.get("results") or []
    if not isinstance(results, list):
        raise BadInput(f"{path}: the results of model-index are not a list", remedy=_REPAIR)
    name = first.get("name") or path.parent.resolve().name
    return {"name": name, **first, "results": results}, index[1:]


def _with_index(text: str, models: list[Any], path: Path) -> str:
    """The card with another model-index, written and validated as the hub's library does."""
    plain = text.removeprefix("\ufeff")
    mark = text[: len(text) - len(plain)]
    newline = "\r\n" if "\r\n" in plain else "\n"
    match = REGEX_YAML_BLOCK.search(plain)
    body = plain[match.end() :] if match else plain
    wanted = {**_metadata(text, path), _INDEX: models}
    block = yaml.safe_dump(wanted, allow_unicode=True, sort_keys=False, line_break=newline)
    after = f"---{newline}{block}---{newline}{body}"
    try:
        ModelCard(after)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(
            f"{path}: the hub's library does not take this card ({type(error).__name__})",
            remedy=_REPAIR,
        ) from None
    return mark + after
