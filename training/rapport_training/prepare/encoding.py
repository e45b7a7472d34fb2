"""How a file writes its characters: UTF-8, UTF-16, UTF-32 or GB18030; all become UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

from rapport_tasks.common.errors import BadInput
from rapport_training.prepare.records import PARQUET

UTF8 = "utf-8"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = (
    (b"{\0", "utf-16-le"),
    (b"[\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
    (b"\0[", "utf-16-be"),
)
_BINARY = (
    (b"PK\x03\x04", "a ZIP archive or a work book", "Unpack it; save a sheet as CSV in UTF-8."),
    (b"\xd0\xcf\x11\xe0", "an old work book", "Save the sheet as CSV in UTF-8."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it."),
    (b"Rar!", "a RAR archive", "Unpack it."),
    (b"BZh", "compressed by bzip2", "Unpack it, or compress it by gzip or zstandard."),
    (b"\xfd7zXZ", "compressed by xz", "Unpack it, or compress it by gzip or zstandard."),
    (b"ARROW1", "an Arrow file", "Save it as Parquet or JSONL."),
    (b"SQLite format 3", "a database", "Export the table as JSONL or CSV."),
)


def decoded(chunks: Iterator[bytes], name: str) -> tuple[Iterator[bytes], str]:
    """Tell an encoding from the first chunk of a text.

    Returns:
        The text as chunks of UTF-8 without a mark, and the encoding's name. Bytes that the encoding
        does not know stay as they are, so that their record alone is ``not_utf8``.

    Raises:
        BadInput: It is no text.
    """
    head = next(chunks, b"")
    for magic, what, remedy in _BINARY:
        if head.startswith(magic):
            raise BadInput(f"{name}: {what}, not text", remedy=remedy)
    if head.startswith(PARQUET):
        return chain([head], chunks), "parquet"
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return _recoded(chain([head[len(mark) :]], chunks), encoding, name), encoding
    if head.count(0) > len(head) // 10:
        for beginning, encoding in _UNMARKED:
            if head.startswith(beginning):
                return _recoded(chain([head], chunks), encoding, name), encoding
        raise BadInput(f"{name}: not text", remedy="Name JSON, JSONL, CSV, text or Parquet files.")
    if _is_gb18030(head):
        return _recoded(chain([head], chunks), "gb18030", name), "gb18030"
    return chain([head.removeprefix(codecs.BOM_UTF8)], chunks), UTF8


def _is_gb18030(head: bytes) -> bool:
    """Whether bytes that are mostly no UTF-8 are Chinese of everyday characters in GB18030."""
    text = head.decode(UTF8, "replace")
    bad = text.count("\ufffd")
    if bad <= sum(character > "\x7f" for character in text) // 2:
        return False
    # The last character may be cut, and a damaged one does not make it another encoding.
    wide = [c for c in head.decode("gb18030", "replace") if c > "\x7f"]
    common = len("".join(wide).encode("gb2312", "ignore")) // 2
    return common > 0.8 * len(wide)


def _recoded(chunks: Iterable[bytes], encoding: str, name: str) -> Iterator[bytes]:
    # A half of a pair in UTF-16 is passed on as such, any other foreign byte as itself.
    errors = "surrogatepass" if encoding.startswith("utf") else "surrogateescape"
    try:
        for text in codecs.iterdecode(chunks, encoding, errors):
            yield text.encode(UTF8, errors)
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{name}: damaged {error.encoding}", remedy="Convert the file to UTF-8."
        ) from None
