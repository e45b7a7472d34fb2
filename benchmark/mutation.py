"""How many small faults in the code that figures rest on are noticed by the tests.

    pip install cosmic-ray
    python benchmark/mutation.py --mutants 300 --seed 1

Draws mutants of cosmic-ray's operators (another comparison, another number, a condition negated, a loop
left out, ...) at random from metrics, statistics, comparison, gate and identity, runs the tests of the
mutated module for each, and prints those that nothing notices. Each mutant is tried in a copy of the
checkout and a process of its own, forked from one that has imported the libraries. Takes about an hour on one core.
Annotations are not mutated: nothing evaluates them.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TASKS, BENCH = "tasks/rapport_tasks", "benchmark/rapport_bench"
TESTED = {
    f"{TASKS}/metrics/advice_to_empathy.py": "tasks/test_acts",
    f"{TASKS}/metrics/continuity.py": "tasks/test_continuity",
    f"{TASKS}/metrics/relevance.py": "tasks/test_continuity",
    f"{TASKS}/metrics/topic_shift.py": "tasks/test_topic_shift",
    f"{TASKS}/metrics/crisis.py": "tasks/test_crisis",
    f"{TASKS}/metrics/perplexity.py": "tasks/test_perplexity",
    f"{TASKS}/shifts/segmentation.py": "tasks/test_segmentation",
    f"{TASKS}/acts/markers.py": "tasks/test_markers",
    f"{TASKS}/dialogues/replies.py": "tasks/test_replies tasks/test_acts",
    f"{TASKS}/common/record.py": "tasks/test_perplexity tasks/test_acts",
    f"{TASKS}/weights/hashes.py": "tasks/test_weights",
    f"{BENCH}/common/identity.py": "benchmark/test_results benchmark/test_store",
    f"{BENCH}/results/columns.py": "benchmark/test_results benchmark/test_compare",
    f"{BENCH}/results/result.py": "benchmark/test_results benchmark/test_compare",
    f"{BENCH}/statistics/estimates.py": "benchmark/test_stats",
    f"{BENCH}/statistics/clusters.py": "benchmark/test_stats benchmark/test_paired",
    f"{BENCH}/statistics/paired.py": "benchmark/test_paired",
    f"{BENCH}/statistics/bands.py": "benchmark/test_paired benchmark/test_stats benchmark/test_compare",
    f"{BENCH}/statistics/bootstrap.py": "benchmark/test_bootstrap benchmark/test_stats",
    f"{BENCH}/statistics/rates.py": "benchmark/test_rates",
    f"{BENCH}/statistics/tiers.py": "benchmark/test_leaderboard",
    f"{BENCH}/statistics/verdicts.py": "benchmark/test_verdicts",
    f"{BENCH}/judging/compare.py": "benchmark/test_compare",
    f"{BENCH}/judging/contributions.py": "benchmark/test_compare benchmark/test_report",
    f"{BENCH}/judging/gate.py": "benchmark/test_gate",
    f"{BENCH}/judging/gate_policy.py": "benchmark/test_gate",
    f"{BENCH}/judging/dominance.py": "benchmark/test_dominance",
    f"{BENCH}/arms/arm.py": "benchmark/test_loading benchmark/test_asked",
}
"""Module -> the test files that speak of it, fastest first."""

SECONDS = 180
"""After which a mutant counts as noticed: it loops."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small fault.

    Attributes:
        module: Path in the repository.
        line: Where.
        operator: cosmic-ray's name of it.
        code: The module with the fault.
        change: The lines before and after.
    """

    module: str
    line: int
    operator: str
    code: str
    change: str


def places_of(module: str) -> Iterator[tuple[str, str, int, int]]:
    """(module, operator, which of its places, line) of all mutants, but those of annotations."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    source = (ROOT / module).read_text(encoding="utf-8")
    tree, annotations = get_ast(source), list(_annotations(ast.parse(source)))
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments() or name.endswith("NoOp"):
            continue
        operator = kind()
        found = [at for node in ast_nodes(tree) for at in operator.mutation_positions(node)]
        for occurrence, (start, _) in enumerate(found):
            if not any(first <= start <= last for first, last in annotations):
                yield module, name, occurrence, start[0]


def mutant_at(module: str, name: str, occurrence: int, line: int) -> Mutant | None:
    """The mutant of a place; `None` where nothing changes, or cosmic-ray cannot make it."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    source = (ROOT / module).read_text(encoding="utf-8")
    try:
        code = mutate_code(source, get_operator(name)(), occurrence)
    except AttributeError:  # its replacer of exceptions knows no dotted names
        return None
    if code is None or not _differs(code, source):
        return None
    return Mutant(module, line, name, code, _change(source, code))


def _annotations(tree: ast.AST) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            found = getattr(node, name, None)
            if found is not None:
                yield (found.lineno, found.col_offset), (found.end_lineno, found.end_col_offset)


def _differs(code: str, source: str) -> bool:
    try:
        return ast.dump(ast.parse(code)) != ast.dump(ast.parse(source))
    except SyntaxError:
        return False


def _change(source: str, code: str) -> str:
    pairs = zip(source.splitlines(), code.splitlines(), strict=False)
    before, after = next(((a, b) for a, b in pairs if a != b), ("", ""))
    return f"- {before.strip()}\n    + {after.strip()}"


def survivors(mutants: list[Mutant], copies: list[Path]) -> Iterator[Mutant]:
    """The mutants whose tests all pass in spite of the fault; as many at a time as there are copies.

    Each is tried in a process of its own, forked from the main thread, where pytest may set signals.
    """
    waiting, running = list(reversed(mutants)), dict[int, tuple[Mutant, Path, str]]()
    while waiting or running:
        while waiting and copies:
            mutant, copy = waiting.pop(), copies.pop()
            path = copy / mutant.module
            sound = path.read_text(encoding="utf-8")
            path.write_text(mutant.code, encoding="utf-8")
            child = os.fork()
            if child == 0:
                try:
                    _test(copy, [f"tests/{name}.py" for name in TESTED[mutant.module].split()])
                finally:
                    os._exit(3)  # whatever happened: the rest is the parent's
            running[child] = mutant, copy, sound
        child, status = os.wait()
        mutant, copy, sound = running.pop(child)
        (copy / mutant.module).write_text(sound, encoding="utf-8")
        copies.append(copy)
        if os.waitstatus_to_exitcode(status) == 0:
            yield mutant


def _test(copy: Path, files: list[str]) -> None:
    """In a process of its own: run test files against a copy of the checkout, and exit."""
    os.setsid()
    signal.alarm(SECONDS)  # kills the process
    os.chdir(copy)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.path[:0] = [str(copy / folder) for folder in ("tasks", "training", "benchmark", "tests")]
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:4])
    import pytest

    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={copy}"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is imported already
    os._exit(int(pytest.main([*options, *files])))


def copied(folder: Path) -> Path:
    """The checkout without what is not in it."""
    left_out = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "dist", "demo")
    shutil.copytree(ROOT, folder, ignore=left_out)
    return folder


def preload() -> None:
    """Import what every test imports, so that a forked process need not."""
    import lm_eval.evaluator
    import numpy
    import pytest
    import scipy.stats
    import torch
    import transformers

    del lm_eval, numpy, pytest, scipy, transformers
    torch.set_num_threads(1)  # threads do not survive a fork


def main() -> None:
    """Draw, try, and say what survived."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--mutants", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="part of a module's path")
    options = parser.parse_args()
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    modules = [module for module in TESTED if options.only in module]
    places = [place for module in modules for place in places_of(module)]
    random.Random(options.seed).shuffle(places)
    made = (mutant for place in places if (mutant := mutant_at(*place)) is not None)
    drawn = list(islice(made, options.mutants))
    print(f"{len(drawn)} of about {len(places):,} mutants of {len(modules)} modules", flush=True)
    preload()
    with tempfile.TemporaryDirectory() as scratch:
        free = [copied(Path(scratch) / f"copy-{n}") for n in range(options.jobs)]
        for module in modules:
            files = [f"tests/{name}.py" for name in TESTED[module].split()]
            missing = [file for file in files if not (ROOT / file).is_file()]
            if missing:
                raise SystemExit(f"{module}: no {', '.join(missing)}")

        sound = [Mutant(m, 0, "none", (ROOT / m).read_text(encoding="utf-8"), "") for m in modules]
        broken = {m.module for m in sound} - {m.module for m in survivors(sound, free)}
        if broken:
            raise SystemExit(f"tests fail without any fault: {', '.join(sorted(broken))}")
        survived: list[Mutant] = []
        for mutant in survivors(drawn, free):
            survived.append(mutant)
            where = f"{mutant.module}:{mutant.line}"
            print(f"survived {where} {mutant.operator}\n    {mutant.change}", flush=True)
    _summary(drawn, survived)


def _summary(drawn: list[Mutant], survived: list[Mutant]) -> None:
    tried, left = (Counter(mutant.module for mutant in some) for some in (drawn, survived))
    for module, count in sorted(tried.items()):
        print(f"{count - left[module]:4} of {count:4}  {module}")
    share: Any = (len(drawn) - len(survived)) / len(drawn) if drawn else float("nan")
    print(f"{len(drawn) - len(survived)} of {len(drawn)} mutants noticed: {share:.1%}")


if __name__ == "__main__":
    main()
