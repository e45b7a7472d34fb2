"""`rapport human score`: a study's folder and rating files in, one result out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport_bench.human.analysis.analysis import analyse
from rapport_bench.human.ratings.collecting import collect
from rapport_bench.human.sheets.study import Key, Study
from rapport_bench.results import human_sections as saved
from rapport_bench.results import result as results
from rapport_bench.results.human_result import (
    SCHEMA_VERSION,
    UNSEALED,
    HumanResult,
    columns_of,
    save,
    seal,
)
from rapport_bench.results.result import Result
from rapport_bench.running.content import volatile
from rapport_tasks.common.errors import BadInput


@dataclass(frozen=True, slots=True)
class ScoredStudy:
    """A study's outcome.

    Attributes:
        result: With its path if it was saved.
        new: Whether its file was not there before.
        warnings: For people.
    """

    result: HumanResult
    new: bool
    warnings: tuple[str, ...]


def score(
    folder: str | Path,
    ratings: Sequence[str | Path],
    *,
    results_folder: str | Path,
    keep_inattentive: bool = False,
    keep: bool = True,
) -> ScoredStudy:
    """Check, unblind and analyse the ratings of a study, and save what came out.

    Args:
        folder: Of the study.
        ratings: Files, or folders of files.
        results_folder: Where the arms' results lie and the human result goes.
        keep_inattentive: Count raters who failed the attention checks too.
        keep: Write the result.

    Raises:
        BadInput: Anything that makes a rating doubtful; nothing is written then.
        Incomplete: The disk is full.
    """
    started = time.monotonic()
    collected = collect(folder, ratings, keep_inattentive=keep_inattentive)
    study, key, counting = collected.study, collected.key, collected.counting
    arms = _arms(key, results_folder)
    if not len(counting):
        raise BadInput(
            "no rating is left to score", remedy="Give files with ratings, or --keep-inattentive."
        )
    items = _items(study, key)
    content = saved.HumanContent(
        schema_version=SCHEMA_VERSION,
        status="complete",
        result_id=UNSEALED,
        study=saved.StudySection(
            name=study.study,
            seed=study.seed,
            simulated=collected.simulated,
            key_sha256=study.key_sha256,
        ),
        suite=saved.SuiteSection(name=arms[0].suite.name, suite_id=key.suite_id),
        arms=key.arms,
        scales=tuple(saved.RatedScale(name=s.name, points=s.points) for s in study.scales),
        design=saved.DesignSection(
            raters=len(study.raters),
            items=len(study.items),
            per_item=study.per_item,
            repeats=len(key.repeats),
            attention_checks=len(key.attention),
        ),
        raters=collected.raters,
        items=items,
        ratings=columns_of(collected.ratings),
        analysis=analyse(counting, arms, items.dialogue),
        # Without arguments: they name files, and files may be named after people.
        **volatile(started, "rapport human score"),
    )
    sealed = seal(content)
    if not keep:
        return ScoredStudy(sealed, False, collected.warnings)
    there, new = save(sealed, results_folder)
    return ScoredStudy(there, new, collected.warnings)


def _arms(key: Key, folder: str | Path) -> list[Result]:
    """The results whose replies were rated.

    Raises:
        BadInput: One is not there, or is of another suite.
    """
    found = []
    for arm in key.arms:
        try:
            found.append(results.find(arm.result_id, folder))
        except BadInput:
            raise BadInput(
                f"the result of arm {arm.name!r} ({arm.result_id[:8]}) is not in {folder}",
                remedy="Name the results folder of the study with --results.",
            ) from None
    for result in found:
        if result.suite_id != key.suite_id:
            raise BadInput(
                f"arm {result.name!r} is of another suite than the study",
                remedy="Restore the results from git.",
            )
    return found


def _items(study: Study, key: Key) -> saved.ItemsSection:
    items = [key.items[item] for item in study.items]
    return saved.ItemsSection(
        id=study.items,
        dialogue=tuple(item.dialogue for item in items),
        turn=tuple(item.turn for item in items),
        domain=tuple(item.domain for item in items),
    )
