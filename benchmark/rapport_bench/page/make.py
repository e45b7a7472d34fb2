"""From saved results to the report's file."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from rapport_bench.arms.text_sources import Sources
from rapport_bench.arms.texts import find_texts
from rapport_bench.common.escape import one_line
from rapport_bench.common.files import write_atomically
from rapport_bench.judging.leaderboard import load_results
from rapport_bench.page.board import rated
from rapport_bench.page.cases import case_arms, cases
from rapport_bench.page.forest import forest
from rapport_bench.page.layout import json_block, render
from rapport_bench.page.pictures import Picture, inline_svg, save
from rapport_bench.page.provenance import provenance
from rapport_bench.page.scatter import scatter
from rapport_bench.page.subject import Subject, subject
from rapport_bench.page.training import trainings
from rapport_bench.page.wording import Words, words
from rapport_bench.results.metrics import BESIDE_BOTS
from rapport_bench.words.board import board_table
from rapport_bench.words.next_steps import positional
from rapport_bench.words.signs import TONES
from rapport_bench.words.studies import studies_of

DRAWN = (forest, scatter)
"""The pictures, in the page's order."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What `rapport report` was asked for.

    Attributes:
        results: Folder of result files.
        out: The page.
        suite: Name or start of an id.
        baseline: An arm.
        candidates: Arms.
        with_text: Whether dialogues are quoted.
        sources: Where their text is.
        adapters: Folders with what training left.
        pictures: Folder for picture files, too.
    """

    results: str
    out: str
    suite: str | None = None
    baseline: str | None = None
    candidates: tuple[str, ...] = ()
    with_text: bool = False
    sources: Sources = field(default_factory=Sources)
    adapters: tuple[str, ...] = ()
    pictures: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What was written.

    Attributes:
        subject: What the page is about.
        words: Its verdict.
        files: The page, then pictures.
        warnings: Broken result files, and replies that are gone.
    """

    subject: Subject
    words: Words
    files: tuple[Path, ...]
    warnings: tuple[str, ...]


def make_report(request: Request, progress: Progress = lambda _, __, ___: None) -> Made:
    """Write the page, and the pictures if asked for.

    Raises:
        BadInput: No results, an unknown arm, data that are not the suite's, an unwritable folder.
    """
    results, problems = load_results(request.results)
    found = subject(
        results,
        suite=request.suite,
        baseline=request.baseline,
        candidates=request.candidates,
    )
    trained = trainings(found, request.adapters)
    texts = find_texts(case_arms(found), request.sources) if request.with_text else None
    studied = cases(found, texts, lambda done, total: progress("case studies", done, total))
    said = words(found, request.results)
    studies, broken = studies_of(request.results, found.board.suite.suite_id)
    problems += broken
    pictures = [picture for draw in DRAWN if (picture := draw(found)) is not None]
    page = render(
        "report.html.j2",
        title=f"{one_line(found.board.suite.name)}: rapport report",
        found=found,
        words=said,
        signs=TONES,
        pictures=[(picture, Markup(inline_svg(picture))) for picture in pictures],
        trainings=[(one, one.picture and Markup(inline_svg(one.picture))) for one in trained],
        table=board_table(found.board, found.labels, beside=BESIDE_BOTS),
        cases=studied,
        data=json_block(studied.data),
        **rated(studies),
        problems=[one_line(problem) for problem in problems],
        source=provenance(found),
        command=_command(request),
    )
    out = Path(request.out)
    write_atomically(out, page, private=request.with_text)
    pictures += [training.picture for training in trained if training.picture is not None]
    files = [out, *_saved(pictures, request.pictures)]
    missing = texts.missing if texts is not None else ()
    return Made(found, said, tuple(files), (*problems, *missing))


def _saved(pictures: Sequence[Picture], folder: str | None) -> list[Path]:
    if folder is None:
        return []
    return [path for picture in pictures for path in save(picture, Path(folder))]


def _command(request: Request) -> str:
    """The command that makes this page again."""
    parts = ["-o", request.out]
    for option, value in (
        ("--suite", request.suite),
        ("--baseline", request.baseline),
        ("--store", request.sources.store),
        ("--data", request.sources.data),
    ):
        parts += [option, value] if value is not None else []
    for option, many in (
        ("--candidate", request.candidates),
        ("--replies", request.sources.replies),
        ("--adapter", request.adapters),
    ):
        parts += [part for value in many for part in (option, value)]
    options = shlex.join([*parts, *(["--with-text"] if request.with_text else [])])
    return f"rapport report {positional(request.results)} {options}"
