"""Calibrate the topic-shift scorer: writes ``rapport_tasks/data/topic_shift.json``.

    python tasks/calibrate_shifts.py PATH_TO_DATA

reads TIAGE train (human labels, en), every second line of the two Chinese splice files, and makes
assistant splices of lines 1,001 to 1,400 of SMILE, dialogues that end with a foreign reply, and both
kinds of the first English dialogues of this project. All else, TIAGE dev, CrossWOZ and KdConv among
it, stays unread, for ``benchmark/validity/shifts.py``.

English weights for small talk come from TIAGE, which is small talk, and they alone read the form of
messages and the directions of their vectors. Those for longer English messages come from TIAGE and
the project's splices. Chinese ones come from splices and TIAGE, human labels weighing as much again
as both kinds of splice: splices alone would teach that a new topic shares no word with the old one,
and that only users open topics. A threshold finds as many shifts in the calibration data of its
register as are labelled there: the metric is a rate. What is printed says how decisions agree with
the labels that they were fitted on, and, for small talk, how they do on TIAGE dialogues that they
were not fitted on.
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

from rapport_tasks.builtin import TRAINING_EN
from rapport_tasks.corruptions import half, interrupted, spliced
from rapport_tasks.dialogue import Dialogue, Message, read_dialogues
from rapport_tasks.encoder import load_encoder
from rapport_tasks.segmentation import average, pk, window_f1
from rapport_tasks.topic_directions import ASPECTS, Aspects
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

COHERENCE = ("coherence_",)
"""Likewise, of features that weights for small talk leave out: the coherence model was fitted on 180
of the 300 dialogues and follows them better than new ones."""

ENGLISH_FITTED = 40
"""Of the project's English dialogues, as in fit_coherence.py."""

STRENGTH, SMALL_TALK_STRENGTH, DIRECTED_STRENGTH = 0.1, 0.03, 0.015
"""Inverse of the penalty on squared slopes: smaller where there are many features."""

DIRECTION_SPREAD = 8.0
"""Vectors enter the fit times this, features divided by their spread. A dimension has a third of the
spread of a feature then: there are 12 times as many, and none says much."""

FOLDS, REPETITIONS = 10, 10
"""Parts of the TIAGE dialogues, and ways to part them, for the figures that are printed."""

NO_MODEL = BoundaryModel({}, 0.0, 0.5)


@dataclass(frozen=True)
class Labelled:
    """The features, vectors and labels of one dialogue's messages after the first."""

    features: list[dict[str, float]]
    aspects: list[Aspects]
    labels: list[bool]


def main() -> None:
    """Compute features, fit with and without what only the embedded encoder has, write."""
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
    kinds: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "full": (SMALL_TALK_ONLY, ASPECTS),
        "plain": ((*COHERENCE, *SMALL_TALK_ONLY), ()),
    }
    for kind, (absent, aspects) in kinds.items():
        chinese = [(splices, 0.5), (assistant, 0.5), (human, 2.0)]
        models = {
            SMALL_TALK_MODEL: small_talk(human, aspects),
            "en": fit([(human, 1.0), (own, 0.5)], [own], absent),
            "zh": fit(chinese, [splices, assistant], absent),
        }
        tuned = {SMALL_TALK_MODEL: human, "en": own, "zh": [*splices, *assistant]}
        for name, model in models.items():
            show(
                f"{kind} {name}, {len(model.weights)} features",
                tuned[name],
                decided(model, tuned[name]),
            )
        runs = [cross_validated(human, aspects, seed) for seed in range(REPETITIONS)]
        show(f"{kind} {SMALL_TALK_MODEL}, cross-validated {REPETITIONS} times", human, *runs)
        calibration[kind] = {name: stored(model) for name, model in models.items()}
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
        found.append(read(messages, [bool(x) for x in labels[1:]], scorer))
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
        found.append(read(messages, labels, scorer))
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
        found.append(read(ended, [False] * (len(ended) - 2) + [shift], scorer))
        joined, cut = spliced(dialogue, other), half(dialogue)
        found.append(read(joined, [n == cut for n in range(1, len(joined))], scorer))
    return found


def read(messages: Sequence[Message], labels: list[bool], scorer: WindowBoundaryScorer) -> Labelled:
    """What the scorer reads of a dialogue, with a label for each message after the first."""
    return Labelled(scorer.features(messages), scorer.aspects(messages), labels)


def fit(
    sources: Sequence[tuple[list[Labelled], float]],
    tuned: Sequence[list[Labelled]],
    left_out: tuple[str, ...],
    strength: float = STRENGTH,
    aspects: Sequence[str] = (),
) -> BoundaryModel:
    """Fit weights on weighted sources, and the threshold on those in `tuned`.

    Features whose names begin with one of `left_out` are not read; of the vectors, `aspects` are.
    """
    names = [name for name in sources[0][0][0].features[0] if not name.startswith(left_out)]
    inputs, labels, importance = [], [], []
    for dialogues, weight in sources:
        rows = [
            np.concatenate([[row[name] for name in names], *(vectors[name] for name in aspects)])
            for d in dialogues
            for row, vectors in zip(d.features, d.aspects, strict=True)
        ]
        inputs.append(np.array(rows))
        labels.append(np.array([label for d in dialogues for label in d.labels]))
        importance.append(np.full(len(rows), 1000 * weight / len(rows)))
    every = np.concatenate(inputs)
    centre, spread = every.mean(axis=0), every.std(axis=0)
    spread[len(names) :] = 1 / DIRECTION_SPREAD
    model = LogisticRegression(C=strength, max_iter=3000)
    model.fit((every - centre) / spread, np.concatenate(labels), np.concatenate(importance))
    slopes = (model.coef_[0] / spread).round(3)
    intercept = round(float(model.intercept_[0] - slopes @ centre), 3)
    weights = dict(zip(names, slopes.tolist(), strict=False))
    parts = slopes[len(names) :].reshape(-1, len(sources[0][0][0].aspects[0]["last"]))
    directions = {name: part.tolist() for name, part in zip(aspects, parts, strict=True)}
    untuned = BoundaryModel(weights, intercept, 0.5, directions)
    scores = [score for group in tuned for d in group for score in scored(untuned, d)]
    wanted = sum(sum(d.labels) for group in tuned for d in group)
    ranked = sorted(scores, reverse=True)
    threshold = round((ranked[wanted - 1] + ranked[wanted]) / 2, 4)
    return replace(untuned, threshold=threshold)


def small_talk(dialogues: list[Labelled], aspects: Sequence[str]) -> BoundaryModel:
    """Weights and threshold for English small talk."""
    strength = DIRECTED_STRENGTH if aspects else SMALL_TALK_STRENGTH
    return fit([(dialogues, 1.0)], [dialogues], COHERENCE, strength, aspects)


def scored(model: BoundaryModel, dialogue: Labelled) -> list[float]:
    """The score of every message after the first."""
    rows = zip(dialogue.features, dialogue.aspects, strict=True)
    return [model.decide(*row).score or 0.0 for row in rows]


def decided(model: BoundaryModel, dialogues: Sequence[Labelled]) -> list[list[bool]]:
    """Decisions, the first of each dialogue a placeholder."""
    return [[False, *(score > model.threshold for score in scored(model, d))] for d in dialogues]


def cross_validated(
    dialogues: Sequence[Labelled], aspects: Sequence[str], seed: int
) -> list[list[bool]]:
    """Decisions for each dialogue by a small-talk model fitted on the others, in `FOLDS` parts."""
    order = np.random.default_rng(seed).permutation(len(dialogues))
    found: list[list[bool]] = [[]] * len(dialogues)
    for fold in range(FOLDS):
        held_out = set(order[fold::FOLDS].tolist())
        rest = [d for i, d in enumerate(dialogues) if i not in held_out]
        model = small_talk(rest, aspects)
        for i in held_out:
            found[i] = decided(model, [dialogues[i]])[0]
    return found


def show(name: str, dialogues: Sequence[Labelled], *runs: Sequence[Sequence[bool]]) -> None:
    """Print how decisions agree with labels, on average over runs."""
    references = [[False, *d.labels] for d in dialogues]
    wanted = [sum(row) for row in references]
    lengths = [len(row) for row in references]
    found = [[sum(row) for row in run] for run in runs]
    counts = "undefined"
    if len(set(wanted)) > 1:  # every splice has one
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
