"""How valid are topic shifts? The tables of `rapport validate shifts`, on held-out data alone.

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
from dataclasses import replace
from pathlib import Path

from rapport_bench.validate_command import show_report
from rapport_bench.validity.labelled import LabelledDialogue, read_shifts
from rapport_bench.validity.shifts import shifts_report
from rapport_tasks.builtin import TRAINING_EN
from rapport_tasks.corruptions import interrupted
from rapport_tasks.dialogue import Dialogue, read_dialogues
from rapport_tasks.scorers import boundary_scorer


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


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description="Validity of topic shifts.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=None, help="dialogues of each data set")
    options = parser.parse_args()
    shifts = options.data / "topicshift_zh"
    sets = {
        "TIAGE dev (en, human)": read_shifts(options.data / "topicshift_en/tiage_mit.dev.jsonl")
    }
    for file in ("smile", "cpsycound"):
        path = shifts / f"spliced_{file}.jsonl"
        variants = variant_of(path)
        for variant in ("random", "similar"):
            held_out = [d for d in read_shifts(path)[1::2] if variants[d.dialogue.id] == variant]
            sets[f"spliced {file}, {variant}"] = held_out
    sets["CrossWOZ (zh, human)"] = read_shifts(shifts / "crosswoz_val.jsonl")
    sets["KdConv (zh, derived)"] = read_shifts(shifts / "kdconv_dev.jsonl")
    smile = read_dialogues(options.data / "dialogues_zh/smile.jsonl")[:300]
    sets["SMILE, assistant splice"] = assistant_splices(smile)
    own = read_dialogues(TRAINING_EN)[40:]
    sets["own English, assistant splice"] = [
        LabelledDialogue(replace(d.dialogue, id=f"{d.dialogue.id}/{n}"), d.labels)
        for n in range(5)
        for d in assistant_splices(own, n)
    ]
    for name, dialogues in sets.items():
        show_report(shifts_report(name, dialogues[: options.limit], boundary_scorer()))


if __name__ == "__main__":
    main()
