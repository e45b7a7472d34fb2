"""Time and memory of the whole command `rapport leaderboard` on many arms.

    python benchmark/perf/leaderboard.py --arms 200 --dialogues 208

Results with every column of a real one are made up and written first; the command then runs in a
process of its own, from reading the files to the last line. Beside it stands what the comparisons
would cost if each drew its own bootstrap, as `rapport compare` does for two arms.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

from rapport_bench.judging.compare import compare_metric
from rapport_bench.results import columns as records
from rapport_bench.results.metrics import BY_NAME, METRICS
from rapport_bench.results.result import Result, load_all, save, seal

_SHA = "0" * 64
_LIMIT = 10.0
"""Seconds that 200 arms and 208 dialogues may take on two cores."""


def columns(dialogues: int, rng: np.random.Generator) -> dict[str, list[float]]:
    """Every column that a metric uses; counts stay within what they are shares of."""
    names = {
        name
        for metric in METRICS
        for group in (metric.numerator, metric.denominator, (metric.count, metric.scorable))
        for name in group
    }
    found = {name: rng.binomial(4, 0.3, dialogues) for name in sorted(names)}
    whole = {metric.scorable for metric in METRICS} | {
        name for metric in METRICS if metric.share for name in metric.denominator
    }
    for name in whole - {"advice", "empathy", "empathy_grounded"}:
        found[name] = np.full(dialogues, 6)
    level = rng.uniform(0.1, 0.9)
    found["advice"] = rng.binomial(12, level, dialogues)
    found["empathy"] = 12 - found["advice"]
    found["nll_sum"] = rng.normal(300, 20, dialogues)
    for name in ("tokens", "chars", "aer_chars"):
        found[name] = np.full(dialogues, 100)
    fixed = np.random.default_rng(1)
    found["gold_advice"] = fixed.binomial(12, 0.35, dialogues)
    found["gold_empathy"] = 12 - found["gold_advice"]
    found["gold_shifts"] = fixed.binomial(6, 0.05, dialogues)
    found["gold_shift_opportunities"] = np.full(dialogues, 6)
    return {name: [float(value) for value in values] for name, values in found.items()}


def made_up(name: str, dialogues: int, rng: np.random.Generator) -> Result:
    """A valid result."""
    made = columns(dialogues, rng)
    generation = {"method": "greedy", "max_new_tokens": 1, "seeds": [0]}
    protocol = {"history": "gold", "overlong": "skip", "generation": generation}
    return seal(
        {
            "suite": {
                "name": "made-up",
                "version": "1.0.0",
                "suite_id": _SHA,
                "data_sha256": _SHA,
                "dialogues": dialogues,
                "tasks": {},
                "protocol": protocol,
            },
            "arm": {
                "name": name,
                "kind": "model",
                "arm_id": _SHA,
                "base": None,
                "adapter": None,
                "tokenizer_sha256": _SHA,
                "chat_template_sha256": _SHA,
            },
            "numerics": None,
            "metrics": records.summarise(made),
            "dialogues": {
                "id": [f"d{i}" for i in range(dialogues)],
                "group": {"domain": [None] * dialogues, "crisis": [False] * dialogues},
                "columns": made,
            },
            "unscored": [],
            "volatile": {},
        }
    )


def measure(folder: str) -> tuple[float, float, float, dict[str, object]]:
    """Seconds, CPU seconds, highest resident set in MB, and the board of one run of the command.

    CPU seconds are what a busy machine hardly changes.
    """
    start = time.perf_counter()
    command = [sys.executable, "-m", "rapport_bench", "leaderboard", folder, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"rapport leaderboard: exit code {process.returncode}")
    # Kilobytes on Linux, bytes on macOS.
    peak = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    cpu = used.ru_utime + used.ru_stime
    return time.perf_counter() - start, cpu, peak, json.loads(text)["data"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the results, run the command, print."""
    parser = argparse.ArgumentParser(description="Time the leaderboard.")
    parser.add_argument("--arms", type=int, default=200)
    parser.add_argument("--dialogues", type=int, default=208)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.arms):
            save(made_up(f"arm {number}", options.dialogues, rng), folder)
        print(f"{options.arms} arms x {options.dialogues} dialogues, {os.cpu_count()} cores")
        seconds, cpu, peak, board = measure(folder)
        rows = board["rows"]
        assert isinstance(rows, list)
        tiers = max(row["tier"] for row in rows)
        said = "within" if seconds < _LIMIT else "over"
        print(
            f"{seconds:.1f} s ({said} {_LIMIT:g} s), {cpu:.1f} CPU seconds, peak {peak:.0f} MB, "
            f"{tiers} tiers"
        )
        pair = [result for result, _ in zip(load_all(folder), range(2), strict=False)]
        compare_metric(BY_NAME["aer_share"], *pair)  # imports what it needs
        start = time.process_time()
        compare_metric(BY_NAME["aer_share"], *pair)
        one = time.process_time() - start
        print(
            f"a comparison that draws for itself: {one:.2f} CPU seconds; of all arms with one "
            f"leader: {one * (options.arms - 1):.0f}"
        )


if __name__ == "__main__":
    main()
