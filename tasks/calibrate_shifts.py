"""Calibrate the topic-shift scorer: writes ``rapport_tasks/data/topic_shift.json``.

    python tasks/calibrate_shifts.py PATH_TO_DATA

reads TIAGE train (human labels, en), every second line of the two Chinese splice files, and makes
assistant splices of lines 1,001 to 1,400 of SMILE, dialogues that end with a foreign reply, and both
kinds of the first English dialogues of this project. All else, TIAGE dev, CrossWOZ and KdConv among
it, stays unread, for ``benchmark/validity/shifts.py``.

English weights for small talk come from TIAGE, which is small talk, and they alone read the form of
messages. Those for longer English messages come from TIAGE and the project's splices. Chinese ones
come from splices and TIAGE, human labels weighing as much again as both kinds of splice: splices
alone would teach that a new topic shares no word with the old one, and that only users open topics.
A threshold finds as many shifts in the calibration data of its register as are labelled there: the
metric is a rate. What is printed says how decisions agree with the labels that they were fitted on,
and, for small talk, how they do on TIAGE dialogues that they were not fitted on.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from rapport_tasks.builtin import TRAINING_EN
from rapport_tasks.corruptions import half, interrupted, spliced
from rapport_tasks.dialogue import Dialogue, Message, read_dialogues
from rapport_tasks.encoder import load_encoder
from rapport_tasks.segmentation import average, pk, window_f1
from rapport_tasks.topic_shift import (
    CALIBRATION,
    SMALL_TALK_MODEL,
    BoundaryModel,
    WindowBoundaryScorer,
)

ENGLISH = "topicshift_en/tiage_mit.train.jsonl"
CHINESE = ("topicshift_zh/spliced_smile.jsonl", "topicshift_zh/spliced_cpsycound.jsonl")
SMILE = "dialogues_zh/smile.jsonl"

SMALL_TALK_ONLY = ("form_", "words_closing")
"""What the names of features begin with that the other weights leave out."""

ENGLISH_FITTED = 40
"""Of the project's English dialogues, as in fit_coherence.py."""

STRENGTH, SMALL_TALK_STRENGTH = 0.1, 0.03
"""Inverse of the penalty on squared slopes: smaller where there are many features."""

FOLDS = 10
"""Of the TIAGE dialogues, for the figures that are printed."""

NO_MODEL = BoundaryModel({}, 0.0, 0.5)


@dataclass(frozen=True)
class Labelled:
    """The features and labels of one dialogue's messages after the first."""

    features: list[dict[str, float]]
    labels: list[bool]


def main() -> None:
    """Compute features, fit with and without coherence, write."""
    parser = argparse.ArgumentParser(description="Calibrate the topic-shift scorer.")
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    scorer = WindowBoundaryScorer(load_encoder(), models={"zh": NO_MODEL, "en": NO_MODEL})
    human = labelled(lines(data / ENGLISH), scorer)
    splices = [d for name in CHINESE for d in labelled(lines(data / name)[::2], scorer)]
    assistant = endings(lines(data / SMILE)[1000:1400], scorer)
    english = read_dialogues(TRAINING_EN)[:ENGLISH_FITTED]
    own = [d for seed in range(3) for d in rejoined(english, scorer, seed)]
    calibration = {}
    left_out: dict[str, tuple[str, ...]] = {"full": (), "plain": ("coherence_",)}
    for kind, absent in left_out.items():
        plain = (*absent, *SMALL_TALK_ONLY)
        chinese = [(splices, 0.5), (assistant, 0.5), (human, 2.0)]
        models = {
            SMALL_TALK_MODEL: fit([(human, 1.0)], [human], absent, SMALL_TALK_STRENGTH),
            "en": fit([(human, 1.0), (own, 0.5)], [own], plain),
            "zh": fit(chinese, [splices, assistant], plain),
        }
        tuned = {SMALL_TALK_MODEL: human, "en": own, "zh": [*splices, *assistant]}
        for name, model in models.items():
            show(
                f"{kind} {name}, {len(model.weights)} features",
                tuned[name],
                decided(model, tuned[name]),
            )
        found = cross_validated(human, absent, SMALL_TALK_STRENGTH)
        show(f"{kind} {SMALL_TALK_MODEL}, cross-validated", human, found)
        calibration[kind] = {name: asdict(model) for name, model in models.items()}
    text = json.dumps(calibration, indent=1, sort_keys=True)
    CALIBRATION.write_text(text + "\n", encoding="utf-8")


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
        found.append(Labelled(scorer.features(messages), [bool(x) for x in labels[1:]]))
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
        labels = [False] * (len(messages) - 2) + [shift]
        found.append(Labelled(scorer.features(messages), labels))
    return found


def rejoined(
    dialogues: Sequence[Dialogue], scorer: WindowBoundaryScorer, seed: int
) -> list[Labelled]:
    """Each dialogue once ended by a foreign reply, and once by another's second half."""
    draw = random.Random(seed)
    found = []
    for number, dialogue in enumerate(dialogues):
        other = dialogues[(number + draw.randrange(1, len(dialogues))) % len(dialogues)]
        ended = interrupted(dialogue, other, draw)
        shift = ended[-1] != dialogue.messages[len(ended) - 1]
        found.append(Labelled(scorer.features(ended), [False] * (len(ended) - 2) + [shift]))
        joined, cut = spliced(dialogue, other), half(dialogue)
        found.append(Labelled(scorer.features(joined), [n == cut for n in range(1, len(joined))]))
    return found


def fit(
    sources: Sequence[tuple[list[Labelled], float]],
    tuned: Sequence[list[Labelled]],
    left_out: tuple[str, ...],
    strength: float = STRENGTH,
) -> BoundaryModel:
    """Fit weights on weighted sources, and the threshold on those in `tuned`.

    Features whose names begin with one of `left_out` are not read.
    """
    names = [name for name in sources[0][0][0].features[0] if not name.startswith(left_out)]
    inputs, labels, importance = [], [], []
    for dialogues, weight in sources:
        rows = [[row[n] for n in names] for d in dialogues for row in d.features]
        inputs.append(np.array(rows))
        labels.append(np.array([label for d in dialogues for label in d.labels]))
        importance.append(np.full(len(rows), 1000 * weight / len(rows)))
    every = np.concatenate(inputs)
    centre, spread = every.mean(axis=0), every.std(axis=0)
    model = LogisticRegression(C=strength, max_iter=3000)
    model.fit((every - centre) / spread, np.concatenate(labels), np.concatenate(importance))
    slopes = (model.coef_[0] / spread).round(3)
    intercept = round(float(model.intercept_[0] - slopes @ centre), 3)
    untuned = BoundaryModel(dict(zip(names, slopes.tolist(), strict=True)), intercept, 0.5)
    dialogues = [d for group in tuned for d in group]
    scores = [untuned.decide(row).score or 0.0 for d in dialogues for row in d.features]
    wanted = sum(sum(d.labels) for d in dialogues)
    ranked = sorted(scores, reverse=True)
    threshold = round((ranked[wanted - 1] + ranked[wanted]) / 2, 4)
    return BoundaryModel(untuned.weights, intercept, threshold)


def decided(model: BoundaryModel, dialogues: Sequence[Labelled]) -> list[list[bool]]:
    """Decisions, the first of each dialogue a placeholder."""
    return [[False, *(bool(model.decide(row).boundary) for row in d.features)] for d in dialogues]


def cross_validated(
    dialogues: Sequence[Labelled], left_out: tuple[str, ...], strength: float
) -> list[list[bool]]:
    """Decisions for each dialogue by a model fitted on the others, in `FOLDS` parts."""
    order = np.random.default_rng(0).permutation(len(dialogues))
    found: list[list[bool]] = [[]] * len(dialogues)
    for fold in range(FOLDS):
        held_out = set(order[fold::FOLDS].tolist())
        rest = [d for i, d in enumerate(dialogues) if i not in held_out]
        model = fit([(rest, 1.0)], [rest], left_out, strength)
        for i in held_out:
            found[i] = decided(model, [dialogues[i]])[0]
    return found


def show(name: str, dialogues: Sequence[Labelled], predicted: Sequence[Sequence[bool]]) -> None:
    """Print how decisions agree with labels."""
    references = [[False, *d.labels] for d in dialogues]
    found, wanted = ([sum(row) for row in rows] for rows in (predicted, references))
    counts = "undefined"
    if len(set(wanted)) > 1:  # every splice has one
        rows = [rankdata(x) for x in (found, wanted, [len(row) for row in references])]
        r, *by_length = np.corrcoef(rows)[np.triu_indices(3, 1)].tolist()
        left = math.prod(1 - x * x for x in by_length)
        counts = f"{(r - math.prod(by_length)) / math.sqrt(left):.3f}"
    print(
        f"{name}: {len(dialogues)} dialogues, {sum(wanted)} shifts, {sum(found)} found, "
        f"Pk {average(pk, references, predicted):.3f}, "
        f"F1(±1) {average(window_f1, references, predicted):.3f}, "
        f"counts, length held fixed {counts}",
        flush=True,
    )


if __name__ == "__main__":
    main()
