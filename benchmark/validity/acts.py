"""How valid are acts and markers? Tables on labelled sentences, beside what needs no grammar.

    python benchmark/validity/acts.py [PATH_TO_DATA]

The first tables are about the held-out families of ``tasks/data/acts_*.tsv``: none of their sentences,
and few of their registers, was learned from. With a path, the held-out labels of sentences of
dialogues_zh, and strategy_zh and strategy_en, are scored as well. AUC is the chance that a sentence of advice scores above one of empathy, the score being
P(advice) / (P(advice) + P(empathy)), for a text of several sentences the ratio of their sums.
"Matched" counts only pairs whose lengths differ by at most a fifth. Intervals are 95 % bootstrap
percentiles over families (over texts where there are none). Baselines: a keyword lexicon, and length.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapport_tasks.acts.classifier import ACTS, ATTRIBUTES, RuleActClassifier
from rapport_tasks.acts.markers import MARKERS, count_markers
from rapport_tasks.dialogues.sentences import split_sentences

LABELS = Path(__file__).parents[2] / "tasks" / "data"
DRAWS = 400
CLASSIFIER = RuleActClassifier()

_KEYWORDS = {
    "zh": ("应该|必须|要|得|别|可以|需要|建议|试|多", "理解|感受|感到|觉得|辛苦|难过|心疼|听起来|相信"),
    "en": (r"\b(?:should|must|need to|try|could|can|suggest|recommend|don't)\b",
           r"\b(?:feel\w*|sounds?|understand|sorry|hard|must be|proud|tough|believe)\b"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """A labelled text. ``cluster`` names what is resampled together; attributes and markers may be unknown."""

    language: str
    text: str
    act: str
    cluster: str
    attributes: frozenset[str] | None = None
    markers: frozenset[str] | None = None


def own_texts(split: str) -> list[Text]:
    """The project's labelled sentences of a split, ``fit`` or ``held``."""
    found = []
    for path in sorted(LABELS.glob("acts_*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["split"] == split:
                    named = [
                        None if row[key] == "?" else frozenset(row[key].split(",")) - {"-"}
                        for key in ("attributes", "markers")
                    ]
                    found.append(
                        Text(row["language"], row["text"], row["act"], row["family"], *named)
                    )
    return found


def dialogue_texts(folder: Path) -> list[Text]:
    """The held-out sentences of the public dialogues, which were labelled without seeing a guess."""
    with (LABELS / "labels_dialogues_zh.tsv").open(encoding="utf-8", newline="") as file:
        labels = [r for r in csv.DictReader(file, delimiter="\t") if r["split"] == "held"]
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
        found.append(Text("zh", text, label["act"], label["dialogue"]))
    return found


def strategy_texts(path: Path, language: str, *, clear: bool = False) -> list[Text]:
    """Labelled utterances; the clear ones are not ambiguous and have no label of the other side."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        both = {"advice", "empathy"} <= set(row.get("labels", ()))
        if not (clear and (both or row.get("ambiguous"))):
            found.append(Text(language, row["utterance"], row["label"], row["id"]))
    return found


def classifier_score(text: Text) -> float:
    """P(advice) / (P(advice) + P(empathy)), summed over sentences."""
    acts = CLASSIFIER.classify([s.text for s in split_sentences(text.text)])
    advice = sum(act.advice for act in acts)
    return advice / (advice + sum(act.empathy for act in acts))


def keyword_score(text: Text) -> float:
    """Keywords of advice less those of empathy."""
    advice, empathy = _KEYWORDS[text.language]
    spoken = text.text.lower()
    return float(len(re.findall(advice, spoken)) - len(re.findall(empathy, spoken)))


def length_score(text: Text) -> float:
    """Characters."""
    return float(len(text.text))


def auc(
    advice: NDArray[np.float64], empathy: NDArray[np.float64], counted: NDArray[np.bool_]
) -> float | None:
    """Share of the counted (advice, empathy) pairs in the right order, ties half; `None` without pairs."""
    wins = (advice[:, None] > empathy) + 0.5 * (advice[:, None] == empathy)
    return float(wins[counted].mean()) if counted.any() else None


def report_auc(name: str, texts: Sequence[Text]) -> None:
    """Print AUC of the classifier and of the baselines, over all pairs and over length-matched ones."""
    sides = [[t for t in texts if t.act == act] for act in ("advice", "empathy")]
    print(f"\n{name}: {len(sides[0])} advice, {len(sides[1])} empathy")
    print("               AUC                   matched")
    lengths = [np.log([len(t.text) for t in side]) for side in sides]
    near = np.abs(lengths[0][:, None] - lengths[1]) <= np.log(1.25)
    scorers: dict[str, Callable[[Text], float]] = {
        "acts": classifier_score, "keywords": keyword_score, "length": length_score,
    }  # fmt: skip
    for label, scorer in scorers.items():
        scores = [np.array([scorer(t) for t in side]) for side in sides]
        cells = []
        for counted in (np.ones_like(near), near):
            value = auc(scores[0], scores[1], counted)
            low, high = _interval(sides, scores, counted)
            cells.append("    –" if value is None else f"{value:5.3f} [{low:.3f}, {high:.3f}]")
        print(f"  {label:10s}  {cells[0]}  {cells[1]}")


def _interval(
    sides: Sequence[Sequence[Text]],
    scores: Sequence[NDArray[np.float64]],
    counted: NDArray[np.bool_],
) -> tuple[float, float]:
    draw = np.random.default_rng(0)
    clusters = sorted({t.cluster for side in sides for t in side})
    members = [
        {c: [i for i, t in enumerate(side) if t.cluster == c] for c in clusters} for side in sides
    ]
    values = []
    for _ in range(DRAWS):
        chosen = [clusters[i] for i in draw.integers(len(clusters), size=len(clusters))]
        rows, columns = ([i for c in chosen for i in member[c]] for member in members)
        if rows and columns:
            value = auc(scores[0][rows], scores[1][columns], counted[np.ix_(rows, columns)])
            values += [] if value is None else [value]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def report_labels(name: str, texts: Sequence[Text]) -> None:
    """Print accuracy, and precision and recall of each act."""
    found = [act.label for act in CLASSIFIER.classify([t.text for t in texts])]
    right = sum(t.act == label for t, label in zip(texts, found, strict=True))
    common = Counter(t.act for t in texts).most_common(1)[0][1]
    print(f"\n{name}: accuracy {right / len(texts):.3f} of {len(texts)} (the commonest act: {common / len(texts):.3f})")  # fmt: skip
    for act in ACTS:
        pairs = [(t.act == act, label == act) for t, label in zip(texts, found, strict=True)]
        print(f"  {act:23s} {_rates(pairs)}")


def report_attributes(name: str, texts: Sequence[Text]) -> None:
    """Print precision and recall of attributes and of marker families, counted by sentence."""
    print(f"\n{name}")
    known = [t for t in texts if t.attributes is not None]
    found = CLASSIFIER.classify([t.text for t in known])
    for attribute in ATTRIBUTES:
        pairs = [(attribute in (t.attributes or ()), attribute in a.attributes) for t, a in zip(known, found, strict=True)]  # fmt: skip
        print(f"  attribute {attribute:23s} {_rates(pairs)}")
    counts = [count_markers(t.text) for t in known]
    for marker in MARKERS:
        pairs = [(marker in (t.markers or ()), c[marker] > 0) for t, c in zip(known, counts, strict=True)]  # fmt: skip
        print(f"  marker    {marker:23s} {_rates(pairs)}")


def _rates(pairs: Sequence[tuple[bool, bool]]) -> str:
    both = sum(wanted and found for wanted, found in pairs)
    wanted, found = sum(w for w, _ in pairs), sum(f for _, f in pairs)
    precision = f"{both / found:.2f}" if found else "   –"
    recall = f"{both / wanted:.2f}" if wanted else "   –"
    return f"precision {precision}, recall {recall}, n {wanted}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description="Validity of acts and markers.")
    parser.add_argument(
        "data", type=Path, nargs="?", help="folder with strategy_zh and strategy_en"
    )
    options = parser.parse_args(arguments)
    held = own_texts("held")
    everything = held + own_texts("fit")
    for language, spoken in (("zh", "Chinese"), ("en", "English")):
        texts = [t for t in held if t.language == language]
        report_auc(f"own held-out sentences, {spoken}", texts)
        report_labels(f"own held-out sentences, {spoken}", texts)
        report_attributes(f"own held-out sentences, {spoken}: by sentence", texts)
        report_attributes(
            f"all own sentences, {spoken}: by sentence",
            [t for t in everything if t.language == language],
        )
    if options.data is not None:
        texts = dialogue_texts(options.data / "dialogues_zh")
        report_auc("held-out sentences of public dialogues, Chinese", texts)
        report_labels("held-out sentences of public dialogues, Chinese", texts)
        files = (("zh", "strategy_zh/sentences.jsonl"), ("en", "strategy_en/bolt.jsonl"))
        for language, file in files:
            for clear in (False, True):
                texts = strategy_texts(options.data / file, language, clear=clear)
                report_auc(f"{file}{', clear ones' if clear else ''}", texts)
            if language == "zh":
                report_labels(file, strategy_texts(options.data / file, language))


if __name__ == "__main__":
    main()
