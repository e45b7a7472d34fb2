"""Learn the act classifier's weights from labelled sentences: writes ``rapport_tasks/data/acts.tsv``.

    python tasks/fit_acts.py PATH_TO_DATA

reads the sentences of ``tasks/data/acts_*.tsv`` (those whose split is ``fit``; the held-out families
are for ``benchmark/validity/acts.py``), and the labels of ``tasks/data/labels_dialogues_zh.tsv``, whose
sentences stand in dialogues_zh under PATH_TO_DATA: smile.jsonl (CC0-1.0), cpsycound.jsonl (CC BY 4.0,
Zhang et al., CPsyCoun, Findings of ACL 2024) and emollm.jsonl (MIT). Their first 1,000 and 400 lines,
and dialogues that the labelled sentences of strategy_zh come from, are not among them.

The model is a multinomial logistic regression over rules and skeleton runs. Its Gaussian prior is
centred on the hand-set weights for rules and on nothing for runs, so that what the sentences do not
show stays as grammar says. Under a minute on one core.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from rapport_tasks.acts.classifier import ACTS, BIAS, matching, prepared, rules
from rapport_tasks.acts.learned import Weights, write_weights
from rapport_tasks.acts.skeleton import runs

DATA = Path(__file__).parent / "data"

RULE_PENALTY = 4.0
RUN_PENALTY = 5.0
BIAS_PENALTY = 0.1
"""Inverse variances of the prior; results hardly depend on them between a quarter and four times."""

SEEN = 2
"""A run counts when it occurs in at least this many sentences."""

LEANING = 0.3
"""The share of its lean in the target of a sentence that is "other" but leans to an act."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence, its act, and the act that an "other" sentence leans to, or ``-``."""

    language: str
    text: str
    act: str
    lean: str


def own_sentences(split: str) -> list[Labelled]:
    """The sentences of a split, ``fit`` or ``held``, of this project's labelled files."""
    found = []
    for path in sorted(DATA.glob("acts_*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["split"] == split:
                    found.append(Labelled(row["language"], row["text"], row["act"], row["lean"]))
    return found


def dialogue_sentences(folder: Path, split: str) -> list[Labelled]:
    """The labelled sentences of the public dialogues, of a split."""
    with (DATA / "labels_dialogues_zh.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        labels = [row for row in rows if row["split"] == split]
    wanted = {label["dialogue"] for label in labels}
    messages: dict[str, list[str]] = {}
    for name in ("smile", "cpsycound", "emollm"):
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            dialogue = json.loads(line)
            if dialogue["id"] in wanted:
                messages[dialogue["id"]] = [m["content"] for m in dialogue["messages"]]
    found = []
    for label in labels:
        message = messages[label["dialogue"]][int(label["message"])]
        text = message[int(label["start"]) : int(label["end"])]
        found.append(Labelled("zh", text, label["act"], label["lean"]))
    return found


def targets(sentences: Sequence[Labelled]) -> NDArray[np.float64]:
    """(sentences, acts) shares that the probabilities should take."""
    places = {str(act): place for place, act in enumerate(ACTS)}
    wanted = np.zeros((len(sentences), len(ACTS)))
    for row, sentence in zip(wanted, sentences, strict=True):
        row[places[sentence.act]] = 1
        if sentence.lean != "-":
            row[places[sentence.act]] -= LEANING
            row[places[sentence.lean]] += LEANING
    return wanted


def fit(sentences: Sequence[Labelled], tongue: str) -> Weights:
    """Learn the weights of one language."""
    names = [rule.name for rule in rules(tongue)]
    texts = [prepared(sentence.text, tongue) for sentence in sentences]
    counts = Counter(run for text in texts for run in runs(text, tongue))
    kept = sorted(run for run, count in counts.items() if count >= SEEN)
    columns = {("rule", name): i for i, name in enumerate(names)}
    columns |= {("run", run): i for i, run in enumerate(kept, start=len(names))}
    base = np.tile(np.array(BIAS), (len(texts), 1))
    entries: list[tuple[int, int]] = []
    for i, text in enumerate(texts):
        for rule in matching(text, tongue):
            base[i] += rule.weights
            entries.append((i, columns["rule", rule.name]))
        entries += [(i, columns["run", r]) for r in runs(text, tongue) if ("run", r) in columns]
    places = np.array(entries).T
    seen = csr_matrix((np.ones(len(entries)), tuple(places)), shape=(len(texts), len(columns)))
    penalty = np.full((len(columns), 1), RUN_PENALTY)
    penalty[: len(names)] = RULE_PENALTY
    learned, bias = _maximum_a_posteriori(seen, base, targets(sentences), penalty)
    vectors = [tuple(map(float, vector)) for vector in learned]
    return Weights(
        tuple(map(float, bias)),
        dict(zip(names, vectors[: len(names)], strict=True)),
        dict(zip(kept, vectors[len(names) :], strict=True)),
    )


def _maximum_a_posteriori(
    seen: csr_matrix,
    base: NDArray[np.float64],
    wanted: NDArray[np.float64],
    penalty: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    columns, acts = seen.shape[1], wanted.shape[1]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = flat[:-acts].reshape(columns, acts), flat[-acts:]
        scores = base + seen @ weights + bias
        scores -= scores.max(axis=1, keepdims=True)
        log_odds = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        value = -(wanted * log_odds).sum()
        value += 0.5 * (penalty * weights**2).sum() + 0.5 * BIAS_PENALTY * (bias**2).sum()
        error = np.exp(log_odds) - wanted
        slope = seen.T @ error + penalty * weights
        return float(value), np.r_[slope.ravel(), error.sum(axis=0) + BIAS_PENALTY * bias]

    found = minimize(
        loss, np.zeros(columns * acts + acts), jac=True, method="L-BFGS-B", options={"maxiter": 500}
    )
    return found.x[:-acts].reshape(columns, acts), found.x[-acts:]


def main() -> None:
    """Fit both languages and write the weights."""
    parser = argparse.ArgumentParser(description="Learn the act classifier's weights.")
    parser.add_argument("data", type=Path, help="folder that holds dialogues_zh")
    options = parser.parse_args()
    sentences = own_sentences("fit") + dialogue_sentences(options.data / "dialogues_zh", "fit")
    learned = []
    for tongue in ("zh", "en"):
        chosen = [sentence for sentence in sentences if sentence.language == tongue]
        learned.append((tongue, fit(chosen, tongue)))
        print(f"{tongue}: {len(chosen)} sentences, {len(learned[-1][1].runs)} runs")
    write_weights(learned)


if __name__ == "__main__":
    main()
