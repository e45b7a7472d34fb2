"""The first pass: every file read once, what is usable spilled to disk with an entry for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_training.disk import open_private
from rapport_training.prepare.contamination import index_evaluation
from rapport_training.prepare.framing import read_records
from rapport_training.prepare.records import Raw
from rapport_training.prepare.settings import PrepareSettings, Resources
from rapport_training.prepare.sources import Source, open_source
from rapport_training.prepare.stages import Batch, Processed, Stages
from rapport_training.prepare.unknown import MOST_SETS
from rapport_training.prepare.workers import ordered_map

OnProgress = Callable[[str, int, int], None]
"""Called with (what is counted, how much is done, how much in all)."""

_PLACES = 20


@dataclass(frozen=True, slots=True)
class Spill:
    """Files of one folder that hold what the first pass found, dialogue by dialogue.

    Attributes:
        lines: The dialogues, a JSON line each.
        entries: `stages.ENTRY` of each.
        signatures: As `stages.Processed` has them, row after row.
        openings: Likewise.
    """

    lines: Path
    entries: Path
    signatures: Path
    openings: Path

    @classmethod
    def below(cls, folder: Path) -> Spill:
        """The files' names in a folder."""
        return cls(*(folder / f"{name}.tmp" for name in cls.__slots__))

    def remove(self) -> None:
        """Delete them."""
        for name in self.__slots__:
            getattr(self, name).unlink()


@dataclass(slots=True)
class FirstPass:
    """What reading found.

    Attributes:
        dialogues: How many stand in the spill.
        counts: As `stages.Processed.counts`, over all files.
        topics: The topics that occur; entries hold indices into it.
        inputs: Name, bytes, encoding and SHA-256 of every file.
        unreadable: ``file:number: reason`` of the first records that could not be read.
        unknown: Keys of records of no known format -> such records.
    """

    dialogues: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    topics: list[str | None] = field(default_factory=list)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    unknown: Counter[tuple[str, ...]] = field(default_factory=Counter)


def read_corpus(
    sources: Sequence[Source],
    settings: PrepareSettings,
    resources: Resources,
    *,
    spill: Spill,
    on_progress: OnProgress,
) -> FirstPass:
    """Run the stages of single dialogues over all files.

    Args:
        sources: In the order that decides which of two copies is the first.
        settings: What to keep.
        resources: What the work may take.
        spill: Files to write, all in the same order.
        on_progress: Told of ``bytes`` read.

    Raises:
        BadInput: A file cannot be read.
        Incomplete: A worker was killed.
    """
    evaluation = index_evaluation(
        [dialogue for path in settings.evaluation for dialogue in read_dialogues(path)]
    )
    found = FirstPass()
    numbers: dict[str | None, int] = {}
    batches = _batches(sources, resources.batch_bytes, found.inputs, on_progress)
    offset = 0
    with (
        open_private(spill.lines) as lines,
        open_private(spill.entries) as entries,
        open_private(spill.signatures) as signatures,
        open_private(spill.openings) as openings,
    ):
        for done in ordered_map(Stages, (settings, evaluation), batches, resources.workers):
            offset = _absorb(done, found, numbers, offset)
            lines.write(b"".join(done.lines))
            entries.write(done.entries.tobytes())
            signatures.write(done.signatures.tobytes())
            openings.write(done.openings.tobytes())
    found.topics = list(numbers)
    return found


def _absorb(done: Processed, found: FirstPass, numbers: dict[str | None, int], offset: int) -> int:
    """Count a batch and complete its entries; returns where the next batch's lines begin."""
    found.counts.update(done.counts)
    for number, reason in done.places[: _PLACES - len(found.unreadable)]:
        found.unreadable.append(f"{done.source}:{number}: {reason}")
    for keys, count in done.unknown.items():
        if keys in found.unknown or len(found.unknown) < MOST_SETS:
            found.unknown[keys] += count
    for place, topic in enumerate(done.topics):
        done.entries["topic"][place] = numbers.setdefault(topic, len(numbers))
        done.entries["offset"][place] = offset
        offset += len(done.lines[place])
    found.dialogues += len(done.lines)
    return offset


def _batches(
    sources: Sequence[Source],
    size: int,
    inputs: list[dict[str, Any]],
    on_progress: OnProgress,
) -> Iterator[Batch]:
    total = sum(source.size for source in sources)
    before = 0
    for source in sources:
        held: list[Raw] = []
        room = size
        with open_source(source) as (stream, file, encoding):
            for raw in read_records(stream, source.name, source.path):
                held.append(raw)
                room -= len(raw.data) + 64
                if room <= 0:
                    yield Batch(source.name, source.topic, held)
                    on_progress("bytes", before + file.bytes, total)
                    held, room = [], size
            while file.read(1 << 20):  # what follows the end of a compressed stream is hashed too
                pass
        if held:
            yield Batch(source.name, source.topic, held)
        before += file.bytes
        inputs.append(
            {
                "name": source.name,
                "bytes": file.bytes,
                "encoding": encoding,
                "sha256": file.sha256(),
            }
        )
        on_progress("bytes", before, total)
