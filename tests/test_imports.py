"""Imports point one way, and the command starts fast because heavy imports stay inside commands."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = {
    "torch",
    "transformers",
    "lm_eval",
    "peft",
    "datasets",
    "statsmodels",
    "scipy",
    "rich",
    "pydantic",
}


ROOMS = {
    "rapport_tasks": "common dialogues prompts weights embedding acts shifts specs metrics registry lm_tasks",
    "rapport_training": "cards disk privacy prepare sequences loading lora",
    "rapport_bench": (
        "common statistics results arms running judging words validity "
        "human.sheets human.ratings human.analysis page terminal export verify cli testing"
    ),
}
"""Rooms of each package: a room imports from those before it, never from those after it."""

FOLDERS = {"rapport_tasks": "tasks", "rapport_training": "training", "rapport_bench": "benchmark"}
PACKAGES = list(ROOMS)
"""A package imports from those before it."""

KNOW_TRAINING = {"arms", "running", "terminal", "cli"}
"""Rooms of the benchmark that load models, make adapters, or print how that goes."""


def modules() -> dict[str, Path]:
    found = {}
    for package, folder in FOLDERS.items():
        for path in (ROOT / folder / package).glob("**/*.py"):
            name = ".".join(path.relative_to(ROOT / folder).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports(name: str) -> set[str]:
    """The project's modules that one imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {
                whole if (whole := f"{node.module}.{alias.name}") in MODULES else node.module
                for alias in node.names
            }
    return found & MODULES.keys()


GRAPH = {name: imports(name) for name in MODULES}


def room(name: str) -> tuple[str, str | None]:
    package, _, inside = name.partition(".")
    for one in ROOMS[package].split():
        if inside == one or inside.startswith(f"{one}."):
            return package, one
    return package, None


def test_every_module_lies_in_a_room() -> None:
    doors = {*PACKAGES, "rapport_bench.__main__", "rapport_bench.api", "rapport_bench.human"}
    assert {name for name in MODULES if room(name)[1] is None} == doors


def test_imports_run_one_way_between_packages_and_rooms() -> None:
    def place(name: str) -> tuple[int, int]:
        package, one = room(name)
        order = ROOMS[package].split()
        return PACKAGES.index(package), order.index(one) if one else -1

    wrong = {
        f"{name} imports {other}"
        for name, others in GRAPH.items()
        for other in others
        if room(name)[1] and place(other) > place(name)
    }
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter(GRAPH).prepare()  # raises CycleError, which names the circle


def test_only_some_rooms_of_the_benchmark_know_the_training() -> None:
    knowing = {
        room(name)[1]
        for name, others in GRAPH.items()
        if name.startswith("rapport_bench")
        and any(other.startswith("rapport_training") for other in others)
    }
    assert knowing == KNOW_TRAINING


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from rapport_bench.cli.main import _run; assert _run(['--help']) == 0; "
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split("\n")[-2].split())
    assert "click" in loaded
    assert not loaded & HEAVY
