"""The second pass: what stays is anonymised and written to its side of the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from rapport_training.disk import open_private
from rapport_training.prepare.first_pass import OnProgress
from rapport_training.prepare.settings import PrepareSettings, Resources
from rapport_training.prepare.workers import in_batches, ordered_map


def write_splits(
    lines: Iterable[bytes],
    held_out: NDArray[np.bool_],
    settings: PrepareSettings,
    resources: Resources,
    *,
    train: Path,
    validation: Path,
    on_progress: OnProgress,
) -> tuple[Counter[str], int]:
    """Write dialogues in their order.

    Args:
        lines: What stays, as the first pass wrote it.
        held_out: True where a dialogue goes to `validation`; as many as `lines`.
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
        batches = in_batches(lines, resources.batch_bytes, len)
        for batch in ordered_map(_worker, (settings.anonymise,), batches, workers):
            for line, found in batch:
                (validation_file if held_out[done] else train_file).write(line)
                placeholders.update(found)
                touched += bool(found)
                done += 1
            on_progress("dialogues", done, len(held_out))
    if not held_out.any():
        validation.unlink()
    return placeholders, touched


_Done = tuple[bytes, Counter[str]]


def _worker(anonymised: bool) -> Callable[[list[bytes]], list[_Done]]:
    if not anonymised:
        return lambda lines: [(line, Counter()) for line in lines]
    from rapport_training.privacy.anonymisation import anonymise

    def work(line: bytes) -> _Done:
        record: dict[str, Any] = orjson.loads(line)
        texts, found = anonymise([message["content"] for message in record["messages"]])
        for message, text in zip(record["messages"], texts, strict=True):
            message["content"] = text
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE), found

    return lambda lines: list(map(work, lines))
