"""`prepare`: raw files in, a corpus folder out.

Two passes. The first reads every file once, in workers, and spills what passes the stages of single
dialogues, with an entry of fixed size for each (`stages.ENTRY`). Then copies and contaminated
dialogues are decided on the entries alone, in input order, and the second pass anonymises and writes
what stays. Memory holds some batches, 80 bytes a dialogue, and pages of the signatures, never text.

The folder appears in one move when it is complete; an interrupted run leaves nothing under its name,
and the next one clears what was left beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from rapport_tasks.common.errors import FULL_DISK, BadInput, Incomplete
from rapport_training.disk import refuse_taken, sync
from rapport_training.prepare.advice import STAGES, remedy
from rapport_training.prepare.card import Prepared, write_card
from rapport_training.prepare.duplicates import exact_copies, near_copies
from rapport_training.prepare.fingerprint import BINS, OPENING_BINS, similarity
from rapport_training.prepare.first_pass import FirstPass, OnProgress, Spill, read_corpus
from rapport_training.prepare.second_pass import write_splits
from rapport_training.prepare.settings import PrepareSettings, Resources
from rapport_training.prepare.sources import find_sources
from rapport_training.prepare.split import choose_validation
from rapport_training.prepare.stages import ENTRY
from rapport_training.prepare.unknown import seen_keys


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
    with _unfinished(out) as folder:
        spill = Spill.below(folder)
        found = read_corpus(sources, settings, resources, spill=spill, on_progress=progress)
        if not found.dialogues:
            raise _nothing_left(found)
        table = np.memmap(spill.entries, ENTRY, "r")
        with spill.lines.open("rb") as lines:
            kept = _choose(table, spill, lines, settings, resources, found)
            figures = table[kept]
            openings = np.memmap(spill.openings, np.uint16, "r").reshape(-1, OPENING_BINS)
            held_out = choose_validation(
                openings[kept], figures["opening"], settings.validation, settings.seed
            )
            placeholders, touched = write_splits(
                lines,
                figures,
                held_out,
                settings,
                resources,
                train=folder / "train.jsonl",
                validation=folder / "validation.jsonl",
                on_progress=progress,
            )
        spill.remove()
        card = write_card(
            folder, Prepared(settings, found, figures, held_out, placeholders, touched)
        )
        _move(folder, out)
    return card


def _choose(
    table: NDArray[np.void],
    spill: Spill,
    lines: BinaryIO,
    settings: PrepareSettings,
    resources: Resources,
    found: FirstPass,
) -> NDArray[np.int64]:
    """Rows that are no copies and not contaminated, ascending."""

    def exact(a: int, b: int) -> float:
        return similarity(_spoken(lines, table[a]), _spoken(lines, table[b]))

    counts = found.counts
    copies = exact_copies(table["digest"])
    counts["exact duplicates", "same_text"] += int(copies.sum())
    kept: NDArray[np.int64] = np.flatnonzero(~copies)
    if settings.near_duplicates is not None:
        near = near_copies(
            np.memmap(spill.signatures, np.uint16, "r").reshape(-1, BINS),
            kept[table["shingles"][kept] > 0],
            settings.near_duplicates,
            exact=exact,
            budget=resources.memory // 4,
        )
        counts["near-duplicates", "similar_text"] += len(near)
        kept = kept[~np.isin(kept, near)]
    contaminated = table["contaminated"][kept]
    counts["contamination", "evaluation_dialogue"] += int(contaminated.sum())
    kept = kept[~contaminated]
    if not len(kept):
        raise _nothing_left(found)
    return kept


def _spoken(lines: BinaryIO, entry: np.void) -> str:
    """What was said in a dialogue, as its signature saw it."""
    lines.seek(int(entry["offset"]))
    record = orjson.loads(lines.read(int(entry["length"])))
    return "".join(m["content"] for m in record["messages"] if m["role"] != "system")


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


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """A folder beside `out` that one process at a time works in, gone at the end."""
    folder = out.parent / f".{out.name}.unfinished"
    lock = out.parent / f".{out.name}.lock"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                folder.mkdir(mode=0o700)
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)
    except Timeout:
        raise BadInput(
            f"{out}: another process is writing it", remedy="Wait for it, or name another folder."
        ) from None
    except OSError as error:
        if error.errno in FULL_DISK:
            raise Incomplete(
                f"{out}: the disk is full; nothing was written",
                remedy="The work needs about three times the size of its input there.",
            ) from None
        raise BadInput(
            f"{out}: {error.strerror or error}", remedy="Choose a folder that you can write to."
        ) from None


def _move(folder: Path, out: Path) -> None:
    sync(folder)
    refuse_taken(out)
    folder.replace(out)
