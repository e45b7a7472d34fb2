"""How valid are topic shifts? The tables of `rapport validate shifts`, on held-out data alone.

    python benchmark/validity/shifts.py [PATH_TO_DATA] [--limit N]

First how far two passes of reading agree, and the tables of this project's own dialogues, which need
no other data: those of the evaluation, and the English ones. Labels are those of the first pass in
``tasks/data/shifts.tsv``. Then the data sets of PATH_TO_DATA. What the scorer was calibrated on is
left out: TIAGE train, the dialogues of the split "fit", and every second line of the splice files from
the first. "assistant splice" is made here: in SMILE dialogues (its first lines, kept for scoring) and
this project's English ones one assistant turn is replaced by one of another dialogue, which ends it.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa

from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.resampling import Resampler
from rapport_bench.terminal.validity import show_report
from rapport_bench.validity.labelled import LabelledDialogue, read_shifts
from rapport_bench.validity.shifts import shifts_report
from rapport_tasks.dialogues.builtin import EVALUATION_ZH, TRAINING_EN
from rapport_tasks.dialogues.dialogue import Dialogue, read_dialogues
from rapport_tasks.metrics.corruptions import interrupted
from rapport_tasks.metrics.scorers import boundary_scorer
from rapport_tasks.shifts.shift_labels import read_shift_labels

LABELS = Path(__file__).parents[2] / "tasks" / "data" / "shifts.tsv"

ENGLISH_FITTED = 40
"""Of the project's English dialogues, as in fit_coherence.py: the coherence model knows these."""


def variant_of(path: Path) -> dict[str, str]:
    """Dialogue id -> how a splice file's dialogues were chosen."""
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {line["id"]: line["variant"] for line in lines}


def assistant_splices(dialogues: Sequence[Dialogue], seed: int = 0) -> list[LabelledDialogue]:
    """Every second dialogue ends with a foreign assistant turn, its only shift."""
    draw = random.Random(seed)
    made = []
    for number, dialogue in enumerate(dialogues):
        messages = dialogue.messages
        if number % 2:
            messages = tuple(interrupted(dialogue, dialogues[number - 1], draw))
        labels = [False] * len(messages)
        labels[-1] = messages[-1] != dialogue.messages[len(messages) - 1]
        made.append(LabelledDialogue(Dialogue(dialogue.id, messages), tuple(labels)))
    return made


def read_apart(source: str, path: Path) -> list[LabelledDialogue]:
    """The held-out dialogues of a file, with the first pass's labels, after printing agreement."""
    dialogues = {dialogue.id: dialogue for dialogue in read_dialogues(path)}
    found, pairs = [], []
    for labels in read_shift_labels(LABELS, split="held"):
        if labels.source == source:
            dialogue = dialogues[labels.dialogue]
            passes = [
                [number in grades for number in range(len(dialogue.messages))]
                for grades in labels.passes
            ]
            found.append(LabelledDialogue(dialogue, tuple(passes[0])))
            pairs += [(dialogue.id, *pair) for pair in zip(*passes, strict=True)][1:]
    clusters, first, second = zip(*pairs, strict=True)
    figure = Resampler(clusters).sample(lambda weights: kappa(first, second, weights)).figure()
    assert figure.value is not None
    assert figure.ci is not None
    low, high = figure.ci
    print(f"{source}: Cohen's kappa of two passes {figure.value:.3f} [{low:.3f}, {high:.3f}]")
    return found


def kappa(one: Sequence[bool], other: Sequence[bool], weights: Floats) -> float:
    """Cohen's kappa of two passes, each message counted as often as its weight."""
    table = np.zeros((2, 2))
    np.add.at(table, (np.array(one, dtype=int), np.array(other, dtype=int)), weights)
    return float(cohens_kappa(table, return_results=False))


def own() -> dict[str, list[LabelledDialogue]]:
    """Dialogues of this project."""
    return {
        "evaluation dialogues (zh, read)": read_apart("eval_zh", EVALUATION_ZH),
        "own English (read)": read_apart("train_en", TRAINING_EN),
    }


def others(data: Path) -> dict[str, list[LabelledDialogue]]:
    """Dialogues of public data sets, and those made of them."""
    shifts = data / "topicshift_zh"
    sets = {
        f"{name} (zh, read)": read_apart(name, data / f"dialogues_zh/{name}.jsonl")
        for name in ("smile", "cpsycound")
    }
    sets["TIAGE dev (en, human)"] = read_shifts(data / "topicshift_en/tiage_mit.dev.jsonl")
    for file in ("smile", "cpsycound"):
        path = shifts / f"spliced_{file}.jsonl"
        variants = variant_of(path)
        for variant in ("random", "similar"):
            held_out = [d for d in read_shifts(path)[1::2] if variants[d.dialogue.id] == variant]
            sets[f"spliced {file}, {variant}"] = held_out
    sets["CrossWOZ (zh, human)"] = read_shifts(shifts / "crosswoz_val.jsonl")
    sets["KdConv (zh, derived)"] = read_shifts(shifts / "kdconv_dev.jsonl")
    smile = read_dialogues(data / "dialogues_zh/smile.jsonl")[:300]
    sets["SMILE, assistant splice"] = assistant_splices(smile)
    english = read_dialogues(TRAINING_EN)[ENGLISH_FITTED:]
    sets["own English, assistant splice"] = [
        LabelledDialogue(replace(d.dialogue, id=f"{d.dialogue.id}/{n}"), d.labels)
        for n in range(5)
        for d in assistant_splices(english, n)
    ]
    return sets


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description="Validity of topic shifts.")
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--limit", type=int, default=None, help="dialogues of each data set")
    options = parser.parse_args()
    sets = own() if options.data is None else own() | others(options.data)
    for name, dialogues in sets.items():
        show_report(shifts_report(name, dialogues[: options.limit], boundary_scorer()))


if __name__ == "__main__":
    main()
