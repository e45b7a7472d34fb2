"""Files of labelled utterances and of dialogues with labelled topic shifts.

Utterances, one a line::

    {"id": "u-1", "utterance": "...", "label": "advice", "context": "...", "dialogue_id": "d-7"}

``label`` is one of advice, empathy, question, other; lines with another label are counted and left
out. Lines of one ``dialogue_id`` (or ``context_id``) are one cluster; without these, lines that
share a ``context`` that is not blank; otherwise each line is its own.

Shifts: a line of a dialogue file (`rapport_tasks.dialogues.dialogue`) with ``labels``, one 0 or 1 a message,
the first 0; 1 says that the message opens a new topic. Other keys are ignored in both.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapport_tasks.acts.classifier import ACTS
from rapport_tasks.common.errors import BadDialogue, BadInput
from rapport_tasks.dialogues.dialogue import Dialogue, read_dialogues, read_json_lines
from rapport_tasks.dialogues.sentences import split_sentences

CLUSTER_KEYS = ("dialogue_id", "context_id")
LONGEST_LABEL = 60
"""Characters; a longer one is a text in the wrong place, and results hold no text."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One labelled text.

    Attributes:
        text: Has at least one sentence.
        label: One of `ACTS`.
        cluster: What it was said in; statistics resample clusters.
    """

    text: str
    label: str
    cluster: str


@dataclass(frozen=True, slots=True)
class LabelledDialogue:
    """A dialogue and, for each message, whether it opens a new topic; the first never does."""

    dialogue: Dialogue
    labels: tuple[bool, ...]


def read_utterances(path: Path) -> tuple[list[Utterance], Counter[str]]:
    """The utterances whose label is an act, in file order, and the other labels' counts.

    Raises:
        BadInput: The file cannot be read or holds no utterance with such a label.
        BadDialogue: A line does not follow the format.
    """
    found: list[Utterance] = []
    left_out: Counter[str] = Counter()
    seen: dict[str, int] = {}
    for line, record in read_json_lines(path):
        identity = _identity(record, path, line, seen)
        text = record.get("utterance")
        label = record.get("label")
        if not isinstance(text, str):
            problem = "missing" if text is None else f"{type(text).__name__}, not a string"
            raise BadDialogue(path, line, "utterance", problem, "Give the text as a string.")
        if not isinstance(label, str) or not 0 < len(label) <= LONGEST_LABEL:
            problem = "missing" if label is None else "not a label"
            raise BadDialogue(path, line, "label", problem, f"Give one of {', '.join(ACTS)}.")
        if not split_sentences(text):
            raise BadDialogue(path, line, "utterance", "blank", "Leave such lines out.")
        if label in ACTS:
            found.append(Utterance(text, label, _cluster(record, identity)))
        else:
            left_out[label] += 1
    if not found:
        raise BadInput(
            f"{path}: no utterance with a known label",
            remedy=f"Labels are {', '.join(ACTS)}; one JSON object a line.",
        )
    return found, left_out


def read_shifts(path: Path) -> list[LabelledDialogue]:
    """The labelled dialogues, in file order.

    Raises:
        BadInput: The file cannot be read or holds no dialogue.
        BadDialogue: A line does not follow the format.
    """
    found: list[LabelledDialogue] = []
    for dialogue, (line, record) in zip(read_dialogues(path), read_json_lines(path), strict=True):
        labels = record.get("labels")
        count = len(dialogue.messages)
        if not isinstance(labels, list) or len(labels) != count:
            has = f"{len(labels)} of them" if isinstance(labels, list) else "missing or not a list"
            remedy = f"Give one 0 or 1 for each of its {count} messages."
            raise BadDialogue(path, line, "labels", f"{has} for {count} messages", remedy)
        for place, label in enumerate(labels):
            if label not in (0, 1):
                remedy = "1 = this message opens a new topic, 0 = it does not."
                raise BadDialogue(path, line, f"labels[{place}]", "neither 0 nor 1", remedy)
        if labels and labels[0]:
            remedy = "The first label is 0: nothing stands before the first message."
            raise BadDialogue(path, line, "labels[0]", "1", remedy)
        found.append(LabelledDialogue(dialogue, tuple(map(bool, labels))))
    return found


def _identity(record: Any, path: Path, line: int, seen: dict[str, int]) -> str:
    """The line's id, which no other line of the file has."""
    if not isinstance(record, dict):
        problem = f"a JSON {type(record).__name__}, not an object"
        raise BadDialogue(path, line, "line", problem, "Put one JSON object on each line.")
    identity = record.get("id")
    if isinstance(identity, bool) or not isinstance(identity, int | str) or identity == "":
        remedy = 'Add "id": a string unique within the file.'
        raise BadDialogue(path, line, "id", "missing or not a string", remedy)
    name = str(identity)
    if name in seen:
        problem = f"stands on line {seen[name]} already"
        raise BadDialogue(path, line, "id", problem, "Give every line its own id.")
    seen[name] = line
    return name


def _cluster(record: dict[str, Any], identity: str) -> str:
    for key in CLUSTER_KEYS:
        if isinstance(record.get(key), int | str) and record[key] != "":
            return f"{key}\0{record[key]}"
    context = record.get("context")
    if isinstance(context, str) and context.strip():
        return f"context\0{context.strip()}"
    return f"id\0{identity}"
