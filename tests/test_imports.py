"""Imports point one way, and the command starts fast because heavy imports stay inside commands."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "transformers", "lm_eval", "peft", "datasets", "statsmodels", "scipy", "rich"}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("tasks/rapport_tasks", {"rapport_training", "rapport_bench"}),
        ("training/rapport_training", {"rapport_bench"}),
    ],
)
def test_imports_point_one_way(folder: str, forbidden: set[str]) -> None:
    modules = list((ROOT / folder).glob("**/*.py"))
    assert len(modules) > 3
    assert not {path.name: found for path in modules if (found := imports(path) & forbidden)}


def test_only_named_modules_of_the_benchmark_know_the_training() -> None:
    knowing = {
        path.name
        for path in (ROOT / "benchmark/rapport_bench").glob("**/*.py")
        if "rapport_training" in imports(path)
    }
    assert knowing == {
        "adapters.py",
        "base_group.py",
        "loading.py",
        "models.py",
        "doctor.py",
        "trials.py",
        "demo.py",
        "prepare_command.py",
        "train_command.py",
    }


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from rapport_bench.cli import _run; assert _run(['--help']) == 0; "
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split("\n")[-2].split())
    assert "click" in loaded
    assert not loaded & HEAVY
