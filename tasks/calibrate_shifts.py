"""Calibrate the topic-shift scorer: writes ``rapport_tasks/data/topic_shift.json``.

    python tasks/calibrate_shifts.py PATH_TO_DATA

Two models. The general one, for counselling and whatever else is no English small talk, comes from

- the shifts labelled in ``tasks/data/shifts.tsv``, split "fit": dialogues of ``train_zh.jsonl``, of
  SMILE and of CPsyCounD;
- every second line of the two Chinese splice files;
- assistant splices made of lines 1,001 to 1,400 of SMILE: dialogues that end with a foreign reply.

Splices alone would teach that a new topic shares no word with the old one, and that only users open
topics. The model for English small talk comes from TIAGE train (human labels), which is small talk, and
it alone reads all of the form of messages. All else, TIAGE dev, CrossWOZ, KdConv, the evaluation
dialogues and all long English among it, stays unread, for ``benchmark/validity/shifts.py``.

A threshold finds as many shifts in the dialogues labelled by reading as are labelled there: the metric
is a rate. What is printed says how decisions agree with the labels that they were fitted on, and how
they do on labelled dialogues that they were not fitted on.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from rapport_tasks.dialogues.builtin import TRAINING_ZH
from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_tasks.embedding.encoder import load_encoder
from rapport_tasks.metrics.corruptions import interrupted
from rapport_tasks.metrics.topic_shift import (
    CALIBRATION,
    GENERAL,
    SMALL_TALK,
    BoundaryModel,
    WindowBoundaryScorer,
)
from rapport_tasks.shifts.segmentation import average, pk, window_f1
from rapport_tasks.shifts.shift_labels import read_shift_labels
from rapport_tasks.shifts.topic_directions import ASPECTS, Aspects

ENGLISH = "topicshift_en/tiage_mit.train.jsonl"
SPLICED = ("topicshift_zh/spliced_smile.jsonl", "topicshift_zh/spliced_cpsycound.jsonl")
SMILE, CPSYCOUN = "dialogues_zh/smile.jsonl", "dialogues_zh/cpsycound.jsonl"
LABELS = Path(__file__).parent / "data" / "shifts.tsv"

OWN_SHARE, PUBLIC_SHARE, SPLICED_SHARE, ENDED_SHARE = 0.6, 1.4, 0.5, 0.5
"""What the dialogues of this project, the public ones and both kinds of splice weigh in the general
model: what was read twice what was made, and own dialogues, fewer and denser, more than their number."""

FORM = ("form_", "words_closing")
"""What the names of features begin with that the general model leaves out, but for questions."""

QUESTIONS = ("form_asks", "form_asks_midway", "form_asks_midway_before", "form_asks_twice", "form_asked_before")  # fmt: skip
"""Features of form that mean the same in every language. The words of small talk do not."""

COHERENCE = ("coherence_",)
"""What the model for small talk leaves out: the coherence model was fitted on 180 of the 300 dialogues
and follows them better than new ones."""

STRENGTHS = {GENERAL: (0.1, 0.01), SMALL_TALK: (0.03, 0.015)}
"""Inverse of the penalty on squared slopes, without and with directions: smaller where there are more
features, or more to learn from."""

DIRECTION_SPREAD = 8.0
"""Vectors enter the fit times this, features divided by their spread. A dimension has a third of the
spread of a feature then: there are many times as many, and none says much."""

FOLDS = 10
"""Parts of the labelled dialogues, for the figures that are printed."""

REPETITIONS = {GENERAL: 1, SMALL_TALK: 10}
"""Ways to part them."""

NO_MODEL = BoundaryModel({}, 0.0, 0.5)


@dataclass(frozen=True)
class Labelled:
    """One dialogue's messages after the first: features, vectors, and how far each opens a topic.

    A label is 0 or 1, or a half where two passes disagree.
    """

    features: list[dict[str, float]]
    aspects: list[Aspects]
    labels: list[float]


Source = tuple[Sequence[Labelled], float]
"""Dialogues and what they weigh together."""


def main() -> None:
    """Compute features, fit with and without what only the embedded encoder has, write."""
    parser = argparse.ArgumentParser(description="Calibrate the topic-shift scorer.")
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    scorer = WindowBoundaryScorer(load_encoder(), models={GENERAL: NO_MODEL})
    small_talk = labelled(lines(data / ENGLISH), scorer)
    own = labelled_apart(TRAINING_ZH, "train_zh", scorer)
    public = [
        *labelled_apart(data / SMILE, "smile", scorer),
        *labelled_apart(data / CPSYCOUN, "cpsycound", scorer),
    ]
    spliced = [d for name in SPLICED for d in labelled(lines(data / name)[::2], scorer)]
    ended = endings(lines(data / SMILE)[1000:1400], scorer)
    made: list[Source] = [(spliced, SPLICED_SHARE), (ended, ENDED_SHARE)]
    read: dict[str, list[Source]] = {
        GENERAL: [(own, OWN_SHARE), (public, PUBLIC_SHARE)],
        SMALL_TALK: [(small_talk, 1.0)],
    }
    calibration: dict[str, dict[str, object]] = {}
    for kind in ("full", "plain"):
        calibration[kind] = {}
        for name, sources in read.items():
            plan = Plan.of(kind, name, own[0], made if name == GENERAL else [])
            model = plan.fit(sources)
            runs = [cross_validated(sources, plan, seed) for seed in range(REPETITIONS[name])]
            for number, (dialogues, _) in enumerate(sources):
                about = f"{kind} {name}, {len(plan.features)} features, source {number + 1}"
                show(about, dialogues, decided(model, dialogues))
                show(f"{about}, cross-validated", dialogues, *(run[number] for run in runs))
            calibration[kind][name] = stored(model)
    text = json.dumps(calibration, indent=1, sort_keys=True)
    # One line a direction, not one a dimension.
    text = re.sub(r"\[[^\]]*\]", lambda numbers: " ".join(numbers.group().split()), text)
    CALIBRATION.write_text(text + "\n", encoding="utf-8")


def stored(model: BoundaryModel) -> dict[str, object]:
    """A model as it is written: without directions if it has none."""
    return {name: value for name, value in asdict(model).items() if value != {}}


def lines(path: Path) -> list[dict[str, object]]:
    """The records of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def labelled(records: Sequence[dict[str, object]], scorer: WindowBoundaryScorer) -> list[Labelled]:
    """Features of dialogues that carry a label per message."""
    found = []
    for record in records:
        messages = Dialogue.from_json(record).messages
        labels = record["labels"]
        assert isinstance(labels, list)
        found.append(features(messages, [float(x) for x in labels[1:]], scorer))
    return found


def labelled_apart(path: Path, source: str, scorer: WindowBoundaryScorer) -> list[Labelled]:
    """Features of the dialogues of a file that `LABELS` has labels for, to be learned from."""
    records = {record["id"]: record for record in lines(path)}
    found = []
    for labels in read_shift_labels(LABELS, split="fit"):
        if labels.source == source:
            messages = Dialogue.from_json(records[labels.dialogue]).messages
            found.append(features(messages, labels.shares(len(messages)), scorer))
    return found


def endings(
    records: Sequence[dict[str, object]], scorer: WindowBoundaryScorer, seed: int = 1
) -> list[Labelled]:
    """Dialogues of which every second one ends with a foreign reply, their only shift."""
    draw = random.Random(seed)
    dialogues = [Dialogue.from_json(record) for record in records]
    found = []
    for number, dialogue in enumerate(dialogues):
        messages: Sequence[Message] = dialogue.messages
        if number % 2:
            messages = interrupted(dialogue, dialogues[number - 1], draw)
        shift = messages[-1] != dialogue.messages[len(messages) - 1]
        found.append(features(messages, [0.0] * (len(messages) - 2) + [float(shift)], scorer))
    return found


def features(
    messages: Sequence[Message], labels: list[float], scorer: WindowBoundaryScorer
) -> Labelled:
    """What the scorer reads of a dialogue, with a label for each message after the first."""
    return Labelled(scorer.features(messages), scorer.aspects(messages), labels)


@dataclass(frozen=True)
class Plan:
    """How one model is fitted.

    Attributes:
        features: What it reads of each message.
        aspects: Of the vectors.
        strength: One of `STRENGTHS`.
        made: Sources that no one has read; they count for the weights, not for the threshold.
    """

    features: Sequence[str]
    aspects: Sequence[str]
    strength: float
    made: Sequence[Source]

    @classmethod
    def of(cls, kind: str, name: str, example: Labelled, made: Sequence[Source]) -> Plan:
        """The plan of one of the models, ``full`` or ``plain``."""
        left_out: tuple[str, ...] = COHERENCE if kind == "plain" or name == SMALL_TALK else ()
        if name == GENERAL:
            left_out += FORM
        read = [
            feature
            for feature in example.features[0]
            if not feature.startswith(left_out) or (name == GENERAL and feature in QUESTIONS)
        ]
        directed = kind == "full"
        return cls(read, ASPECTS if directed else (), STRENGTHS[name][directed], made)

    def fit(self, sources: Sequence[Source]) -> BoundaryModel:
        """Weights from all sources, and the threshold from those given here."""
        inputs, labels, importance = [], [], []
        for dialogues, weight in (*sources, *self.made):
            rows = np.array(
                [
                    np.concatenate(
                        [[row[name] for name in self.features], *(of[a] for a in self.aspects)]
                    )
                    for d in dialogues
                    for row, of in zip(d.features, d.aspects, strict=True)
                ]
            )
            inputs.append(rows)
            labels.append(np.array([label for d in dialogues for label in d.labels]))
            importance.append(np.full(len(rows), 1000 * weight / len(rows)))
        every, label, weights = map(np.concatenate, (inputs, labels, importance))
        centre, spread = every.mean(axis=0), every.std(axis=0)
        spread[len(self.features) :] = 1 / DIRECTION_SPREAD
        scaled = (every - centre) / spread
        # A disputed message is half a shift and half none.
        yes, no = label > 0, label < 1
        model = LogisticRegression(C=self.strength, max_iter=3000).fit(
            np.concatenate([scaled[yes], scaled[no]]),
            np.repeat([True, False], [yes.sum(), no.sum()]),
            np.concatenate([(weights * label)[yes], (weights * (1 - label))[no]]),
        )
        slopes = (model.coef_[0] / spread).round(3)
        intercept = round(float(model.intercept_[0] - slopes @ centre), 3)
        used = dict(zip(self.features, slopes.tolist(), strict=False))
        directions = {}
        if self.aspects:
            parts = slopes[len(self.features) :].reshape(len(self.aspects), -1)
            directions = {a: part.tolist() for a, part in zip(self.aspects, parts, strict=True)}
        untuned = BoundaryModel(used, intercept, 0.5, directions)
        read = [d for dialogues, _ in sources for d in dialogues]
        ranked = sorted((score for d in read for score in scored(untuned, d)), reverse=True)
        wanted = round(sum(sum(d.labels) for d in read))
        return replace(untuned, threshold=round((ranked[wanted - 1] + ranked[wanted]) / 2, 4))


def scored(model: BoundaryModel, dialogue: Labelled) -> list[float]:
    """The score of every message after the first."""
    rows = zip(dialogue.features, dialogue.aspects, strict=True)
    return [model.decide(*row).score or 0.0 for row in rows]


def decided(model: BoundaryModel, dialogues: Sequence[Labelled]) -> list[list[bool]]:
    """Decisions, the first of each dialogue a placeholder."""
    return [[False, *(score > model.threshold for score in scored(model, d))] for d in dialogues]


def cross_validated(sources: Sequence[Source], plan: Plan, seed: int) -> list[list[list[bool]]]:
    """Decisions for each source's dialogues by a model fitted on others, in `FOLDS` parts."""
    every = [(number, d) for number, (dialogues, _) in enumerate(sources) for d in dialogues]
    order = np.random.default_rng(seed).permutation(len(every))
    found: list[list[bool]] = [[]] * len(every)
    for fold in range(FOLDS):
        held_out = set(order[fold::FOLDS].tolist())
        rest = [
            ([d for i, (n, d) in enumerate(every) if n == number and i not in held_out], weight)
            for number, (_, weight) in enumerate(sources)
        ]
        model = plan.fit(rest)
        for i in held_out:
            found[i] = decided(model, [every[i][1]])[0]
    return [
        [row for row, (n, _) in zip(found, every, strict=True) if n == number]
        for number in range(len(sources))
    ]


def show(name: str, dialogues: Sequence[Labelled], *runs: Sequence[Sequence[bool]]) -> None:
    """Print how decisions agree with labels, on average over runs."""
    references = [[False, *(label > 0.5 for label in d.labels)] for d in dialogues]
    wanted = [sum(row) for row in references]
    lengths = [len(row) for row in references]
    found = [[sum(row) for row in run] for run in runs]
    each = [partial_correlation(row, wanted, lengths) for row in found]
    counts = f"{np.mean(each):.3f}"
    if len(runs) > 1:
        counts += f" ({min(each):.3f} to {max(each):.3f})"
    print(
        f"{name}: {len(dialogues)} dialogues, {sum(wanted)} shifts, "
        f"{np.mean([sum(row) for row in found]):.0f} found, "
        f"Pk {np.mean([average(pk, references, run) for run in runs]):.3f}, "
        f"F1(±1) {np.mean([average(window_f1, references, run) for run in runs]):.3f}, "
        f"counts, length held fixed {counts}",
        flush=True,
    )


def partial_correlation(
    found: Sequence[int], wanted: Sequence[int], lengths: Sequence[int]
) -> float:
    """Of ranks, with those of lengths held fixed."""
    rows = [rankdata(x) for x in (found, wanted, lengths)]
    r, *by_length = np.corrcoef(rows)[np.triu_indices(3, 1)].tolist()
    left = math.prod(1 - x * x for x in by_length)
    return float((r - math.prod(by_length)) / math.sqrt(left))


if __name__ == "__main__":
    main()
