"""Standard output, working folders, disks and paths as users' machines have them."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import DIALOGUES, write_dialogues
from rapport_bench.cli.main import _run
from rapport_bench.results.result import load
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.paths import expand_home
from rapport_tasks.weights.hub import find_folder

ROOT = Path(__file__).parents[2]
RAPPORT = [sys.executable, "-m", "rapport_bench"]
COMPARE = ["compare", "demo-adapter", "base", "--results", str(ROOT / "results")]
GBK = os.fsdecode("倾诉".encode("gbk"))
"""A name as archives from Windows leave it: bytes that are no UTF-8."""


def called(*arguments: str, shell: str = "", **environment: str) -> subprocess.CompletedProcess:
    """Run the command, its streams redirected as a shell would."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {shell}', "sh", *RAPPORT, *arguments],
        capture_output=True,
        env=os.environ | environment,
        check=False,
    )


# --- standard output and error -------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gbk", "latin-1", "ascii"])
def test_output_that_is_no_utf8_is_printed_as_far_as_it_can_be(encoding) -> None:
    done = called(*COMPARE, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding, "strict") if encoding != "ascii" else done.stdout.decode()
    assert "demo-adapter against base" in text
    done = called(*COMPARE, "--json", PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert json.loads(done.stdout.decode("ascii"))["data"]["metrics"]


def test_json_loses_no_character_where_the_encoding_lacks_it(tmp_path) -> None:
    data = write_dialogues(tmp_path / "d.jsonl", [DIALOGUES[0] | {"id": "对话-😀"}])
    done = called("score", str(data), PYTHONIOENCODING="gbk")
    assert json.loads(done.stdout.decode("gbk"))["id"] == "对话-😀"
    failed = called("score", str(tmp_path / "缺😀"), "--json", "-o", "x", PYTHONIOENCODING="gbk")
    assert failed.returncode == 2
    assert "缺😀" in json.loads(failed.stdout.decode("gbk"))["error"]["message"]
    done = called("score", str(data), PYTHONIOENCODING="utf-8")
    assert "对话-😀" in done.stdout.decode()


def test_an_error_that_cannot_be_printed_is_printed_all_the_same(tmp_path) -> None:
    done = called("score", f"{tmp_path}/{GBK}😀", PYTHONIOENCODING="gbk")
    assert done.returncode == 2
    assert b"no such file" in done.stderr


@pytest.mark.parametrize("arguments", [COMPARE, [*COMPARE, "--json"], ["--help"]])
def test_a_full_standard_output_is_said(arguments) -> None:
    done = called(*arguments, shell=">/dev/full")
    assert done.returncode == 4
    assert done.stderr.decode().splitlines() == [
        "rapport: standard output cannot be written (No space left on device)",
        "  Send it where there is space, and run the same command again.",
    ]


def test_a_failure_is_told_on_standard_error_where_standard_output_is_full() -> None:
    done = called("compare", "nothing", "base", "--json", shell=">/dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith(b"rapport: no result 'nothing'")
    assert called("compare", "nothing", "base", shell="2>/dev/full").returncode == 2


@pytest.mark.parametrize("shell", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_exit_code(shell, tmp_path) -> None:
    assert called(*COMPARE, shell=shell).returncode == 0
    assert called("compare", "nothing", "base", shell=shell).returncode == 2
    # What is written later is not written into by what libraries print.
    data = write_dialogues(tmp_path / "d.jsonl", DIALOGUES)
    out = tmp_path / "out.jsonl"
    assert called("score", str(data), "-o", str(out), shell=shell).returncode == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [d["id"] for d in DIALOGUES]


def test_a_reader_that_has_gone_changes_no_exit_code(tmp_path) -> None:
    script = '{ "$@"; echo $? >code; } | { exec <&-; }'
    for arguments, code in ((COMPARE, 0), (["compare", "nothing", "base", "--json"], 2)):
        subprocess.run(["sh", "-c", script, "sh", *RAPPORT, *arguments], cwd=tmp_path, check=True)
        assert int((tmp_path / "code").read_text()) == code


# --- working folder, disk ------------------------------------------------------------------------


def test_a_deleted_working_folder_is_said(tmp_path, monkeypatch, capsys) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for arguments in (["doctor"], COMPARE, ["run", "--bots"]):
        assert _run(arguments) == 2
        assert "the working folder cannot be used" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (errno.ENOSPC, 4, "the disk is full"),
        (errno.EFBIG, 4, "the disk is full"),
        (errno.EROFS, 2, "Read-only file system"),
        (errno.EIO, 2, "Input/output error"),
    ],
)
def test_what_the_machine_refuses_is_no_fault_of_ours(
    number, code, says, monkeypatch, capsys
) -> None:
    def refused() -> None:
        raise OSError(number, os.strerror(number), "/some/file")

    monkeypatch.setattr("rapport_bench.cli.doctor.examine", refused)
    assert _run(["doctor"]) == code
    error = capsys.readouterr().err
    assert error.startswith("rapport: /some/file: ")
    assert says in error
    assert "Traceback" not in error


def test_a_path_too_long_for_the_machine_is_bad_input(capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["score", "x" * 5000], ["run", "--bots", "--data", "x/" * 5000]):
        assert _run(arguments) == 2
        assert "Traceback" not in capsys.readouterr().err


# --- ~ -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "expanded"),
    [
        ("~/x.jsonl", "/home/me/x.jsonl"),
        ("~", "/home/me"),
        ("--data=~/x.jsonl", "--data=/home/me/x.jsonl"),
        ("new=~/a", "new=/home/me/a"),
        ("--set=", "--set="),
        ("a/~/x", "a/~/x"),
        ("a/b=~/x", "a/b=~/x"),
        ("x~", "x~"),
        ("~$r01.xlsx", "~$r01.xlsx"),
        ("~nobody-of-that-name/x", "~nobody-of-that-name/x"),
    ],
)
def test_a_quoted_home_is_meant_as_a_shell_means_it(word, expanded, monkeypatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert expand_home(word) == expanded


def test_every_path_may_begin_with_a_home(tmp_path, monkeypatch, models, adapters) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    for name, folder in (("b", models["qwen"]), ("a", adapters["a"])):
        (home / name).symlink_to(folder)
    write_dialogues(home / "d.jsonl", DIALOGUES)
    replies = [
        json.dumps({"id": d["id"], "turn": turn, "content": message["content"]})
        for d in DIALOGUES
        for turn, message in enumerate(d["messages"])
        if message["role"] == "assistant"
    ]
    (home / "r.jsonl").write_text("\n".join(replies), encoding="utf-8")
    arms = ["--base", "~/b", "--adapter", "new=~/a", "--replies", "old=~/r.jsonl"]
    places = ["--results", "~/r", "--store=~/s/s.sqlite"]
    assert _run(["run", *arms, "--data", "~/d.jsonl", "--tasks", "perplexity", *places]) == 0
    assert (home / "s" / "s.sqlite").is_file()
    one = next((home / "r").glob("v1/d/*/new@*.json"))
    assert _run(["compare", f"~/r/{one.relative_to(home / 'r')}", "base", "--results", "~/r"]) == 0
    assert _run(["results", "verify", "~/r"]) == 0
    assert _run(["score", "~/d.jsonl", "-o", "~/out.jsonl"]) == 0
    assert (home / "out.jsonl").is_file()
    assert list(here.iterdir()) == []
    with pytest.raises(BadInput, match="no such folder"):
        find_folder("~nobody-of-that-name/x", embedded=Path())


# --- names that are no UTF-8 ---------------------------------------------------------------------


def test_files_whose_names_are_no_utf8_are_read_and_written(
    tmp_path, monkeypatch, models, adapters, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="replace")  # as the command makes it
    monkeypatch.setattr(sys, "stdout", printed)
    data = write_dialogues(tmp_path / f"{GBK}.jsonl", DIALOGUES).name
    arms = ["--base", str(models["qwen"]), "--adapter", f"{GBK}={adapters['a']}", "--bots"]
    places = ["--results", f"{GBK}-r", "--store", f"{GBK}.sqlite"]
    assert _run(["run", *arms, "--data", data, "--max-new-tokens", "8", *places]) == 0
    files = [load(path) for path in sorted(Path(f"{GBK}-r").glob("v1/*/*/*.json"))]
    assert "????" in {result.name for result in files}
    assert {result.suite.name for result in files} == {"????"}
    assert "--data '????.jsonl'" in files[0].volatile.command
    assert _run(["results", "verify", f"{GBK}-r"]) == 0
    assert _run(["score", data, "-o", f"{GBK}-out.jsonl"]) == 0
    text = ["--with-text", "--data", data, "--store", f"{GBK}.sqlite"]
    assert _run(["report", f"{GBK}-r", "-o", f"{GBK}.html", *text]) == 0
    Path(GBK).mkdir()
    write_dialogues(tmp_path / GBK / f"{GBK}.jsonl", DIALOGUES)
    assert _run(["prepare", GBK, "-o", f"{GBK}-c", "--workers", "1", "--evaluation", data]) == 2
    assert "no dialogue is left" in capsys.readouterr().err  # they were read, as `data` were
    assert _run(["prepare", GBK, "-o", f"{GBK}-c", "--workers", "1"]) == 0
    card = json.loads((Path(f"{GBK}-c") / "card.json").read_text(encoding="utf-8"))
    assert "????.jsonl" in json.dumps(card)


def test_models_whose_paths_are_no_utf8_are_refused_with_a_way_out(
    tmp_path, monkeypatch, models, adapters, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(GBK).symlink_to(models["qwen"])
    assert _run(["run", "--base", GBK]) == 2
    assert "not UTF-8" in capsys.readouterr().err
    assert _run(["train", "embedded", "-o", f"{GBK}-adapter"]) == 2
    error = capsys.readouterr().err
    assert "not UTF-8" in error
    assert "ln -s" in error
