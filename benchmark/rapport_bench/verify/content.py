"""What must hold of a result, a validity report, the baselines and the policy, beyond schemas.

A checker gets a `Found` file and gives (message, remedy) for each problem; a `RapportError` that it
raises is one problem more. Messages name places and numbers, never a text from the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from rapport_bench.common.escape import one_line
from rapport_bench.common.identity import digest
from rapport_bench.common.model import breaches
from rapport_bench.judging.gate_policy import read_policy
from rapport_bench.results.fields import Section
from rapport_bench.results.result import Result, checked, path_of, slug
from rapport_bench.results.roles import ROLES
from rapport_bench.results.sections import ArmSection
from rapport_bench.results.shared_sections import SharedContent
from rapport_bench.running.suite import suite_identity
from rapport_bench.validity.saved_report import SavedReport
from rapport_bench.verify.reading import (
    FROM_GIT,
    Found,
    Said,
    misplaced,
    read_text,
    strict_json,
)
from rapport_tasks.common.errors import BadInput, RapportError
from rapport_tasks.common.parsing import Malformed, parse_toml

_RUN_AGAIN = "Restore the file from git, or run the arm again."
_BLESS = "Restore it from git, or name another baseline with `rapport gate bless`."
_BASELINE_LENGTHS = {
    "result_id": 64,
    "path": 500,
    "blessed_by": 100,
    "blessed_at": 40,
    "reason": 200,
}


def check_result(found: Found) -> Iterator[Said]:
    """A result file: schema, identity, no text, figures that follow from columns, its place."""
    data = strict_json(found.text)
    result = checked(data, found.path)
    broken = _breaches(SharedContent, data, "Run the arm again under short names.")
    if broken:  # what follows may name keys of the file
        yield from broken
        return
    yield from misplaced(found, path_of(result, found.root))
    if suite_identity(result.suite.to_json()) != result.suite_id:
        yield "its suite_id does not follow from data, protocol and tasks", _RUN_AGAIN
    if not _has_what_answers(result.arm):
        yield f"its base or adapter is not that of kind {result.kind}", _RUN_AGAIN
    strangers = {item.dialogue for item in result.unscored} - set(result.dialogue_ids)
    if strangers:
        yield f"{len(strangers)} unscored dialogues are none of its own", _RUN_AGAIN
    yield from _beside_others(found, result)


def _has_what_answers(arm: ArmSection) -> bool:
    role = ROLES[arm.kind]
    return role.weights == (arm.base is not None) and role.adapted == (arm.adapter is not None)


def _beside_others(found: Found, result: Result) -> Iterator[Said]:
    _, first = found.seen.setdefault(("result", result.result_id), ("", found.path))
    if first != found.path:
        yield f"the same content as {_short(first)}", "Keep one of the two."
    asked = digest([result.dialogue_ids, result.dialogues.group.to_json()])
    value, other = found.seen.setdefault(("suite", result.suite_id), (asked, found.path))
    if value != asked:
        yield f"other dialogues than {_short(other)}, though of one suite", _RUN_AGAIN


def check_validity(found: Found) -> Iterator[Said]:
    """A report of `rapport validate`: schema, no text, and a name that follows from its content."""
    data = strict_json(found.text)
    broken = _breaches(SavedReport, data, FROM_GIT)
    if broken:
        yield from broken
        return
    report = SavedReport.model_validate(data)
    name = f"{report.what}-{slug(report.data.name)}-{digest(data)[:8]}.json"
    if name != found.place.name:
        yield f"its content belongs to the name {name}: edited, or renamed", FROM_GIT


def check_baselines(found: Found) -> Iterator[Said]:
    """``baselines.toml``: every baseline is there, at the path and with the id that are named."""
    try:
        entries = parse_toml(found.text).get("baselines", {})
    except Malformed as error:
        raise BadInput(str(error), remedy=FROM_GIT) from None
    if not isinstance(entries, dict):
        raise BadInput("baselines is not a table", remedy=FROM_GIT)
    for name in entries:
        yield from _baseline(found, name, entries[name])


def check_policy(found: Found) -> Iterator[Said]:
    """``gate.toml``: a policy that `rapport gate` reads."""
    read_policy(found.path)
    yield from ()


def _baseline(found: Found, name: str, entry: Any) -> Iterator[Said]:
    label = f"[baselines.{_short(name)}]"
    if not isinstance(entry, dict):
        yield f"{label}: not a table", FROM_GIT
        return
    for key, value in entry.items():
        most = _BASELINE_LENGTHS.get(key)
        if most is None:
            yield (
                f"{label}: a key that does not belong there",
                f"Only {', '.join(_BASELINE_LENGTHS)}.",
            )
        elif not isinstance(value, str) or len(value) > most or one_line(value) != value:
            yield f"{label}: {key} is not one line of up to {most} characters", _BLESS
    path, identity = entry.get("path"), entry.get("result_id")
    if not isinstance(path, str) or not isinstance(identity, str):
        yield f"{label}: no path or no result_id", _BLESS
        return
    if PurePosixPath(path).parts[:1] != ("v1",) or ".." in PurePosixPath(path).parts:
        yield f"{label}: its path leads out of v1", _BLESS
        return
    there = found.root / path
    if not os.path.lexists(there):
        yield f"{label}: the baseline was deleted: no {_short(path)}", _BLESS
        return
    try:
        baseline = checked(strict_json(read_text(there, limit=found.limit)), there)
    except RapportError as error:
        yield f"{label}: {_short(path)}: {error.message.removeprefix(f'{there}: ')}", error.remedy
        return
    if baseline.result_id != identity:
        yield f"{label}: {_short(path)} is another result than {_short(identity)[:8]}", _BLESS
    elif path_of(baseline, "").as_posix() != path:
        yield f"{label}: its path is not where the result belongs", _BLESS


def _short(name: str | Path) -> str:
    text = one_line(str(name))
    return text if len(text) <= 120 else f"…{text[-119:]}"


def _breaches(model: type[Section], data: Any, remedy: str) -> list[Said]:
    try:
        model.model_validate(data)
    except ValidationError as error:
        return [(said, remedy) for said in breaches(error, data)[:3]]
    return []
