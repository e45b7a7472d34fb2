"""How valid are topic shifts? Tables on labelled data, with the baselines that read no text.

    python benchmark/validity/shifts.py PATH_TO_DATA [--limit N]

Data that the scorer was calibrated on is left out: TIAGE train, and every second line of the splice
files from the first. "assistant splice" is made here: in SMILE dialogues (its first lines, kept for
scoring) and this project's English ones one assistant turn is replaced by one of another dialogue,
which ends it.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from rapport_tasks.builtin import TRAINING_EN
from rapport_tasks.corruptions import interrupted
from rapport_tasks.dialogue import Dialogue, Message
from rapport_tasks.encoder import load_encoder
from rapport_tasks.segmentation import average, baselines, pk, window_diff, window_f1
from rapport_tasks.topic_shift import Boundary, WindowBoundaryScorer

Example = dict[str, Any]


def auc(scores: Sequence[float], labels: Sequence[bool]) -> float | None:
    """Chance that a boundary scores above a non-boundary, ties half; `None` if one is missing."""
    positives = sum(labels)
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    ranks = rankdata(scores)
    above = sum(r for r, label in zip(ranks, labels, strict=True) if label)
    return float((above - positives * (positives + 1) / 2) / (positives * negatives))


def count_correlation(
    predicted: Sequence[int], reference: Sequence[int], length: Sequence[int]
) -> float | None:
    """Rank correlation of counts per dialogue with length partialled out of both."""
    ranks = np.array([rankdata(predicted), rankdata(reference), rankdata(length)])
    if any(np.ptp(row) == 0 for row in ranks[:2]):
        return None
    design = np.stack([np.ones(ranks.shape[1]), ranks[2]], axis=1)
    left = [row - design @ np.linalg.lstsq(design, row, rcond=None)[0] for row in ranks[:2]]
    if min(float(np.abs(row).max()) for row in left) < 1e-9:
        return None
    return float(np.corrcoef(left[0], left[1])[0, 1])


def read(path: Path, start: int = 0, step: int = 1) -> list[Example]:
    """Lines of a file of labelled dialogues."""
    return [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines()[start::step]]


def assistant_splices(examples: Sequence[Example], seed: int = 0) -> list[Example]:
    """Every second dialogue ends with a foreign assistant turn, its only shift."""
    draw = random.Random(seed)
    dialogues = [Dialogue.from_json(example) for example in examples]
    made = []
    for number, dialogue in enumerate(dialogues):
        messages: Sequence[Message] = dialogue.messages
        if number % 2:
            messages = interrupted(dialogue, dialogues[number - 1], draw)
        labels = [0] * len(messages)
        labels[-1] = int(messages[-1] != dialogue.messages[len(messages) - 1])
        made.append({"messages": [asdict(m) for m in messages], "labels": labels})
    return made


def form(value: float | None) -> str:
    """Three decimals, or a dash."""
    return "    –" if value is None else f"{value:5.3f}"


def report(name: str, examples: Sequence[Example], scorer: WindowBoundaryScorer) -> None:
    """Print the table of one data set."""
    messages = [[Message(m["role"], m["content"]) for m in e["messages"]] for e in examples]
    found: list[list[Boundary]] = [scorer.score_messages(m) for m in messages]
    references = [[bool(label) for label in e["labels"]] for e in examples]
    everywhere = [[i > 0 for i in range(len(m))] for m in messages]
    assistant = [[i > 0 and x.role == "assistant" for i, x in enumerate(m)] for m in messages]
    shifts = sum(sum(r) for r in references)
    mine = sum(sum(r[i] for i, on in enumerate(a) if on) for r, a in zip(references, assistant, strict=True))  # fmt: skip
    print(f"\n{name}: {len(examples)} dialogues, {shifts} shifts, {mine} by the assistant")
    for label, mask in (("all positions", everywhere), ("assistant", assistant)):
        pairs = [
            (b.score, wanted)
            for bs, ws, on in zip(found, references, mask, strict=True)
            for b, wanted, used in zip(bs, ws, on, strict=True)
            if used and b.score is not None
        ]
        print(f"  AUC, {label:14s} {form(auc([s for s, _ in pairs], [w for _, w in pairs]))}")
    arms = [("scorer", [[bool(b.boundary) for b in bs] for bs in found])]
    arms += [(b.name, b.predictions) for b in baselines(references)]
    print("             Pk  WinDiff  F1(±1)  shifts/10  count r (all)  count r (assistant)")
    lengths = [len(r) for r in references]
    for arm, predictions in arms:
        rate = 10 * sum(map(sum, predictions)) / sum(map(sum, everywhere))
        cells = [average(m, references, predictions) for m in (pk, window_diff, window_f1)]
        correlations = []
        for mask in (everywhere, assistant):
            counts = [
                [sum(x for x, on in zip(row, use, strict=True) if on) for row, use in zip(rows, mask, strict=True)]
                for rows in (predictions, references)
            ]  # fmt: skip
            correlations.append(count_correlation(counts[0], counts[1], lengths))
        text = "   ".join(form(cell) for cell in cells)
        print(f"  {arm:8s} {text}      {rate:5.2f}          {form(correlations[0])}                {form(correlations[1])}")  # fmt: skip


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description="Validity of topic shifts.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=None, help="dialogues of each data set")
    options = parser.parse_args()
    shifts = options.data / "topicshift_zh"
    sets = {"TIAGE dev (en, human)": read(options.data / "topicshift_en/tiage_mit.dev.jsonl")}
    for file in ("smile", "cpsycound"):
        lines = read(shifts / f"spliced_{file}.jsonl", 1, 2)
        for variant in ("random", "similar"):
            sets[f"spliced {file}, {variant}"] = [d for d in lines if d["variant"] == variant]
    sets["CrossWOZ (zh, human)"] = read(shifts / "crosswoz_val.jsonl")
    sets["KdConv (zh, derived)"] = read(shifts / "kdconv_dev.jsonl")
    smile = read(options.data / "dialogues_zh/smile.jsonl")[:300]
    sets["SMILE, assistant splice"] = assistant_splices(smile)
    own = read(TRAINING_EN, 40)
    sets["own English, assistant splice"] = [d for n in range(5) for d in assistant_splices(own, n)]
    scorer = WindowBoundaryScorer(load_encoder())
    for name, examples in sets.items():
        report(name, examples[: options.limit], scorer)


if __name__ == "__main__":
    main()
