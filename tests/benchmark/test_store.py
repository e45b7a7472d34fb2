"""The response store: durable, shared, private, and never a mixture of numerics.

`test_store_damage.py` holds what happens to a damaged file.
"""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rapport_bench.arms.store import ResponseStore, default_path
from rapport_bench.common.identity import canonical, digest
from rapport_tasks.common.errors import BadInput, Incomplete

CPU = {"device": "cpu", "torch": "2.13.0"}
GPU = {"device": "cuda", "torch": "2.13.0"}


def reply(text: str) -> dict[str, object]:
    return {"text": text, "tokens": 3, "cut_off": False}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "responses.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[ResponseStore]:
    with ResponseStore(path) as opened:
        yield opened


def test_a_put_is_there_for_others_before_the_store_is_closed(store, path):
    store.put(CPU, {"a": reply("嗯"), "b": {"logprob": -1.25, "greedy": False, "tokens": 4}})
    with ResponseStore(path) as other:
        assert other.get(CPU, ["b", "missing", "a", "a"]) == {
            "a": reply("嗯"), "b": {"logprob": -1.25, "greedy": False, "tokens": 4},
        }  # fmt: skip


WRITER = """
import sys
from rapport_bench.arms.store import ResponseStore
with ResponseStore(sys.argv[1]) as store:
    print("open", flush=True)
    sys.stdin.readline()
    for n in range(40):
        store.put({"device": "cpu"}, {f"{sys.argv[2]}-{n}": {"text": "x"}, f"both-{n}": {"text": "y"}})
    print("written", flush=True)
    sys.stdin.readline()
"""


def test_two_processes_write_at_once_and_a_killed_one_loses_nothing(path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    try:
        for expected in ("open\n", "written\n"):
            assert [writer.stdout.readline() for writer in writers] == [expected] * 2
            if expected == "open\n":
                for writer in writers:
                    writer.stdin.write("go\n")
                    writer.stdin.flush()
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    keys = [f"{name}-{n}" for name in ("one", "two", "both") for n in range(40)]
    with ResponseStore(path) as store:
        assert store.get({"device": "cpu"}, keys).keys() == set(keys)


def test_answers_under_other_numerics_stay_apart(store):
    store.put(CPU, {"a": reply("cpu")})
    store.put(GPU, {"a": reply("gpu")})
    assert store.get(CPU, ["a"]) == {"a": reply("cpu")}
    assert store.get(GPU, ["a"]) == {"a": reply("gpu")}
    assert store.get(CPU | {"torch": "2.14.0"}, ["a"]) == {}


def test_a_response_is_never_changed(store):
    store.put(CPU, {"a": reply("first")})
    store.put(dict(reversed(CPU.items())), {"a": reply("second"), "b": reply("new")})
    assert store.get(CPU, "ab") == {"a": reply("first"), "b": reply("new")}


def test_more_keys_than_sqlite_takes_variables(store):
    store._db.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    keys = [f"k{n}" for n in range(1203)]
    store.put(CPU, {key: {"tokens": 1} for key in keys})
    assert store.get(CPU, keys).keys() == set(keys)
    assert store.complete_numerics(keys, GPU) == CPU
    assert store.complete_numerics([*keys, "one more"], CPU) is None


@pytest.mark.parametrize(
    ("cpu", "gpu", "preferred", "expected"),
    [
        ("ab", "ab", CPU, CPU),  # this machine's win
        ("ab", "ab", GPU, GPU),
        ("ab", "a", GPU, CPU),  # complete ones win over this machine's
        ("a", "b", CPU, None),  # an arm never mixes two
        ("a", "", CPU, None),
        ("abc", "", GPU, CPU),
        ("", "", CPU, None),
    ],
)
def test_numerics_under_which_every_key_is_answered(store, cpu, gpu, preferred, expected):
    store.put(CPU, {key: reply(key) for key in cpu})
    store.put(GPU, {key: reply(key) for key in gpu})
    assert store.complete_numerics(["a", "b", "a"], preferred) == expected


def test_facts_are_kept_and_replaced(store, path):
    assert store.recall("weights") is None
    store.remember("weights", {"sha256": "0"})
    store.remember("weights", {"sha256": "1"})
    with ResponseStore(path) as other:
        assert other.recall("weights") == {"sha256": "1"}


# --- failures ----------------------------------------------------------------------------------


def test_a_full_disk_ends_the_run_as_incomplete_and_keeps_what_was_put(store, path):
    store.put(CPU, {"a": reply("kept")})
    store._db.execute("PRAGMA max_page_count = 1")  # SQLite sets it to the pages in use
    with pytest.raises(Incomplete, match="full") as caught:
        store.put(CPU, {"a2": reply("lost"), "b": reply("x" * 100_000)})
    assert caught.value.exit_code == 4
    assert "Free disk space" in caught.value.remedy
    assert "x" * 20 not in str(caught.value)
    assert store.get(CPU, ["a", "a2", "b"]) == {"a": reply("kept")}  # the batch is one transaction
    with ResponseStore(path) as other:
        assert other.get(CPU, ["a", "a2"]) == {"a": reply("kept")}
    store._db.execute("PRAGMA max_page_count = 100000")
    store.put(CPU, {"b": reply("later")})
    assert store.get(CPU, ["b"]) == {"b": reply("later")}


def test_a_store_that_turns_read_only_ends_the_run_as_incomplete(store):
    store._db.execute("PRAGMA query_only = 1")
    with pytest.raises(Incomplete) as caught:
        store.remember("weights", 1)
    assert "writable" in caught.value.remedy


def test_a_failed_write_leaves_no_transaction_open(store, path):
    store._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(Incomplete):
        store.put(CPU, {"a": reply("x" * 100_000)})
    with ResponseStore(path) as other:  # which need not wait
        other.put(CPU, {"a": reply("other")})
    store._db.execute("PRAGMA max_page_count = 100000")
    store.put(CPU, {"b": reply("mine")})
    assert store.get(CPU, "ab") == {"a": reply("other"), "b": reply("mine")}


def test_a_response_that_is_not_json_is_refused_and_the_store_stays_usable(store, path):
    with pytest.raises(ValueError, match="JSON"):
        store.put(CPU, {"a": reply("good"), "b": {"logprob": float("nan")}})
    store.put(CPU, {"c": reply("next")})
    assert store.get(CPU, "abc") == {"c": reply("next")}


def test_places_that_hold_no_file_are_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "responses.sqlite"):
        with pytest.raises(BadInput, match=str(path)):
            ResponseStore(path)


# --- privacy and place -------------------------------------------------------------------------


def test_replies_are_readable_by_their_owner_alone(store, path):
    store.put(CPU, {"a": reply("嗯")})
    files = sorted(path.parent.iterdir())
    assert len(files) >= 2  # the write-ahead log holds replies too
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_environment_names_the_store(monkeypatch, path):
    monkeypatch.setenv("RAPPORT_STORE", str(path))
    with ResponseStore() as store:
        assert store.path == path == default_path()
    monkeypatch.delenv("RAPPORT_STORE")
    assert default_path().name == "responses.sqlite"


def test_a_closed_store_answers_no_more(path):
    with ResponseStore(path) as store:
        pass
    with pytest.raises(sqlite3.ProgrammingError):
        store.get(CPU, ["a"])


# --- identities --------------------------------------------------------------------------------


def test_identities_do_not_depend_on_the_order_of_keys():
    assert canonical({"b": [1, None], "a": "嗯"}) == '{"a":"嗯","b":[1,null]}'
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    # echo -n '{"a":1}' | sha256sum
    expected = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert digest({"a": 1}) == expected
    with pytest.raises(ValueError, match="JSON"):
        digest(float("nan"))
