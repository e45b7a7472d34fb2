"""Responses on disk, keyed by what answered and what was asked.

One SQLite file in write-ahead mode: a finished batch is one transaction, on disk before the next batch
starts, and several processes may read and write at once. A response is never changed: whatever could
change it (weights, quantisation, prompt, settings, seed) is in its key, and the numerics under which it
was computed stand beside it.

The file holds replies, which quote intimate dialogues. It is created for its owner alone (mode 0600)
and is not meant to be shared; results, which hold no text, are.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from rapport_tasks.errors import BadInput, Incomplete

Response = dict[str, Any]
"""``{"logprob", "greedy", "tokens"}`` for a likelihood, ``{"text", "tokens", "cut_off"}`` for a reply."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS numerics (id TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS responses (
    key TEXT NOT NULL, numerics TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (key, numerics)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
"""
_LOOKUP = 500  # keys a query, under SQLite's limit of bound variables


def default_path() -> Path:
    """``$RAPPORT_STORE``, or ``responses.sqlite`` in the user's cache folder."""
    named = os.environ.get("RAPPORT_STORE")
    return Path(named) if named else user_cache_path("rapport-bench") / "responses.sqlite"


def canonical(value: Any) -> str:
    """Compact sorted JSON: the text that identities are hashes of."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def digest(value: Any) -> str:
    """Hex SHA-256 of `canonical`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def replies_fact(arm_id: str, suite_id: str, numerics: Mapping[str, Any] | None) -> str:
    """Name of the fact that lists an arm's replies in a suite.

    Its value is ``[[dialogue id, turn, seed, response key], ...]``: with it a result's replies are
    found again without the tokenizer and template that rendered the prompts.
    """
    return f"replies:{digest([arm_id, suite_id, numerics])}"


class ResponseStore:
    """A durable map from response key and numerics to response.

    Safe for several processes. Use it as a context manager.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path) if path is not None else default_path()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(self.path, timeout=60, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            with closing(self._db.cursor()) as cursor:
                cursor.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise BadInput(
                f"{self.path}: not a response store ({error})",
                remedy="Name another file with --store, or move this one away.",
            ) from None
        except OSError as error:
            raise BadInput(
                f"{self.path}: {error.strerror}", remedy="Name a writable file with --store."
            ) from None

    def __enter__(self) -> ResponseStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was put is on disk already."""
        self._db.close()

    @contextmanager
    def _write(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except (sqlite3.OperationalError, OSError) as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            full = "full" in str(error) or getattr(error, "errno", None) == errno.ENOSPC
            raise Incomplete(
                f"{self.path}: cannot write a response ({error})",
                remedy=("Free disk space" if full else "Make the file writable")
                + " and run the same command again: finished batches are kept.",
            ) from None

    def put(self, numerics: Mapping[str, Any], responses: Mapping[str, Response]) -> None:
        """Write one finished batch; durable when this returns. What is there already stays."""
        identity = digest(numerics)
        rows = [(key, identity, canonical(value)) for key, value in responses.items()]
        with self._write():
            self._db.execute(
                "INSERT OR IGNORE INTO numerics VALUES (?, ?)", (identity, canonical(numerics))
            )
            self._db.executemany("INSERT OR IGNORE INTO responses VALUES (?, ?, ?)", rows)

    def get(self, numerics: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Response]:
        """Responses that were computed under exactly these numerics; missing keys are left out."""
        identity = digest(numerics)
        found: dict[str, Response] = {}
        for some in _chunks(list(dict.fromkeys(keys))):
            marks = ",".join("?" * len(some))
            found.update(
                (key, json.loads(value))
                for key, value in self._db.execute(
                    f"SELECT key, json FROM responses WHERE numerics = ? AND key IN ({marks})",
                    (identity, *some),
                )
            )
        return found

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
        counts: dict[str, int] = {}
        for some in _chunks(distinct):
            marks = ",".join("?" * len(some))
            for identity, count in self._db.execute(
                f"SELECT numerics, COUNT(*) FROM responses WHERE key IN ({marks}) GROUP BY 1", some
            ):
                counts[identity] = counts.get(identity, 0) + count
        complete = sorted(identity for identity, n in counts.items() if n == len(distinct))
        if not complete:
            return None
        chosen = digest(preferred) if digest(preferred) in complete else complete[0]
        row = self._db.execute("SELECT json FROM numerics WHERE id = ?", (chosen,)).fetchone()
        numerics: dict[str, Any] = json.loads(row[0])
        return numerics

    def remember(self, key: str, fact: Any) -> None:
        """Keep a fact that is costly to find out again, such as a hash of gigabytes."""
        row = (key, canonical(fact))
        with self._write():
            self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", row)

    def recall(self, key: str) -> Any:
        """A fact kept by `remember`, or `None`."""
        row = self._db.execute("SELECT json FROM facts WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(keys), _LOOKUP):
        yield keys[first : first + _LOOKUP]
