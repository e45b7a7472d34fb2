"""Responses on disk, keyed by what answered and what was asked.

One SQLite file in write-ahead mode: a finished batch is one transaction, on disk before the next batch
starts, and several processes may read and write at once. A response is never changed: whatever could
change it (weights, quantisation, prompt, settings, seed) is in its key, and the numerics under which it
was computed stand beside it. Each row carries a checksum over all of that: a row that does not match is
as good as absent, is asked again and replaced. `rapport_bench.arms.store_file` says what happens to a file
that cannot be read at all.

The file holds replies, which quote intimate dialogues. It is created for its owner alone (mode 0600)
and is not meant to be shared; results, which hold no text, are.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from platformdirs import user_cache_path

from rapport_bench.arms import store_file
from rapport_bench.common.identity import canonical, digest
from rapport_tasks.common.paths import local_path

Response = dict[str, Any]
"""``{"logprob", "greedy", "tokens"}`` for a likelihood, ``{"text", "tokens", "cut_off"}`` for a reply."""

_log = logging.getLogger(__name__)
_Found = TypeVar("_Found")
_Row = tuple[str, str, bytes]
"""Key, numerics and JSON of a response whose checksum is right."""

_LOOKUP = 500  # keys a query, under SQLite's limit of bound variables


def default_path() -> Path:
    """``$RAPPORT_STORE``, or ``responses.sqlite`` in the user's cache folder."""
    named = os.environ.get("RAPPORT_STORE")
    if named:
        return local_path(named)
    return user_cache_path("rapport-bench") / "responses.sqlite"


def replies_fact(arm_id: str, suite_id: str, numerics: Mapping[str, Any] | None) -> str:
    """Name of the fact that lists an arm's replies in a suite.

    Its value is ``[[dialogue id, turn, seed, response key], ...]``: with it a result's replies are
    found again without the tokenizer and template that rendered the prompts.
    """
    return f"replies:{digest([arm_id, suite_id, numerics])}"


class ResponseStore:
    """A durable map from response key and numerics to response.

    Safe for several processes. Use it as a context manager.

    Args:
        path: The file; `None` for the default one.
        warn: Told of rows that were not believed and of a file that was set aside.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        warn: Callable[[str], None] = _log.warning,
    ) -> None:
        self.path = Path(path) if path is not None else default_path()
        self._warn = warn
        self._unsound: set[tuple[Any, ...]] = set()
        self._to_delete: set[tuple[Any, Any]] = set()
        self._db = store_file.open_or_renew(self.path, warn)
        self._inode = self.path.stat().st_ino

    def __enter__(self) -> ResponseStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was put is on disk already. Says what was not believed."""
        self._db.close()
        if self._unsound:
            self._warn(
                f"{self.path}: {len(self._unsound)} stored answers do not match their checksum; "
                "they are not believed, and a run asks them again"
            )
            self._unsound.clear()

    def put(self, numerics: Mapping[str, Any], responses: Mapping[str, Response]) -> None:
        """Write one finished batch; durable when this returns. What is there and sound stays."""
        identity = digest(numerics)
        rows = []
        for key, value in responses.items():
            text = canonical(value)
            rows.append((key, identity, text, _checksum(key, identity, text.encode())))

        def write() -> None:
            with self._transaction():
                self._db.execute(
                    "INSERT OR REPLACE INTO numerics VALUES (?, ?)", (identity, canonical(numerics))
                )
                # +key: the whole table is read, since a damaged key stands out of order.
                self._db.executemany(
                    "DELETE FROM responses WHERE +key = CAST(? AS TEXT) AND numerics = CAST(? AS TEXT)",
                    self._to_delete,
                )
                self._db.executemany("INSERT OR IGNORE INTO responses VALUES (?, ?, ?, ?)", rows)
            self._to_delete.clear()

        self._do("write", write)

    def get(self, numerics: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Response]:
        """Responses that were computed under exactly these numerics; missing keys are left out."""
        identity = digest(numerics)
        rows = self._do("read", lambda: list(self._sound(keys, identity)))
        return {key: json.loads(text) for key, _, text in rows}

    def complete_numerics(
        self, keys: Iterable[str], preferred: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Numerics under which every key has a response, so that no model is needed.

        Args:
            keys: All keys of one arm.
            preferred: Those of this machine, which win if they are complete.

        Returns:
            One set of numerics (an arm never mixes two), or `None`.
        """
        distinct = list(dict.fromkeys(keys))

        answered: dict[str, set[str]] = {}
        for key, identity, _ in self._do("read", lambda: list(self._sound(distinct))):
            answered.setdefault(identity, set()).add(key)
        complete = sorted(
            identity for identity, found in answered.items() if len(found) == len(distinct)
        )
        if digest(preferred) in complete:
            return dict(preferred)
        return next(filter(None, map(self._numerics, complete)), None)

    def remember(self, key: str, fact: Any) -> None:
        """Keep a fact that is costly to find out again, such as a hash of gigabytes."""
        text = canonical(fact)
        row = (key, text, _checksum(key, text.encode()))

        def write() -> None:
            with self._transaction():
                self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", row)

        self._do("write", write)

    def recall(self, key: str) -> Any:
        """A fact kept by `remember`, or `None`."""
        row = self._one("SELECT json, sha256 FROM facts WHERE key = ?", key)
        if row is None:
            return None
        text, checksum = row
        if not isinstance(text, bytes) or checksum != _checksum(key, text).encode():
            self._unsound.add((key,))
            return None
        return json.loads(text)

    def _sound(self, keys: Iterable[str], numerics: str | None = None) -> Iterator[_Row]:
        """Rows of some keys, those that do not match their checksum left out and counted."""
        distinct = list(dict.fromkeys(keys))
        for first in range(0, len(distinct), _LOOKUP):
            some = distinct[first : first + _LOOKUP]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, numerics, json, sha256 FROM responses WHERE key IN ({marks})"
            if numerics is not None:
                query += " AND numerics = ?"
                some = [*some, numerics]
            for key, identity, text, checksum in self._db.execute(query, some):
                known, under = _plain(key), _plain(identity)
                if isinstance(text, bytes) and checksum == _checksum(known, under, text).encode():
                    yield known, under, text
                else:
                    self._unsound.add((key, identity))
                    self._to_delete.add((key, identity))

    def _numerics(self, identity: str) -> dict[str, Any] | None:
        row = self._one("SELECT json FROM numerics WHERE id = ?", identity)
        if row is None or not isinstance(row[0], bytes):
            return None
        if hashlib.sha256(row[0]).hexdigest() != identity:  # it names its own content
            self._unsound.add((identity,))
            return None
        numerics: dict[str, Any] = json.loads(row[0])
        return numerics

    def _one(self, query: str, key: str) -> tuple[Any, ...] | None:
        rows = self._do("read", lambda: self._db.execute(query, (key,)).fetchall())
        return rows[0] if rows else None

    def _do(self, what: str, work: Callable[[], _Found]) -> _Found:
        """Work with the file; once more with a new one if it turns out to be damaged."""
        try:
            damage = None
            try:
                done = store_file.patiently(work)
                if not self._was_replaced():
                    return done
            except store_file.ERRORS as error:
                if not self._was_replaced():
                    if not store_file.is_damage(error):
                        raise
                    damage = error
            self._db.close()
            self._db = store_file.open_or_renew(self.path, self._warn, damage=damage)
            self._inode = self.path.stat().st_ino
            return store_file.patiently(work)
        except store_file.ERRORS as error:
            if isinstance(error, sqlite3.ProgrammingError):  # a fault of ours
                raise
            raise store_file.refusal(self.path, error, f"cannot {what} a response") from None

    def _was_replaced(self) -> bool:
        """Whether another process has set the file aside: what is written to it now is lost."""
        try:
            return self.path.stat().st_ino != self._inode
        except OSError:
            return False

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise


def _checksum(*parts: str | bytes) -> str:
    """Of a row: its key, what else names it, and its JSON."""
    return hashlib.sha256(
        b"\0".join(p.encode() if isinstance(p, str) else p for p in parts)
    ).hexdigest()


def _plain(text: Any) -> str:
    """A key as text; one that is damaged as anything that is no key."""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
