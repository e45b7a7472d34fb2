"""A reader never sees half of a file."""

import errno
import os

import pytest

from rapport_bench.common.files import to_json, write_atomically
from rapport_tasks.common.errors import BadInput, Incomplete


def test_a_file_is_written_as_it_is_and_replaces_the_one_before(tmp_path):
    path = tmp_path / "a" / "b" / "结果.json"
    for content in ("一\r\n二\n\u2028", "shorter"):
        write_atomically(path, content)
        assert path.read_bytes() == content.encode()
    assert [p.name for p in path.parent.iterdir()] == ["结果.json"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_the_umask_decides_who_may_read(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "x", "")
        assert os.umask(umask) == umask  # left as it was
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == mode


def test_a_private_file_is_for_its_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        write_atomically(tmp_path / "x", b"\x00\r\n", private=True)
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "x").read_bytes() == b"\x00\r\n"


@pytest.mark.parametrize(
    ("code", "kind", "exit_code"),
    [(errno.ENOSPC, Incomplete, 4), (errno.EDQUOT, Incomplete, 4), (errno.EIO, BadInput, 2)],
)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, code, kind, exit_code
):
    path = tmp_path / "result.json"
    path.write_text("old")

    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind, match=r"result\.json") as caught:
        write_atomically(path, "new")
    assert caught.value.exit_code == exit_code
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "old"


def test_the_content_is_on_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, seen = tmp_path / "x", []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (seen.append(path.exists()), fsync(fd)))
    write_atomically(path, "content")
    assert seen[0] is False


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(BadInput) as caught:
        write_atomically(tmp_path / "file" / "x.json", "{}")
    assert "folder" in caught.value.remedy
    assert (tmp_path / "file").read_text() == "kept"


def test_json_is_sorted_readable_and_unescaped():
    assert to_json({"b": 1, "a": ["嗯", None]}) == '{\n "a": [\n  "嗯",\n  null\n ],\n "b": 1\n}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_no_value_that_json_lacks_reaches_a_file(value):
    with pytest.raises(ValueError, match="JSON"):
        to_json({"metrics": [value]})
