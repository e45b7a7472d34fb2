"""SIGTERM, which schedulers send, and SIGINT: an exit code, a message, nothing half done left behind."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import DIALOGUES, write_dialogues
from rapport_bench.cli.main import _run
from rapport_bench.common import files, signals
from rapport_bench.common.files import write_atomically
from rapport_training.disk import new_folder

RUNNER = """
import signal
import sys
from rapport_training.prepare import pipeline
from rapport_bench.terminal.console import RunReporter

bar = RunReporter.progress

def update(self, what, done, total):
    if what == sys.argv[1] and done:  # some of the work is done
        print("ready", flush=True)
        sys.stdin.readline()  # the signal comes while this waits
    bar(self, what, done, total)

RunReporter.progress = update
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as what a shell starts in the background has it
    signal.signal(signal.SIGINT, signal.default_int_handler)
if __name__ == "__main__":
    from rapport_bench.cli.main import main
    main(sys.argv[2:])
"""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Enough dialogues for many pieces of work."""
    rows = [
        {"id": f"{n}-{d['id']}", "messages": [m | {"content": m["content"] + f"第{n}次" * 20} for m in d["messages"]]}
        for n in range(300)
        for d in DIALOGUES
    ]  # fmt: skip
    return write_dialogues(tmp_path / "raw.jsonl", rows)


@pytest.mark.parametrize(
    ("stage", "workers", "number"),
    [
        ("bytes", 1, signal.SIGTERM),
        ("bytes", 2, signal.SIGTERM),
        ("dialogues", 2, signal.SIGTERM),
        ("bytes", 2, signal.SIGINT),
    ],
)
def test_a_stopped_preparation_leaves_nothing_and_nobody(
    raw, tmp_path, stage, workers, number
) -> None:
    said = "terminated" if number == signal.SIGTERM else "interrupted"
    runner = tmp_path / "runner.py"
    runner.write_text(RUNNER, encoding="utf-8")
    arguments = ["prepare", raw.name, "-o", "corpus", "--workers", str(workers), "--near-duplicates", "off"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, runner.name, stage, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    if process.stdout.readline() != "ready\n":
        pytest.fail(process.communicate()[1])
    folder = tmp_path / ".corpus.unfinished"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    process.send_signal(number)
    process.send_signal(number if number == signal.SIGTERM else 0)  # `timeout` sends it twice
    error = process.communicate()[1]  # ends when no worker has it open any more
    assert process.returncode == 128 + number
    assert error.strip().splitlines() == [
        f"rapport: {said}",
        "  Run the same command again: what was finished for good is kept.",
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["raw.jsonl", "runner.py"]


def test_a_prepared_corpus_has_the_permissions_of_new_files(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    raw = write_dialogues(tmp_path / "raw.jsonl", DIALOGUES)
    before = os.umask(0o027)
    try:
        assert _run(["prepare", raw.name, "-o", "corpus", "--workers", "1"]) == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("corpus").stat().st_mode) == 0o750
    assert {stat.S_IMODE(file.stat().st_mode) for file in Path("corpus").iterdir()} == {0o640}


@pytest.fixture
def handled() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("handled")
def test_json_says_that_it_was_terminated(capsys, monkeypatch) -> None:
    def killed() -> list[object]:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the signal did not come")

    monkeypatch.setattr("rapport_bench.cli.doctor.examine", killed)
    assert _run(["doctor", "--json"], signals.watch_sigterm()) == 143
    failure = json.loads(capsys.readouterr().out)
    assert (failure["exit_code"], failure["error"]["kind"]) == (143, "Terminated")


@pytest.mark.usefixtures("handled")
def test_an_error_that_the_signal_caused_is_not_called_a_fault(capsys, monkeypatch) -> None:
    """Libraries turn an interrupt into an error of their own."""

    def wrapped() -> list[object]:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            raise RuntimeError("a worker was stopped") from None
        raise AssertionError("the signal did not come")

    monkeypatch.setattr("rapport_bench.cli.doctor.examine", wrapped)
    assert _run(["doctor"], signals.watch_sigterm()) == 143
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.usefixtures("handled")
def test_a_handler_of_somebody_else_is_left_alone() -> None:
    for handler in (signal.SIG_IGN, lambda *_: None):
        signal.signal(signal.SIGTERM, handler)
        signals.watch_sigterm()
        assert signal.getsignal(signal.SIGTERM) is handler


@pytest.mark.usefixtures("handled")
def test_another_thread_installs_nothing() -> None:
    thread = threading.Thread(target=signals.watch_sigterm)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


FOLLOWER = """
import time
from rapport_bench.cli import main as cli
from rapport_bench.cli import doctor

def examine():
    print("ready", flush=True)
    time.sleep(60)

doctor.examine = examine
cli.main(["doctor", "--json"])
"""


def test_a_process_ends_with_the_launcher_that_was_killed(monkeypatch) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    launcher = subprocess.Popen(
        ["sh", "-c", '"$@" & wait', "sh", sys.executable, "-c", FOLLOWER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert launcher.stdout.readline() == "ready\n"
    launcher.kill()
    assert json.loads(launcher.communicate()[0])["exit_code"] == 143


def test_importing_the_package_installs_nothing() -> None:
    check = (
        "import signal, rapport_bench.cli.main, rapport_bench.testing.plugin\n"
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


@pytest.mark.parametrize("step", ["open", "fdopen", "fsync", "chmod", "replace"])
def test_a_signal_while_a_file_is_written_leaves_the_old_one_alone(
    tmp_path, monkeypatch, step
) -> None:
    """At every step: the signal's exception comes right after it."""
    path = tmp_path / "page.html"
    path.write_text("old", encoding="utf-8")
    owner = Path if step in ("chmod", "replace") else os
    real = getattr(owner, step)

    def interrupted(*arguments: object, **named: object) -> object:
        done = real(*arguments, **named)
        assert list(tmp_path.glob(".page.html.*")) or step == "replace"
        if step == "fdopen":
            done.close()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(path, "new")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text(encoding="utf-8") == ("new" if step == "replace" else "old")


@pytest.mark.parametrize("step", ["mkdir", "replace"])
def test_a_signal_while_a_folder_is_written_leaves_none(tmp_path, monkeypatch, step) -> None:
    real = getattr(Path, step)

    def interrupted(*arguments: object, **named: object) -> None:
        if step == "mkdir":
            real(*arguments, **named)
        if arguments[0] == tmp_path / ".a.unfinished":
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, step, interrupted)
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "a", remedy_if_full="") as part:
        assert stat.S_IMODE(part.stat().st_mode) == 0o700
    assert list(tmp_path.iterdir()) == []


def test_what_is_private_is_so_from_its_first_byte(tmp_path, monkeypatch) -> None:
    modes = []
    real = os.fsync

    def look(handle: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        real(handle)

    monkeypatch.setattr(files.os, "fsync", look)
    before = os.umask(0)
    try:
        for private in (True, False):
            write_atomically(tmp_path / str(private) / "x", "text", private=private)
    finally:
        os.umask(before)
    assert modes == [0o600, 0o600]
    assert stat.S_IMODE((tmp_path / "True").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "False" / "x").stat().st_mode) == 0o666
