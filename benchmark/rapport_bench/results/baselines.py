"""Named baselines, `results/baselines.toml`: which result a gate sets candidates against."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

from rapport_bench.common.files import write_atomically
from rapport_bench.results.result import Result, load
from rapport_tasks.common.errors import BadInput, close_match
from rapport_tasks.common.parsing import read_toml

FILE = "baselines.toml"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


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
    if not _below(there, folder):
        raise BadInput(
            f"{path}: [baselines.{name}]: its path leads out of {folder}",
            remedy="Name a result of that folder with `rapport gate bless`.",
        )
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


def bless(
    result: Result, folder: str | Path, *, name: str, blessed_by: str, reason: str
) -> str | None:
    """Make a saved result the baseline of that name; other baselines stay, comments do not.

    Returns:
        The id of the result that had the name before.

    Raises:
        BadInput: A name that is no bare key, no reason, a result outside the folder, a damaged file.
    """
    path = Path(folder) / FILE
    if not _BARE_KEY.fullmatch(name):
        raise BadInput(
            f"--baseline-name {name!r}", remedy="Up to 60 letters, digits, - and _, like main."
        )
    if not reason.strip():
        raise BadInput("no reason given", remedy="Say with --reason why it is the baseline now.")
    if result.path is None or not _below(result.path, folder):
        raise BadInput(
            f"{result.path}: not below {folder}",
            remedy="Only a result of that folder can be named.",
        )
    entries = _entries(path) if path.exists() else {}
    before = entries.get(name)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    entries[name] = {
        "result_id": result.result_id,
        "path": result.path.resolve().relative_to(Path(folder).resolve()).as_posix(),
        "blessed_by": blessed_by,
        "blessed_at": now.isoformat().replace("+00:00", "Z"),
        "reason": reason.strip(),
    }
    sections = [_section(key, entries[key], path) for key in sorted(entries)]
    write_atomically(path, "\n".join(sections))
    return str(before["result_id"]) if isinstance(before, dict) and "result_id" in before else None


def _below(path: Path, folder: str | Path) -> bool:
    """Whether a path lies in a folder, links followed."""
    try:
        return path.resolve().is_relative_to(Path(folder).resolve())
    except (OSError, ValueError, RuntimeError):  # no name of a file, or a link to itself
        return False


def _section(name: str, entry: Any, path: Path) -> str:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise BadInput(
            f"{path}: [baselines.{name}]: not a table of texts", remedy="Restore the file from git."
        )
    lines = [f"[baselines.{_key(name)}]"]
    lines += [f"{_key(key)} = {_quoted(value)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _entries(path: Path) -> dict[str, Any]:
    unreadable = "Give --baseline, or name one with `rapport gate bless`."
    data = read_toml(path, remedy="Restore it from git.", unreadable=unreadable)
    entries = data.get("baselines", {})
    if not isinstance(entries, dict):
        raise BadInput(f"{path}: baselines is not a table", remedy="Restore the file from git.")
    return entries
