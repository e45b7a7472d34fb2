"""What must hold of a saved human result beyond its schema."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from rapport_bench.human.analysis.analysis import analyse
from rapport_bench.results import result as results
from rapport_bench.results.fields import LABEL, NAME
from rapport_bench.results.human_result import HumanResult, load, path_of, ratings_of
from rapport_bench.results.ratings import Ratings
from rapport_bench.results.shared_sections import SharedVolatile
from rapport_tasks.common.errors import RapportError

_ABSOLUTE = 2e-6
"""Figures are saved with six decimals; machines may round the last one differently."""
_FROM_GIT = "Restore the file from git."


def problems(path: str | Path) -> list[tuple[str, str]]:
    """What is wrong with a human result, as (message, remedy); for `rapport results verify`.

    Schema, identity, its place below the results folder, and every figure computed again from the
    ratings; those of metrics from the arms' results, which must lie in the same folder.
    """
    path = Path(path)
    try:
        result = load(path)
    except RapportError as error:
        return [(error.message.removeprefix(f"{path}: "), error.remedy)]
    found = [(said, _FROM_GIT) for said in _texts(result)]
    folder = path.resolve().parents[3] if len(path.resolve().parents) > 3 else path.parent
    where = path_of(result, folder)
    if where != path.resolve():
        found.append((f"belongs at {where.relative_to(folder).as_posix()}", "Move it there."))
    try:
        ratings = _checked_ratings(result)
    except ValueError as error:
        return [*found, (str(error), _FROM_GIT)]
    arms = []
    for arm in result.content.arms:
        try:
            there = results.find(arm.result_id, folder)
        except RapportError:
            said = f"rests on result {arm.result_id[:8]}, which is not in {folder.name}"
            found.append((said, "Add the arm's result file."))
            continue
        arms.append(there)
        if (there.name, there.kind, there.arm.arm_id) != (
            arm.name, arm.kind, arm.arm_id,
        ):  # fmt: skip
            said = f"says other things of result {arm.result_id[:8]} than its file"
            found.append((said, _FROM_GIT))
    complete = len(arms) == len(result.content.arms)
    if complete and any(arm.suite_id != result.suite_id for arm in arms):
        found.append(("its arms are of another suite than it says", _FROM_GIT))
        complete = False
    excluded = {rater.code for rater in result.content.raters if rater.excluded}
    dialogues = result.content.items.dialogue
    if complete and any(not set(dialogues) <= set(arm.dialogue_ids) for arm in arms):
        found.append(("it rates dialogues that its arms never answered", _FROM_GIT))
        complete = False
    if complete and not _domains_agree(result, arms[0]):
        found.append(("gives dialogues other domains than the arms' results", _FROM_GIT))
    derived = analyse(ratings.without(excluded), arms if complete else [], dialogues)
    stored = result.analysis
    if stored.version != derived.version:
        said = f"its analysis is of another version than this program's, {derived.version}"
        return [*found, (said, "Score the study again, or check it with that version.")]
    if not complete or stored.metrics is None:
        without = {"metrics": None}
        stored, derived = stored.model_copy(update=without), derived.model_copy(update=without)
    wrong = list(_differing(stored.to_json(), derived.to_json(), ""))
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        said = f"figures that do not follow from its ratings: {', '.join(wrong[:3])}{more}"
        found.append((said, "Restore the file from git, or score the study again."))
    return found


def _texts(result: HumanResult) -> Iterator[str]:
    """Places whose strings could hold a dialogue's text, by the bounds that results have."""
    content = result.content
    items = content.items
    for where, form, texts in (
        ("study/name", LABEL, [content.study.name]),
        ("suite/name", NAME, [content.suite.name]),
        ("arms/name", NAME, [arm.name for arm in content.arms]),
        ("items/dialogue", LABEL, items.dialogue),
        ("items/domain", LABEL, [domain for domain in items.domain if domain is not None]),
    ):
        if not all(map(form.search, texts)):
            yield f"{where}: could hold text"
    try:
        SharedVolatile.model_validate(content.volatile.to_json())
    except ValidationError:
        yield "volatile: could hold text"


def _domains_agree(result: HumanResult, arm: results.Result) -> bool:
    domains = arm.dialogues.group.domain
    of = dict(zip(arm.dialogue_ids, domains, strict=True))
    items = result.content.items
    return [of[name] for name in items.dialogue] == list(items.domain)


def _checked_ratings(result: HumanResult) -> Ratings:
    """The ratings, every place in range and no unit twice.

    Raises:
        ValueError: With what is not.
    """
    ratings = ratings_of(result)
    limits = {
        "rater": len(ratings.raters),
        "item": len(ratings.items),
        "arm": len(ratings.arms),
        "scale": len(ratings.scales),
    }
    lengths = {len(column) for _, column in result.content.ratings}
    if len(lengths) > 1:
        raise ValueError(f"columns of ratings have lengths {sorted(lengths)}")
    if len({len(column) for _, column in result.content.items}) > 1:
        raise ValueError("columns of items have different lengths")
    for name, limit in limits.items():
        if (getattr(ratings, name) >= limit).any():
            raise ValueError(f"ratings whose {name} is not listed")
    if (ratings.value > np.array(ratings.points)[ratings.scale]).any():
        raise ValueError("ratings beyond their scale")
    units = np.stack([ratings.rater, ratings.item, ratings.arm, ratings.scale, ratings.again])
    if len(np.unique(units, axis=1).T) < len(ratings):
        raise ValueError("one unit is rated twice")
    return ratings


def _differing(stored: Any, derived: Any, where: str) -> Iterator[str]:
    """Places where two analyses differ by more than rounding."""
    if isinstance(stored, Mapping) and isinstance(derived, Mapping):
        for key in sorted({*stored, *derived}):
            yield from _differing(stored.get(key), derived.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(stored, list) and isinstance(derived, list) and len(stored) == len(derived):
        for place, (one, other) in enumerate(zip(stored, derived, strict=True)):
            yield from _differing(one, other, f"{where}[{place}]")
    elif isinstance(stored, float | int) and isinstance(derived, float | int):
        if not math.isclose(stored, derived, rel_tol=1e-4, abs_tol=_ABSOLUTE):
            yield where
    elif stored != derived:
        yield where
