"""What the repository says of itself agrees: version, Python, pinned actions, valid files."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = PROJECT["version"]
CI = ROOT / ".github" / "workflows" / "ci.yml"
FILES = {
    "CITATION.cff": "vendor.citation-file-format",
    ".github/workflows/ci.yml": "vendor.github-workflows",
    ".github/ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
    ".github/ISSUE_TEMPLATE/fault.yml": "vendor.github-issue-forms",
    ".github/ISSUE_TEMPLATE/metric.yml": "vendor.github-issue-forms",
    ".github/ISSUE_TEMPLATE/wish.yml": "vendor.github-issue-forms",
}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "schema"), FILES.items())
def test_files_are_valid_by_their_schemas(name: str, schema: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_version_stands_everywhere() -> None:
    assert yaml.safe_load(text("CITATION.cff"))["version"] == VERSION
    assert re.search(r"^## (\d[\d.]*)", text("CHANGELOG.md"), re.MULTILINE)[1] == VERSION
    assert f"rapport-bench@v{VERSION}" in text("docs/gate.md")
    for readme in ("README.md", "README.zh-CN.md"):
        assert f"version = {{{VERSION}}}" in text(readme)


def test_every_python_that_is_promised_is_tested() -> None:
    promised = [c.rsplit(" ", 1)[1] for c in PROJECT["classifiers"] if "Python :: 3." in c]
    matrix = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]["ranges"]["strategy"][
        "matrix"
    ]
    assert matrix["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"
    assert {"python": promised[0], "resolution": "lowest-direct"} in [
        {key: job[key] for key in ("python", "resolution")} for job in matrix["include"]
    ]


def test_what_is_asked_for_has_a_lowest_release() -> None:
    """Or else the lowest allowed releases would be those of another decade."""
    asked = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    assert all(re.search(r"[>=]=\d", line) for line in asked)


def test_actions_are_pinned_to_commits() -> None:
    used = re.findall(r"uses: (\S+)", text(".github/workflows/ci.yml") + text("action.yml"))
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used)


def test_hooks_run_what_is_there() -> None:
    hooks = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    tools = {hook["entry"].split()[0] for hook in hooks}
    assert tools == {".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/rapport", ".venv/bin/python"}
    scripts = [word for hook in hooks for word in hook["entry"].split() if word.endswith(".py")]
    assert all((ROOT / script).is_file() for script in scripts)
