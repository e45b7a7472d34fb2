"""`prepare`: raw files in, a corpus folder out.

Two passes. The first reads every file once, in workers, and spills what passes the stages of single
dialogues, with an entry of fixed size for each (`stages.ENTRY`). Then copies and contaminated
dialogues are decided on the entries alone, in input order, and the second pass anonymises and writes
what stays. Memory holds some batches and 400 bytes a dialogue, never all of the text.

The folder appears in one move when it is complete; an interrupted run leaves nothing under its name,
and the next one clears what was left beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson
from numpy.typing import NDArray

from rapport_tasks.common.errors import BadInput
from rapport_training.disk import new_folder, refuse_taken
from rapport_training.prepare.advice import STAGES, remedy
from rapport_training.prepare.card import Prepared, write_card
from rapport_training.prepare.duplicates import exact_copies, near_copies
from rapport_training.prepare.fingerprint import similarity
from rapport_training.prepare.first_pass import FirstPass, OnProgress, read_corpus
from rapport_training.prepare.second_pass import write_splits
from rapport_training.prepare.settings import PrepareSettings, Resources
from rapport_training.prepare.sources import find_sources
from rapport_training.prepare.split import choose_validation
from rapport_training.prepare.unknown import seen_keys

_FULL = "The work needs about three times the size of its input there."


def prepare(
    paths: Sequence[str | Path],
    out: str | Path,
    settings: PrepareSettings | None = None,
    *,
    resources: Resources | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Prepare a corpus.

    Args:
        paths: Files and folders of dialogues in any format of `rapport_training.prepare.formats`.
        out: The folder to write: ``train.jsonl``, ``validation.jsonl`` (unless nothing is held
            out), ``card.json``, ``card.md`` and ``histogram.png``. Must not exist, or be empty.
        settings: What to keep. Same files and settings give the same bytes.
        resources: What the work may take.
        on_progress: Told of ``bytes`` read, then of ``dialogues`` written.

    Returns:
        The contents of ``card.json``.

    Raises:
        BadInput: A source is missing or damaged, the folder is taken, or no dialogue is left.
        Incomplete: The disk is full, or a worker was killed.
    """
    out = Path(out)
    settings = settings or PrepareSettings()
    resources = resources or Resources()
    progress: OnProgress = on_progress or (lambda *_: None)
    refuse_taken(out)
    sources = find_sources(paths)
    with new_folder(out, remedy_if_full=_FULL) as folder:
        spill = folder / "lines.tmp"
        found = read_corpus(sources, settings, resources, spill=spill, on_progress=progress)
        if not len(found.entries):
            raise _nothing_left(found)
        with spill.open("rb") as file:
            lines = _Lines(file, found.entries["length"])
            kept = _choose(found, lines, settings.near_duplicates)
            entries = found.entries[kept]
            held_out = choose_validation(
                entries["opening_signature"],
                entries["opening"],
                settings.validation,
                settings.seed,
            )
            placeholders, touched = write_splits(
                map(lines.read, kept.tolist()),
                held_out,
                settings,
                resources,
                train=folder / "train.jsonl",
                validation=folder / "validation.jsonl",
                on_progress=progress,
            )
        spill.unlink()
        topics = [found.topics[row] for row in kept]
        return write_card(
            folder, Prepared(settings, found, entries, topics, held_out, placeholders, touched)
        )


class _Lines:
    """The first pass's dialogues, to be read by their number."""

    def __init__(self, file: BinaryIO, lengths: NDArray[np.uint32]) -> None:
        self._file = file
        self._ends = np.cumsum(lengths, dtype=np.int64)
        self._lengths = lengths

    def read(self, row: int) -> bytes:
        """A line as it was written."""
        self._file.seek(int(self._ends[row] - self._lengths[row]))
        return self._file.read(int(self._lengths[row]))

    def spoken(self, row: int) -> str:
        """What was said in a dialogue, as its signature saw it."""
        record = orjson.loads(self.read(row))
        return "".join(m["content"] for m in record["messages"] if m["role"] != "system")


def _choose(found: FirstPass, lines: _Lines, threshold: float | None) -> NDArray[np.int64]:
    """Rows that are no copies and not contaminated, ascending."""
    table, counts = found.entries, found.counts
    copies = exact_copies(table["digest"])
    counts["exact duplicates", "same_text"] += int(copies.sum())
    kept: NDArray[np.int64] = np.flatnonzero(~copies)
    if threshold is not None:
        near = near_copies(
            table["signature"],
            kept[table["shingles"][kept] > 0],
            threshold,
            exact=lambda a, b: similarity(lines.spoken(a), lines.spoken(b)),
        )
        counts["near-duplicates", "similar_text"] += len(near)
        kept = kept[~np.isin(kept, near)]
    contaminated = table["contaminated"][kept]
    counts["contamination", "evaluation_dialogue"] += int(contaminated.sum())
    kept = kept[~contaminated]
    if not len(kept):
        raise _nothing_left(found)
    return kept


def _nothing_left(found: FirstPass) -> BadInput:
    parts = [
        f"{stage}: {reason} {number}"
        for (stage, reason), number in sorted(found.counts.items())
        if stage in STAGES and number
    ]
    return BadInput(
        f"no dialogue is left of {found.counts['read', '']} records "
        f"({'; '.join(parts) or 'none read'}){seen_keys(found.unknown)}",
        remedy=remedy(found.counts),
    )
