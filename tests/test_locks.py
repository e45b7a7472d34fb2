"""The locked packages: each is one release, with the hashes that its files must have."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from importlib.metadata import distribution
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-cpu.lock", "requirements-torch.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def entries(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Package -> (version, hashes)."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    joined = text.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    found = {}
    for line in lines:
        match = re.fullmatch(
            r"([\w.-]+)==([\w.+]+)( ; [^#]*?)?((?: +--hash=sha256:[0-9a-f]{64})+)", line
        )
        assert match, line[:80]
        found[normal(match[1])] = (match[2], re.findall("[0-9a-f]{64}", match[4]))
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_one_release_with_hashes(lock) -> None:
    found = entries(lock)
    assert found
    assert all(len(set(hashes)) == len(hashes) for _, hashes in found.values())


def test_what_the_project_asks_for_is_locked() -> None:
    asked = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    names = {normal(re.match(r"[\w.-]+", line)[0]) for line in asked}
    stubs = {"pandas-stubs"}  # unused where pandas brings its own
    assert names - stubs <= entries("requirements.lock").keys()


def test_every_build_of_torch_is_known() -> None:
    version, hashes = entries("requirements.lock")["torch"]
    cpu, cpu_hashes = entries("requirements-cpu.lock")["torch"]
    assert cpu == f"{version}+cpu"
    assert set(cpu_hashes) < set(hashes)
    assert not entries("requirements-torch.lock").keys() & entries("requirements.lock").keys()


def test_no_package_under_the_gpl_is_needed() -> None:
    """Nothing that is installed restricts what may be done with the results of a user's work."""
    for name in entries("requirements.lock"):
        metadata = distribution(name).metadata
        said = f"{metadata.get('License-Expression') or metadata.get('License') or ''}"[:60]
        said += " ".join(metadata.get_all("Classifier") or [])
        assert not re.search(r"(?<![AL])GPL|(?<!Lesser )General Public License", said), name


def script(tmp_path: Path, *, cpu: bool, complete: bool) -> list[list[str]]:
    """The pip commands of .ci/install on a machine that offers a CPU build or not."""
    python = tmp_path / "python"
    python.write_text(
        f"""#!/usr/bin/env bash
echo "$@" >>{tmp_path}/asked
[[ "$*" != *cpu.lock || {int(cpu)} = 1 ]] || exit 1
if [[ "$*" = *" check" ]]; then [ {int(complete)} = 1 ] || grep -q torch.lock {tmp_path}/asked; fi
"""
    )
    python.chmod(0o755)
    environment = {**os.environ, "LC_ALL": "C"}
    subprocess.run([str(ROOT / ".ci/install"), str(python)], check=True, env=environment)
    return [line.split() for line in (tmp_path / "asked").read_text().splitlines()]


@pytest.mark.parametrize("cpu", [True, False])
@pytest.mark.parametrize("complete", [True, False])
def test_only_hashed_files_are_installed(tmp_path, cpu, complete) -> None:
    asked = script(tmp_path, cpu=cpu, complete=complete)
    installs = [words for words in asked if "install" in words]
    assert all({"--require-hashes", "--no-deps"} <= set(words) for words in installs)
    expected = ["cpu.lock", "requirements.lock", *([] if complete else ["torch.lock"])]
    locks = [Path(words[-1]).name for words in installs]
    assert [lock.endswith(end) for lock, end in zip(locks, expected, strict=True)] == [True] * len(
        locks
    )
    assert asked[-1][-1] == "check"


def test_every_way_to_install_goes_through_that_script() -> None:
    texts = {
        name: (ROOT / name).read_text("utf-8") for name in ("Makefile", ".ci/run", "action.yml")
    }
    assert all(".ci/install" in text for text in texts.values())
    assert not [
        name for name, text in texts.items() if re.search(r"--requirement|install -r", text)
    ]
