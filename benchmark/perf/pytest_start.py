"""What the pytest plugin adds to the start of every pytest run: CPU seconds with it and without.

python benchmark/perf/pytest_start.py --pairs 10
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

PLUGIN = "rapport_bench.testing.plugin"


def cpu_seconds(arguments: list[str], folder: str, plugins: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # those that are installed cost more
        "PYTEST_PLUGINS": plugins,
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": folder,  # filled by the first run, as where it is installed
    }
    subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder, env=environment, check=True, capture_output=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_empty.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
        for name, arguments in (("pytest --version", ["--version"]), ("one empty test", ["-q"])):
            without, with_plugin = [], []
            for _ in range(pairs):  # alternately, so that a busy machine slows both
                without.append(cpu_seconds(arguments, folder, ""))
                with_plugin.append(cpu_seconds(arguments, folder, PLUGIN))
            least, more = min(without), min(with_plugin)
            print(f"{name}: {least:.3f} s without, {more:.3f} s with: {more / least:.2f} times")


if __name__ == "__main__":
    main()
