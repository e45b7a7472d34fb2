"""A damaged response store: what cannot be believed is asked again, what is not ours is left alone."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rapport_bench.arms import store_file
from rapport_bench.arms.store import ResponseStore
from rapport_bench.common.identity import canonical, digest
from rapport_tasks.common.errors import BadInput, Incomplete, RapportError

CPU = {"device": "cpu"}
GPU = {"device": "cuda"}
ANSWERS = {
    digest(n): {"logprob": -n - 0.25, "greedy": False, "tokens": n + 1, "text": "嗯" * (n % 90)}
    for n in range(400)
}
"""Enough for a tree of pages in two levels."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "responses.sqlite"


@pytest.fixture
def filled(path: Path) -> Path:
    """A store in one file, without a log."""
    with ResponseStore(path) as store:
        store.put(CPU, ANSWERS)
        store.remember("weights", "0" * 64)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    return path


def asked(path: Path) -> tuple[dict[str, object], list[str]]:
    """What a store still answers, after what it did not was put again; and what it said."""
    said: list[str] = []
    with ResponseStore(path, warn=said.append) as store:
        found = store.get(CPU, ANSWERS)
        fact = store.recall("weights")
        assert fact in ("0" * 64, None)
        complete = store.complete_numerics(ANSWERS, GPU)
        assert complete in (CPU, None)
        assert complete is None or len(found) == len(ANSWERS)
        store.put(CPU, ANSWERS)
        store.remember("weights", "0" * 64)
        assert store.get(CPU, ANSWERS) == ANSWERS
        assert store.complete_numerics(ANSWERS, GPU) == CPU
        assert store.recall("weights") == "0" * 64
    said_again: list[str] = []
    with ResponseStore(path, warn=said_again.append) as store:
        assert store.get(CPU, ANSWERS) == ANSWERS
    assert said_again == []
    return found, said


def changed(path: Path, pattern: bytes, by: Callable[[bytes], bytes]) -> None:
    content = path.read_bytes()
    found = re.search(pattern, content)
    assert found is not None
    path.write_bytes(content[: found.start()] + by(found[0]) + content[found.end() :])


def damage_pages(path: Path) -> None:
    """In place, as a disk does it; the header and the tables' definitions stay."""
    with path.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(bytes(path.stat().st_size - 5 * 4096))


# --- rows --------------------------------------------------------------------------------------


def test_one_changed_digit_is_not_believed_but_asked_again_and_said(filled):
    changed(filled, rb'"logprob":-1\d\d', lambda b: b[:-1] + bytes([b[-1] ^ 1]))
    found, said = asked(filled)
    assert len(found) == len(ANSWERS) - 1
    assert all(ANSWERS[key] == value for key, value in found.items())
    (line,) = said
    assert f"{filled}: 1 stored answers do not match their checksum" in line
    assert "嗯" not in line


def test_answers_of_other_keys_and_numerics_do_not_pass_for_these(filled):
    first, second, third, fourth = list(ANSWERS)[:4]
    with closing(sqlite3.connect(filled)) as db, db:
        for value in ("json", "json, sha256"):  # as a whole, and with its checksum
            db.execute(
                f"UPDATE responses SET ({value}) = (SELECT {value} FROM responses WHERE key = ?) "
                "WHERE key = ?",
                (first, second if value == "json" else third),
            )
        db.execute("UPDATE responses SET numerics = ? WHERE key = ?", (digest(GPU), fourth))
    with ResponseStore(filled, warn=lambda _: None) as store:
        assert store.get(CPU, [first, second, third]) == {first: ANSWERS[first]}
        assert store.get(GPU, [fourth]) == {}
        assert store.complete_numerics([fourth], CPU) is None


def test_a_changed_fact_is_found_out_again(filled):
    changed(filled, b'"0{64}"', lambda b: b[:5] + b"1" + b[6:])
    said: list[str] = []
    with ResponseStore(filled, warn=said.append) as store:
        assert store.recall("weights") is None
        store.remember("weights", "2" * 64)
        assert store.recall("weights") == "2" * 64
    assert len(said) == 1


def test_numerics_that_do_not_match_their_name_are_not_reported(filled):
    changed(filled, b'{"device":"cpu"}', lambda b: b.replace(b"cpu", b"gpu"))
    with ResponseStore(filled, warn=lambda _: None) as store:
        assert store.complete_numerics(ANSWERS, GPU) is None
        assert store.complete_numerics(ANSWERS, CPU) == CPU


def test_a_value_that_is_no_text_at_all_is_not_believed(filled):
    keys = list(ANSWERS)[:3]
    with closing(sqlite3.connect(filled)) as db, db:
        for key, value in zip(keys, (7, b"\xff\xfe", "\x00"), strict=True):
            db.execute("UPDATE responses SET json = ? WHERE key = ?", (value, key))
    found, said = asked(filled)
    assert found.keys() == ANSWERS.keys() - set(keys)
    assert "3 stored answers" in said[0]


# --- files -------------------------------------------------------------------------------------


def test_whichever_page_is_damaged_nothing_wrong_is_answered(filled):
    whole = filled.read_bytes()
    pages = len(whole) // 4096
    assert pages > 20
    aside = 0
    for page in range(pages):
        filling = (b"\0", b"\xff", b"a")[page % 3]
        folder = filled.parent / str(page)
        folder.mkdir()
        copy = folder / filled.name
        content = bytearray(whole)
        content[page * 4096 : (page + 1) * 4096] = filling * 4096
        copy.write_bytes(content)
        found, said = asked(copy)
        assert all(ANSWERS[key] == value for key, value in found.items())
        if len(found) < len(ANSWERS):
            assert said, page
        kept = copy.with_name(f"{copy.name}.damaged-1")
        if kept.exists():
            aside += 1
            assert kept.read_bytes()[:100] == bytes(content)[:100]
            assert f"set aside as {kept.name}" in "".join(said)
    assert aside > pages // 2


@pytest.mark.parametrize("size", [10, 16, 100, 4096, 4097, 20_000, 60_000])
def test_a_truncated_store_is_set_aside(filled, size):
    os.truncate(filled, size)
    damaged = filled.read_bytes()
    found, said = asked(filled)
    assert found == {}
    assert "set aside as responses.sqlite.damaged-1 and a new one begun" in "".join(said)
    assert (filled.parent / "responses.sqlite.damaged-1").read_bytes() == damaged


def test_bytes_that_flip_anywhere_end_in_a_sound_store_or_a_refusal(filled):
    whole = filled.read_bytes()
    chance = random.Random(4)
    refused = 0
    for case in range(120):
        folder = filled.parent / str(case)
        folder.mkdir()
        copy = folder / filled.name
        content = bytearray(whole)
        # Half of them in the header and the tables' definitions.
        end = 4096 if case % 2 else len(content)
        for _ in range(chance.randint(1, 20)):
            content[chance.randrange(end)] ^= 1 << chance.randrange(8)
        copy.write_bytes(content)
        try:
            found, _ = asked(copy)
        except RapportError:
            refused += 1
            assert copy.read_bytes() == bytes(content)  # left as it was
        else:
            assert all(ANSWERS[key] == value for key, value in found.items())
    assert refused < 12


def test_a_page_damaged_while_the_store_is_open_is_no_end_of_the_run(filled):
    said: list[str] = []
    with ResponseStore(filled, warn=said.append) as store:
        keys = list(ANSWERS)
        damage_pages(filled)
        found = store.get(CPU, keys)
        assert all(ANSWERS[key] == value for key, value in found.items())
        store.put(CPU, ANSWERS)
        assert store.get(CPU, keys) == ANSWERS
    assert "set aside" in said[0]
    with ResponseStore(filled) as store:
        assert store.get(CPU, keys) == ANSWERS


def test_damaged_stores_are_set_aside_one_by_one(filled):
    for number in (1, 2):
        filled.write_bytes(b"SQLite format 3\0" + b"\1" * 5000)
        with ResponseStore(filled, warn=lambda _: None) as store:
            store.put(CPU, ANSWERS)
        aside = filled.with_name(f"{filled.name}.damaged-{number}")
        assert aside.read_bytes()[16:] == b"\1" * 5000
        assert filled.stat().st_mode & 0o777 == 0o600


def test_the_log_of_a_damaged_store_goes_with_it(filled):
    """Another process has it open, so that its log is there; it goes on with the new store."""
    with ResponseStore(filled, warn=lambda _: None) as other:
        other.put(CPU, {"a": {"text": "x"}})
        log = Path(f"{filled}-wal").read_bytes()
        assert log
        damage_pages(filled)
        with ResponseStore(filled, warn=lambda _: None) as store:
            store.get(CPU, ANSWERS)
            store.put(CPU, ANSWERS)
            aside = filled.with_name(f"{filled.name}.damaged-1")
            assert Path(f"{aside}-wal").read_bytes() == log
            assert other.get(CPU, ANSWERS) == ANSWERS
    assert not Path(f"{aside}-1").exists()


def test_what_another_process_has_begun_anew_is_not_set_aside(filled):
    """Two find the same damage; the second must not move the first one's new store."""
    error = sqlite3.DatabaseError("malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    said: list[str] = []
    with closing(store_file.open_or_renew(filled, said.append, damage=error)) as db:
        (count,) = db.execute("SELECT COUNT(*) FROM responses").fetchone()
    assert (count, said) == (len(ANSWERS), [])


# --- what is no store --------------------------------------------------------------------------


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE places (url TEXT)")


OTHER: dict[str, Callable[[Path], object]] = {
    "notes.txt": lambda path: path.write_text("not a database " * 100),
    "responses.sqlite": lambda path: path.write_text("备忘录，不是数据库。\n" * 100),
    "result.json": lambda path: path.write_text(json.dumps({"schema_version": "1.0"})),
    "weights.safetensors": lambda path: path.write_bytes(b"\x10\0\0\0\0\0\0\0{}" + bytes(500)),
    "page.png": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0" + bytes(500)),
    "places.sqlite": other_database,
}


@pytest.mark.parametrize("name", OTHER)
def test_a_file_that_is_something_else_is_refused_and_left_alone(tmp_path, name):
    path = tmp_path / name
    OTHER[name](path)
    before = path.read_bytes()
    with pytest.raises(BadInput, match=f"{name}: not a response store") as caught:
        ResponseStore(path)
    assert "--store" in caught.value.remedy
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_database_of_something_else_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "places.sqlite"
    other_database(path)
    content = path.read_bytes()
    os.truncate(path, 4096)
    with pytest.raises(BadInput, match="not a response store"):
        ResponseStore(path)
    assert path.read_bytes() == content[:4096]


def test_a_name_that_means_memory_to_sqlite_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ResponseStore(":memory:") as store:
        store.put(CPU, ANSWERS)
    with ResponseStore(":memory:") as store:
        assert store.get(CPU, ANSWERS) == ANSWERS


# --- layouts -----------------------------------------------------------------------------------

FIRST_LAYOUT = """
CREATE TABLE numerics (id TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE responses (
    key TEXT NOT NULL, numerics TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (key, numerics)
) WITHOUT ROWID;
CREATE TABLE facts (key TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
"""


@pytest.fixture
def old(path: Path) -> Path:
    """A store as versions without checksums made it."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(FIRST_LAYOUT)
        with db:
            db.execute("INSERT INTO numerics VALUES (?, ?)", (digest(CPU), canonical(CPU)))
            db.executemany(
                "INSERT INTO responses VALUES (?, ?, ?)",
                [(key, digest(CPU), canonical(value)) for key, value in ANSWERS.items()],
            )
            db.execute("INSERT INTO facts VALUES ('weights', '\"1\"')")
    return path


def test_answers_without_checksums_are_not_taken_and_stay_in_the_file(old):
    found, said = asked(old)
    assert (found, said) == ({}, [])
    with closing(sqlite3.connect(old)) as db:
        query = "SELECT COUNT(*) FROM responses_without_checksums"
        assert db.execute(query).fetchone() == (len(ANSWERS),)


OPENER = """
import sys
from rapport_bench.arms.store import ResponseStore
print("ready", flush=True)
sys.stdin.readline()
with ResponseStore(sys.argv[1]) as store:
    store.put({"device": "cpu"}, {sys.argv[2]: {"text": "x"}})
"""


@pytest.mark.parametrize("kind", ["new", "old", "damaged"])
def test_several_processes_that_open_a_store_at_once_get_one(kind, path, request):
    if kind == "old":
        request.getfixturevalue("old")
    elif kind == "damaged":
        os.truncate(request.getfixturevalue("filled"), 20_000)
    names = [f"writer {n}" for n in range(6)]
    opener = [sys.executable, "-c", OPENER, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    writers = [subprocess.Popen([*opener, name], text=True, **pipes) for name in names]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * len(names)
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    said = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * len(names), said
    with ResponseStore(path) as store:
        kept = store.get(CPU, names).keys()
    assert kept == set(names)
    aside = [p.name for p in path.parent.glob("*damaged*") if p.name[-1].isdigit()]
    assert aside == ([f"{path.name}.damaged-1"] if kind == "damaged" else [])
    assert sum("set aside" in text for text in said) == len(aside)


def test_a_store_of_a_newer_layout_is_refused_and_left_alone(filled):
    with closing(sqlite3.connect(filled)) as db:
        db.execute(f"PRAGMA user_version = {store_file.LAYOUT + 1}")
    before = filled.read_bytes()
    with pytest.raises(BadInput, match="newer version") as caught:
        ResponseStore(filled)
    assert "Update" in caught.value.remedy
    assert filled.read_bytes() == before


# --- what stops it for a while ------------------------------------------------------------------


@pytest.fixture
def holder(filled, monkeypatch):
    """Another connection that holds the whole file."""
    monkeypatch.setattr(store_file, "_PATIENCE", 0.05)
    with closing(sqlite3.connect(filled, isolation_level=None)) as db:
        yield db


def test_a_store_that_another_process_holds_is_called_locked(filled, holder):
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Incomplete, match="another process holds it locked") as caught:
        ResponseStore(filled)
    assert "Wait for that process" in caught.value.remedy


def test_a_write_that_waits_in_vain_is_called_locked(filled, holder):
    with ResponseStore(filled) as store:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(Incomplete, match=r"cannot write a response: another process"):
            store.put(CPU, {"a": {"text": "x"}})
        holder.execute("ROLLBACK")
        store.put(CPU, {"a": {"text": "x"}})
        assert store.get(CPU, "a") == {"a": {"text": "x"}}


WAITER = """
import os, signal, sys
from rapport_bench.common import signals
from rapport_bench.arms import store_file
from rapport_bench.arms.store import ResponseStore
stopped = signals.watch_sigterm()
open_file = store_file._open
def again(path):
    os.kill(os.getppid(), signal.SIGUSR1)  # it waits
    return open_file(path)
store_file._open = again
try:
    ResponseStore(sys.argv[1])
except KeyboardInterrupt:
    print("stopped", stopped())
"""


def test_who_waits_for_a_lock_answers_a_signal(filled) -> None:
    """Within the minute that it would wait: the test would hold the lock for longer."""
    tries: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: tries.append(1))
    with closing(sqlite3.connect(filled, isolation_level=None)) as db:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        waiter = subprocess.Popen(
            [sys.executable, "-c", WAITER, str(filled)], stdout=subprocess.PIPE, text=True
        )
        while len(tries) < 2:
            signal.pause()
        waiter.terminate()
        assert waiter.communicate()[0] == "stopped True\n"
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        ("SQLITE_FULL", Incomplete, "the disk is full"),
        ("SQLITE_IOERR_WRITE", Incomplete, "the disk failed, or is full"),
        ("SQLITE_READONLY", BadInput, "cannot be written"),
        ("SQLITE_CANTOPEN", BadInput, "cannot be written"),
    ],
)
def test_what_the_disk_refuses_is_not_called_no_store(path, monkeypatch, code, kind, says):
    def refuse(_: Path) -> sqlite3.Connection:
        error = sqlite3.OperationalError("refused")
        error.sqlite_errorcode = getattr(sqlite3, code)
        raise error

    monkeypatch.setattr(store_file, "_open", refuse)
    with pytest.raises(kind, match=says) as caught:
        ResponseStore(path)
    assert type(caught.value) is kind
    assert "same command again" in caught.value.remedy
