"""The first pass: every file read once, what is usable spilled to disk with an entry for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rapport_tasks.common.paths import file_sha256
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_training.disk import open_private
from rapport_training.prepare.contamination import index_evaluation
from rapport_training.prepare.framing import read_records
from rapport_training.prepare.settings import PrepareSettings, Resources
from rapport_training.prepare.sources import Source, open_source
from rapport_training.prepare.stages import MOST_PLACES, Batch, Found, Stages
from rapport_training.prepare.unknown import MOST_SETS
from rapport_training.prepare.workers import in_batches, ordered_map

OnProgress = Callable[[str, int, int], None]
"""Called with (what is counted, how much is done, how much in all)."""


@dataclass(slots=True)
class FirstPass(Found):
    """What reading found over all files; their name, bytes, encoding and SHA-256 are `inputs`."""

    inputs: list[dict[str, Any]] = field(default_factory=list)


def read_corpus(
    sources: Sequence[Source],
    settings: PrepareSettings,
    resources: Resources,
    *,
    spill: Path,
    on_progress: OnProgress,
) -> FirstPass:
    """Run the stages of single dialogues over all files.

    Args:
        sources: In the order that decides which of two copies is the first.
        settings: What to keep.
        resources: What the work may take.
        spill: The file to write the dialogues to, a JSON line each.
        on_progress: Told of ``bytes`` read.

    Raises:
        BadInput: A file cannot be read.
        Incomplete: A worker was killed.
    """
    evaluation = index_evaluation(
        [dialogue for path in settings.evaluation for dialogue in read_dialogues(path)]
    )
    found = FirstPass()
    entries = [found.entries]
    names: dict[str | None, str | None] = {}  # equal topics as one object
    batches = _batches(sources, resources.batch_bytes, found.inputs, on_progress)
    with open_private(spill) as lines:
        for done in ordered_map(Stages, (settings, evaluation), batches, resources.workers):
            lines.write(b"".join(done.lines))
            entries.append(done.entries)
            found.topics += [names.setdefault(topic, topic) for topic in done.topics]
            found.counts.update(done.counts)
            found.unreadable += done.unreadable[: MOST_PLACES - len(found.unreadable)]
            for keys, count in done.unknown.items():
                if keys in found.unknown or len(found.unknown) < MOST_SETS:
                    found.unknown[keys] += count
    found.entries = np.concatenate(entries)
    return found


def _batches(
    sources: Sequence[Source],
    size: int,
    inputs: list[dict[str, Any]],
    on_progress: OnProgress,
) -> Iterator[Batch]:
    total = sum(source.size for source in sources)
    before = 0
    for source in sources:
        with open_source(source) as (chunks, encoding, file):
            records = read_records(chunks, source.name, source.path)
            for held in in_batches(records, size, lambda raw: len(raw.data) + 64):
                yield Batch(source.name, source.topic, held)
                on_progress("bytes", before + file.tell(), total)
        before += source.size
        inputs.append(
            {
                "name": source.name,
                "bytes": source.size,
                "encoding": encoding,
                "sha256": file_sha256(source.path),
            }
        )
        on_progress("bytes", before, total)
