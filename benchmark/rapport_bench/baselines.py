"""Named baselines, `results/baselines.toml`: which result a gate sets candidates against."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from rapport_bench.results import Result, load
from rapport_tasks.errors import BadInput, close_match

FILE = "baselines.toml"


def named_baseline(name: str, folder: str | Path) -> Result:
    """The result that ``[baselines.<name>]`` names: its ``path``, below the folder of results.

    Raises:
        BadInput: No such file or name, a damaged entry, a result that was deleted or replaced.
    """
    path = Path(folder) / FILE
    entries = _entries(path)
    if name not in entries:
        raise BadInput(
            f"{path}: no baseline {name!r}",
            remedy=close_match(name, entries) + f"There are: {', '.join(entries) or 'none'}.",
        )
    entry = entries[name]
    for key in ("result_id", "path"):
        if not isinstance(entry, dict) or not isinstance(entry.get(key), str):
            raise BadInput(
                f"{path}: [baselines.{name}]: no {key}", remedy="Restore the file from git."
            )
    there = Path(folder) / entry["path"]
    if not there.is_file():
        raise BadInput(
            f"{path}: [baselines.{name}]: {there} is not there: the baseline was deleted",
            remedy="Restore it from git, or name another baseline.",
        )
    result = load(there)
    if result.result_id != entry["result_id"]:
        raise BadInput(
            f"{path}: [baselines.{name}]: {there} is result {result.result_id[:8]}, "
            f"not {entry['result_id'][:8]}",
            remedy="Restore it from git, or name another baseline.",
        )
    return result


def _entries(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(
            f"{path}: {error.strerror}", remedy="Give --baseline, or write a named baseline there."
        ) from None
    except ValueError as error:
        raise BadInput(f"{path}: not TOML: {error}", remedy="Restore it from git.") from None
    entries = data.get("baselines", {})
    if not isinstance(entries, dict):
        raise BadInput(f"{path}: baselines is not a table", remedy="Restore the file from git.")
    return entries
