"""How well topic shifts agree with labels.

=====================  ==========================================================================
``pk``                 Beeferman's Pk, mean over dialogues; lower is better
``window_diff``        WindowDiff, likewise
``window_f1``          F1 of boundaries at most one place away, mean over the dialogues that have
                       any, labelled or found
``auc``                chance that a labelled boundary scores above another position
``count_r``            partial Spearman correlation of shifts per dialogue, length held fixed
``rate``               shifts found per 10 positions
=====================  ==========================================================================

Each for all positions, and with ``assistant_`` before its name for assistant turns alone: the
dialogue is then the sequence of its assistant turns, as if nobody else could shift the topic, for
scorer and baselines alike. ``coverage`` is the share of positions that the scorer has scored.
Intervals: bootstrap over dialogues. Baselines: no shift, evenly spaced and random shifts at the rate
of the labels (`rapport_tasks.shifts.segmentation.baselines`); their AUC takes decisions as scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rapport_bench.statistics.resampling import DRAWS, SEED, Resampler, Sampled
from rapport_bench.validity.agreement import auc, count_correlation
from rapport_bench.validity.figures import (
    OURS,
    VERSION,
    Progress,
    Report,
    compared,
    encoder_name,
)
from rapport_bench.validity.labelled import LabelledDialogue, read_shifts
from rapport_tasks.common.paths import file_sha256
from rapport_tasks.metrics.scorers import boundary_scorer
from rapport_tasks.metrics.topic_shift import Boundary, BoundaryScorer
from rapport_tasks.shifts.segmentation import Labels, Measure, baselines, pk, window_diff, window_f1
from rapport_tasks.specs.topic_shift import TASK

_FIGURES = ("pk", "window_diff", "window_f1", "auc", "count_r", "rate")
_VIEWS = ("", "assistant_")
FIGURES = (*(view + name for view in _VIEWS for name in _FIGURES), "coverage")


@dataclass(frozen=True, slots=True)
class View:
    """The positions that count, dialogue by dialogue.

    Attributes:
        ids: Of the dialogues.
        references: Entry 0 of each is a placeholder that never counts, the others are labels.
        positions: Message index of each label.
    """

    ids: list[str]
    references: list[list[bool]]
    positions: list[list[int]]

    def of(self, values: Sequence[Sequence[bool]]) -> list[list[bool]]:
        """Decisions per message as decisions per position."""
        return [
            [False, *(row[i] for i in places)]
            for row, places in zip(values, self.positions, strict=True)
        ]


def validate_shifts(
    path: Path, *, encoder: str = "embedded", on_progress: Progress | None = None
) -> Report:
    """Measure the boundary scorer on a file of labelled dialogues.

    Raises:
        BadInput: The file or the encoder cannot be used.
    """
    dialogues = read_shifts(path)
    scorer = boundary_scorer(encoder)
    report = shifts_report(path.stem, dialogues, scorer, on_progress=on_progress)
    return replace(
        report,
        data={"sha256": file_sha256(path), **report.data},
        settings={**report.settings, "encoder": encoder_name(encoder)},
    )


def shifts_report(
    name: str,
    dialogues: Sequence[LabelledDialogue],
    scorer: BoundaryScorer,
    *,
    on_progress: Progress | None = None,
) -> Report:
    """Measure a boundary scorer on labelled dialogues, wherever they come from."""
    found: list[list[Boundary]] = []
    for done, item in enumerate(dialogues, start=1):
        found.append(scorer.score_messages(item.dialogue.messages))
        if on_progress is not None:
            on_progress("dialogues", done, len(dialogues))
    arms, differences = compared(measure(dialogues, found))
    return Report(
        what="shifts",
        name=name,
        data={
            "dialogues": len(dialogues),
            "positions": sum(map(len, _view(dialogues, assistant=False).positions)),
            "assistant_positions": sum(map(len, _view(dialogues, assistant=True).positions)),
            "shifts": sum(sum(item.labels) for item in dialogues),
            "assistant_shifts": sum(
                sum(map(sum, _view([item], assistant=True).references)) for item in dialogues
            ),
        },
        scorer={"name": OURS, "identity": scorer.identity, "rapport_topic_shift": TASK.version},
        settings={"validity": VERSION, "draws": DRAWS, "seed": SEED},
        arms=arms,
        differences=differences,
    )


def measure(
    dialogues: Sequence[LabelledDialogue], found: Sequence[Sequence[Boundary]]
) -> dict[str, dict[str, Sampled]]:
    """All figures of the scorer and the baselines, on the same resamples.

    Args:
        dialogues: With labels.
        found: One boundary a message, as `BoundaryScorer.score_messages` gives them.
    """
    arms: dict[str, dict[str, Sampled]] = {OURS: {}}
    for prefix in _VIEWS:
        view = _view(dialogues, assistant=bool(prefix))
        decided = view.of([[bool(b.boundary) for b in row] for row in found])
        scores = [
            [row[i].score for i in places]
            for row, places in zip(found, view.positions, strict=True)
        ]
        arms[OURS] |= _figures(prefix, view, decided, scores)
        for baseline in baselines(view.references, seed=SEED):
            told = [[float(x) for x in row[1:]] for row in baseline.predictions]
            arms.setdefault(baseline.name, {})
            arms[baseline.name] |= _figures(prefix, view, baseline.predictions, told)
        if not prefix:
            scored = [score is not None for row in scores for score in row]
            arms[OURS]["coverage"] = _over_positions(view).mean(scored)
    return arms


def _view(dialogues: Sequence[LabelledDialogue], *, assistant: bool) -> View:
    """Every message after the first but the system's, or the assistant's turns among them."""
    positions = [
        [
            i
            for i, message in enumerate(item.dialogue.messages)
            if i and message.role in (("assistant",) if assistant else ("user", "assistant"))
        ]
        for item in dialogues
    ]
    references = [
        [False, *(item.labels[i] for i in places)]
        for item, places in zip(dialogues, positions, strict=True)
    ]
    return View([item.dialogue.id for item in dialogues], references, positions)


def _over_positions(view: View) -> Resampler:
    pairs = zip(view.ids, view.positions, strict=True)
    return Resampler([name for name, places in pairs for _ in places])


def _figures(
    prefix: str,
    view: View,
    predictions: Sequence[Labels],
    scores: Sequence[Sequence[float | None]],
) -> dict[str, Sampled]:
    """The figures of one scorer on one view."""
    over = Resampler(view.ids)
    row = {
        name: over.mean(_per_dialogue(measure, view.references, predictions))
        for name, measure in (("pk", pk), ("window_diff", window_diff), ("window_f1", window_f1))
    }
    triples = [
        (name, score, label)
        for name, found, labels in zip(view.ids, scores, view.references, strict=True)
        for score, label in zip(found, labels[1:], strict=True)
        if score is not None
    ]
    scored = Resampler([name for name, _, _ in triples])
    row["auc"] = scored.sample(auc([s for _, s, _ in triples], [label for _, _, label in triples]))
    counts = [
        [sum(map(bool, labels)) for labels in rows] for rows in (predictions, view.references)
    ]
    lengths = [len(labels) - 1 for labels in view.references]
    row["count_r"] = over.sample(count_correlation(counts[0], counts[1], lengths))
    decisions = [10.0 * bool(x) for labels in predictions for x in labels[1:]]
    row["rate"] = _over_positions(view).mean(decisions)
    return {prefix + name: row[name] for name in _FIGURES}


def _per_dialogue(
    measure: Measure, references: Sequence[Labels], predictions: Sequence[Labels]
) -> list[float]:
    values = [measure(r, p) for r, p in zip(references, predictions, strict=True)]
    return [np.nan if value is None else value for value in values]
