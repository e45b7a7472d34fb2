"""The files of a corpus: found, opened, decompressed, hashed."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from rapport_tasks.common.errors import BadInput, close_match
from rapport_tasks.common.paths import encodable
from rapport_training.prepare.encoding import decoded
from rapport_training.prepare.records import Readable

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
    sources: list[Source] = []
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.is_file() and _is_data(p))
            if not found:
                raise BadInput(
                    f"{path}: no data file in this folder",
                    remedy=f"Data files end in {', '.join(_DATA)}, also with .gz or .zst.",
                )
            sources += [
                Source(p, encodable(p.relative_to(path).as_posix()), _stem(p), p.stat().st_size)
                for p in found
            ]
        elif path.is_file():
            stem = _stem(path)
            sources.append(
                Source(
                    path,
                    encodable(path.name),
                    None if stem.isascii() else stem,
                    path.stat().st_size,
                )
            )
        else:
            nearby = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            raise BadInput(
                f"{path}: no such file or folder",
                remedy=close_match(path.name, nearby) + "Name dialogue files, or folders of them.",
            )
    seen: set[Path] = set()
    for source in sources:
        real = source.path.resolve()
        if real in seen:
            raise BadInput(f"{source.path}: named twice", remedy="Name every file once.")
        seen.add(real)
    return sources


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


class Counted:
    """A file that counts and hashes the bytes read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        """Read as a file does."""
        data = self._file.read(size)
        self._hash.update(data)
        self.bytes += len(data)
        return data

    def sha256(self) -> str:
        """Hash of all that was read."""
        return self._hash.hexdigest()


class Opened(NamedTuple):
    """A file that is read.

    Attributes:
        stream: Its contents, decompressed, in UTF-8.
        file: The file beneath them.
        encoding: How the contents were encoded.
    """

    stream: Readable
    file: Counted
    encoding: str


@contextmanager
def open_source(source: Source) -> Iterator[Opened]:
    """Open a file; its first bytes tell whether it is compressed, and how it is encoded.

    Raises:
        BadInput: The file cannot be read, is no text, or its compression is damaged.
    """
    import zstandard

    try:
        with source.path.open("rb", buffering=0) as raw:
            magic = raw.read(4)
            raw.seek(0)
            counted = Counted(cast(BinaryIO, io.BufferedReader(raw, 1 << 20)))
            stream: Readable = counted
            if magic.startswith(b"\x1f\x8b"):
                stream = gzip.GzipFile(fileobj=cast(BinaryIO, counted))
            elif magic == b"\x28\xb5\x2f\xfd":
                stream = zstandard.ZstdDecompressor().stream_reader(
                    cast(BinaryIO, counted), read_across_frames=True
                )
            text, encoding = decoded(stream, source.name)
            yield Opened(text, counted, encoding)
    except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise BadInput(
            f"{source.path}: damaged compressed file ({error})", remedy="Fetch it again."
        ) from None
    except OSError as error:
        raise BadInput(f"{source.path}: {error.strerror}", remedy="Name readable files.") from None
