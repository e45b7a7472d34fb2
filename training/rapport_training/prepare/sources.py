"""The files of a corpus: found, opened, decompressed."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from rapport_tasks.common.errors import BadInput, close_match
from rapport_tasks.common.paths import encodable
from rapport_training.prepare.encoding import decoded
from rapport_training.prepare.records import CHUNK

_DATA = (".json", ".jsonl", ".ndjson", ".txt", ".csv", ".tsv", ".parquet")
_PACKED = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class Source:
    """One file.

    Attributes:
        path: Where it lies.
        name: What outputs call it: its path below the folder that was named, or its own name.
        topic: What its dialogues are about if they do not say: the file name, in a folder of
            files or if it is Chinese.
        size: In bytes, as it lies on disk.
    """

    path: Path
    name: str
    topic: str | None
    size: int


def find_sources(paths: Sequence[str | Path]) -> list[Source]:
    """List the data files of files and folders, in the order given, folders sorted by name.

    Raises:
        BadInput: A path does not exist, or a folder holds no data file.
    """
    found: list[tuple[Path, str, str | None]] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and _is_data(p))
            if not inside:
                raise BadInput(
                    f"{path}: no data file in this folder",
                    remedy=f"Data files end in {', '.join(_DATA)}, also with .gz or .zst.",
                )
            found += [(p, p.relative_to(path).as_posix(), _stem(p)) for p in inside]
        elif path.is_file():
            stem = _stem(path)
            found.append((path, path.name, None if stem.isascii() else stem))
        else:
            nearby = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            raise BadInput(
                f"{path}: no such file or folder",
                remedy=close_match(path.name, nearby) + "Name dialogue files, or folders of them.",
            )
    seen: set[Path] = set()
    for path, _, _ in found:
        if path.resolve() in seen:
            raise BadInput(f"{path}: named twice", remedy="Name every file once.")
        seen.add(path.resolve())
    return [
        Source(path, encodable(name), topic, path.stat().st_size) for path, name, topic in found
    ]


def _is_data(path: Path) -> bool:
    hidden = any(part.startswith((".", "__")) for part in path.parts[-2:])
    suffixes = [s.lower() for s in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return not hidden and bool(suffixes) and suffixes[-1] in _DATA


def _stem(path: Path) -> str:
    name = encodable(path.name)
    for suffix in (*_PACKED, *_DATA):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name


@contextmanager
def open_source(source: Source) -> Iterator[tuple[Iterator[bytes], str, BinaryIO]]:
    """Open a file; its first bytes tell whether it is compressed, and how it is encoded.

    Yields:
        Its contents, decompressed, as chunks of UTF-8; how they were encoded; and the file itself,
        whose position tells how far it was read.

    Raises:
        BadInput: The file cannot be read, is no text, or its compression is damaged.
    """
    import zstandard

    try:
        with source.path.open("rb") as file:
            magic = file.peek(4)
            stream: io.BufferedIOBase = file
            if magic.startswith(b"\x1f\x8b"):
                stream = gzip.GzipFile(fileobj=file)
            elif magic.startswith(b"\x28\xb5\x2f\xfd"):
                unpacker = zstandard.ZstdDecompressor()
                unpacked: Any = unpacker.stream_reader(file, read_across_frames=True)
                stream = io.BufferedReader(unpacked, CHUNK)
            chunks, encoding = decoded(iter(partial(stream.read, CHUNK), b""), source.name)
            yield chunks, encoding, file
    except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise BadInput(
            f"{source.path}: damaged compressed file ({error})", remedy="Fetch it again."
        ) from None
    except OSError as error:
        raise BadInput(f"{source.path}: {error.strerror}", remedy="Name readable files.") from None
