"""The leaderboard alone as a page that sorts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rapport_bench.common.escape import one_line
from rapport_bench.judging.leaderboard import Leaderboard
from rapport_bench.judging.published import STATUS, Published
from rapport_bench.judging.published import rows as published_rows
from rapport_bench.page.layout import render
from rapport_bench.results.human_result import HumanResult
from rapport_bench.results.metrics import BESIDE_BOTS
from rapport_bench.words.board import board_table
from rapport_bench.words.study import agreement_warnings, headline
from rapport_bench.words.study_tables import tables


def board_page(
    board: Leaderboard,
    labels: Mapping[str, str],
    problems: Sequence[str],
    published: Published | None = None,
    studies: Sequence[HumanResult] = (),
) -> str:
    """The board as HTML; below it what people said, and what was published if asked for."""
    return render(
        "leaderboard.html.j2",
        title=f"{one_line(board.suite.name)}: rapport leaderboard",
        table=board_table(board, labels, beside=BESIDE_BOTS),
        apart=[(one_line(r.name), r.result_id[:8], one_line(why)) for r, why in board.apart],
        problems=[one_line(problem) for problem in problems],
        published=published,
        published_rows=list(published_rows(published)) if published else [],
        published_status=STATUS,
        **rated(studies),
    )


def rated(studies: Sequence[HumanResult]) -> dict[str, Any]:
    """What a template is given of studies: all of their tables, and whether people rated."""
    return {
        "studies": [
            (headline(study), study.simulated, agreement_warnings(study), list(tables(study)))
            for study in studies
        ],
        "people": any(not study.simulated for study in studies),
    }
