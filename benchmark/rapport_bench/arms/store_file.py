"""The file of the response store: opened, recognised, set aside if it cannot be read.

A store that is damaged is renamed, write-ahead log and all, and a new one begun under its name: nothing
is lost that could be read, and nothing of it is believed. A file that is something else, named by
mistake, is refused and left alone. Tables of an older layout, whose rows carry no checksum, stay in the
file under other names, and nothing reads them.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TypeVar

from rapport_tasks.common.errors import BadInput, Incomplete, RapportError

_Found = TypeVar("_Found")

LAYOUT = 2
"""`PRAGMA user_version`: 2 has checksums; files of before say 0."""

_PATIENCE = 60.0  # seconds to wait for a lock that another process holds
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_STOPS: dict[int | None, tuple[str, str]] = {
    **dict.fromkeys(
        _LOCKED, ("another process holds it locked", "Wait for that process or end it,")
    ),
    sqlite3.SQLITE_FULL: ("the disk is full", "Free disk space"),
    sqlite3.SQLITE_IOERR: (
        "the disk failed, or is full",
        "Free disk space, or name a file on another disk with --store,",
    ),
}
"""By what SQLite says: what stopped a run halfway, and what to do before it goes on."""
_TABLES = {
    "numerics": "(id TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID",
    "responses": "(key TEXT NOT NULL, numerics TEXT NOT NULL, json TEXT NOT NULL, "
    "sha256 TEXT NOT NULL, PRIMARY KEY (key, numerics)) WITHOUT ROWID",
    "facts": "(key TEXT PRIMARY KEY, json TEXT NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID",
}
_MAGIC = b"SQLite format 3\0"
_SUFFIXES = (".sqlite", ".sqlite3", ".db")
_COMPANIONS = ("-wal", "-shm")
_ELSEWHERE = "Name another file with --store."


def open_or_renew(
    path: Path, warn: Callable[[str], None], *, damage: Exception | None = None
) -> sqlite3.Connection:
    """Open a store, which is made if it is not there.

    Args:
        path: The file.
        warn: Told if a damaged file was set aside and a new one begun.
        damage: What a statement said of the file, if it is known to be damaged.

    Raises:
        BadInput: It is something else, or cannot be written.
        Incomplete: Another process holds it, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            if damage is not None:
                raise damage
            return patiently(lambda: _open(path))
        except ERRORS as error:
            if not is_damage(error) and _code(error) != sqlite3.SQLITE_IOERR:
                raise
            with _alone(
                path.parent
            ):  # a failing disk may be a file that another process sets aside
                if is_damage(error) and not _is_sound(path):  # else there is a new one already
                    _set_aside(path, error, warn)
                    _begin(path)  # before another process sees that there is none
            return patiently(lambda: _open(path))
    except (*ERRORS, OSError) as error:
        raise refusal(path, error, "cannot open the response store", opening=True) from None


def patiently(work: Callable[[], _Found]) -> _Found:
    """Work with the file, again and again while another process holds it.

    SQLite can wait by itself, but answers no signal meanwhile.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if _code(error) not in _LOCKED or time.monotonic() > until:
                raise


ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What the file can raise: sqlite3 fails to decode its own message where that quotes damaged bytes."""


def is_damage(error: Exception) -> bool:
    """Whether an error says that the file itself is unreadable.

    SQLITE_ERROR is among them: our statements are right, so it is the tables that are not.
    """
    return isinstance(error, UnicodeDecodeError) or _code(error) in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_ERROR,
    )


def refusal(path: Path, error: Exception, what: str, *, opening: bool = False) -> RapportError:
    """What to say of an error of the file: bad input at first, later a run that stopped halfway."""
    if isinstance(error, OSError):
        return BadInput(f"{path}: {what} ({error.strerror})", remedy=_ELSEWHERE)
    if is_damage(error):
        return BadInput(
            f"{path}: not a response store ({_name(error)})",
            remedy="Name another file with --store, or move this one away.",
        )
    said, remedy = _STOPS.get(
        code := _code(error),
        (
            "it cannot be written",
            "Make the file and its folder writable, or name another with --store,",
        ),
    )
    return (BadInput if opening and code not in _STOPS else Incomplete)(
        f"{path}: {what}: {said} ({error})",
        remedy=f"{remedy} and run the same command again: finished batches are kept.",
    )


def _code(error: Exception) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _name(error: Exception) -> str:
    """Of a damage: SQLite's messages quote what stands in the file."""
    return str(getattr(error, "sqlite_errorname", "SQLITE_CORRUPT"))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process makes or renames a store in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _open(path: Path) -> sqlite3.Connection:
    if path.exists() and not path.is_file():
        raise BadInput(f"{path}: not a file", remedy=_ELSEWHERE)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = _connect(path)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
            with _alone(path.parent):
                _make(db, path)
        db.execute("PRAGMA synchronous=FULL")
        _look(db)
    except BaseException:
        db.close()
        raise
    return db


def _begin(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    with closing(_connect(path)) as db:
        _make(db, path)


def _connect(path: Path) -> sqlite3.Connection:
    # Absolute, so that no name means something else to SQLite, such as :memory:
    db = sqlite3.connect(path.absolute(), timeout=min(_PATIENCE, 0.5), isolation_level=None)
    db.text_factory = bytes  # what is damaged may be no UTF-8
    return db


def _look(db: sqlite3.Connection) -> None:
    for table, columns in _TABLES.items():
        names = re.findall(r"(\w+) TEXT", columns)
        db.execute(f"SELECT {', '.join(names)} FROM {table} LIMIT 1").fetchone()


def _is_sound(path: Path) -> bool:
    try:
        with closing(_connect(path)) as db:
            _look(db)
            return bool(db.execute("PRAGMA quick_check(1)").fetchone() == (b"ok",))
    except ERRORS as error:
        if is_damage(error):
            return False
        raise


def _make(db: sqlite3.Connection, path: Path) -> None:
    """Make the tables; those of an older layout get another name."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > LAYOUT:
        raise BadInput(
            f"{path}: a response store of a newer version of rapport-bench (layout {version})",
            remedy="Update rapport-bench, or name another file with --store.",
        )
    there = {row[0].decode() for row in db.execute("SELECT name FROM sqlite_schema")}
    if there and "responses" not in there:
        raise BadInput(
            f"{path}: not a response store, but a database of something else", remedy=_ELSEWHERE
        )
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("BEGIN IMMEDIATE")
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
            for table, columns in _TABLES.items():
                if table in there:
                    db.execute(f"ALTER TABLE {table} RENAME TO {table}_without_checksums")
                db.execute(f"CREATE TABLE {table} {columns}")
            db.execute(f"PRAGMA user_version = {LAYOUT}")
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


def _set_aside(path: Path, error: Exception, warn: Callable[[str], None]) -> None:
    if not _was_ours(path):
        raise error
    aside = next(
        name
        for number in count(1)
        if not (name := path.with_name(f"{path.name}.damaged-{number}")).exists()
    )
    # The log before the file: a new file must never find an old log beside it.
    for suffix in (*_COMPANIONS, ""):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").replace(f"{aside}{suffix}")
    warn(
        f"{path}: the response store is damaged ({_name(error)}); it was set aside as {aside.name} and a "
        "new one begun: what it held is asked again"
    )


def _was_ours(path: Path) -> bool:
    """Whether an unreadable file was a response store, as far as its first bytes and name tell.

    A text, results or somebody else's database are no stores, whatever they are called.
    """
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if head.startswith(_MAGIC[: len(head)]):
        return b"CREATE TABLE responses" in head or b"CREATE TABLE" not in head
    binary = b"\0" in head
    return binary and (path.suffix in _SUFFIXES or Path(f"{path}-wal").exists())
