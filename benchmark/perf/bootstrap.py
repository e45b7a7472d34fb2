"""Time of the cluster bootstrap against the plain loop, on the same data in the same run.

python benchmark/perf/bootstrap.py --draws 10000 --clusters 1000 --columns 20
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np

from rapport_bench.statistics.bootstrap import bootstrap_sums
from rapport_bench.statistics.clusters import Floats


def loop(columns: Floats, *, draws: int, rng: np.random.Generator) -> Floats:
    """Resample with one `np.take` a draw."""
    clusters = len(columns)
    sums = [
        np.take(columns, rng.integers(0, clusters, size=clusters), axis=0).sum(axis=0)
        for _ in range(draws)
    ]
    return np.array(sums)


def seconds(resample: Callable[..., Floats], columns: Floats, draws: int, repeats: int) -> float:
    """Fastest of several runs: what the code costs, least disturbed by the machine."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        resample(columns, draws=draws, rng=np.random.default_rng(1))
        times.append(time.perf_counter() - start)
    return min(times)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(description="Time the cluster bootstrap.")
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--clusters", type=int, default=1_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    columns = np.random.default_rng(0).random((options.clusters, options.columns))
    ours, plain = (
        seconds(resample, columns, options.draws, options.repeats)
        for resample in (bootstrap_sums, loop)
    )
    print(
        f"{options.draws} draws x {options.clusters} dialogues x {options.columns} columns: "
        f"counts @ columns {ours:.2f} s, np.take loop {plain:.2f} s, ratio {plain / ours:.1f}"
    )


if __name__ == "__main__":
    main()
