"""Ratings by people on the page: the tables of `rapport human score`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from rapport_bench.page.subject import Subject
from rapport_bench.page.templating import environment
from rapport_bench.results.human_result import HumanResult
from rapport_bench.words.studies import studies_of
from rapport_bench.words.study import agreement_warnings, headline
from rapport_bench.words.study_tables import tables


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page after the case studies.

    Attributes:
        anchor: Its id in the page, letters and hyphens.
        title: Its heading.
        body: Its content, escaped already: HTML that needs no script and no network.
    """

    anchor: str
    title: str
    body: Markup


def human_section(found: Subject, folder: Path) -> tuple[Section | None, list[str]]:
    """Studies of the suite's arms below a results folder, and a line for each broken file."""
    studies, problems = studies_of(folder, found.board.suite.suite_id)
    return study_section(studies), problems


def study_section(studies: Sequence[HumanResult]) -> Section | None:
    """Every table of every study; `None` without one."""
    if not studies:
        return None
    shown = [
        (headline(study), study.simulated, agreement_warnings(study), tables(study))
        for study in studies
    ]
    body = environment().get_template("human.html.j2").render(studies=shown)
    people = any(not study.simulated for study in studies)
    return Section("human", "Ratings by people" if people else "Simulated ratings", Markup(body))
