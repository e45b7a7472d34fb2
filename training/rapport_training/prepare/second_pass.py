"""The second pass: what stays is anonymised and written to its side of the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson
from numpy.typing import NDArray

from rapport_training.disk import open_private
from rapport_training.prepare.first_pass import OnProgress
from rapport_training.prepare.settings import PrepareSettings, Resources
from rapport_training.prepare.workers import ordered_map

_Lines = list[bytes]


def write_splits(
    lines: BinaryIO,
    entries: NDArray[np.void],
    held_out: NDArray[np.bool_],
    settings: PrepareSettings,
    resources: Resources,
    *,
    train: Path,
    validation: Path,
    on_progress: OnProgress,
) -> tuple[Counter[str], int]:
    """Write the dialogues of `entries` in their order.

    Args:
        lines: The file that holds the first pass's dialogues.
        entries: What stays (`stages.ENTRY`).
        held_out: True where a dialogue goes to `validation`; same length as `entries`.
        settings: Whether to anonymise.
        resources: What the work may take.
        train: File to write.
        validation: File to write, unless nothing is held out.
        on_progress: Told of ``dialogues`` written.

    Returns:
        How many placeholders of each kind now stand in the text, and in how many dialogues.
    """
    placeholders: Counter[str] = Counter()
    touched = done = 0
    with open_private(train) as train_file, open_private(validation) as validation_file:
        workers = resources.workers if settings.anonymise else 1
        batches = _batches(lines, entries, resources.batch_bytes)
        for batch, found, changed in ordered_map(
            _anonymiser if settings.anonymise else _copier, (), batches, workers
        ):
            placeholders.update(found)
            touched += changed
            sides = held_out[done : done + len(batch)].tolist()
            for line, side in zip(batch, sides, strict=True):
                (validation_file if side else train_file).write(line)
            done += len(batch)
            on_progress("dialogues", done, len(entries))
    if not held_out.any():
        validation.unlink()
    return placeholders, touched


def _batches(lines: BinaryIO, entries: NDArray[np.void], size: int) -> Iterator[_Lines]:
    held: _Lines = []
    room = size
    places = zip(entries["offset"].tolist(), entries["length"].tolist(), strict=True)
    for offset, length in places:
        lines.seek(offset)
        held.append(lines.read(length))
        room -= length
        if room <= 0:
            yield held
            held, room = [], size
    if held:
        yield held


_Done = tuple[_Lines, Counter[str], int]


def _copier() -> Callable[[_Lines], _Done]:
    return lambda lines: (lines, Counter(), 0)


def _anonymiser() -> Callable[[_Lines], _Done]:
    from rapport_training.privacy.anonymisation import anonymise

    def work(lines: _Lines) -> _Done:
        placeholders: Counter[str] = Counter()
        changed = 0
        out = []
        for line in lines:
            record: dict[str, Any] = orjson.loads(line)
            texts, found = anonymise([message["content"] for message in record["messages"]])
            if found:
                changed += 1
                placeholders.update(found)
                for message, text in zip(record["messages"], texts, strict=True):
                    message["content"] = text
                line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
            out.append(line)
        return out, placeholders, changed

    return work
