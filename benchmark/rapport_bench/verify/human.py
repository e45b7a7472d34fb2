"""What must hold of a saved human result beyond its schema."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import ValidationError

from rapport_bench.human.analysis.analysis import analyse
from rapport_bench.results.checks import differing, first
from rapport_bench.results.fields import LABEL, NAME
from rapport_bench.results.human_result import HumanResult, load, path_of, ratings_of
from rapport_bench.results.human_sections import HumanContent
from rapport_bench.results.ratings import Ratings
from rapport_bench.results.result import Result, find
from rapport_bench.results.shared_sections import SharedVolatile
from rapport_bench.verify.reading import FROM_GIT, Found, Said, misplaced
from rapport_tasks.common.errors import BadInput, RapportError


def check_study(found: Found) -> Iterator[Said]:
    """A human result: schema, identity, place, no text, and every figure computed again.

    Those of metrics follow from the arms' results, which must lie in the same folder.
    """
    result = load(found.path)
    content, folder = result.content, found.root
    yield from ((said, FROM_GIT) for said in _texts(content))
    yield from misplaced(found, path_of(result, folder))
    ratings = _checked_ratings(result)
    arms: list[Result] = []
    for arm in content.arms:
        try:
            there = find(arm.result_id, folder)
        except RapportError:
            said = f"rests on result {arm.result_id[:8]}, which is not in {folder.name}"
            yield said, "Add the arm's result file."
            continue
        arms.append(there)
        if (there.name, there.kind, there.arm.arm_id) != (arm.name, arm.kind, arm.arm_id):
            yield f"says other things of result {arm.result_id[:8]} than its file", FROM_GIT
    complete = len(arms) == len(content.arms)
    if complete and any(arm.suite_id != result.suite_id for arm in arms):
        yield "its arms are of another suite than it says", FROM_GIT
        complete = False
    dialogues = content.items.dialogue
    if complete and any(not set(dialogues) <= set(arm.dialogue_ids) for arm in arms):
        yield "it rates dialogues that its arms never answered", FROM_GIT
        complete = False
    if complete:
        group = zip(arms[0].dialogue_ids, arms[0].dialogues.group.domain, strict=True)
        domains = dict(group)
        if [domains[name] for name in dialogues] != list(content.items.domain):
            yield "gives dialogues other domains than the arms' results", FROM_GIT
    excluded = {rater.code for rater in content.raters if rater.excluded}
    derived = analyse(ratings.without(excluded), arms if complete else [], dialogues)
    stored = result.analysis
    if stored.version != derived.version:
        said = f"its analysis is of another version than this program's, {derived.version}"
        yield said, "Score the study again, or check it with that version."
        return
    if not complete or stored.metrics is None:
        without = {"metrics": None}
        stored, derived = stored.model_copy(update=without), derived.model_copy(update=without)
    # Saved with six decimals, of which machines may round the last one differently.
    places = differing(stored.to_json(), derived.to_json(), "", relative=1e-4, absolute=2e-6)
    wrong = [where for where, _, _ in places]
    if wrong:
        said = f"figures that do not follow from its ratings: {first(wrong)}"
        yield said, "Restore the file from git, or score the study again."


def _texts(content: HumanContent) -> Iterator[str]:
    """Places whose strings could hold a dialogue's text, by the bounds that results have."""
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


def _checked_ratings(result: HumanResult) -> Ratings:
    """The ratings, every place in range and no unit twice.

    Raises:
        BadInput: With what is not.
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
        raise BadInput(f"columns of ratings have lengths {sorted(lengths)}", remedy=FROM_GIT)
    if len({len(column) for _, column in result.content.items}) > 1:
        raise BadInput("columns of items have different lengths", remedy=FROM_GIT)
    for name, limit in limits.items():
        if (getattr(ratings, name) >= limit).any():
            raise BadInput(f"ratings whose {name} is not listed", remedy=FROM_GIT)
    if (ratings.value > np.array(ratings.points)[ratings.scale]).any():
        raise BadInput("ratings beyond their scale", remedy=FROM_GIT)
    units = np.stack([ratings.rater, ratings.item, ratings.arm, ratings.scale, ratings.again])
    if len(np.unique(units, axis=1).T) < len(ratings):
        raise BadInput("one unit is rated twice", remedy=FROM_GIT)
    return ratings
