"""How far two labelling passes over the evaluation dialogues agree, and the classifier with them.

    python benchmark/validity/eval_agreement.py

reads ``tasks/data/labels_eval_zh.tsv``: for every sentence of the gold replies of 104 of the 208
evaluation dialogues, drawn at random, the act that each of two passes gave it. Prints agreement and
Cohen's kappa with 95 % intervals from a bootstrap over dialogues.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa

from rapport_bench.statistics.clusters import Floats
from rapport_bench.statistics.resampling import Resampler
from rapport_tasks.dialogues.builtin import EVALUATION_ZH
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_tasks.dialogues.sentences import split_sentences
from rapport_tasks.metrics.scorers import act_classifier

LABELS = Path(__file__).parents[2] / "tasks" / "data" / "labels_eval_zh.tsv"
ACTS = ("advice", "empathy", "question", "other")


class Labelled(NamedTuple):
    """One sentence with its labels and the classifier's."""

    dialogue: str
    first: str
    second: str
    classifier: str


def load() -> list[Labelled]:
    """Read the labels and classify the same sentences; every label must fit a sentence."""
    dialogues = {dialogue.id: dialogue for dialogue in read_dialogues(EVALUATION_ZH)}
    classifier = act_classifier()
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    sentences: dict[tuple[str, int], dict[tuple[int, int], str]] = {}
    labelled = []
    for row in rows:
        key = (row["dialogue"], int(row["turn"]))
        if key not in sentences:
            found = split_sentences(dialogues[key[0]].messages[key[1]].content)
            acts = classifier.classify([sentence.text for sentence in found])
            sentences[key] = {
                (s.start, s.end): act.label for s, act in zip(found, acts, strict=True)
            }
        act = sentences[key][int(row["start"]), int(row["end"])]
        labelled.append(Labelled(row["dialogue"], row["first"], row["second"], act))
    return labelled


def kappa(one: list[str], other: list[str], weights: Floats) -> float:
    """Cohen's kappa of two columns of labels, each item counted as often as its weight."""
    table = np.zeros((len(ACTS), len(ACTS)))
    np.add.at(table, ([ACTS.index(a) for a in one], [ACTS.index(b) for b in other]), weights)
    return float(cohens_kappa(table, return_results=False))


def main() -> None:
    """Print counts, agreement and kappa for each pair of columns."""
    labelled = load()
    resampler = Resampler([item.dialogue for item in labelled])
    print(f"{len(labelled)} sentences of {resampler.clusters} dialogues")
    for column in ("first", "second", "classifier"):
        counts = Counter(getattr(item, column) for item in labelled)
        print(f"  {column:10} " + ", ".join(f"{act} {counts[act]}" for act in ACTS))
    for one, other in (("first", "second"), ("first", "classifier"), ("second", "classifier")):
        a, b = ([getattr(item, c) for item in labelled] for c in (one, other))
        agreement = resampler.mean([float(x == y) for x, y in zip(a, b, strict=True)]).figure()
        agreed = resampler.sample(lambda w, a=a, b=b: kappa(a, b, w)).figure()  # type: ignore[misc]
        for name, figure in (("agreement", agreement), ("Cohen's kappa", agreed)):
            assert figure.value is not None
            assert figure.ci is not None
            low, high = figure.ci
            print(f"  {one} / {other}: {name} {figure.value:.3f} [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
