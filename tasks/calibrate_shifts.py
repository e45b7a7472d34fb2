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
metric is a rate.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
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
    for kind in left_out:
        calibration[kind] = {
            SMALL_TALK_MODEL: asdict(fit([(human, 1.0)], [human], left_out[kind])),
            "en": asdict(
                fit([(human, 1.0), (own, 0.5)], [own], (*left_out[kind], *SMALL_TALK_ONLY))
            ),
            "zh": asdict(
                fit(
                    [(splices, 0.5), (assistant, 0.5), (human, 2.0)],
                    [splices, assistant],
                    (*left_out[kind], *SMALL_TALK_ONLY),
                )
            ),
        }
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
    model = LogisticRegression(C=0.1, max_iter=3000)
    model.fit((every - centre) / spread, np.concatenate(labels), np.concatenate(importance))
    slopes = (model.coef_[0] / spread).round(3)
    intercept = round(float(model.intercept_[0] - slopes @ centre), 3)
    untuned = BoundaryModel(dict(zip(names, slopes.tolist(), strict=True)), intercept, 0.5)
    dialogues = [d for group in tuned for d in group]
    scores = [[untuned.decide(row).score or 0.0 for row in d.features] for d in dialogues]
    wanted = sum(sum(d.labels) for d in dialogues)
    ranked = sorted((score for row in scores for score in row), reverse=True)
    threshold = round((ranked[wanted - 1] + ranked[wanted]) / 2, 4)
    references = [[False, *d.labels] for d in dialogues]
    predicted = [[False, *(score > threshold for score in row)] for row in scores]
    print(
        f"{len(names)} features, {len(dialogues)} dialogues, {wanted} shifts, threshold {threshold}, "
        f"Pk {average(pk, references, predicted):.3f}, "
        f"F1(±1) {average(window_f1, references, predicted):.3f}",
        flush=True,
    )
    return BoundaryModel(untuned.weights, intercept, threshold)


if __name__ == "__main__":
    main()
